# SPDX-License-Identifier: Apache-2.0
"""Real programs read repositories through the mount as OCI image layouts."""
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

import images
from mounts import sha256_file

LAYERS = ({"etc/motd": b"hello\n", "bin/tool": b"#!/bin/sh\n"},
          {"usr/share/data": images.noise(700_000)},
          {"etc/motd": b"hello again\n"})


@pytest.fixture(scope="module")
def image():
    return images.image([images.layer(f) for f in LAYERS])


@pytest.fixture(scope="module")
def multi(image):
    return images.index({"amd64": image,
                         "arm64": images.small_image("for an arm")})


@pytest.fixture(scope="module")
def docker():
    return images.small_image("docker's", docker=True)


@pytest.fixture(scope="module")
def registry(module_registry, image, multi, docker):
    r = module_registry()
    images.push(r, "team/app", image, "1.0", "latest")
    images.push(r, "team/app", multi, "multi")
    images.push(r, "team/app", docker, "docker")
    images.push(r, "single", image, "only")
    return r


@pytest.fixture
def mnt(mount, registry):
    return mount(registry)


def run(*words, **env):
    done = subprocess.run([str(w) for w in words], text=True, check=False,
                          capture_output=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, **env}, timeout=120)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def layout(folder):
    """A layout as it is on disk: names -> bytes."""
    folder = pathlib.Path(folder)
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in folder.rglob("*") if p.is_file()}


def manifest_in(folder, tag=None):
    """The digest that index.json of a layout gives a tag."""
    entries = json.loads((folder / "index.json").read_text())["manifests"]
    name = "org.opencontainers.image.ref.name"
    return [e["digest"] for e in entries
            if tag is None or e["annotations"][name] == tag]


@pytest.mark.semantics("S2")
def test_skopeo_inspects(mnt, image):
    shown = json.loads(run("skopeo", "inspect",
                           f"oci:{mnt.path}/team/app:1.0"))
    assert shown["Digest"] == image.digest
    assert shown["Layers"] == [x["digest"] for x in image.value["layers"]]
    raw = run("skopeo", "inspect", "--raw", f"oci:{mnt.path}/team/app:latest")
    assert raw.encode() == image.data


@pytest.mark.semantics("S2")
def test_skopeo_copies_to_a_layout(mnt, image, tmp_path):
    target = tmp_path / "copy"
    run("skopeo", "copy", f"oci:{mnt.path}/team/app:1.0", f"oci:{target}:x")
    assert manifest_in(target, "x") == [image.digest]
    for digest in image.all_digests():
        assert sha256_file(target / "blobs/sha256" / digest[7:]) == digest


@pytest.mark.semantics("S2")
def test_skopeo_copies_to_another_registry(mnt, image, make_registry):
    other = make_registry()
    run("skopeo", "copy", "--dest-tls-verify=false",
        f"oci:{mnt.path}/team/app:1.0", f"docker://{other.address}/new:y")
    got = other.open("GET", "/v2/new/manifests/y",
                     headers={"Accept": image.media_type}).read()
    assert got == image.data


@pytest.mark.semantics("S2")
def test_skopeo_copies_all_of_an_index(mnt, multi, tmp_path):
    target = tmp_path / "copy"
    run("skopeo", "copy", "--all", f"oci:{mnt.path}/team/app:multi",
        f"oci:{target}:m")
    assert manifest_in(target) == [multi.digest]
    for digest in multi.all_digests():
        assert sha256_file(target / "blobs/sha256" / digest[7:]) == digest


@pytest.mark.semantics("S2")
def test_skopeo_chooses_from_an_index(mnt, image, multi):
    """By what this machine is, or as it is told."""
    for arch, member in zip(("amd64", "arm64"), multi.children):
        shown = json.loads(run(
            "skopeo", "--override-arch", arch, "inspect",
            f"oci:{mnt.path}/team/app:multi"))
        assert shown["Layers"] == [x["digest"] for x in member.value["layers"]]


@pytest.mark.semantics("S2")
def test_the_tag_may_be_left_out_where_there_is_one(mnt, image):
    shown = json.loads(run("skopeo", "inspect", f"oci:{mnt.path}/single"))
    assert shown["Digest"] == image.digest


@pytest.fixture
def containers():
    """Options that keep podman and buildah in a folder of their own; its
    name must be short for podman."""
    with tempfile.TemporaryDirectory(prefix="ofs-") as root:
        words = [f"--root={root}/a", f"--runroot={root}/b",
                 "--storage-driver=vfs"]
        yield words
        run("podman", *words, "rmi", "--all", "--force")


@pytest.mark.semantics("S2")
def test_podman_pulls(mnt, image, containers):
    name = run("podman", *containers, "pull", "-q",
               f"oci:{mnt.path}/team/app:1.0").strip()
    shown = json.loads(run("podman", *containers, "image", "inspect", name))
    assert shown[0]["Id"] == image.value["config"]["digest"][7:]
    assert shown[0]["RootFS"]["Layers"]


@pytest.mark.semantics("S2")
def test_buildah_takes_it_as_a_base(mnt, containers, tmp_path):
    name = run("buildah", *containers, "from",
               f"oci:{mnt.path}/team/app:1.0").strip()
    where = pathlib.Path(run("buildah", *containers, "mount", name).strip())
    assert (where / "etc/motd").read_bytes() == LAYERS[2]["etc/motd"]
    assert (where / "usr/share/data").read_bytes() == \
        LAYERS[1]["usr/share/data"]
    run("buildah", *containers, "rm", name)


@pytest.mark.semantics("S2")
def test_umoci_unpacks(mnt, tmp_path):
    """umoci wants to lock the layout, so it gets a copy of it."""
    copy = tmp_path / "layout"
    run("cp", "-r", "--no-preserve=mode", mnt / "team/app", copy)
    tags = run("umoci", "ls", "--layout", copy).split()
    assert set(tags) == {"1.0", "latest", "multi", "docker"}
    target = tmp_path / "bundle"
    run("umoci", "unpack", "--image", f"{copy}:1.0", target)
    assert (target / "rootfs/etc/motd").read_bytes() == LAYERS[2]["etc/motd"]
    assert (target / "rootfs/usr/share/data").read_bytes() == \
        LAYERS[1]["usr/share/data"]


@pytest.mark.semantics("S2")
def test_umoci_reads_the_mount_itself(mnt, tmp_path):
    assert set(run("umoci", "ls", "--layout", mnt / "team/app").split()) == {
        "1.0", "latest", "multi", "docker"}
    run("umoci", "unpack", "--image", f"{mnt.path}/team/app:1.0",
        tmp_path / "bundle")
    assert (tmp_path / "bundle/rootfs/etc/motd").read_bytes() == \
        LAYERS[2]["etc/motd"]


@pytest.mark.semantics("S2", "S17")
def test_cp_r_is_a_backup(mnt, image, multi, docker, tmp_path):
    """It holds everything, and other programs restore from it."""
    target = tmp_path / "backup"
    run("cp", "-r", mnt / "team/app", target)
    found = layout(target)
    wanted = image.all_digests() | multi.all_digests() | docker.all_digests()
    assert {f"sha256:{n.split('/')[2]}" for n in found
            if n.startswith("blobs/")} == wanted
    for name, data in found.items():
        if name.startswith("blobs/"):
            assert images.digest_of(data)[7:] == name.split("/")[2]
    assert {n for n in found if "/" not in n} == {
        "1.0", "latest", "multi", "docker", "index.json", "oci-layout"}
    shown = json.loads(run("skopeo", "inspect", f"oci:{target}:1.0"))
    assert shown["Digest"] == image.digest


@pytest.mark.semantics("S2", "S17")
def test_diff_and_tar_and_rsync_like_reading_agree(mnt, tmp_path):
    target = tmp_path / "copy"
    run("cp", "-a", mnt / "team", target)
    assert run("diff", "-r", mnt / "team", target) == ""
    run("tar", "-C", mnt.path, "-cf", tmp_path / "all.tar", "team", "single")
    run("tar", "-C", mnt.path, "-df", tmp_path / "all.tar")


@pytest.mark.semantics("S2")
def test_a_layer_can_be_untarred_from_the_mount(mnt, image, tmp_path):
    digest = image.value["layers"][0]["digest"]
    run("tar", "-C", tmp_path, "-xzf",
        mnt / "team/app/blobs/sha256" / digest[7:])
    assert (tmp_path / "etc/motd").read_bytes() == b"hello\n"
