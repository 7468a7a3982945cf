# SPDX-License-Identifier: Apache-2.0
"""A registry whose disk has rotted: its blobs are not what their names say."""
import errno
import hashlib
import os
import subprocess

import pytest

import images
import waiting
from mounts import sha256_file

MIB = 1 << 20
SIZE = 3 * MIB + 123


@pytest.fixture
def image():
    return images.big_image(SIZE)


@pytest.fixture
def registry(make_registry, image):
    r = make_registry()
    images.push(r, "app", image, "1.0")
    return r


def layer_of(image):
    return max(image.blobs, key=lambda b: b.size)


def blob_path(mnt, digest):
    return mnt / "app/blobs/sha256" / digest.split(":")[1]


def flip(registry, digest, at):
    """One bit of the file on the registry's disk; again to mend it."""
    with open(registry.blob_file(digest), "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 0x10]))


def read_all(path):
    """What came before the error, and the error."""
    got = b""
    fd = os.open(path, os.O_RDONLY)
    try:
        while piece := os.read(fd, 128 * 1024):
            got += piece
    except OSError as e:
        return got, e.errno
    finally:
        os.close(fd)
    return got, 0


def cp(source, target):
    return subprocess.run(["cp", source, target], text=True,
                          capture_output=True, check=False)


@pytest.mark.semantics("S18", "S17")
@pytest.mark.parametrize("at", [0, SIZE // 2, SIZE - 200, -1])
def test_cp_of_a_damaged_blob_fails(mount, registry, image, tmp_path, at):
    blob = layer_of(image)
    flip(registry, blob.digest, at % blob.size)
    mnt = mount(registry)
    done = cp(blob_path(mnt, blob.digest), tmp_path / "copy")
    assert done.returncode != 0
    assert "Input/output error" in done.stderr
    assert (tmp_path / "copy").stat().st_size < blob.size
    waiting.until(lambda: blob.digest[:19] in mnt.log(), "a line in the log")
    assert "damaged" in mnt.log() or "digest" in mnt.log()


@pytest.mark.semantics("S18")
def test_bad_bytes_are_not_kept(mount, registry, image):
    """Neither in our cache nor in the kernel's: when the registry is mended,
    the same mount reads right."""
    blob = layer_of(image)
    flip(registry, blob.digest, 1000)
    mnt = mount(registry)
    path = blob_path(mnt, blob.digest)
    assert read_all(path)[1] == errno.EIO
    assert read_all(path)[1] == errno.EIO
    flip(registry, blob.digest, 1000)

    def is_right():
        try:
            return sha256_file(path) == blob.digest
        except OSError:
            return False

    waiting.until(is_right, "the right bytes", 20)
    assert sha256_file(path) == blob.digest


@pytest.mark.semantics("S18", "S20")
def test_a_remount_does_not_trust_what_was_damaged(mount, registry, image):
    blob = layer_of(image)
    flip(registry, blob.digest, SIZE // 2)
    mnt = mount(registry)
    assert read_all(blob_path(mnt, blob.digest))[1] == errno.EIO
    mnt.unmount()
    flip(registry, blob.digest, SIZE // 2)
    again = mount(registry, cache=mnt.cache)
    assert sha256_file(blob_path(again, blob.digest)) == blob.digest


@pytest.mark.semantics("S18", "S16")
def test_the_user_can_see_why(mount, registry, image):
    blob = layer_of(image)
    flip(registry, blob.digest, 5)
    mnt = mount(registry)
    path = blob_path(mnt, blob.digest)
    assert read_all(path)[1] == errno.EIO
    why = os.getxattr(path, "user.ocirfs.error").decode()
    assert "damaged" in why and blob.digest in why
    name = path.relative_to(mnt.path)
    assert f"read of '{name}': {why}" in mnt.status("errors")


@pytest.mark.semantics("S18")
def test_other_readers_of_a_damaged_blob_fail_as_well(
        mount, registry, image):
    blob = layer_of(image)
    flip(registry, blob.digest, 77)
    mnt = mount(registry)
    path = blob_path(mnt, blob.digest)
    readers = [subprocess.Popen(["cp", path, mnt.folder / f"copy{i}"],
                                stderr=subprocess.PIPE) for i in range(8)]
    for r in readers:
        r.communicate(timeout=60 * waiting.SLOW)
        assert r.returncode != 0


@pytest.mark.semantics("S24")
def test_strict_gives_no_byte_of_a_damaged_blob(mount, registry, image):
    blob = layer_of(image)
    flip(registry, blob.digest, blob.size - 1)
    mnt = mount(registry, verify="strict")
    assert read_all(blob_path(mnt, blob.digest)) == (b"", errno.EIO)


@pytest.mark.semantics("S18")
@pytest.mark.parametrize("size", [0, 1, MIB, SIZE])
def test_a_truncated_blob_fails(mount, registry, image, tmp_path, size):
    blob = layer_of(image)
    os.truncate(registry.blob_file(blob.digest), size)
    mnt = mount(registry, timeout="5s")
    done = cp(blob_path(mnt, blob.digest), tmp_path / "copy")
    assert done.returncode != 0
    assert not (tmp_path / "copy").exists() or \
        (tmp_path / "copy").stat().st_size < blob.size


@pytest.mark.semantics("S18")
def test_a_lengthened_blob_fails(mount, registry, image, tmp_path):
    blob = layer_of(image)
    with open(registry.blob_file(blob.digest), "ab") as f:
        f.write(b"more")
    mnt = mount(registry, timeout="5s")
    done = cp(blob_path(mnt, blob.digest), tmp_path / "copy")
    assert done.returncode != 0


@pytest.mark.semantics("S18", "S3")
def test_a_damaged_manifest_is_not_shown(mount, registry, image):
    """White space is changed: still JSON, but not the bytes of its digest."""
    at = image.data.index(b"\n")
    with open(registry.blob_file(image.digest), "r+b") as f:
        f.seek(at)
        f.write(b" ")
    mnt = mount(registry, timeout="5s")
    with pytest.raises(OSError) as e:
        (mnt / "app" / image.digest).read_bytes()
    assert e.value.errno == errno.EIO


@pytest.mark.semantics("S18", "S29")
def test_a_blob_that_vanished_is_an_error(mount, registry, image, tmp_path):
    blob = layer_of(image)
    registry.blob_file(blob.digest).unlink()
    mnt = mount(registry, timeout="5s")
    assert cp(blob_path(mnt, blob.digest), tmp_path / "copy").returncode != 0
    config = min(image.blobs, key=lambda b: b.size)
    assert sha256_file(blob_path(mnt, config.digest)) == config.digest


@pytest.mark.semantics("S17", "S20")
def test_a_cache_that_rotted_serves_no_wrong_byte(mount, registry, image):
    """Each file of the cache gets a flipped bit, as a bad disk does it."""
    blob = layer_of(image)
    mnt = mount(registry)
    assert sha256_file(blob_path(mnt, blob.digest)) == blob.digest
    mnt.unmount()
    for path in mnt.cache.rglob("*"):
        if path.is_file() and path.stat().st_size > 0:
            with open(path, "r+b") as f:
                f.seek(path.stat().st_size // 2)
                byte = f.read(1)[0]
                f.seek(path.stat().st_size // 2)
                f.write(bytes([byte ^ 1]))
    again = mount(registry, cache=mnt.cache)
    assert sha256_file(blob_path(again, blob.digest)) == blob.digest
    assert (again / "app/1.0").read_bytes() == image.data


def cached_file(mnt, blob):
    name = blob.digest.split(":")[1]
    return mnt.cache / "v1/blobs/sha256" / name[:2] / name


def blob_gets(registry):
    return [r for r in registry.requests()
            if r[0] == "GET" and "/blobs/" in r[1] and r[3] > 0]


def tamper(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(b"TAMPERED")


@pytest.mark.semantics("S17", "S24")
@pytest.mark.parametrize("how", ["lazy", "strict", "always"])
def test_bytes_that_were_changed_in_the_cache(mount, registry, image, how):
    blob = layer_of(image)
    mnt = mount(registry, verify=how)
    assert sha256_file(blob_path(mnt, blob.digest)) == blob.digest
    mnt.unmount()
    tamper(cached_file(mnt, blob), MIB)
    registry.mark()
    again = mount(registry, cache=mnt.cache, verify=how)
    assert sha256_file(blob_path(again, blob.digest)) == blob.digest
    assert len(blob_gets(registry)) == 1
    again.unmount()
    registry.mark()
    last = mount(registry, cache=mnt.cache, verify=how)
    assert sha256_file(blob_path(last, blob.digest)) == blob.digest
    assert not blob_gets(registry)


@pytest.mark.semantics("S17")
def test_bytes_that_are_changed_under_the_mount(mount, registry, image):
    blob = layer_of(image)
    mnt = mount(registry)
    with open(blob_path(mnt, blob.digest), "rb", buffering=0) as f:
        assert f.read(100) == blob.data[:100]
        assert sha256_file(blob_path(mnt, blob.digest)) == blob.digest
        tamper(cached_file(mnt, blob), 2 * MIB)
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        assert os.pread(f.fileno(), 100, 2 * MIB) == \
            blob.data[2 * MIB:2 * MIB + 100]


def rot(path, at):
    """As a bad disk does: the seal in the map is made to fit."""
    tamper(path, at)
    os.chmod(path, 0o400)
    st = path.stat()
    seal = b"OFSSEAL\n" + (256 * 1024).to_bytes(4, "big") + bytes(4)
    for number in (st.st_size, st.st_ino, st.st_mtime_ns, st.st_ctime_ns):
        seal += number.to_bytes(8, "big")
    seal += hashlib.sha256(seal).digest()[:16]
    with open(path.with_name(path.name + ".map"), "r+b") as f:
        f.seek(64 + -(-st.st_size // (256 * 1024)))
        f.write(seal)


@pytest.mark.semantics("S72")
def test_a_disk_that_rots_is_noticed_with_always(mount, registry, image):
    blob = layer_of(image)
    mnt = mount(registry)
    assert sha256_file(blob_path(mnt, blob.digest)) == blob.digest
    mnt.unmount()
    rot(cached_file(mnt, blob), MIB)
    lazy = mount(registry, cache=mnt.cache)
    assert sha256_file(blob_path(lazy, blob.digest)) != blob.digest
    lazy.unmount()
    always = mount(registry, cache=mnt.cache, verify="always")
    assert sha256_file(blob_path(always, blob.digest)) == blob.digest
