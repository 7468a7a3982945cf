# SPDX-License-Identifier: Apache-2.0
"""Archives of real programs, and of nobody, written to a tag's name."""
import errno
import gzip
import io
import json
import os
import tarfile
import tempfile

import pytest

import images
import pushed
from pushed import run

LAYERS = ({"etc/motd": b"hello\n"}, {"usr/share/data": images.noise(300_000)})


@pytest.fixture(scope="module")
def image():
    return images.image([images.layer(f) for f in LAYERS])


@pytest.fixture(scope="module")
def layout(tmp_path_factory, image):
    return pushed.write_layout(tmp_path_factory.mktemp("local") / "layout",
                               {"1.0": image})


@pytest.fixture
def containers():
    """Options that keep podman and buildah in a folder of their own; its
    name must be short for podman."""
    with tempfile.TemporaryDirectory(prefix="ofs-") as root:
        words = [f"--root={root}/a", f"--runroot={root}/b",
                 "--storage-driver=vfs"]
        yield words
        run("podman", *words, "rmi", "--all", "--force")


@pytest.fixture
def mnt(mount, registry):
    mnt = mount(registry)
    os.makedirs(mnt / "prod/app")
    return mnt


def tar(members):
    """name -> bytes, as a tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def docker_archive(layers, tags, says=None):
    """What `docker save` would write; `says`: the layers that it claims."""
    ids = [images.digest_of(data) for data in says or layers]
    config = json.dumps({"os": "linux", "architecture": "amd64",
                         "rootfs": {"type": "layers", "diff_ids": ids}})
    members = {f"{i}.tar": data for i, data in enumerate(layers)}
    entry = {"Config": "config.json", "RepoTags": tags,
             "Layers": list(members)}
    return tar({**members, "config.json": config.encode(),
                "manifest.json": json.dumps([entry]).encode()})


def write(path, data):
    """The errno that writing and closing ends with, or 0."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view):]
        error = 0
    except OSError as e:
        error = e.errno
    try:
        os.close(fd)
    except OSError as e:
        error = e.errno
    return error


def plain_layers(registry, repo, tag):
    """(configuration, uncompressed layers) of what can be pulled."""
    digest, found = pushed.pull(registry, repo, tag)
    value = json.loads(found[digest])
    return (found[value["config"]["digest"]],
            [gzip.decompress(found[x["digest"]]) for x in value["layers"]])


def assert_is(registry, repo, tag, image):
    """The configuration is the image's own, so its ID is, too."""
    config, layers = plain_layers(registry, repo, tag)
    wanted = json.loads(config)["rootfs"]["diff_ids"]
    assert [images.digest_of(x) for x in layers] == wanted
    assert wanted == json.loads(image.blobs[0].data)["rootfs"]["diff_ids"]


@pytest.mark.semantics("S68")
def test_what_buildah_pushes_to_an_archive(mnt, registry, layout, image,
                                           containers, tmp_path):
    name = run("buildah", *containers, "pull", "-q",
               f"oci:{layout}:1.0").stdout.strip()
    run("buildah", *containers, "push", "-q", name,
        f"docker-archive:{tmp_path}/x.tar:feas:1")
    run("cp", tmp_path / "x.tar", mnt / "prod/app/1.5")
    assert_is(registry, "prod/app", "1.5", image)
    pulled = run("podman", *containers, "pull", "-q", "--tls-verify=false",
                 f"docker://{registry.address}/prod/app:1.5").stdout.strip()
    assert pulled == name


@pytest.mark.semantics("S68")
def test_what_podman_saves_of_several_images(mnt, registry, layout, image,
                                             containers, tmp_path):
    other = pushed.write_layout(tmp_path / "other",
                                {"2.0": images.small_image("another")})
    for source, tag in ((f"{layout}:1.0", "1.5"), (f"{other}:2.0", "2.0")):
        name = run("podman", *containers, "pull", "-q",
                   f"oci:{source}").stdout.strip()
        run("podman", *containers, "tag", name, f"localhost/app:{tag}")
    run("podman", *containers, "save", "-q", "--multi-image-archive", "-o",
        tmp_path / "x.tar", "localhost/app:1.5", "localhost/app:2.0")
    data = (tmp_path / "x.tar").read_bytes()
    assert write(mnt / "prod/app/1.5", data) == 0
    assert_is(registry, "prod/app", "1.5", image)
    assert write(mnt / "prod/app/3.0", data) == errno.EINVAL
    assert "localhost/app:1.5" in mnt.status("errors")
    assert pushed.tags(registry, "prod/app") == {"1.5"}


@pytest.mark.semantics("S68")
def test_zstd_around_an_archive(mnt, registry, layout, image, tmp_path):
    run("skopeo", "copy", "-q", "--insecure-policy", f"oci:{layout}:1.0",
        f"oci-archive:{tmp_path}/x.tar")
    run("zstd", "-q", tmp_path / "x.tar")
    run("cp", tmp_path / "x.tar.zst", mnt / "prod/app/1.5")
    pushed.check(registry, "prod/app", "1.5", image)


@pytest.mark.semantics("S68")
def test_all_platforms_of_an_archive(mnt, registry, image, tmp_path):
    index = images.index({"amd64": image,
                          "arm64": images.small_image("for an arm")})
    layout = pushed.write_layout(tmp_path / "layout", {"1.0": index})
    run("tar", "-C", layout, "-czf", tmp_path / "x.tgz", ".")
    run("cp", tmp_path / "x.tgz", mnt / "prod/app/1.5")
    pushed.check(registry, "prod/app", "1.5", index)


@pytest.mark.semantics("S68")
def test_a_second_push_of_an_archive_sends_no_layer_twice(mnt, registry):
    data = docker_archive([images.noise(100_000)], ["app:1"])
    assert write(mnt / "prod/app/1.5", data) == 0
    first = pushed.tag_map(registry, "prod/app")["1.5"]
    assert write(mnt / "prod/app/1.6", data) == 0
    assert pushed.tag_map(registry, "prod/app")["1.6"] == first


@pytest.mark.semantics("S68")
def test_what_is_wrong_with_an_archive_is_told(mnt, registry):
    layer = b"a layer" * 1000
    whole = docker_archive([layer], ["app:1"])
    for name, data, error, says in [
            ("damaged", docker_archive([layer[:-1] + b"X"], ["app:1"],
                                       says=[layer]),
             errno.EBADMSG, "'0.tar' of the archive is not sha256:"),
            ("short", whole[:4000], errno.EINVAL, "archive"),
            ("empty", tar({}), errno.EINVAL, "neither"),
            ("other", tar({"README": b"hello"}), errno.EINVAL,
             "no index.json and no manifest.json"),
            ("outside", tar({"../../etc/passwd": b"x"}), errno.EINVAL,
             "leads out of the archive"),
            ("gzip", gzip.compress(b"not a tar"), errno.EINVAL, "damaged")]:
        assert write(mnt / "prod/app" / name, data) == error, name
        assert says in mnt.status("errors")
    assert pushed.tags(registry, "prod/app") == set()
