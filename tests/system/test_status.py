# SPDX-License-Identifier: Apache-2.0
"""`ocirfs status`: what a mount says of itself, on a terminal and in a pipe."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading

import pytest

import images
import mounts
import waiting

LINE = re.compile(r"(up|down) done=\d+ size=\d+ rate=\d+ what=\S+ where=.+")
COLUMNS, ROWS = 70, 12


@pytest.fixture
def mnt(mount, registry):
    return mount(registry, timeout="60s")


@pytest.fixture
def stuck(registry, mnt):
    """A blob that is being read and does not arrive until thaw()."""
    image = images.push(registry, "prod/app",
                        images.big_image(4 << 20, seed=9), "latest")
    blob = max(image.blobs, key=lambda b: len(b.data))
    path = mnt / "prod/app/blobs" / blob.digest.replace(":", "/")
    os.stat(path)
    registry.freeze()
    thread = threading.Thread(target=mounts.sha256_file, args=[path])
    thread.start()
    try:
        waiting.until(lambda: mnt.status("transfers"), "a transfer")
        yield lambda: (registry.thaw(), thread.join())
    finally:
        registry.thaw()
        thread.join()


class Terminal:
    """The program on a terminal of its own, and all that it wrote there."""

    def __init__(self, home, *words, term="xterm"):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.text = ""
        self.process = subprocess.Popen(
            [str(mounts.PROGRAM), *map(str, words)], stdin=slave, stdout=slave,
            stderr=slave, env=mounts.clean_env(home, TERM=term),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def read(self, seconds=0.0):
        """What has come meanwhile; EIO is a terminal's end of file."""
        with contextlib.suppress(OSError):
            while select.select([self.master], [], [], seconds)[0]:
                data = os.read(self.master, 65536)
                if not data:
                    break
                self.text += data.decode()
        return self.text

    def wait_for(self, text):
        waiting.until(lambda: text in self.read(), repr(text))

    def wait(self):
        waiting.until(lambda: self.read() and self.process.poll() is not None,
                      "the program's end", 30)
        self.read(0.1)
        return self.process.returncode

    def end(self):
        waiting.end_process(self.process, signal.SIGKILL)
        os.close(self.master)


@pytest.fixture
def terminal(tmp_path):
    started = []

    def make(*words, **more):
        started.append(Terminal(tmp_path, *words, **more))
        return started[-1]

    yield make
    for t in started:
        t.end()


@pytest.mark.semantics("S46")
def test_transfers_are_lines_for_programs(mnt, stuck):
    lines = mnt.status("transfers").splitlines()
    assert lines and all(LINE.fullmatch(x) for x in lines)
    assert lines[0].endswith(" where=prod/app")
    stuck()
    waiting.until(lambda: mnt.status("transfers") == "", "the end of it")


@pytest.mark.semantics("S46")
def test_what_is_pushed_is_shown_as_well(run_ocirfs, registry, mnt):
    data = images.noise(3 << 20, seed=8)
    digest = images.digest_of(data)
    os.makedirs(mnt / "prod/app/blobs/sha256", exist_ok=True)
    path = mnt / "prod/app/blobs" / digest.replace(":", "/")
    file = open(path, "wb", buffering=0)
    registry.freeze()
    thread = threading.Thread(
        target=lambda: (file.write(data), file.close()))
    thread.start()
    try:
        line = waiting.until(lambda: mnt.status("transfers"), "a transfer")
        done = run_ocirfs("status", mnt.path)
    finally:
        registry.thaw()
        thread.join()
    assert LINE.fullmatch(line.strip()) and line.startswith("up ")
    assert line.strip().endswith(f" what={digest} where=prod/app")
    assert re.search(r"^staging +3.0 MiB.*pending: 1$", done.stdout, re.M)
    assert re.search(r"^up .* prod/app  sha256:\w{12}$", done.stdout, re.M)
    assert "\npending:\nprod/app: blob " in done.stdout
    waiting.until(lambda: mnt.status("transfers") == "", "the end of it")


@pytest.mark.semantics("S46")
def test_what_a_user_named_cannot_steer_a_terminal(mount, registry, tmp_path):
    """Escape, a new line, the wrong direction, and what is not UTF-8."""
    odd = "c\x1b[31m\nsource evil\u202e\udcff"
    status = mount(registry, cache=tmp_path / odd).status()
    assert not set(status) & {"\x1b", "\u202e", "\udcff"}
    assert f"cache       {tmp_path}/c?[31m?source evil????" in status.splitlines()


def test_any_directory_of_a_mount_will_do(run_ocirfs, registry, mnt):
    images.push(registry, "prod/app", images.small_image(), "latest")
    for place in (mnt.path, mnt / "prod/app", mnt / "prod/app/blobs/sha256",
                  mnt / ".ocirfs"):
        done = run_ocirfs("status", place)
        assert done.returncode == 0, done.stderr
        assert registry.url in done.stdout
        assert "nothing is being transferred\n" in done.stdout
        assert done.stderr == ""


@pytest.mark.semantics("S46")
def test_a_pipe_gets_plain_lines(run_ocirfs, mnt, stuck):
    done = run_ocirfs("status", mnt.path)
    line = done.stdout.splitlines()[-1]
    assert line.startswith("down ") and "%" in line and "prod/app" in line
    assert "\033" not in done.stdout and "[" not in line


@pytest.mark.semantics("S46")
def test_watching_in_a_pipe_ends_with_the_transfers(tmp_path, mnt, stuck):
    done = subprocess.Popen(
        [str(mounts.PROGRAM), "status", "--watch", str(mnt.path)], text=True,
        stdout=subprocess.PIPE, env=mounts.clean_env(tmp_path, TERM="xterm"))
    try:
        first = done.stdout.readline()
        stuck()
        rest, _ = done.communicate(timeout=60 * waiting.SLOW)
    finally:
        waiting.end_process(done, signal.SIGKILL)
    assert first.startswith("down ") and "\033" not in first + rest
    assert rest.endswith("nothing is being transferred\n")
    assert done.returncode == 0


@pytest.mark.semantics("S46")
def test_a_terminal_is_drawn_on_in_place(terminal, mnt, stuck):
    t = terminal("status", "--watch", mnt.path)
    t.wait_for("\033[1A")  # the second drawing replaces the first
    stuck()
    assert t.wait() == 0
    assert "down  [" in t.text
    assert t.text.endswith("nothing is being transferred\r\n")
    for line in re.sub(r"\033\[\d*[A-Z]", "", t.text).split("\r\n"):
        assert len(line.lstrip("\r")) <= COLUMNS


@pytest.mark.semantics("S46")
def test_a_dumb_terminal_is_not_drawn_on(terminal, mnt, stuck):
    t = terminal("status", "--watch", mnt.path, term="dumb")
    t.wait_for("\r\n")
    stuck()
    assert t.wait() == 0
    assert "\033" not in t.text and "down  [" not in t.text


@pytest.mark.semantics("S46")
def test_ctrl_c_ends_watching(terminal, mnt, stuck):
    t = terminal("status", "--watch", mnt.path)
    t.wait_for("down  [")
    os.write(t.master, b"\x03")
    assert t.wait() == -signal.SIGINT
    assert mnt.process.poll() is None


def test_help(run_ocirfs):
    done = run_ocirfs("status", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ocirfs status [--watch] DIR\n")


@pytest.mark.semantics("S41")
def test_what_is_no_mount_is_told(run_ocirfs, tmp_path, mnt):
    file = tmp_path / "file"
    file.touch()
    for words, status, says in [
            ([tmp_path], 1, "is not in a mount of ocirfs"),
            (["/"], 1, "is not in a mount of ocirfs"),
            ([tmp_path / "absent"], 1, "No such file"),
            ([file], 1, "Not a directory"),
            ([], 2, "usage: ocirfs status"),
            (["--watch"], 2, "usage: ocirfs status"),
            (["--wach", tmp_path], 2, "unknown flag '--wach'"),
            ([tmp_path, mnt.path], 2, "one DIR")]:
        done = run_ocirfs("status", *words)
        assert done.returncode == status, words
        assert says in done.stderr and done.stderr.count("\n") == 1
        assert done.stdout == ""


@pytest.mark.semantics("S41")
def test_a_mount_whose_process_died_is_told(run_ocirfs, mnt):
    mnt.expect_death = True
    waiting.end_process(mnt.process, signal.SIGKILL)
    done = run_ocirfs("status", mnt.path)
    assert done.returncode == 1
    assert "has ended" in done.stderr
    subprocess.run(["umount", mnt.path], check=True)
