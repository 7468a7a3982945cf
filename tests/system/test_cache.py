# SPDX-License-Identifier: Apache-2.0
"""The cache on disk: bounded, private, shared, never in the way."""
import os
import pathlib
import shutil
import stat
import subprocess
import threading

import pytest

import images
import waiting
from mounts import sha256_file

MIB = 1 << 20
N, SIZE = 6, 4 * MIB


@pytest.fixture(scope="module")
def image():
    return images.big_image(*[SIZE] * N)


@pytest.fixture(scope="module")
def layers(image):
    return [b for b in image.blobs if b.size > MIB]


@pytest.fixture(scope="module")
def registry(module_registry, image):
    r = module_registry()
    images.push(r, "app", image, "1.0")
    return r


def blob_path(mnt, blob):
    return mnt / "app/blobs/sha256" / blob.digest.split(":")[1]


def check(mnt, blobs):
    for b in blobs:
        assert sha256_file(blob_path(mnt, b)) == b.digest


def used(folder):
    """Bytes on disk, holes not counted."""
    return sum(p.stat().st_blocks * 512
               for p in pathlib.Path(folder).rglob("*") if p.is_file())


def blob_requests(registry):
    return [r for r in registry.requests()
            if r[0] == "GET" and "/blobs/" in r[1] and r[3] > 0]


@pytest.mark.semantics("S21", "S17")
def test_the_cache_stays_below_its_limit(mount, registry, layers):
    mnt = mount(registry, cache_size="12M")
    for _ in range(2):
        check(mnt, layers)
    waiting.until(lambda: used(mnt.cache) <= 13 * MIB, "eviction", 15)
    check(mnt, reversed(layers))


@pytest.mark.semantics("S21")
def test_what_was_used_last_stays(mount, registry, layers):
    mnt = mount(registry, cache_size="14M")
    favourite = layers[0]
    for blob in layers:
        check(mnt, [blob, favourite])
        waiting.until(lambda: used(mnt.cache) <= 15 * MIB, "eviction", 15)
    mnt.unmount()
    registry.mark()
    again = mount(registry, cache=mnt.cache, cache_size="14M")
    check(again, [favourite])
    assert not blob_requests(registry)


@pytest.mark.semantics("S21", "S17")
def test_what_is_open_can_still_be_read(mount, registry, layers):
    mnt = mount(registry, cache_size="6M")
    with open(blob_path(mnt, layers[0]), "rb", buffering=0) as f:
        start = f.read(MIB)
        check(mnt, layers[1:])
        data = start + b"".join(iter(lambda: f.read(MIB), b""))
    assert images.digest_of(data) == layers[0].digest


@pytest.mark.semantics("S21", "S17")
def test_a_limit_smaller_than_a_blob_still_reads(mount, registry, layers):
    mnt = mount(registry, cache_size="1M")
    check(mnt, layers)
    check(mnt, layers)


@pytest.mark.semantics("S23")
def test_the_cache_is_private(mount, registry, layers, tmp_path):
    old = os.umask(0)
    try:
        mnt = mount(registry, cache=tmp_path / "new" / "cache")
    finally:
        os.umask(old)
    check(mnt, layers[:2])
    (mnt / "app/1.0").read_bytes()
    subprocess.run(["ls", "-lR", mnt.path], check=True, capture_output=True)
    paths = [mnt.cache, *mnt.cache.rglob("*")]
    assert len(paths) > 3
    for path in paths:
        st = path.lstat()
        is_blob = path.parent.parent.name == "sha256" and not path.suffix
        want = 0o700 if stat.S_ISDIR(st.st_mode) else 0o400 if is_blob \
            else 0o600
        assert stat.S_IMODE(st.st_mode) == want, path
        assert stat.S_ISDIR(st.st_mode) or stat.S_ISREG(st.st_mode), path


@pytest.mark.semantics("S23")
def test_the_cache_is_where_the_environment_says(mount, registry, layers,
                                                 tmp_path):
    mnt = mount(registry, start=False,
                env={"XDG_CACHE_HOME": str(tmp_path / "xdg")})
    mnt.option_list = lambda: "ttl=10s"
    mnt.start()
    check(mnt, layers[:1])
    assert used(tmp_path / "xdg/ocirfs") >= SIZE


@pytest.mark.semantics("S20", "S17")
def test_two_mounts_share_one_cache(mount, registry, layers):
    one = mount(registry)
    two = mount(registry, cache=one.cache)
    check(one, layers)
    registry.mark()
    check(two, layers)
    assert not blob_requests(registry)


@pytest.mark.semantics("S20", "S17")
def test_two_mounts_read_the_same_at_the_same_time(mount, registry, layers):
    one = mount(registry, cache_size="12M")
    two = mount(registry, cache=one.cache, cache_size="12M")
    bad = []

    def read(mnt, order):
        try:
            for _ in range(3):
                check(mnt, order)
        except (AssertionError, OSError) as e:
            bad.append(e)

    threads = [threading.Thread(target=read, args=(m, order))
               for m, order in ((one, layers), (one, layers[::-1]),
                                (two, layers), (two, layers[2:]))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not bad


@pytest.mark.semantics("S20", "S17")
def test_one_of_two_mounts_is_killed(mount, registry, layers):
    one = mount(registry)
    two = mount(registry, cache=one.cache)
    reader = subprocess.Popen(["cat", *(blob_path(one, b) for b in layers)],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    waiting.until(lambda: used(one.cache) > SIZE, "some bytes")
    one.crash()
    reader.wait(30)
    check(two, layers)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 3 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700",
                    "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.semantics("S22", "S17")
@pytest.mark.parametrize("fsfree", [0, 20])
def test_a_full_disk_fails_no_read(mount, registry, layers, image, small_disk,
                                   fsfree):
    mnt = mount(registry, cache=small_disk / "cache", cache_fsfree=fsfree)
    check(mnt, layers)
    assert (mnt / "app/1.0").read_bytes() == image.data
    with open(small_disk / "filler", "wb") as f:
        try:
            while True:
                f.write(bytes(64 * 1024))
                f.flush()
        except OSError:
            pass
    check(mnt, layers)
    assert sha256_file(mnt / "app/1.0") == image.digest


@pytest.mark.semantics("S22")
def test_the_part_of_the_disk_that_stays_free(mount, registry, layers,
                                              small_disk):
    mnt = mount(registry, cache=small_disk / "cache", cache_fsfree=50)
    check(mnt, layers)
    waiting.until(lambda: shutil.disk_usage(small_disk).free >= 1.4 * MIB,
                  "room", 15)


@pytest.mark.semantics("S22", "S17")
def test_a_cache_that_is_removed_under_the_mount(mount, registry, layers,
                                                 image):
    mnt = mount(registry)
    check(mnt, layers[:2])
    shutil.rmtree(mnt.cache)
    check(mnt, layers)
    assert (mnt / "app/1.0").read_bytes() == image.data


@pytest.mark.semantics("S20")
def test_a_full_cache_does_not_slow_the_start(mount, registry, tmp_path):
    """20,000 blobs of others; starting must not walk through them."""
    cache = tmp_path / "cache"
    mnt = mount(registry, cache=cache)
    (mnt / "app/1.0").read_bytes()
    mnt.unmount()
    for path in [p for p in cache.rglob("*") if p.is_file()][:1]:
        for i in range(20_000):
            os.link(path, path.with_name(f"{i:064x}"))
    with waiting.Stopwatch() as w:
        again = mount(registry, cache=cache)
        again.status()
    assert w.seconds < 3 * waiting.SLOW
