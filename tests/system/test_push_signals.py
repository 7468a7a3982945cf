# SPDX-License-Identifier: Apache-2.0
"""Signals that reach whoever waits in close(): some mean to end it, most do
not."""
import signal
import subprocess
import sys

import pytest

import images
import pushed
import pushproxy
import waiting
import writers

AT_ONCE = 5 * waiting.SLOW
WRITER = """
import os, signal, sys
for s in (signal.SIGURG, signal.SIGCHLD, signal.SIGWINCH, signal.SIGPROF):
    signal.signal(s, lambda *_: None)
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
os.write(fd, sys.stdin.buffer.read())
os.close(fd)
"""


@pytest.fixture
def image():
    return images.image(
        [images.layer({"data": images.noise(1000)}, False)],
        created=images.CREATED)


@pytest.fixture
def proxy(registry):
    p = pushproxy.PushProxy(registry.address)
    yield p
    p.stop()


@pytest.fixture
def closing(mount, proxy, image):
    """(mount, rule, process): in close(), until the rule lets it go on."""
    mnt = mount(proxy, timeout="60s")
    writers.make_layout(mnt / "app")
    for blob in image.blobs:
        writers.write_file(
            mnt / "app/blobs/sha256" / pushed.hex_of(blob.digest), blob.data)
    rule = proxy.rule("hold", "manifest-put", times=9)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, mnt / "app/1.0"],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(image.data)
    process.stdin.close()
    rule.wait()
    yield mnt, rule, process
    waiting.end_process(process, signal.SIGKILL)
    process.stderr.close()


def interrupts(mnt):
    return mnt.metric("ocirfs_fuse_interrupts_total")


def send(mnt, process, number):
    process.send_signal(number)
    waiting.until(lambda: interrupts(mnt) > 0, "the interrupt", 10)


@pytest.mark.semantics("S31", "S57")
@pytest.mark.parametrize("number", [signal.SIGURG, signal.SIGCHLD,
                                    signal.SIGWINCH, signal.SIGPROF])
def test_a_signal_that_ends_nobody_fails_no_close(closing, registry, number):
    mnt, rule, process = closing
    send(mnt, process, number)
    assert process.poll() is None
    rule.release()
    assert process.wait(30 * waiting.SLOW) == 0, process.stderr.read()
    assert "1.0" in pushed.tags(registry, "app")


@pytest.mark.semantics("S31")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_ends_is_heard_after_what_does_not(closing, number):
    mnt, _, process = closing
    send(mnt, process, signal.SIGURG)
    with waiting.Stopwatch() as w:
        assert waiting.end_process(process, number)
    assert w.seconds < AT_ONCE
    assert process.returncode != 0
