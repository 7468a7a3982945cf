# SPDX-License-Identifier: Apache-2.0
"""The emulator, asked by Oracle's own SDK: what that one understands is true
to the service's interface."""
import json
import urllib.parse

import pytest

import images
import imagetool
from oracle_sdk import OracleSdk, SdkError
from waiting import until

pytest_plugins = "emulators"


@pytest.fixture(scope="module")
def oracle(module_oracle):
    return module_oracle("--sample")


@pytest.fixture
def make_sdk(oracle):
    started = []

    def make(*args, **kwargs):
        started.append(OracleSdk(oracle, *args, **kwargs))
        return started[-1]

    yield make
    for sdk in started:
        sdk.stop()
    oracle.clear_faults()
    oracle.set(empty_pages=0, free_tier=False, security_token_seconds=3600)


@pytest.fixture(scope="module")
def shared(oracle):
    """One client with an API key; starting node takes its time."""
    sdk = OracleSdk(oracle)
    yield sdk
    sdk.stop()


@pytest.fixture
def sdk(oracle, shared):
    yield shared
    oracle.clear_faults()
    oracle.set(empty_pages=0, free_tier=False)


def pages(operation, **request):
    """Every page that the SDK gets, followed as it shows them."""
    found = []
    while True:
        response = operation(**request)
        found.append(response)
        if not response.get("opcNextPage"):
            return found
        request["page"] = response["opcNextPage"]


def docker_token(sdk, oracle, **request):
    response = sdk.registry.getAccessToken(**request)
    token = response["accessToken"]
    assert token["token"] == token["accessToken"]
    body = token["token"].split(".")[1]
    claims = json.loads(imagetool.base64.urlsafe_b64decode(body + "=="))
    return token, json.loads(claims["sub"])["userId"]


def push(oracle, sdk, repo, manifest, *tags):
    token = sdk.registry.getAccessToken()["accessToken"]["token"]
    client = imagetool.Registry(oracle.urls["registry"], token=token)
    name = f"{oracle.namespace}/{repo}"
    for blob in manifest.blobs:
        client.push_blob(name, blob)
    for tag in tags:
        client.push_manifest(name, tag, manifest.data, manifest.media_type)
    return client


# ---- what there is ----

def test_compartments_page_by_page(oracle, sdk):
    oracle.set(empty_pages=1)
    found = pages(sdk.identity.listCompartments,
                  compartmentId=oracle.tenancy, limit=2,
                  compartmentIdInSubtree=True, accessLevel="ACCESSIBLE")
    assert [p["items"] for p in found if not p["items"]], "an empty page"
    by_name = {c["name"]: c for p in found for c in p["items"]}
    assert {"prod", "eu", "build", "old"} <= set(by_name)
    assert by_name["eu"]["compartmentId"] == by_name["prod"]["id"]
    assert by_name["prod"]["compartmentId"] == oracle.tenancy
    assert by_name["old"]["lifecycleState"] == "DELETED"
    one = sdk.identity.getCompartment(compartmentId=by_name["eu"]["id"])
    assert one["compartment"]["name"] == "eu" and one["etag"]
    assert one["opcRequestId"]


def test_the_tenancy(oracle, sdk):
    t = sdk.identity.getTenancy(tenancyId=oracle.tenancy)["tenancy"]
    assert (t["id"], t["homeRegionKey"]) == (oracle.tenancy, "IAD")
    r = sdk.identity.listRegionSubscriptions(tenancyId=oracle.tenancy)
    assert r["items"][0]["regionName"] == oracle.region
    assert sdk.identity.listRegions()["items"][0]["key"] == "IAD"


def test_repositories_page_by_page(oracle, sdk):
    for i in range(5):
        oracle.add_repository(f"paged/r{i}", "build")
    oracle.set(empty_pages=2)
    found = pages(sdk.artifacts.listContainerRepositories,
                  compartmentId=oracle.tenancy, limit=3,
                  compartmentIdInSubtree=True)
    listed = [r["displayName"] for p in found
              for r in p["containerRepositoryCollection"]["items"]]
    known = [r["displayName"] for r in oracle.state()["repositories"]]
    assert sorted(listed) == sorted(known)
    first = found[0]["containerRepositoryCollection"]
    assert first["items"] == [] and first["repositoryCount"] == len(known)
    one = pages(sdk.artifacts.listContainerRepositories,
                compartmentId=oracle.repository("paged/r1")["compartmentId"],
                displayName="paged/r1")
    assert [r["namespace"] for p in one for r in
            p["containerRepositoryCollection"]["items"]] == [oracle.namespace]


# ---- a repository's life ----

def test_a_repository_lives(oracle, sdk):
    prod, build = (next(c["id"] for c in oracle.state()["compartments"]
                        if c["name"] == n) for n in ("prod", "build"))
    made = sdk.artifacts.createContainerRepository(
        createContainerRepositoryDetails={
            "compartmentId": build, "displayName": "sdk/made",
            "isPublic": False,
            "readme": {"content": "hällo", "format": "TEXT_MARKDOWN"}})
    r = made["containerRepository"]
    assert r["displayName"] == "sdk/made" and r["createdBy"]
    assert r["readme"]["content"] == "hällo"
    ask = {"repositoryId": r["id"]}
    got = sdk.artifacts.getContainerRepository(**ask)
    assert got["containerRepository"] == r and got["etag"] == made["etag"]
    with pytest.raises(SdkError) as e:
        sdk.artifacts.updateContainerRepository(
            **ask, updateContainerRepositoryDetails={"isImmutable": True})
    assert e.value.status == 400
    oracle.set(immutable="taken")
    changed = sdk.artifacts.updateContainerRepository(
        **ask, ifMatch=got["etag"], updateContainerRepositoryDetails={
            "isImmutable": True, "isPublic": True})
    assert changed["containerRepository"]["isImmutable"]
    with pytest.raises(SdkError) as e:
        sdk.artifacts.updateContainerRepository(
            **ask, ifMatch=got["etag"],
            updateContainerRepositoryDetails={"isPublic": False})
    assert e.value.status == 412
    sdk.artifacts.changeContainerRepositoryCompartment(
        **ask, changeContainerRepositoryCompartmentDetails={
            "compartmentId": prod})
    assert oracle.repository("sdk/made")["compartmentId"] == prod
    with pytest.raises(SdkError) as e:
        sdk.artifacts.createContainerRepository(
            createContainerRepositoryDetails={
                "compartmentId": build, "displayName": "sdk/made"})
    assert e.value.status == 409
    sdk.artifacts.deleteContainerRepository(**ask)
    with pytest.raises(SdkError) as e:
        sdk.artifacts.getContainerRepository(**ask)
    assert (e.value.status, e.value.code) == (404, "NotAuthorizedOrNotFound")


def test_the_configuration(oracle, sdk):
    ask = {"compartmentId": oracle.tenancy}
    found = sdk.artifacts.getContainerConfiguration(**ask)
    assert found["containerConfiguration"]["namespace"] == oracle.namespace
    for value in (True, False):
        changed = sdk.artifacts.updateContainerConfiguration(
            **ask, updateContainerConfigurationDetails={
                "isRepositoryCreatedOnFirstPush": value})
        assert changed["containerConfiguration"][
            "isRepositoryCreatedOnFirstPush"] is value


# ---- an image's life ----

def test_an_image_lives(oracle, sdk):
    oracle.add_repository("sdk/app", "prod:eu")
    image = images.small_image("sdk")
    client = push(oracle, sdk, "sdk/app", image, "1.0", "latest")
    r = oracle.repository("sdk/app")
    listed = pages(sdk.artifacts.listContainerImages,
                   compartmentId=r["compartmentId"], repositoryId=r["id"],
                   isVersioned=True, limit=1)
    rows = [i for p in listed
            for i in p["containerImageCollection"]["items"]]
    assert [(i["digest"], i["version"]) for i in rows] == [
        (image.digest, "latest")]
    uri = f"{oracle.namespace}/sdk/app:1.0"
    found = sdk.artifacts.lookupContainerImageByUri(
        lookupContainerImageByUriDetails={"imageUri": uri})
    one = found["containerImage"]
    assert one["manifestSizeInBytes"] == len(image.data)
    assert one["layers"][0]["sizeInBytes"] == image.blobs[1].size
    assert {v["version"] for v in one["versions"]} == {"1.0", "latest"}
    assert sdk.artifacts.getContainerImage(imageId=one["id"])[
        "containerImage"] == one
    left = sdk.artifacts.removeContainerVersion(
        imageId=one["id"], ifMatch=found["etag"],
        removeContainerVersionDetails={"version": "1.0"})["containerImage"]
    assert [v["version"] for v in left["versions"]] == ["latest"]
    assert json.loads(client.get(f"{oracle.namespace}/sdk/app", "tags/list")
                      )["tags"] == ["latest"]
    sdk.artifacts.deleteContainerImage(imageId=one["id"])
    with pytest.raises(SdkError):
        sdk.artifacts.lookupContainerImageByUri(
            lookupContainerImageByUriDetails={
                "imageUri": f"{oracle.namespace}/sdk/app:latest"})
    back = sdk.artifacts.restoreContainerImage(
        imageId=one["id"], restoreContainerImageDetails={})["containerImage"]
    assert back["lifecycleState"] == "AVAILABLE"
    assert [v["version"] for v in back["versions"]] == ["latest"]
    assert client.get(f"{oracle.namespace}/sdk/app", "manifests/latest"
                      ) == image.data


# ---- the registry's token ----

def test_a_docker_token_with_an_api_key(oracle, sdk):
    scope = f"repository:{oracle.namespace}/motando-webapp:pull"
    token, who = docker_token(sdk, oracle, scope=urllib.parse.quote(
        scope, safe=""), service="x")
    assert who == oracle.users["jdoe@example.com"]["user"]
    assert token["scope"] == scope and token["expiresIn"] == 3600


@pytest.mark.parametrize("kind, name, more", [
    ("instance", "build-host", {}), ("resource", "function", {}),
    ("workload", "pod", {}), ("session", "jdoe@example.com", {}),
    ("api_key", "reader", {"profile": "READER"}),
    ("api_key", "jdoe@example.com", {"profile": "DEFAULT_ENCRYPTED"}),
    ("delegated", "jdoe@example.com", {})])
def test_every_kind_of_principal(oracle, make_sdk, kind, name, more):
    if kind == "session":
        more = {"profile": "SESSION"}
    if kind == "workload":
        more = {"ca": f"{oracle.service_account}/ca.crt",
                "token": f"{oracle.service_account}/token"}
    if kind == "delegated":
        with open(f"{oracle.folder}/oci/delegation.token") as f:
            more = {"token": f.read()}
    sdk = make_sdk(kind, **more)
    oracle.mark()
    found = sdk.identity.listCompartments(compartmentId=oracle.tenancy)
    assert {"prod", "build"} <= {c["name"] for c in found["items"]}
    _, who = docker_token(sdk, oracle)
    assert not who.startswith("anon-")
    asked = oracle.requests("identity") + oracle.requests("registry")
    assert {r["who"] for r in asked} == {name}
    if kind == "delegated":
        assert all("opc-obo-token" in r["headers"] for r in asked)


def test_an_instance_renews_its_token_with_another_key(oracle, make_sdk):
    oracle.set(security_token_seconds=1)
    before = oracle.counters()["security_tokens"]
    sdk = make_sdk("instance")
    repo = {"compartmentId": oracle.tenancy}

    def renewed():
        sdk.artifacts.listContainerRepositories(**repo)
        return oracle.counters()["security_tokens"] >= before + 3

    until(renewed, "three tokens")
    assert oracle.counters()["session_keys_used_again"] == 0
    made = sdk.artifacts.createContainerRepository(
        createContainerRepositoryDetails={
            **repo, "displayName": "by-an-instance"})
    assert made["containerRepository"]["createdBy"] == oracle.instance


# ---- refusals ----

def test_without_rights_there_is_nothing(oracle, make_sdk):
    sdk = make_sdk(profile="STRANGER")
    for call in (
            lambda: sdk.identity.listCompartments(
                compartmentId=oracle.tenancy),
            lambda: sdk.artifacts.listContainerRepositories(
                compartmentId=oracle.tenancy)):
        with pytest.raises(SdkError) as e:
            call()
        assert (e.value.status, e.value.code) == (
            404, "NotAuthorizedOrNotFound")
        assert e.value.request_id


def test_the_sdk_knows_our_faults(oracle, sdk):
    oracle.fault(service="artifacts", status=429)
    oracle.mark()
    sdk.artifacts.listContainerRepositories(compartmentId=oracle.tenancy)
    assert [r["status"] for r in oracle.requests("artifacts")] == [429, 200]
    oracle.set(free_tier=True)
    with pytest.raises(SdkError) as e:
        sdk.artifacts.listContainerRepositories(compartmentId=oracle.tenancy)
    assert (e.value.status, e.value.code) == (403, "FREE_TIER_NOT_SUPPORTED")


def test_a_wrong_clock_is_refused(oracle, sdk):
    oracle.set(clock_offset=900)
    try:
        with pytest.raises(SdkError) as e:
            sdk.identity.listRegions()
        assert (e.value.status, e.value.code) == (401, "NotAuthenticated")
        _, who = docker_token(sdk, oracle)
        assert who.startswith("anon-")
    finally:
        oracle.set(clock_offset=0)
