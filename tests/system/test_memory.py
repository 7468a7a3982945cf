# SPDX-License-Identifier: Apache-2.0
"""Without memory: an error that says so, and all is well when there is some."""
import errno
import resource
import threading

import pytest

import images
import mounts
import waiting

MIB = 1 << 20


@pytest.fixture(scope="module")
def image():
    return images.big_image(*[3 * MIB] * 4)


@pytest.fixture(scope="module")
def registry(module_registry, image):
    r = module_registry()
    images.push(r, "app", image, "1.0")
    return r


def is_sanitized():
    """Their shadow memory has no room below any limit."""
    program = mounts.PROGRAM.read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def address_space(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f
                    if line.startswith("VmSize:"))


def read(path):
    """The bytes, or the error's number."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError as e:
        return e.errno


def read_all(files):
    got = {}
    threads = [threading.Thread(target=lambda p=p: got.update({p: read(p)}))
               for p in files]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return got


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer needs it all")
@pytest.mark.semantics("S74")
@pytest.mark.parametrize("more", [0, 3 * MIB, 20 * MIB])
def test_no_memory_is_an_error_that_passes(mount, registry, image, more):
    mnt = mount(registry)
    files = {mnt / "app/blobs/sha256" / b.digest[7:]: b.data
             for b in image.blobs}
    limit = address_space(mnt.pid) + more
    resource.prlimit(mnt.pid, resource.RLIMIT_AS,
                     (limit, resource.RLIM_INFINITY))
    for _ in range(3):
        got = read_all(files)
        assert all(isinstance(data, int) or data == files[path]
                   for path, data in got.items())
    if not more:
        assert errno.ENOMEM in got.values()
    resource.prlimit(mnt.pid, resource.RLIMIT_AS,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    waiting.until(lambda: read_all(files) == files, "all of it", 30)
    if not more:
        assert "memory" in mnt.status("errors")
