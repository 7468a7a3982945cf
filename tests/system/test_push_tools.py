# SPDX-License-Identifier: Apache-2.0
"""Real programs write into the mount; another client pulls straight from the
registry what they wrote and finds every byte."""
import base64
import gzip
import json
import os
import pathlib
import shutil

import pytest

import imagetool
import images
import pushed
import writers
from pushed import run

USER, PASSWORD = "pusher", "pass-Zq7-never-shown"
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
def local(tmp_path_factory, image):
    return pushed.write_layout(tmp_path_factory.mktemp("local") / "layout",
                               {"1.0": image})


@pytest.fixture(scope="module")
def local_multi(tmp_path_factory, multi):
    return pushed.write_layout(tmp_path_factory.mktemp("local") / "multi",
                               {"1.0": multi})


@pytest.fixture(scope="module")
def registry(module_registry):
    return module_registry()


@pytest.fixture(scope="module")
def mnt(module_mount, registry):
    """Each test has a repository of its own."""
    return module_mount(registry, ttl="0")


def check(registry, repo, tag, m, folder):
    """By two clients: urllib, and skopeo."""
    pushed.check(registry, repo, tag, m)
    got = pushed.skopeo_pull(registry, repo, tag, folder / "pulled")
    assert {d: got.get(d) for d in m.contents()} == m.contents()


def skopeo_copy(source, target, *options):
    return run("skopeo", "copy", "-q", "--insecure-policy", *options, source,
               target)


# ---- layouts ----

@pytest.mark.semantics("S60")
def test_skopeo_copy(mnt, registry, local, image, tmp_path):
    skopeo_copy(f"oci:{local}:1.0", f"oci:{mnt.path}/skopeo-app:1.5")
    check(registry, "skopeo-app", "1.5", image, tmp_path)


@pytest.mark.semantics("S60")
def test_skopeo_copy_of_all_platforms(mnt, registry, local_multi, multi,
                                      tmp_path):
    skopeo_copy(f"oci:{local_multi}:1.0", f"oci:{mnt.path}/skopeo-all:1.5",
                "--all")
    check(registry, "skopeo-all", "1.5", multi, tmp_path)


def test_skopeo_copies_to_many_tags_one_after_the_other(
        mnt, registry, local, image):
    for tag in ("1", "2", "latest"):
        skopeo_copy(f"oci:{local}:1.0", f"oci:{mnt.path}/skopeo-tags:{tag}")
    assert pushed.tag_map(registry, "skopeo-tags") == dict.fromkeys(
        ("1", "2", "latest"), image.digest)


@pytest.mark.semantics("S60")
def test_buildah_push(mnt, registry, tmp_path):
    store = ["--root", tmp_path / "root", "--runroot", tmp_path / "run",
             "--storage-driver", "vfs"]
    (tmp_path / "file").write_bytes(images.noise(200_000))
    name = run("buildah", *store, "from", "scratch").stdout.strip()
    run("buildah", *store, "copy", name, tmp_path / "file", "/file")
    run("buildah", *store, "commit", "-q", name, "made")
    run("buildah", *store, "push", "-q", "made",
        f"oci:{mnt.path}/buildah-app:1.0")
    run("buildah", *store, "push", "-q", "--tls-verify=false", "made",
        f"docker://{registry.address}/buildah-direct:1.0")
    ours, there = (pushed.pull(registry, f"buildah-{x}", "1.0")
                   for x in ("app", "direct"))
    assert ours == there


@pytest.mark.semantics("S60")
def test_umoci(mnt, registry, image, tmp_path):
    images.push(registry, "umoci", image, "1.0")
    layout = mnt / "umoci"
    run("umoci", "tag", "--image", f"{layout}:1.0", "2.0")
    pushed.check(registry, "umoci", "2.0", image)
    run("umoci", "config", "--image", f"{layout}:1.0", "--tag", "3.0",
        "--author", "somebody")
    (tmp_path / "extra").write_bytes(images.noise(100_000, "umoci"))
    run("umoci", "insert", "--image", f"{layout}:2.0", "--tag", "4.0",
        tmp_path / "extra", "/extra")
    run("umoci", "gc", "--layout", layout)
    assert pushed.tags(registry, "umoci") == {"1.0", "2.0", "3.0", "4.0"}
    _, found = pushed.pull(registry, "umoci", "3.0")
    assert any(b'"somebody"' in data for data in found.values())
    digest, found = pushed.pull(registry, "umoci", "4.0")
    assert len(json.loads(found[digest])["layers"]) == len(LAYERS) + 1
    pushed.check(registry, "umoci", "1.0", image)


def test_umoci_makes_a_layout_of_its_own(mnt, registry, tmp_path):
    local = tmp_path / "fresh"
    run("umoci", "init", "--layout", local)
    run("umoci", "new", "--image", f"{local}:first")
    run("cp", "-r", local, mnt / "fresh")
    assert pushed.tags(registry, "fresh") == {"first"}
    pushed.pull(registry, "fresh", "first")


COPIERS = {
    "cp -r": lambda a, b: run("cp", "-r", f"{a}/.", b),
    "cp -rp": lambda a, b: run("cp", "-rp", f"{a}/.", b),
    "cp -a": lambda a, b: run("cp", "-a", f"{a}/.", b),
    "rsync -a": lambda a, b: run("rsync", "-a", f"{a}/", f"{b}/"),
    "rsync -a --inplace": lambda a, b: run(
        "rsync", "-a", "--inplace", f"{a}/", f"{b}/"),
    "tar": lambda a, b: run(
        "sh", "-c", f"tar -C '{a}' -c . | tar -C '{b}' -x"
        f" $(test -e '{b}/1.0' && echo --overwrite)"),
    "tar -p": lambda a, b: run(
        "sh", "-c", f"tar -C '{a}' -c . | tar -C '{b}' -xp --same-owner"
        f" $(test -e '{b}/1.0' && echo --overwrite)"),
    "cat": lambda a, b: run(
        "sh", "-c", f"mkdir -p '{b}/blobs/sha256' && cd '{a}' && find . -type f | sort | "
        f"while read f; do cat $f > '{b}'/$f; done"),
}


@pytest.mark.semantics("S60")
@pytest.mark.parametrize("copier", COPIERS)
def test_a_layout_is_copied_in(mnt, registry, local, image, tmp_path, copier):
    repo = f"copiers/{list(COPIERS).index(copier)}"
    os.makedirs(mnt / repo)
    COPIERS[copier](local, mnt / repo)
    check(registry, repo, "1.0", image, tmp_path)
    COPIERS[copier](local, mnt / repo)  # and again, over what is there
    pushed.check(registry, repo, "1.0", image)


@pytest.mark.semantics("S60")
def test_cp_r_makes_the_repository(mnt, registry, local_multi, multi,
                                   tmp_path):
    run("cp", "-r", local_multi, mnt / "made-by-cp")
    check(registry, "made-by-cp", "1.0", multi, tmp_path)


# ---- files ----

WAYS = {
    "cp": lambda a, b: run("cp", a, b),
    "cp -p": lambda a, b: run("cp", "-p", a, b),
    "cp --sparse": lambda a, b: run("cp", "--sparse=always", a, b),
    "install": lambda a, b: run("install", "-m", "640", a, b),
    "dd": lambda a, b: run("dd", f"if={a}", f"of={b}", "bs=5000",
                           "status=none"),
    "dd fsync": lambda a, b: run("dd", f"if={a}", f"of={b}", "bs=64k",
                                 "conv=fsync", "status=none"),
    "cat": lambda a, b: run("sh", "-c", f"cat '{a}' > '{b}'"),
    "tee": lambda a, b: run("sh", "-c", f"tee '{b}' < '{a}' > /dev/null"),
    "rsync": lambda a, b: run("rsync", "-a", a, b),
}


def put_image(way, mnt, repo, m, folder):
    """Blob by blob, then the manifest to a tag."""
    writers.make_layout(mnt / repo)
    files = [(f"blobs/sha256/{pushed.hex_of(b.digest)}", b.data)
             for b in m.blobs] + [("1.0", m.data)]
    for name, data in files:
        source = folder / pathlib.Path(name).name
        source.write_bytes(data)
        WAYS[way](source, mnt / repo / name)


@pytest.mark.semantics("S60")
@pytest.mark.parametrize("way", WAYS)
def test_blobs_and_a_tag_file_by_file(mnt, registry, image, tmp_path, way):
    repo = f"ways/{list(WAYS).index(way)}"
    put_image(way, mnt, repo, image, tmp_path)
    check(registry, repo, "1.0", image, tmp_path)


@pytest.mark.semantics("S60")
def test_mv_from_another_file_system(mnt, registry, image, tmp_path):
    writers.make_layout(mnt / "mv")
    for b in image.blobs:
        source = tmp_path / pushed.hex_of(b.digest)
        source.write_bytes(b.data)
        run("mv", source, mnt / "mv/blobs/sha256")
        assert not source.exists()
    (tmp_path / "1.0").write_bytes(image.data)
    run("mv", tmp_path / "1.0", mnt / "mv/")
    check(registry, "mv", "1.0", image, tmp_path)


@pytest.mark.semantics("S67")
def test_an_editor_that_writes_a_file_beside_and_renames_it(
        mnt, registry, image, tmp_path):
    """vim with a backup, and GNU sed -i."""
    other = images.image([], annotations={"word": "before"})
    images.push(registry, "edit", other, "1.0")
    value = other.data.replace(b"before", b"after")
    swap, tag = mnt / "edit/.1.0.swp", mnt / "edit/1.0"
    swap.write_bytes(b"b0VIM 8.2" + bytes(4087))
    temporary = mnt / "edit/.1.0.new"
    with open(temporary, "xb") as f:
        f.write(value)
        f.flush()
        os.fsync(f.fileno())
    shutil.copymode(tag, temporary)
    os.replace(temporary, tag)
    swap.unlink()
    assert pushed.tag_map(registry, "edit") == {
        "1.0": images.digest_of(value)}
    assert tag.read_bytes() == value


@pytest.mark.semantics("S61")
def test_sed_in_place(mnt, registry):
    images.push(registry, "sed", images.image(
        [], annotations={"word": "before"}), "1.0")
    run("sed", "-i", "s/before/after/", mnt / "sed/1.0")
    digest, found = pushed.pull(registry, "sed", "1.0")
    assert json.loads(found[digest])["annotations"] == {"word": "after"}
    assert pushed.tags(registry, "sed") == {"1.0"}


def test_a_docker_image_keeps_its_types(mnt, registry, tmp_path):
    m = images.small_image("docker's", docker=True)
    put_image("cp", mnt, "docker", m, tmp_path)
    check(registry, "docker", "1.0", m, tmp_path)


def test_an_artifact_with_unknown_types(mnt, registry, tmp_path):
    blob = imagetool.Blob(b"chart", "application/vnd.example.chart.tar+gzip")
    config = imagetool.Blob(b"{}", "application/vnd.example.config+json")
    m = images.Manifest({
        "schemaVersion": 2, "mediaType": imagetool.MANIFEST,
        "artifactType": "application/vnd.example.thing",
        "config": config.descriptor(), "layers": [blob.descriptor()]},
        [config, blob])
    put_image("cp", mnt, "artifact", m, tmp_path)
    pushed.check(registry, "artifact", "1.0", m)


# ---- archives ----

def zipped(path):
    out = path.with_suffix(".tar.gz")
    out.write_bytes(gzip.compress(path.read_bytes(), 1))
    return out


@pytest.mark.parametrize("pack", [lambda p: p, zipped], ids=["plain", "gzip"])
def test_an_oci_archive_becomes_a_tag(mnt, registry, local, image, tmp_path,
                                      pack):
    repo = f"archives/oci-{pack is zipped}".lower()
    skopeo_copy(f"oci:{local}:1.0", f"oci-archive:{tmp_path}/x.tar:1.5")
    os.makedirs(mnt / repo)
    run("sh", "-c", f"cat '{pack(tmp_path / 'x.tar')}' > '{mnt / repo}/1.5'")
    check(registry, repo, "1.5", image, tmp_path)
    assert (mnt / repo / "1.5").read_bytes() == image.data


@pytest.mark.parametrize("pack", [lambda p: p, zipped], ids=["plain", "gzip"])
def test_a_docker_archive_becomes_a_tag(mnt, registry, local, image,
                                        tmp_path, pack):
    repo = f"archives/docker-{pack is zipped}".lower()
    skopeo_copy(f"oci:{local}:1.0", f"docker-archive:{tmp_path}/x.tar:app:1.5")
    os.makedirs(mnt / repo)
    run("sh", "-c", f"cat '{pack(tmp_path / 'x.tar')}' > '{mnt / repo}/1.5'")
    digest, found = pushed.pull(registry, repo, "1.5")
    value = json.loads(found[digest])
    config = json.loads(found[value["config"]["digest"]])
    wanted = json.loads(image.blobs[0].data)["rootfs"]["diff_ids"]
    assert config["rootfs"]["diff_ids"] == wanted
    assert [unpacked_digest(found[x["digest"]]) for x in value["layers"]] \
        == wanted
    pushed.skopeo_pull(registry, repo, "1.5", tmp_path / "pulled")
    assert (mnt / repo / "1.5").read_bytes() == found[digest]


def unpacked_digest(data):
    return images.digest_of(
        gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)


def test_an_archive_of_several_images_gives_the_one_that_is_meant(
        mnt, registry, tmp_path):
    made = {t: images.small_image(t) for t in ("1.0", "2.0")}
    layout = pushed.write_layout(tmp_path / "layout", made)
    run("tar", "-C", layout, "-cf", tmp_path / "x.tar", ".")
    os.makedirs(mnt / "several")
    run("cp", tmp_path / "x.tar", mnt / "several/2.0")
    assert pushed.tag_map(registry, "several") == {"2.0": made["2.0"].digest}
    done = run("cp", tmp_path / "x.tar", mnt / "several/3.0", check=False)
    assert "Invalid argument" in done.stderr
    why = pushed.error_of(mnt / "several/3.0")
    assert "1.0" in why and "2.0" in why
    assert pushed.tags(registry, "several") == {"2.0"}


# ---- registries that want to know who we are ----

@pytest.fixture(params=["bearer", "basic and TLS"])
def private(request, make_registry, make_tokens, htpasswd, tls, ca, tmp_path):
    """A registry with the options of a mount, of skopeo, and of urllib."""
    if request.param == "bearer":
        tokens = make_tokens({USER: PASSWORD}, private={"team/app",
                                                        "team/copy"})
        r = make_registry(auth=tokens.registry_auth())
        r.options = {}
    else:
        r = make_registry(tls=tls, auth=htpasswd(USER, PASSWORD))
        r.options = {"ca_file": ca.certificate}
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    r.auth_file = tmp_path / "auth.json"
    r.auth_file.write_text(json.dumps({"auths": {r.address: {"auth": auth}}}))
    r.auth_file.chmod(0o600)
    r.client = imagetool.Registry(r.url, USER, PASSWORD, **r.options)
    return r


@pytest.mark.semantics("S35", "S37", "S60")
def test_who_may_push_does(mount, private, local, image, tmp_path):
    mnt = mount(private, auth_file=private.auth_file, **private.options)
    os.makedirs(mnt / "team/app")
    skopeo_copy(f"oci:{local}:1.0", f"oci:{mnt.path}/team/app:1.5")
    os.makedirs(mnt / "team/copy")
    run("cp", mnt / "team/app/1.5", mnt / "team/copy/1.6")
    pushed.check(private.client, "team/app", "1.5", image)
    pushed.check(private.client, "team/copy", "1.6", image)
    got = pushed.skopeo_pull(
        private, "team/copy", "1.6", tmp_path / "pulled",
        "--src-tls-verify=false", "--authfile", private.auth_file)
    assert {d: got.get(d) for d in image.contents()} == image.contents()
    texts = [mnt.log(), *(mnt.status(n) for n in (
        "status", "errors", "pending", "transfers"))]
    assert not [t for t in texts if PASSWORD in t]


@pytest.mark.semantics("S29")
def test_who_may_not_push_is_told(mount, make_registry, make_tokens, image,
                                  tmp_path):
    """Anonymous: EACCES, and nothing is kept as if it could be pushed."""
    tokens = make_tokens({USER: PASSWORD}, private={"team/app"})
    mnt = mount(make_registry(auth=tokens.registry_auth()))
    os.makedirs(mnt / "team/app")
    (tmp_path / "data").write_bytes(image.data)
    done = run("cp", tmp_path / "data", mnt / "team/app/1.0", check=False)
    assert done.returncode == 1
    assert "Permission denied" in done.stderr
    assert not pushed.pending(mnt)
