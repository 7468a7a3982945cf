# SPDX-License-Identifier: Apache-2.0
"""Registries that are dead, frozen, slow to come back, or say no."""
import errno
import os
import signal
import subprocess
import threading

import pytest

import images
import waiting
from mounts import mounted_at, sha256_file

MIB = 1 << 20
AT_ONCE = 1.0 * waiting.SLOW
WAITS = "ocirfs_fuse_waits_total"
DEAD = {errno.ETIMEDOUT, errno.EIO, errno.EHOSTUNREACH, errno.ECONNREFUSED}


@pytest.fixture
def image():
    return images.big_image(2 * MIB, 3 * MIB)


@pytest.fixture
def registry(make_registry, image):
    r = make_registry()
    images.push(r, "app", image, "1.0", "latest")
    images.push(r, "other/tool", images.small_image(), "x", "y")
    yield r
    r.thaw()


def layers(image):
    return [b for b in image.blobs if b.size > MIB]


def blob_path(mnt, blob):
    return mnt / "app/blobs/sha256" / blob.digest.split(":")[1]


def timed(call, *args):
    """What it gave or the errno of what it raised, and how long it took."""
    with waiting.Stopwatch() as w:
        try:
            result = call(*args)
        except OSError as e:
            result = e.errno
    return result, w.seconds


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Readers:
    """Processes that wait for the network, seen to do so."""

    def __init__(self, mnt, *commands):
        before = mnt.metric(WAITS)
        self.all = [subprocess.Popen(c, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
                    for c in commands]
        try:
            waiting.until(lambda: mnt.metric(WAITS) >= before + len(commands),
                          "waiting readers", 20)
        except AssertionError:
            self.__exit__()
            raise

    def __enter__(self):
        return self.all

    def __exit__(self, *_):
        for p in self.all:
            p.kill()
            p.wait()


def look_everywhere(mnt):
    subprocess.run(["ls", "-lR", mnt.path], check=True, capture_output=True)


@pytest.mark.semantics("S30")
def test_a_frozen_registry_is_an_error_at_the_deadline(
        mount, registry, image):
    mnt = mount(registry, timeout="3s", ttl="1s")
    look_everywhere(mnt)
    registry.freeze()
    got, seconds = timed(read, blob_path(mnt, layers(image)[0]))
    assert got == errno.ETIMEDOUT
    assert 2 <= seconds <= 5 * waiting.SLOW
    got, seconds = timed(read, blob_path(mnt, layers(image)[1]))
    assert got in DEAD
    assert seconds < AT_ONCE


@pytest.mark.semantics("S30", "S34")
def test_after_the_thaw_it_goes_on_without_a_remount(mount, registry, image):
    mnt = mount(registry, timeout="2s", ttl="1s")
    registry.freeze()
    got, _ = timed(read, mnt / "app/1.0")
    assert got in DEAD
    registry.thaw()
    waiting.until(lambda: timed(read, mnt / "app/1.0")[0] == image.data,
                  "the manifest", 15)
    for blob in layers(image):
        assert sha256_file(blob_path(mnt, blob)) == blob.digest
    assert "answers" in mnt.status()


@pytest.mark.semantics("S31")
@pytest.mark.parametrize("command", [
    ["cat", "app/1.0"], ["ls", "other/tool"], ["stat", "app/latest"],
    ["ls", "-l", "app"]])
def test_ctrl_c_ends_a_waiting_reader_at_once(mount, registry, command):
    mnt = mount(registry, timeout="60s", ttl=0)
    registry.freeze()
    words = [*command[:-1], mnt / command[-1]]
    with Readers(mnt, words) as (reader,), waiting.Stopwatch() as w:
        assert waiting.end_process(reader, signal.SIGINT)
    assert w.seconds < AT_ONCE
    assert reader.returncode == -signal.SIGINT


@pytest.mark.semantics("S31")
def test_ctrl_c_ends_a_reader_in_the_middle_of_a_blob(
        mount, registry, image):
    blob = layers(image)[0]
    mnt = mount(registry, timeout="60s")
    os.stat(blob_path(mnt, blob))
    registry.freeze()
    with Readers(mnt, ["cat", blob_path(mnt, blob)]) as (reader,), \
            waiting.Stopwatch() as w:
        assert waiting.end_process(reader, signal.SIGINT)
    assert w.seconds < AT_ONCE


@pytest.mark.semantics("S31")
def test_those_who_wait_in_one_directory_do_not_wait_for_each_other(
        mount, registry):
    """Each has sent its question, so each can be ended, the last one first."""
    mnt = mount(registry, timeout="60s", ttl="1h")
    os.listdir(mnt / "app")
    registry.freeze()
    stats = [["stat", mnt / f"app/blobs/sha256/{i:064x}"] for i in range(8)]
    with Readers(mnt, *stats) as readers:
        for r in reversed(readers):
            with waiting.Stopwatch() as w:
                assert waiting.end_process(r, signal.SIGINT)
            assert w.seconds < AT_ONCE


@pytest.mark.semantics("S32")
def test_what_needs_no_network_does_not_wait(mount, registry, image):
    mnt = mount(registry, timeout="60s", ttl="1h")
    look_everywhere(mnt)
    read(mnt / "app/1.0")
    registry.freeze()
    cats = [["cat", blob_path(mnt, b)] for b in layers(image)]
    stats = [["stat", mnt / f"app/blobs/sha256/{i:064x}"] for i in range(40)]
    with Readers(mnt, *cats, *stats):
        check_that_nothing_waits(mnt, image)
    with waiting.Stopwatch() as w:
        mnt.unmount()
    assert w.seconds < 3 * waiting.SLOW


def check_that_nothing_waits(mnt, image):
    for what, call in {
            "df": lambda: os.statvfs(mnt.path),
            "stat of the mount point": lambda: os.stat(mnt.path),
            "ls of the root": lambda: os.listdir(mnt.path),
            "ls of a repository": lambda: os.listdir(mnt / "app"),
            "stat of a tag": lambda: os.stat(mnt / "app/latest"),
            "status": mnt.status,
            "a tag that was read": lambda: read(mnt / "app/1.0")}.items():
        got, seconds = timed(call)
        assert seconds < AT_ONCE, what
        assert not isinstance(got, int), (what, got)


@pytest.mark.semantics("S32", "S44")
def test_sigterm_while_the_registry_is_frozen(mount, registry):
    mnt = mount(registry, timeout="60s", ttl=0)
    registry.freeze()
    with Readers(mnt, ["cat", mnt / "app/1.0"]) as (reader,):
        with waiting.Stopwatch() as w:
            assert waiting.end_process(mnt.process, signal.SIGTERM)
        assert reader.wait(10) != 0
    assert w.seconds < 3 * waiting.SLOW
    assert not mounted_at(mnt.path)


@pytest.mark.semantics("S33")
def test_what_was_seen_is_served_without_a_registry(mount, registry, image):
    mnt = mount(registry, timeout="5s", ttl="200ms")
    look_everywhere(mnt)
    before = {f: sorted(os.listdir(mnt / f))
              for f in ("", "app", "other/tool", "app/blobs/sha256")}
    read(mnt / "app/1.0")
    first = layers(image)[0]
    assert sha256_file(blob_path(mnt, first)) == first.digest
    registry.kill()
    waiting.until(lambda: timed(read, blob_path(mnt, layers(image)[1]))[0]
                  in DEAD, "the registry's end")
    for folder, found in before.items():
        assert sorted(os.listdir(mnt / folder)) == found
    assert read(mnt / "app/1.0") == image.data
    assert os.stat(mnt / "app/latest").st_size == len(image.data)
    assert sha256_file(blob_path(mnt, first)) == first.digest
    assert "does not answer" in mnt.status()


@pytest.mark.semantics("S33", "S42")
def test_what_was_seen_is_served_by_the_next_mount_too(
        mount, registry, image):
    mnt = mount(registry)
    look_everywhere(mnt)
    read(mnt / "app/1.0")
    before = sorted(os.listdir(mnt / "app"))
    blob = layers(image)[0]
    assert sha256_file(blob_path(mnt, blob)) == blob.digest
    mnt.unmount()
    registry.kill()
    again = mount(registry, cache=mnt.cache, bg=True, timeout="5s")
    assert sorted(os.listdir(again / "app")) == before
    assert read(again / "app/1.0") == image.data
    assert sha256_file(blob_path(again, blob)) == blob.digest


@pytest.mark.semantics("S30", "S29")
def test_a_dead_registry_is_an_error_at_once(mount, registry, image):
    mnt = mount(registry, timeout="30s", ttl="200ms")
    look_everywhere(mnt)
    registry.kill()
    for blob in layers(image):
        got, seconds = timed(read, blob_path(mnt, blob))
        assert got in DEAD
        assert seconds < 15 * waiting.SLOW
    for _ in range(20):
        got, seconds = timed(read, blob_path(mnt, layers(image)[0]))
        assert got in DEAD and seconds < AT_ONCE
    got, _ = timed(os.stat, mnt / "app/never-seen")
    assert got in DEAD, "not there, or just not known?"


@pytest.mark.semantics("S34")
def test_a_registry_that_was_restarted_is_found_again(
        mount, registry, image):
    mnt = mount(registry, timeout="5s", ttl="200ms")
    look_everywhere(mnt)
    for _ in range(2):
        registry.kill()
        got, _ = timed(read, blob_path(mnt, layers(image)[0]))
        assert got in DEAD
        registry.start()
        waiting.until(lambda: not isinstance(
            timed(os.stat, mnt / "app/latest")[0], int), "the registry", 15)
    blob = layers(image)[0]
    waiting.until(lambda: not isinstance(
        timed(read, blob_path(mnt, blob))[0], int), "the blob", 15)
    assert sha256_file(blob_path(mnt, blob)) == blob.digest
    images.push(registry, "app", images.small_image("later"), "later")
    waiting.until(lambda: (mnt / "app/later").exists(), "the new tag", 10)


@pytest.mark.semantics("S17", "S34")
def test_frozen_in_the_middle_of_a_blob(mount, registry, image):
    """Whoever has the patience reads on after the thaw."""
    blob = layers(image)[1]
    mnt = mount(registry, timeout="60s")
    os.stat(blob_path(mnt, blob))
    registry.freeze()
    result = []
    thread = threading.Thread(
        target=lambda: result.append(timed(sha256_file, blob_path(mnt, blob))))
    thread.start()
    try:
        waiting.until(lambda: mnt.status("transfers"), "a transfer")
    finally:
        registry.thaw()
        thread.join()
    assert result[0][0] == blob.digest


@pytest.mark.semantics("S29", "S16")
def test_errors_are_remembered_in_the_registrys_words(mount, registry, image):
    mnt = mount(registry, timeout="3s", ttl="200ms")
    look_everywhere(mnt)
    registry.kill()
    path = blob_path(mnt, layers(image)[0])
    assert timed(read, path)[0] in DEAD
    why = os.getxattr(path, "user.ocirfs.error").decode()
    assert registry.address in why or "127.0.0.1" in why
    assert why in mnt.status("errors") or "127.0.0.1" in mnt.status("errors")
