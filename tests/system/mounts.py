# SPDX-License-Identifier: Apache-2.0
"""The program under test, mounted: started, watched, ended, looked after."""
import hashlib
import os
import pathlib
import re
import signal
import subprocess

import waiting

BUILD = pathlib.Path(os.environ.get(
    "OCIRFS_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
PROGRAM = pathlib.Path(os.environ.get("OCIRFS", BUILD / "ocirfs")).resolve()

# What a sanitizer prints when it has found something.
FINDING = re.compile(r"(ERROR|WARNING): (Address|Leak|Thread|Memory)Sanitizer"
                     r"|runtime error:|Assertion .* failed")

# Of the one who runs the tests; none of it may matter to them.
FOREIGN = re.compile(r"(?i)(https?|all|no)_proxy|DOCKER_.*|REGISTRY_.*|XDG_.*"
                     r"|SSL_CERT_.*|CURL_CA_BUNDLE|OCI_.*|KUBERNETES_.*")


def clean_env(home, san_log=None, **more):
    env = {k: v for k, v in os.environ.items() if not FOREIGN.fullmatch(k)}
    env["HOME"] = str(home)
    if san_log:
        for name in ("ASAN", "UBSAN", "TSAN", "LSAN"):
            env[f"{name}_OPTIONS"] = (
                f"log_path={san_log}:print_stacktrace=1:exitcode=66")
    env.update(more)
    return env


def unescape(text):
    return re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), text)


def mounted_at(path):
    """Is something mounted exactly there?  Asks nobody but the kernel."""
    return mount_type(path) is not None


def mount_type(path):
    found = None
    with open("/proc/self/mountinfo") as f:
        for line in f:
            left, _, right = line.partition(" - ")
            if unescape(left.split()[4]) == str(path):
                found = right.split()[0]
    return found


def processes_of(path):
    """Process ids of programs under test that have this mount point."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            program = os.readlink(entry / "exe")
        except OSError:
            continue
        if str(path).encode() in words and program == str(PROGRAM):
            found.append(int(entry.name))
    return found


def sha256_file(path, chunk=1 << 20):
    h = hashlib.sha256()
    with open(path, "rb", buffering=0) as f:
        while data := f.read(chunk):
            h.update(data)
    return "sha256:" + h.hexdigest()


class Mount:
    """`with Mount(...)` mounts in the foreground and unmounts at the end.

    Options are given by name; `cache_fsfree` is the one with a hyphen, and
    True means an option without a value.
    """

    def __init__(self, source, folder, cache=None, flags=(), env=None,
                 **options):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / "mnt"
        self.path.mkdir(exist_ok=True)
        self.cache = pathlib.Path(cache or self.folder / "cache")
        self.source = source
        self.flags = list(flags)
        self.options = options
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)
        self.log_file = self.folder / "ocirfs.log"
        self.san_log = self.folder / "sanitizer"
        self.env = clean_env(self.home, self.san_log, **(env or {}))
        self.process = None
        self.expect_death = False

    def option_list(self):
        words = [f"cache={self.cache}"]
        for name, value in self.options.items():
            name = name.replace("cache_fsfree", "cache-fsfree")
            words.append(name if value is True else f"{name}={value}")
        return ",".join(words)

    def command(self, *flags):
        return [str(PROGRAM), *self.flags, *flags, self.source,
                str(self.path), "-o", self.option_list()]

    def start(self):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.command("-f"), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.env)
        waiting.until(self._is_ready, "the mount", 30)
        return self

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(
                f"ocirfs ended with {self.process.returncode}: {self.log()}")
        return mounted_at(self.path)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_file.read_text(errors="replace") \
            if self.log_file.exists() else ""

    def __truediv__(self, name):
        return self.path / name

    def status(self, name="status"):
        return (self.path / ".ocirfs" / name).read_text()

    def metric(self, name):
        """Zero when there is none of that name yet."""
        m = re.search(rf"^{name} (\d+)", self.status("metrics"), re.M)
        return int(m[1]) if m else 0

    # ---- ending ----

    def unmount(self):
        """As everybody does, then see that nothing is left."""
        subprocess.run(["umount", self.path], check=True, timeout=30)
        self.wait_gone()

    def wait_gone(self):
        if self.process:
            self.process.wait(20 * waiting.SLOW)
            assert self.process.returncode == 0, self.log()
        waiting.until(lambda: not mounted_at(self.path), "no mount")

    def crash(self):
        """kill -9, and clean up after it as an administrator would."""
        self.expect_death = True
        waiting.end_process(self.process, signal.SIGKILL)
        subprocess.run(["umount", "-l", self.path], check=False,
                       stderr=subprocess.DEVNULL)

    def force_end(self):
        """Whatever state it is in; for the watchdog and for failed tests."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in processes_of(self.path):
            os.kill(pid, signal.SIGKILL)
        if mounted_at(self.path):
            subprocess.run(["umount", "-l", self.path], check=False)

    def findings(self):
        """What sanitizers and assertions said, in the log or beside it."""
        texts = [self.log()]
        texts += [f.read_text(errors="replace")
                  for f in self.folder.glob("sanitizer.*")]
        return [t[-6000:] for t in texts if FINDING.search(t)]

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None and self.process.poll() is None \
                and mounted_at(self.path):
            self.unmount()
        return False
