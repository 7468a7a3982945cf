# SPDX-License-Identifier: Apache-2.0
"""Pushing over a line that breaks: what close() said is true."""
import errno
import os
import random
import threading

import pytest

import images
import pushed
import pushproxy
import waiting
import writers

GONE = {errno.ETIMEDOUT, errno.EIO, errno.EHOSTUNREACH, errno.ECONNREFUSED,
        errno.EBUSY, errno.ECONNRESET}
FAULTS = ("reset", "lost", "503", "429")


@pytest.fixture
def proxy(registry):
    p = pushproxy.PushProxy(registry.address)
    yield p
    registry.thaw()
    p.stop()


@pytest.fixture(scope="module")
def image():
    """The first layer is so large that it is sent while it is written."""
    return images.big_image(6_000_000, 150_000)


def push(mnt, m, repo="app"):
    writers.Skopeo(mnt / repo, m, "1.0").write()


@pytest.mark.semantics("S57")
@pytest.mark.parametrize("kind", [
    "blob-head", "upload-start", "upload-data", "upload-end",
    "manifest-head", "manifest-put"])
def test_a_fault_at_each_kind_of_request_is_survived(
        mount, registry, proxy, kind):
    """Each fault once, at one kind of request, each with an image of its
    own."""
    mnt = mount(proxy)
    met = 0
    for fault in FAULTS:
        m = images.big_image(4_500_000, 1000, seed=(kind, fault))
        rule = proxy.rule(fault, kind)
        push(mnt, m, fault)
        proxy.forget()
        met += min(rule.met, 1)
        pushed.check(registry, fault, "1.0", m)
    if kind in ("upload-start", "upload-end", "manifest-put"):
        assert met == len(FAULTS)
    assert not pushed.pending(mnt)


@pytest.mark.semantics("S57")
@pytest.mark.parametrize("after", [0, 70_000, 5_900_000])
def test_a_reset_in_the_middle_of_a_blob(
        mount, registry, proxy, image, after):
    mnt = mount(proxy)
    # The configuration comes first.
    rule = proxy.rule("reset-body", *pushproxy.DATA, skip=1, after=after)
    push(mnt, image)
    assert rule.reached.is_set()
    pushed.check(registry, "app", "1.0", image)


@pytest.mark.semantics("S57")
def test_a_lost_upload_session(mount, registry, proxy, image):
    """404 BLOB_UPLOAD_UNKNOWN in the middle: it is begun again."""
    mnt = mount(proxy)
    proxy.rule("404", *pushproxy.DATA, times=2, words='{"errors":[{"code":'
               '"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown"}]}')
    push(mnt, image)
    pushed.check(registry, "app", "1.0", image)


@pytest.mark.semantics("S57")
def test_a_registry_that_is_told_to_come_later_for_long(
        mount, registry, proxy, image):
    """429 to everything that writes: an error, pending, and done in the end."""
    mnt = mount(proxy, timeout="3s")
    writers.make_layout(mnt / "app")
    proxy.rule("429", "upload-start", "mount", times=10_000)
    blob = image.blobs[1]
    path = mnt / "app/blobs/sha256" / pushed.hex_of(blob.digest)
    with pytest.raises(OSError) as e:
        writers.write_file(path, blob.data)
    assert e.value.errno in GONE
    assert pushed.pending(mnt)
    proxy.forget()
    push(mnt, image)
    pushed.check(registry, "app", "1.0", image)
    waiting.until(lambda: not pushed.pending(mnt), "nothing pending")


@pytest.mark.semantics("S57", "S32")
def test_frozen_in_the_middle_of_a_blob_and_thawed(
        mount, registry, proxy, image):
    mnt = mount(proxy, timeout="30s")
    rule = proxy.rule("hold-body", *pushproxy.DATA, skip=1, after=100_000)
    errors = []

    def write():
        try:
            push(mnt, image)
        except OSError as e:
            errors.append(e)

    thread = threading.Thread(target=write)
    thread.start()
    rule.wait()
    registry.freeze()
    rule.release()
    with waiting.Stopwatch() as w:
        os.statvfs(mnt.path)
        assert mnt.status("transfers")
    registry.thaw()
    thread.join()
    assert not errors
    assert w.seconds < 2 * waiting.SLOW
    pushed.check(registry, "app", "1.0", image)


@pytest.mark.semantics("S57")
def test_a_registry_that_stays_frozen_is_an_error(
        mount, registry, proxy, image):
    mnt = mount(proxy, timeout="2s")
    writers.make_layout(mnt / "app")
    blob = image.blobs[1]
    path = mnt / "app/blobs/sha256" / pushed.hex_of(blob.digest)
    registry.freeze()
    with waiting.Stopwatch() as w, pytest.raises(OSError) as e:
        writers.write_file(path, blob.data)
    registry.thaw()
    assert e.value.errno in GONE
    assert w.seconds < 30 * waiting.SLOW
    assert pushed.error_of(path)
    push(mnt, image)
    pushed.check(registry, "app", "1.0", image)


@pytest.mark.semantics("S57")
@pytest.mark.parametrize("seed", range(3))
def test_on_a_bad_line_close_tells_the_truth(mount, registry, proxy, seed):
    """Each request may fail.  Who was told 0 finds it in the registry."""
    dice = random.Random(seed)
    for number in range(2000):
        if dice.random() < 0.25:
            proxy.rule(dice.choice((*FAULTS, "500", "cut", "reset-body")), number,
                       after=dice.randrange(200_000))
    mnt = mount(proxy, timeout="5s", bg=True)
    made = {f"t{i}": images.big_image(120_000, seed=(seed, i))
            for i in range(4)}

    def try_to_push(tag):
        try:
            writers.Skopeo(mnt / "app", made[tag], tag).write()
        except OSError:
            return False
        pushed.check(registry, "app", tag, made[tag])
        return True

    left = set(made)

    def all_pushed():
        for tag in sorted(left):
            if try_to_push(tag):
                left.discard(tag)
        return not left

    waiting.until(all_pushed, "everything to get through", 60)
    assert pushed.tag_map(registry, "app") == {
        t: m.digest for t, m in made.items()}
