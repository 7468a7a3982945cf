# SPDX-License-Identifier: Apache-2.0
"""A line on which a third of the answers is late, cut, reset or spoilt:
whatever a read returned is right, or it failed."""
import os
import threading

import pytest

import fileserver
import images
import waiting

SIZES = (300, 262_144, 1_500_000)


@pytest.fixture(scope="module")
def image():
    return images.big_image(*SIZES)


@pytest.fixture(scope="module")
def registry(module_registry, image):
    r = module_registry()
    images.push(r, "app", image, "1.0", "2.0")
    return r


@pytest.fixture
def bad_line(registry):
    started = []

    def make(seed, **more):
        started.append(fileserver.ChaosProxy(registry.address, seed, **more))
        return started[-1]

    yield make
    for s in started:
        s.stop()


def try_read(path):
    """None: it failed."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return None


def try_list(path):
    try:
        return set(os.listdir(path))
    except OSError:
        return None


def wanted(mnt, image):
    files = {mnt / "app/1.0": image.data, mnt / "app/2.0": image.data}
    for blob in image.blobs:
        files[mnt / "app/blobs/sha256" / blob.digest[7:]] = blob.data
    return files


@pytest.mark.semantics("S17", "S18")
@pytest.mark.parametrize("seed", range(5))
def test_what_is_read_is_right_or_fails(mount, bad_line, image, seed):
    line = bad_line(seed)
    mnt = mount(line, bg=True, timeout="5s", ttl="100ms")
    missing = wanted(mnt, image)

    def all_read():
        for path, data in list(missing.items()):
            got = try_read(path)
            assert got is None or got == data, path
            if got is not None:
                del missing[path]
        names = try_list(mnt / "app")
        assert names is None or names == {"1.0", "2.0", "blobs", "index.json",
                                          "oci-layout"}
        return not missing

    waiting.until(all_read, "everything to get through", 60)
    assert sum(line.made[f] for f in line.FAULTS) > 0


@pytest.mark.semantics("S17", "S18")
def test_many_readers_on_a_bad_line(mount, bad_line, image):
    mnt = mount(bad_line(99), bg=True, timeout="5s", ttl="100ms")
    files = wanted(mnt, image)
    wrong = []

    def read():
        for _ in range(5):
            for path, data in files.items():
                got = try_read(path)
                if got is not None and got != data:
                    wrong.append(path)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
