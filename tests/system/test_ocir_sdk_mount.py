# SPDX-License-Identifier: Apache-2.0
"""What Oracle's own SDK sees is what the mount shows, and stays so while the
SDK changes it."""
import os
import shutil
import subprocess

import pytest

import images
import imagetool
import ocir
from oracle_sdk import OracleSdk
from waiting import until

pytest_plugins = "emulators"
pytestmark = pytest.mark.semantics("S51", "S56")

LAYOUT = {"index.json", "oci-layout"}


@pytest.fixture(scope="module")
def oracle(module_oracle):
    return module_oracle("--sample")


@pytest.fixture(scope="module")
def sdk(oracle):
    """One for all; starting node takes its time."""
    client = OracleSdk(oracle)
    yield client
    client.stop()


def all_items(operation, name=None, **request):
    """Of every page; `name`: of the member that has them."""
    found = []
    while True:
        response = operation(**request)
        found += (response[name] if name else response)["items"]
        if not response.get("opcNextPage"):
            return found
        request["page"] = response["opcNextPage"]


def compartment_paths(sdk, oracle):
    """{OCID: path below the root} of those that can be used."""
    listed = {c["id"]: c for c in all_items(
        sdk.identity.listCompartments, compartmentId=oracle.tenancy,
        compartmentIdInSubtree=True, accessLevel="ACCESSIBLE", limit=2)
        if c["lifecycleState"] == "ACTIVE"}

    def path(ocid):
        if ocid == oracle.tenancy:
            return ""
        return f"{path(listed[ocid]['compartmentId'])}/{listed[ocid]['name']}"

    return {ocid: path(ocid) for ocid in [oracle.tenancy, *listed]}


def tags_of(sdk, repo):
    """{tag: digest} of what the SDK tells of each image."""
    found = {}
    for summary in all_items(
            sdk.artifacts.listContainerImages, "containerImageCollection",
            compartmentId=repo["compartmentId"], repositoryId=repo["id"],
            lifecycleState="AVAILABLE", isVersioned=True, limit=2):
        image = sdk.artifacts.getContainerImage(imageId=summary["id"])
        image = image["containerImage"]
        found |= {v["version"]: image["digest"] for v in image["versions"]}
    return found


def seen_by_sdk(sdk, oracle):
    """(compartments, {path of a repository: {tag: digest}})"""
    paths = compartment_paths(sdk, oracle)
    repos = all_items(
        sdk.artifacts.listContainerRepositories,
        "containerRepositoryCollection", compartmentId=oracle.tenancy,
        compartmentIdInSubtree=True, limit=2)
    return {p for p in paths.values() if p}, {
        f"{paths[r['compartmentId']]}/{r['displayName']}": tags_of(sdk, r)
        for r in repos}


def digests_in(folder, names):
    return {n: os.getxattr(folder / n, "user.oci.digest").decode()
            for n in names}


def seen_by_mount(m):
    """(other directories, repositories) as above, by walking."""
    folders, repos = set(), {}
    for folder, below, files in os.walk(m.path):
        path = folder.removeprefix(str(m.path))
        if "oci-layout" in files:
            below.remove("blobs")
            repos[path] = digests_in(m.path / path[1:], set(files) - LAYOUT)
        elif path:
            folders.add(path)
    return folders, repos


def parts_of(repos, compartments):
    """Directories that are only parts of repositories' names."""
    parts = set()
    for path in repos:
        parent = os.path.dirname(path)
        while parent not in compartments and parent != "/":
            parts.add(parent)
            parent = os.path.dirname(parent)
    return parts - repos.keys()


def same(m, sdk, oracle):
    compartments, theirs = seen_by_sdk(sdk, oracle)
    folders, ours = seen_by_mount(m)
    assert ours == theirs
    assert folders - parts_of(theirs, compartments) == compartments
    return ours


@pytest.mark.parametrize("settings", [
    {}, {"max_page": 2, "empty_pages": 1}, {"image_rows": "version"}])
def test_the_whole_tenancy_is_the_same(mount, oracle, sdk, settings):
    oracle.set(**settings)
    try:
        assert len(same(ocir.mounted(mount, oracle), sdk, oracle)) >= 5
    finally:
        oracle.set(max_page=1000, empty_pages=0, image_rows="image")


def test_an_instance_sees_what_an_instance_sees(mount, oracle):
    client = OracleSdk(oracle, "instance")
    try:
        m = ocir.mounted(mount, oracle, "instance_principal")
        assert same(m, client, oracle)
    finally:
        client.stop()


def test_what_the_sdk_changes_is_seen(mount, oracle, sdk):
    m = ocir.mounted(mount, oracle, ttl="0s")
    paths = compartment_paths(sdk, oracle)
    build, eu = (next(o for o, p in paths.items() if p == want)
                 for want in ("/build", "/prod/eu"))
    made = sdk.artifacts.createContainerRepository(
        createContainerRepositoryDetails={
            "compartmentId": build, "displayName": "sdk/app"})
    ask = {"repositoryId": made["containerRepository"]["id"]}
    until(lambda: (m / "build/sdk/app").is_dir(), "the new repository", 30)
    same(m, sdk, oracle)

    image = images.small_image("sdk")
    token = sdk.registry.getAccessToken()["accessToken"]["token"]
    client = imagetool.Registry(oracle.urls["registry"], token=token)
    name = f"{oracle.namespace}/sdk/app"
    for blob in image.blobs:
        client.push_blob(name, blob)
    for tag in ("1.0", "latest"):
        client.push_manifest(name, tag, image.data, image.media_type)
    until(lambda: (m / "build/sdk/app/latest").exists(), "the new tag", 30)
    assert (m / "build/sdk/app/1.0").read_bytes() == image.data
    same(m, sdk, oracle)

    sdk.artifacts.changeContainerRepositoryCompartment(
        **ask, changeContainerRepositoryCompartmentDetails={
            "compartmentId": eu})
    until(lambda: (m / "prod/eu/sdk/app/1.0").exists(), "the move", 30)
    assert not (m / "build/sdk").exists()

    found = sdk.artifacts.lookupContainerImageByUri(
        lookupContainerImageByUriDetails={"imageUri": f"{name}:1.0"})
    sdk.artifacts.removeContainerVersion(
        imageId=found["containerImage"]["id"],
        removeContainerVersionDetails={"version": "1.0"})
    until(lambda: not (m / "prod/eu/sdk/app/1.0").exists(),
          "the untagging", 30)
    same(m, sdk, oracle)

    sdk.artifacts.deleteContainerRepository(**ask)
    until(lambda: not (m / "prod/eu/sdk/app").exists(), "the deletion", 30)
    same(m, sdk, oracle)


def test_what_the_mount_changes_is_seen_by_the_sdk(mount, oracle, sdk):
    m = ocir.mounted(mount, oracle, ttl="0s", allow_delete=True)
    (m / "build/made").mkdir()
    subprocess.run(
        ["skopeo", "copy", "-q", "--insecure-policy",
         f"oci:{m.path}/prod/motando-webapp:latest",
         f"oci:{m.path}/build/made:1.0"], check=True, timeout=120)
    shutil.copyfile(m / "build/made/1.0", m / "build/made/2.0")
    os.setxattr(m / "build/made", "user.ocir.isPublic", b"true")
    made = same(m, sdk, oracle)["/build/made"]
    assert made["1.0"] == made["2.0"] and len(made) == 2
    asked = all_items(
        sdk.artifacts.listContainerRepositories,
        "containerRepositoryCollection", compartmentId=oracle.tenancy,
        compartmentIdInSubtree=True, displayName="made")
    assert [r["isPublic"] for r in asked] == [True]

    os.rename(m / "build/made", m / "prod/made")
    os.unlink(m / "prod/made/1.0")
    assert list(same(m, sdk, oracle)["/prod/made"]) == ["2.0"]
    # A new one has no layout yet: whoever writes one begins with it.
    (m / "prod/eu/empty").mkdir()
    assert seen_by_sdk(sdk, oracle)[1]["/prod/eu/empty"] == {}
    (m / "prod/eu/empty").rmdir()
    assert "/prod/eu/empty" not in same(m, sdk, oracle)
