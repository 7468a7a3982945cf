# SPDX-License-Identifier: Apache-2.0
"""The one invariant above all: the digest of what is read through the mount is
the digest that the registry names."""
import contextlib
import hashlib
import mmap
import os
import random
import signal
import subprocess
import threading

import pytest

import images
import imagetool
import waiting
from mounts import sha256_file

MIB = 1 << 20
SIZES = (1, 4095, 256 * 1024, 256 * 1024 + 1, 5 * MIB + 77, 24 * MIB)


@pytest.fixture(scope="module")
def image():
    return images.big_image(*SIZES)


@pytest.fixture(scope="module")
def registry(module_registry, image):
    r = module_registry()
    images.push(r, "app", image, "1.0")
    return r


def blob_path(mnt, digest):
    return mnt / "app/blobs/sha256" / digest.split(":")[1]


def check_all(mnt, image):
    for blob in image.blobs:
        assert sha256_file(blob_path(mnt, blob.digest)) == blob.digest
    assert sha256_file(mnt / "app/1.0") == image.digest


def largest(image):
    return max(image.blobs, key=lambda b: b.size)


def requests_for(registry, digest, method="GET"):
    return [r for r in registry.requests()
            if r[0] == method and r[1].endswith(f"/blobs/{digest}")]


def drop_pages():
    """Forget cached pages of all files, so that reads come to us."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("3")


@pytest.mark.semantics("S17")
def test_cold_and_warm(mount, registry, image):
    mnt = mount(registry)
    check_all(mnt, image)
    check_all(mnt, image)
    drop_pages()
    check_all(mnt, image)


@pytest.mark.semantics("S17", "S20")
def test_after_a_remount_without_asking_for_a_blob_again(
        mount, registry, image):
    mnt = mount(registry)
    check_all(mnt, image)
    mnt.unmount()
    registry.mark()
    again = mount(registry, cache=mnt.cache)
    check_all(again, image)
    assert not [r for r in registry.requests()
                if r[0] == "GET" and "/blobs/" in r[1]]


@pytest.mark.semantics("S17", "S19")
def test_sixteen_readers_get_it_right_and_fetch_it_once(
        mount, registry, image):
    blob = largest(image)
    mnt = mount(registry)
    path = blob_path(mnt, blob.digest)
    os.stat(path)
    registry.mark()
    readers = [subprocess.Popen(["sha256sum", path], text=True,
                                stdout=subprocess.PIPE) for _ in range(16)]
    for r in readers:
        assert r.communicate(timeout=60 * waiting.SLOW)[0].split()[0] == \
            blob.digest[7:]

    def fetched():
        return sum(r[3] for r in requests_for(registry, blob.digest))

    waiting.until(lambda: fetched() >= blob.size, "the registry's word")
    assert fetched() == blob.size


@pytest.mark.semantics("S17", "S19")
def test_readers_of_all_blobs_at_once(mount, registry, image):
    mnt = mount(registry)
    readers = {b.digest: subprocess.Popen(
        ["sha256sum", blob_path(mnt, b.digest)], text=True,
        stdout=subprocess.PIPE) for b in image.blobs}
    for digest, r in readers.items():
        assert r.communicate(timeout=60 * waiting.SLOW)[0].split()[0] == \
            digest[7:]


@pytest.mark.semantics("S17")
def test_pieces_in_any_order(mount, registry, image):
    blob = largest(image)
    dice = random.Random(7)
    mnt = mount(registry)
    fd = os.open(blob_path(mnt, blob.digest), os.O_RDONLY)
    try:
        for _ in range(300):
            at = dice.randrange(blob.size)
            n = dice.choice((1, 511, 4096, 70_000, 300_000))
            assert os.pread(fd, n, at) == blob.data[at:at + n]
        assert os.pread(fd, 100, blob.size) == b""
        assert os.pread(fd, 100, blob.size - 1) == blob.data[-1:]
        assert os.pread(fd, 100, blob.size + MIB) == b""
    finally:
        os.close(fd)
    assert sha256_file(blob_path(mnt, blob.digest)) == blob.digest


@pytest.mark.semantics("S17", "S11")
def test_an_empty_blob(mount, registry, image):
    """docker's history has a layer of no bytes in some images."""
    digest = imagetool.push_blob(registry.url, "app", b"")
    path = blob_path(mount(registry), digest)
    assert os.stat(path).st_size == 0
    assert sha256_file(path) == digest


@pytest.mark.semantics("S17")
def test_mapped_into_memory(mount, registry, image):
    blob = largest(image)
    mnt = mount(registry)
    with open(blob_path(mnt, blob.digest), "rb") as f, \
            mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
        assert hashlib.sha256(m).hexdigest() == blob.digest[7:]


@pytest.mark.semantics("S17", "S20")
def test_kill_9_at_any_moment_and_again(mount, registry, image):
    """Each round reads a little more before the daemon is killed."""
    blob = largest(image)
    cache = None
    for i in range(6):
        mnt = mount(registry, cache=cache)
        cache = mnt.cache
        reader = subprocess.Popen(
            ["cat", blob_path(mnt, blob.digest), mnt / "app/1.0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waiting.until(
            lambda: reader.poll() is not None or mnt.metric(
                "ocirfs_store_read_bytes_total") > i * 4 * MIB,
            "some bytes", 30)
        mnt.crash()
        reader.wait(30)
    check_all(mount(registry, cache=cache), image)


@pytest.mark.semantics("S17", "S20")
def test_what_was_fetched_before_kill_9_is_used(mount, registry, image):
    blob = largest(image)
    mnt = mount(registry)
    check_all(mnt, image)
    mnt.crash()
    registry.mark()
    check_all(mount(registry, cache=mnt.cache), image)
    fetched = sum(r[3] for r in requests_for(registry, blob.digest))
    assert fetched < blob.size / 2


@pytest.mark.semantics("S17")
def test_the_registry_is_killed_while_reading(mount, make_registry, image):
    """An error or the right bytes; and after its return the right bytes."""
    blob = largest(image)
    r = make_registry()
    images.push(r, "app", image, "1.0")
    mnt = mount(r, timeout="5s", ttl="1s")
    path = blob_path(mnt, blob.digest)
    os.stat(path)
    with open(path, "rb", buffering=0) as f:
        got = f.read(64 * 1024)
        r.kill()
        try:
            while piece := f.read(MIB):
                got += piece
        except OSError:
            pass
    assert got == blob.data[:len(got)]
    r.start()
    waiting.until(lambda: "answers" in mnt.status(), "the registry", 15)
    check_all(mnt, image)


@pytest.mark.semantics("S19")
def test_looking_around_fetches_no_blob(mount, registry):
    mnt = mount(registry)
    registry.mark()
    subprocess.run(["ls", "-lR", mnt.path], check=True, capture_output=True)
    layers = [r for r in registry.requests() if r[0] == "GET"
              and "/blobs/" in r[1] and r[3] > 100_000]
    assert not layers


@pytest.mark.semantics("S19")
def test_a_small_piece_of_a_large_blob_costs_a_small_piece(
        mount, registry, image):
    blob = largest(image)
    mnt = mount(registry)
    fd = os.open(blob_path(mnt, blob.digest), os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        registry.mark()
        at = blob.size // 2
        assert os.pread(fd, 4096, at) == blob.data[at:at + 4096]
        # Its log says so when it has sent it, which may be a moment later.
        fetched = waiting.until(
            lambda: sum(r[3] for r in requests_for(registry, blob.digest)),
            "the registry's word")
        assert 4096 <= fetched <= 2 * MIB
    finally:
        os.close(fd)


@pytest.mark.semantics("S24")
def test_strict_verification_reads_right(mount, registry, image):
    mnt = mount(registry, verify="strict")
    blob = largest(image)
    fd = os.open(blob_path(mnt, blob.digest), os.O_RDONLY)
    try:
        assert os.pread(fd, 10, 1000) == blob.data[1000:1010]
    finally:
        os.close(fd)
    check_all(mnt, image)


@pytest.mark.semantics("S17", "S44")
def test_unmounting_under_readers_is_refused_and_harms_nothing(
        mount, registry, image):
    """A lazy unmount lets them finish."""
    blob = largest(image)
    mnt = mount(registry)
    with open(blob_path(mnt, blob.digest), "rb", buffering=0) as f:
        data = f.read(100)
        done = subprocess.run(["umount", mnt.path], check=False,
                              capture_output=True, text=True)
        assert done.returncode != 0 and "busy" in done.stderr
        subprocess.run(["umount", "-l", mnt.path], check=True)
        while piece := f.read(MIB):
            data += piece
    assert data == blob.data
    mnt.wait_gone()


@pytest.mark.semantics("S44")
def test_sigterm_under_readers_ends_at_once(mount, registry, image):
    mnt = mount(registry)
    errors = []

    def read():
        try:
            check_all(mnt, image)
        except OSError as e:
            errors.append(e)

    fd = os.open(blob_path(mnt, largest(image).digest), os.O_RDONLY)
    os.read(fd, 100)
    thread = threading.Thread(target=read)
    thread.start()
    with waiting.Stopwatch() as w:
        assert waiting.end_process(mnt.process, signal.SIGTERM)
    thread.join()
    with contextlib.suppress(OSError):  # nobody is there to hear of it
        os.close(fd)
    assert w.seconds < 5 * waiting.SLOW
    assert mnt.process.returncode == 0
