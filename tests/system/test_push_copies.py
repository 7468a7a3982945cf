# SPDX-License-Identifier: Apache-2.0
"""Copies within a mount are the registry's work: no layer passes by here."""
import os

import pytest

import images
import pushed
import pushproxy

KIB = 1 << 10
FOR_UNTAGGING = 2  # this registry cannot, so an image of "{}" is in between


@pytest.fixture(scope="module")
def image():
    return images.big_image(700_000, 300_000)


@pytest.fixture(scope="module")
def multi(image):
    return images.index({"amd64": image,
                         "arm64": images.big_image(200_000, seed=7)})


@pytest.fixture
def registry(make_registry, image, multi):
    r = make_registry()
    images.push(r, "a", image, "1.0", "latest")
    images.push(r, "a", multi, "multi")
    images.push(r, "b", images.small_image("here already"), "own")
    return r


@pytest.fixture
def proxy(registry):
    p = pushproxy.PushProxy(registry.address)
    yield p
    p.stop()


@pytest.fixture
def mnt(mount, proxy):
    return mount(proxy)


def check_no_layer_moved(proxy, uploaded=0):
    """Configurations may be looked into, for the time of an image."""
    assert proxy.uploaded() <= uploaded, proxy.asked(*pushproxy.DATA)
    assert proxy.downloaded() < 2000, proxy.asked("blob-get")


@pytest.mark.semantics("S63")
@pytest.mark.parametrize("command", [
    ["cp"], ["cp", "-p"], ["cp", "--reflink=never"], ["install", "-m", "644"],
    ["rsync", "-a"]], ids=" ".join)
def test_a_copied_tag_moves_no_layer(mnt, proxy, registry, image, command):
    pushed.run(*command, mnt / "a/latest", mnt / "b/latest")
    pushed.check(registry, "b", "latest", image)
    check_no_layer_moved(proxy)
    assert len(proxy.asked("mount")) >= len(image.blobs)


@pytest.mark.semantics("S63")
def test_an_index_is_copied_with_its_platforms(mnt, proxy, registry, multi):
    pushed.run("cp", mnt / "a/multi", mnt / "b/multi")
    pushed.check(registry, "b", "multi", multi)
    check_no_layer_moved(proxy)


@pytest.mark.semantics("S63")
def test_a_copied_blob_is_mounted(mnt, proxy, registry, image):
    for b in image.blobs:
        name = f"blobs/sha256/{pushed.hex_of(b.digest)}"
        pushed.run("cp", mnt / "a" / name, mnt / "b" / name)
        assert pushed.client(registry).has_blob("b", b.digest)
    assert proxy.uploaded() == 0
    # "No such blob" is confirmed by a GET: some registries refuse HEAD so.
    assert {r.status for r in proxy.asked("blob-get")} <= {404}


@pytest.mark.semantics("S63")
@pytest.mark.parametrize("options", [["-r"], ["-a"], ["-rp"]], ids="".join)
def test_a_copied_repository_moves_no_layer(
        mnt, proxy, registry, image, multi, options):
    pushed.run("cp", *options, mnt / "a", mnt / "c")
    assert pushed.tag_map(registry, "c") == pushed.tag_map(registry, "a")
    pushed.check(registry, "c", "1.0", image)
    pushed.check(registry, "c", "multi", multi)
    check_no_layer_moved(proxy)


@pytest.mark.semantics("S63")
def test_cp_r_into_a_repository_keeps_what_it_had(
        mnt, proxy, registry, image):
    pushed.run("cp", "-r", f"{mnt.path}/a/.", mnt / "b")
    assert pushed.tags(registry, "b") == {"1.0", "latest", "multi", "own"}
    pushed.check(registry, "b", "1.0", image)
    check_no_layer_moved(proxy)


@pytest.mark.semantics("S63")
def test_a_copy_within_a_repository_is_one_put(mnt, proxy, registry, image):
    pushed.run("cp", mnt / "a/1.0", mnt / "a/1.1")
    pushed.check(registry, "a", "1.1", image)
    assert (proxy.uploaded(), len(proxy.asked("manifest-put"))) == (0, 1)


@pytest.mark.semantics("S61")
def test_mv_of_a_tag_is_a_retag(mount, proxy, registry, image):
    mnt = mount(proxy, allow_delete=True)
    images.push(registry, "a", image, "1.5-rc")
    os.rename(mnt / "a/1.5-rc", mnt / "a/1.5")
    assert pushed.tags(registry, "a") == {"1.0", "1.5", "latest", "multi"}
    pushed.check(registry, "a", "1.5", image)
    pushed.check(registry, "a", "1.0", image)
    check_no_layer_moved(proxy, FOR_UNTAGGING)


@pytest.mark.semantics("S61")
def test_mv_over_another_tag_moves_it(mount, proxy, registry, multi):
    mnt = mount(proxy, allow_delete=True)
    os.rename(mnt / "a/multi", mnt / "a/latest")
    assert pushed.tags(registry, "a") == {"1.0", "latest"}
    pushed.check(registry, "a", "latest", multi)


@pytest.mark.semantics("S61", "S63")
def test_mv_to_another_repository(mount, proxy, registry, image):
    mnt = mount(proxy, allow_delete=True)
    pushed.run("mv", mnt / "a/latest", mnt / "b/moved")
    assert "latest" not in pushed.tags(registry, "a")
    pushed.check(registry, "b", "moved", image)
    pushed.check(registry, "a", "1.0", image)
    check_no_layer_moved(proxy, FOR_UNTAGGING)


@pytest.mark.semantics("S63")
def test_a_link_is_a_new_tag(mnt, proxy, registry, image):
    os.link(mnt / "a/1.0", mnt / "a/stable")
    pushed.check(registry, "a", "stable", image)
    with pytest.raises(FileExistsError):
        os.link(mnt / "a/multi", mnt / "a/stable")
    assert (mnt / "a/stable").read_bytes() == image.data
    check_no_layer_moved(proxy)


@pytest.mark.semantics("S63")
def test_where_mounting_is_refused_blobs_are_uploaded(
        mnt, proxy, registry, image):
    proxy.rule("no-mount", "mount", times=99)
    pushed.run("cp", mnt / "a/latest", mnt / "b/latest")
    pushed.check(registry, "b", "latest", image)
    assert proxy.uploaded() == sum(b.size for b in image.blobs)


@pytest.mark.parametrize("status", ["400", "404", "405"])
def test_where_mounting_is_an_error_blobs_are_uploaded(
        mnt, proxy, registry, image, status):
    proxy.rule(status, "mount", times=99)
    pushed.run("cp", mnt / "a/latest", mnt / "b/latest")
    pushed.check(registry, "b", "latest", image)
    assert proxy.uploaded() == sum(b.size for b in image.blobs)


@pytest.mark.semantics("S63")
def test_a_manifest_from_outside_finds_its_blobs_in_the_registry(
        mnt, proxy, registry, image, tmp_path):
    """`cp manifest.json b/1.0`: mounted from a repository that was seen."""
    (tmp_path / "manifest").write_bytes(image.data)
    os.listdir(mnt / "a/blobs/sha256")
    pushed.run("cp", tmp_path / "manifest", mnt / "b/1.0")
    pushed.check(registry, "b", "1.0", image)
    check_no_layer_moved(proxy)


def test_a_restore_sends_nothing_that_is_there(mnt, proxy, registry, image,
                                               tmp_path):
    pushed.run("cp", "-r", mnt / "a", tmp_path / "backup")
    proxy.forget()
    pushed.run("cp", "-r", f"{tmp_path}/backup/.", mnt / "a")
    assert proxy.uploaded() == 0
    pushed.check(registry, "a", "1.0", image)


def test_a_part_of_a_copy_is_no_copy(mnt, registry, image):
    """copy_file_range of some bytes, then others: an ordinary file."""
    blob = image.blobs[1]
    fd = os.open(mnt / "a/blobs/sha256" / pushed.hex_of(blob.digest),
                 os.O_RDONLY)
    to = os.open(mnt / "b/.part", os.O_RDWR | os.O_CREAT | os.O_EXCL)
    try:
        n = 0
        while n < 100 * KIB:
            n += os.copy_file_range(fd, to, 100 * KIB - n)
        os.write(to, b"and more")
        data = os.pread(to, 200 * KIB, 0)
        assert data == blob.data[:100 * KIB] + b"and more"
    finally:
        os.close(fd)
        os.close(to)
    digest = images.digest_of(data)
    os.rename(mnt / "b/.part", mnt / "b/blobs/sha256" / pushed.hex_of(digest))
    assert pushed.client(registry).has_blob("b", digest)


def test_reading_a_copy_before_it_is_pushed(mnt, image):
    """A scratch file that was cloned reads as what it was cloned from."""
    blob = image.blobs[1]
    source = mnt / "a/blobs/sha256" / pushed.hex_of(blob.digest)
    pushed.run("cp", source, mnt / "b/.copy")
    assert (mnt / "b/.copy").read_bytes() == blob.data
    os.unlink(mnt / "b/.copy")
