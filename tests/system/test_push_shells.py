# SPDX-License-Identifier: Apache-2.0
"""Shells and editors write tags: what they see of how it ended."""
import errno
import gzip
import lzma
import os
import shutil
import subprocess
import sys

import pytest

import images
import pushed
import writers

OLD = images.image([images.layer({"f": b"shells"})], created=images.CREATED)
NEW = OLD.data.replace(b"{", b"{ ", 1)


@pytest.fixture
def mnt(mount, registry):
    images.push(registry, "app", OLD, "1.0")
    return mount(registry)


def sh(mnt, script, *words):
    return subprocess.run(
        ["bash", "-ec", script, "sh", *map(str, words)], cwd=mnt / "app",
        text=True, capture_output=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL)


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_bytes(NEW)
    return path


# ---- several programs, one open file ----

@pytest.mark.semantics("S93")
@pytest.mark.parametrize("script", [
    '{ head -c 100 "$1"; tail -c +101 "$1"; } > 2.0',
    '( head -c 9 "$1"; (tail -c +10 "$1" | head -c 90); tail -c +100 "$1" ) '
    '> 2.0',
    'exec > 2.0; head -c 100 "$1"; tail -c +101 "$1"',
])
def test_several_commands_write_one_tag(mnt, registry, whole, script):
    done = sh(mnt, script, whole)
    assert (done.returncode, done.stderr) == (0, "")
    assert pushed.tag_map(registry, "app")["2.0"] == images.digest_of(NEW)
    assert not mnt.status("errors")


@pytest.mark.semantics("S93")
def test_several_commands_write_one_blob(mnt, registry, tmp_path):
    path = tmp_path / "blob"
    path.write_bytes(images.noise(30_000, "in two"))
    digest = images.digest_of(path.read_bytes())
    done = sh(mnt, '{ head -c 100 "$1"; tail -c +101 "$1"; } > blobs/sha256/'
              + pushed.hex_of(digest), path)
    assert (done.returncode, done.stderr) == (0, "")
    assert pushed.client(registry).has_blob("app", digest)


@pytest.mark.semantics("S93")
def test_a_whole_manifest_is_not_pushed_while_more_may_come(
        mnt, registry, whole):
    with open(mnt / "app/2.0", "wb") as f:
        subprocess.run(["cat", whole], stdout=f, check=True)
        assert "2.0" not in pushed.tags(registry, "app")
        subprocess.run(["echo"], stdout=f, check=True)
    assert pushed.tag_map(registry, "app")["2.0"] == images.digest_of(
        NEW + b"\n")


@pytest.mark.semantics("S93")
def test_the_last_one_to_close_is_told(mnt, whole):
    f = open(mnt / "app/2.0", "wb", buffering=0)
    subprocess.run(["head", "-c", "100", whole], stdout=f, check=True)
    with pytest.raises(OSError) as e:
        f.close()
    assert e.value.errno == errno.EINVAL


@pytest.mark.semantics("S57", "S93")
def test_fsync_in_the_middle_is_no_error(mnt, registry, tmp_path):
    blob = images.noise(20_000, "synced")
    digest = images.digest_of(blob)
    for name, data in (("2.0", NEW),
                       (f"blobs/sha256/{pushed.hex_of(digest)}", blob)):
        with writers.opened(mnt / "app" / name, writers.OVERWRITE) as fd:
            writers.write_all(fd, data[:100])
            os.fsync(fd)
            writers.write_all(fd, data[100:])
            os.fsync(fd)
            assert pushed.has_manifest(registry, "app", "2.0")
    assert pushed.client(registry).has_blob("app", digest)


@pytest.mark.semantics("S57", "S93")
def test_what_fsync_let_pass_close_refuses(mnt):
    fd = os.open(mnt / "app/2.0", writers.OVERWRITE)
    writers.write_all(fd, NEW[:100])
    os.fsync(fd)
    with pytest.raises(OSError) as e:
        os.close(fd)
    assert e.value.errno == errno.EINVAL
    assert pushed.error_of(mnt / "app/2.0")


# ---- what can be no tag is refused at its first block ----

@pytest.mark.semantics("S94")
@pytest.mark.parametrize("name, data, words", [
    ("noise", images.noise(5000, "no tag"), "neither a manifest nor"),
    ("html", b"<html>" + b" " * 600, "neither a manifest nor"),
    ("xz", lzma.compress(images.noise(5000)), "unxz it first"),
    ("json-list", b"[" + b"1," * 400, "neither a manifest nor"),
])
def test_the_write_fails(mnt, registry, name, data, words):
    fd = os.open(mnt / "app" / name, writers.OVERWRITE)
    with pytest.raises(OSError) as e:
        os.write(fd, data)
    os.close(fd)
    assert e.value.errno == errno.EINVAL
    assert words in pushed.error_of(mnt / "app" / name)
    assert words in mnt.status("errors")
    assert pushed.tags(registry, "app") == {"1.0"}


@pytest.mark.semantics("S94")
@pytest.mark.parametrize("piece", [1, 100, 511])
def test_the_write_that_completes_the_first_block_fails(mnt, piece):
    data = images.noise(700, "pieces").replace(b"{", b"x")
    data = b"x" + data
    fd = os.open(mnt / "app/2.0", writers.OVERWRITE)
    with pytest.raises(OSError) as e:
        for at in range(0, len(data), piece):
            os.write(fd, data[at:at + piece])
            assert at + piece < 512
    assert e.value.errno == errno.EINVAL
    with pytest.raises(OSError):
        os.close(fd)


@pytest.mark.semantics("S94")
def test_the_program_behind_a_redirection_sees_it(mnt, tmp_path):
    path = tmp_path / "bad"
    path.write_bytes(gzip.compress(images.noise(100))[::-1] + bytes(600))
    assert sh(mnt, 'cat "$1" > 2.0', path).returncode != 0
    assert sh(mnt, 'cat "$1" | dd of=2.0 status=none', path).returncode != 0


# ---- editors ----

EDITORS = {
    "vim": ["vim", "--clean", "-es", "-c", "set nofixeol", "-c", "1s/^{/{ /",
            "-c", "w", "-c", "q"],
    "vim with a backup": ["vim", "--clean", "-es", "-c", "set backup nofixeol",
                          "-c", "1s/^{/{ /", "-c", "w", "-c", "q"],
    "sed -i": ["sed", "-i", "s/^{/{ /"],
    "like nano": [sys.executable, "-c", """if True:
        import os, sys
        data = open(sys.argv[1], "rb").read().replace(b"{", b"{ ", 1)
        before = os.stat(sys.argv[1]).st_ino
        fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        assert os.fstat(fd).st_ino == before == os.stat(sys.argv[1]).st_ino
        os.write(fd, data)
        os.close(fd)"""],
}


@pytest.mark.semantics("S95")
@pytest.mark.parametrize("editor", EDITORS)
def test_an_editor_saves_a_tag(mnt, registry, editor):
    if not shutil.which(EDITORS[editor][0]):
        pytest.skip("not installed")
    done = pushed.run(*EDITORS[editor], "1.0", cwd=mnt / "app", check=False)
    assert done.returncode == 0, done.stderr
    assert pushed.tag_map(registry, "app") == {"1.0": images.digest_of(NEW)}
    assert (mnt / "app/1.0").read_bytes() == NEW
    assert not mnt.status("errors")


@pytest.mark.semantics("S95")
@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDWR,
                                   os.O_WRONLY | os.O_TRUNC])
def test_what_is_opened_is_what_stat_has_shown(mnt, flags):
    before = os.stat(mnt / "app/1.0").st_ino
    fd = os.open(mnt / "app/1.0", flags)
    assert os.fstat(fd).st_ino == before == os.stat(mnt / "app/1.0").st_ino
    os.close(fd)
    assert os.stat(mnt / "app/1.0").st_ino == before
