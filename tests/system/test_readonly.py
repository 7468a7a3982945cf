# SPDX-License-Identifier: Apache-2.0
"""With `ro` whatever would change something is refused, and nothing is sent."""
import errno
import os
import subprocess

import pytest

import images


@pytest.fixture(scope="module")
def registry(module_registry):
    r = module_registry()
    images.push(r, "app", images.small_image(), "1.0")
    return r


def hex_of(mnt):
    return os.getxattr(mnt / "app/1.0", "user.oci.digest").decode()[7:]


CHANGES = {
    "make a tag": lambda m: open(m / "app/new", "w"),
    "make a file at the top": lambda m: open(m / "new", "w"),
    "write a tag": lambda m: os.open(m / "app/1.0", os.O_WRONLY),
    "append to a tag": lambda m: os.open(m / "app/1.0",
                                         os.O_WRONLY | os.O_APPEND),
    "read and write a tag": lambda m: os.open(m / "app/1.0", os.O_RDWR),
    "truncate at open": lambda m: os.open(m / "app/1.0",
                                          os.O_RDONLY | os.O_TRUNC),
    "truncate": lambda m: os.truncate(m / "app/1.0", 0),
    "make a blob": lambda m: open(m / "app/blobs/sha256" / ("0" * 64), "w"),
    "write a blob": lambda m: open(m / "app/blobs/sha256" / hex_of(m), "r+"),
    "write index.json": lambda m: open(m / "app/index.json", "r+"),
    "make a scratch file": lambda m: open(m / "app/.tmp", "x"),
    "remove a tag": lambda m: os.unlink(m / "app/1.0"),
    "remove a blob": lambda m: os.unlink(
        m / "app/blobs/sha256" / hex_of(m)),
    "make a directory": lambda m: os.mkdir(m / "new"),
    "make a repository": lambda m: os.mkdir(m / "app/sub"),
    "remove a repository": lambda m: os.rmdir(m / "app"),
    "rename a tag": lambda m: os.rename(m / "app/1.0", m / "app/2.0"),
    "rename a repository": lambda m: os.rename(m / "app", m / "other"),
    "exchange": lambda m: os.rename(m / "app/1.0", m / "app/index.json"),
    "link": lambda m: os.link(m / "app/1.0", m / "app/2.0"),
    "symlink": lambda m: os.symlink("1.0", m / "app/2.0"),
    "make a pipe": lambda m: os.mkfifo(m / "app/pipe"),
    "change the mode": lambda m: os.chmod(m / "app/1.0", 0o777),
    "change the owner": lambda m: os.chown(m / "app/1.0", 1, 1),
    "change the times": lambda m: os.utime(m / "app/1.0", (1, 1)),
    "set an attribute": lambda m: os.setxattr(m / "app/1.0", "user.x", b"y"),
    "remove an attribute": lambda m: os.removexattr(
        m / "app/1.0", "user.oci.digest"),
    "make a control file": lambda m: open(m / ".ocirfs/new", "w"),
    "write a control file": lambda m: open(m / ".ocirfs/status", "r+"),
}


@pytest.mark.semantics("S25")
def test_every_change_is_refused(mount, registry):
    mnt = mount(registry, ro=True)
    mnt.status()
    (mnt / "app/1.0").read_bytes()
    registry.mark()
    got = {}
    for name, change in CHANGES.items():
        with pytest.raises(OSError) as e:
            change(mnt)
        got[name] = errno.errorcode[e.value.errno]
    assert set(got.values()) == {"EROFS"}, got
    assert not [r for r in registry.requests()
                if r[0] not in ("GET", "HEAD")]


@pytest.mark.semantics("S25")
def test_rm_rf_harms_nothing(mount, registry):
    mnt = mount(registry, ro=True)
    done = subprocess.run(["rm", "-rf", mnt / "app"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr
    assert (mnt / "app/1.0").read_bytes() == images.small_image().data


@pytest.mark.semantics("S25")
def test_the_kernel_knows_that_the_mount_is_read_only(mount, registry):
    mnt = mount(registry, ro=True)
    assert os.statvfs(mnt.path).f_flag & os.ST_RDONLY
    assert not os.access(mnt / "app", os.W_OK)
