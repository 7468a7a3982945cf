# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests: real registries, real mounts.

Everything a test starts is ended by process id, also when the test fails; a
test that hangs has its daemons killed, which lets its system calls return.
"""
import collections
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest

import certificates
import mounts
import registries
import tokenserver
import waiting

TEST_SECONDS = 180  # of one test, before its daemons are killed


def pytest_addoption(parser):
    parser.addoption("--share", metavar="DIR", type=pathlib.Path,
                     help="leave out the files that another run with this DIR "
                     "has begun, so that several runs divide all tests")


def pytest_configure(config):
    # Whoever was started in the background by a shell ignores Ctrl-C, and so
    # would all that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Fixtures clean up after both.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if folder := config.getoption("--share"):
        config.pluginmanager.register(Share(folder))
    config.addinivalue_line(
        "markers", "semantics(*numbers): promises of fs/SEMANTICS.md that "
        "the test proves")


class Share:
    """Whoever makes a file's name in the folder first runs its tests: whole
    files, so that module fixtures are made once."""

    def __init__(self, folder):
        self.folder, self.ours = folder, {}

    def _take(self, name):
        try:
            (self.folder / name).open("x").close()
            return True
        except FileExistsError:
            return False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        name = item.path.name
        if name not in self.ours:
            self.ours[name] = self._take(name)
        return None if self.ours[name] else True


def pytest_collection_modifyitems(items):
    """Files with many tests first; the small ones even out the end."""
    sizes = collections.Counter(item.path for item in items)
    items.sort(key=lambda item: -sizes[item.path])


@pytest.fixture(scope="session", autouse=True)
def _needs():
    """A test machine without these is a mistake, not a reason to skip."""
    if not mounts.PROGRAM.exists():
        pytest.exit(f"there is no {mounts.PROGRAM}; build it first", 3)
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.exit("/dev/fuse cannot be used here", 3)


class Watchdog:
    """Kills the mounts of a test that does not end, and sees to it that they
    end well."""

    def __init__(self, seconds=TEST_SECONDS):
        self.mounts = []
        self.seconds, self.barked = seconds, False
        self.timer = threading.Timer(seconds * waiting.SLOW, self.bark)
        self.timer.daemon = True
        self.timer.start()

    def bark(self):
        self.barked = True
        for m in self.mounts:
            m.force_end()

    def end(self):
        self.timer.cancel()
        died = [m for m in self.mounts if m.process and not m.expect_death
                and m.process.poll() not in (None, 0)]
        stuck = [m for m in self.mounts if not self.unmount(m)]
        findings = [text for m in self.mounts for text in m.findings()]
        assert not findings, "\n".join(findings)
        assert not self.barked, f"no end after {self.seconds} s"
        assert not died, "\n".join(
            f"ocirfs died with {m.process.returncode}: {m.log()[-3000:]}"
            for m in died)
        assert not stuck, "ocirfs did not end after umount"

    @staticmethod
    def unmount(m):
        """False: it did not want to."""
        try:
            if mounts.mounted_at(m.path):
                subprocess.run(["umount", m.path], check=False, timeout=20,
                               stderr=subprocess.DEVNULL)
                if m.process:
                    m.process.wait(20 * waiting.SLOW)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            m.force_end()


@pytest.fixture
def watchdog():
    dog = Watchdog()
    yield dog
    dog.end()


def _mount_factory(new_folder, dog):
    def make(source, name=None, start=True, **options):
        source = getattr(source, "url", source)
        name = name or f"m{len(dog.mounts)}"
        m = mounts.Mount(source, new_folder(name), **options)
        dog.mounts.append(m)
        return m.start() if start else m

    return make


@pytest.fixture
def mount(tmp_path, watchdog):
    """mount(source, **options) -> a Mount that is ready; any number."""
    return _mount_factory(tmp_path.joinpath, watchdog)


@pytest.fixture(scope="module")
def module_mount(tmp_path_factory):
    """The same, for all tests of a file."""
    dog = Watchdog(4 * TEST_SECONDS)
    yield _mount_factory(tmp_path_factory.mktemp("mounts").joinpath, dog)
    dog.end()


@pytest.fixture
def run_ocirfs(tmp_path, watchdog):
    """Run the program to its end, as a shell does."""
    def run(*words, seconds=60, **env):
        san_log = tmp_path / "sanitizer"
        done = subprocess.run(
            [str(mounts.PROGRAM), *map(str, words)], text=True,
            capture_output=True, timeout=seconds * waiting.SLOW,
            stdin=subprocess.DEVNULL,
            env=mounts.clean_env(tmp_path, san_log, **env))
        texts = [f.read_text() for f in tmp_path.glob("sanitizer.*")]
        assert not texts, "\n".join(texts)
        return done

    return run


def _registry_factory(folder, started):
    def make(name=None, **more):
        name = name or f"registry{len(started)}"
        r = registries.Registry(folder / name, **more)
        started.append(r)
        return r.start()

    return make


@pytest.fixture
def make_registry(tmp_path):
    """make_registry(storage=, tls=, auth=, ...): for a test that breaks it."""
    started = []
    yield _registry_factory(tmp_path, started)
    for r in started:
        r.stop()


@pytest.fixture(scope="module")
def module_registry(tmp_path_factory):
    """The same, for all tests of a file."""
    started = []
    yield _registry_factory(tmp_path_factory.mktemp("registries"), started)
    for r in started:
        r.stop()


@pytest.fixture
def registry(make_registry):
    return make_registry()


@pytest.fixture(scope="session")
def ca(tmp_path_factory):
    return certificates.authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def tls(tmp_path_factory, ca):
    return certificates.server(tmp_path_factory.mktemp("tls"), ca)


@pytest.fixture
def make_tokens(tmp_path):
    """make_tokens(users=, private=): a token server on a free port."""
    started = []

    def make(users, **more):
        folder = tmp_path / f"tokens{len(started)}"
        folder.mkdir()
        signer = certificates.signer(folder)
        started.append(tokenserver.TokenServer(signer, users, **more))
        return started[-1]

    yield make
    for t in started:
        t.stop()


@pytest.fixture
def htpasswd(tmp_path):
    """htpasswd(user, password) -> auth settings of a registry."""
    def make(user, password):
        path = tmp_path / "htpasswd"
        path.write_text(subprocess.run(
            ["htpasswd", "-niB", "-C", "5", user], input=password, text=True,
            check=True, capture_output=True).stdout.strip() + "\n")
        return {"htpasswd": {"realm": "tests", "path": str(path)}}

    return make


def pytest_sessionfinish(session):
    """Nothing of this run may be left, whatever its tests did."""
    base = getattr(session.config, "_tmp_path_factory", None)
    if base is None:
        return
    base = str(base.getbasetemp())
    left = [line for line in pathlib.Path("/proc/self/mountinfo")
            .read_text().splitlines()
            if re.search(rf" {re.escape(base)}/", line)]
    if left:
        session.exitstatus = 1
        print("\nleft mounted:\n" + "\n".join(left))
