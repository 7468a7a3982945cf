# SPDX-License-Identifier: Apache-2.0
"""Waiting for things: always for a condition, always with a deadline.

The only place of the system tests that sleeps.  `SLOW` stretches deadlines
for builds with sanitizers; promises about time are stretched with it.
"""
import os
import socket
import subprocess
import time

SLOW = float(os.environ.get("OCIRFS_SLOW", "1"))


def until(condition, what, seconds=10.0, pause=0.01):
    """The first true value of condition()."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds * SLOW:g} s for {what}")
        time.sleep(pause)


def port_answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def end_process(process, signal_number, seconds=10):
    """Signal a child and reap it; kill what does not go.  True: it went."""
    if process.poll() is not None:
        return True
    process.send_signal(signal_number)
    try:
        process.wait(seconds * SLOW)
        return True
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


class Stopwatch:
    """with Stopwatch() as w: ...; assert w.seconds < 1"""

    def __enter__(self):
        self.start = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.start
        return False
