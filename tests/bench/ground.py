# SPDX-License-Identifier: Apache-2.0
"""The ground the bench runs on: processes, networks, data; and its end.

Whatever is started or mounted here is ended here, last first, by its own
process id: also after a failure and after Ctrl-C.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

START_S = 20
RUN_S = 600


class Failure(Exception):
    """The bench cannot go on; the text says why."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(is_so, what, process=None):
    end = time.monotonic() + START_S
    while not is_so():
        if process and process.poll() is not None:
            raise Failure(f"{what}: it ended with status {process.returncode}")
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {START_S} s")
        time.sleep(0.005)


def is_mounted(path):
    """Asks the kernel's table, not the file system in question."""
    with open("/proc/self/mountinfo") as f:
        return any(line.split()[4] == str(path) for line in f)


class Work:
    """A folder, and a stack of what must be undone."""

    def __init__(self, parent):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ocirfs-bench-",
                                                    dir=parent))
        self.stack = contextlib.ExitStack()
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A second Ctrl-C must not interrupt the cleaning.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.stack.close()

    def new(self, name):
        """A path in the folder that was never used before."""
        self.count += 1
        return self.folder / f"{name}-{self.count}"

    def new_folder(self, name):
        path = self.new(name)
        path.mkdir()
        return path

    @contextlib.contextmanager
    def scope(self):
        """What is started and written within is gone at its end."""
        outer = self.folder, self.stack
        folder = self.new_folder("scope")
        self.folder, self.stack = folder, contextlib.ExitStack()
        self.stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            yield
        finally:
            inner = self.stack
            self.folder, self.stack = outer
            inner.close()

    def start(self, argv, **more):
        """A process in a session of its own: Ctrl-C reaches only us."""
        log = self.new(pathlib.Path(argv[0]).name + ".log")
        more.setdefault("stdout", subprocess.DEVNULL)
        with open(log, "wb") as stderr:
            process = subprocess.Popen(
                [str(x) for x in argv], stdin=subprocess.DEVNULL,
                stderr=stderr, start_new_session=True, **more)
        process.log = log
        self.stack.callback(end, process)
        return process


def end(process):
    """SIGTERM, and SIGKILL when that does not do."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()


def unmount(path):
    for options in ([], [], ["-l"]):
        if not is_mounted(path):
            return
        subprocess.run(["umount", *options, path], check=False,
                       stderr=subprocess.DEVNULL)


class Mount:
    """A FUSE daemon in the foreground and its mount point."""

    def __init__(self, work, name, argv_of, **more):
        self.point = work.new_folder(name)
        self.process = work.start(argv_of(self.point), **more)
        work.stack.callback(self.end)
        try:
            wait_until(lambda: is_mounted(self.point), f"mount of {name}",
                       self.process)
        except Failure as e:
            raise Failure(f"{e}\n{self.process.log.read_text()[-2000:]}")

    def peak_mib(self):
        return peak_of(self.process.pid)

    def end(self):
        unmount(self.point)
        end(self.process)


# ---- processes that are measured ----

class Taken:
    """What some processes took: seconds, and the peak of them together."""

    def __init__(self, seconds, peak_mib):
        self.seconds, self.peak_mib = seconds, peak_mib


def peak_of(pid):
    """Peak of resident memory so far, MiB; None: it has ended."""
    try:
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


class Watch(threading.Thread):
    """Looks at the memory of processes until they have ended.

    getrusage() would tell more easily, but counts what the process was before
    its exec as well: a copy of this Python program.
    """

    def __init__(self, processes):
        super().__init__(daemon=True)
        self.peaks = dict.fromkeys((p.pid for p in processes), 0)
        self.is_over = threading.Event()

    def run(self):
        end = time.monotonic() + RUN_S
        while not self.is_over.wait(0.01):
            for pid in self.peaks:
                self.peaks[pid] = peak_of(pid) or self.peaks[pid]
                if time.monotonic() > end:
                    os.kill(pid, signal.SIGKILL)

    def stop(self):
        self.is_over.set()
        self.join()
        return sum(self.peaks.values()) or None


def run(*commands, env=None):
    """Run commands at once and wait for all of them."""
    start = time.monotonic()
    processes = [subprocess.Popen(
        [str(x) for x in argv], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
        for argv in commands]
    watch = Watch(processes)
    watch.start()
    try:
        texts = [p.stderr.read() for p in processes]
        # Not reaped before the watch has stopped: it may kill by number.
        for p in processes:
            os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.monotonic() - start
    except BaseException:
        for p in processes:
            p.kill()
        raise
    finally:
        peak = watch.stop()
        for p in processes:
            p.stderr.close()
            p.wait()
    for p, text in zip(processes, texts):
        if p.returncode:
            raise Failure(f"{' '.join(p.args)}: status {p.returncode}\n"
                          f"{text.decode(errors='replace')[-1000:]}")
    return Taken(seconds, peak)


def drop_page_cache():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("3")


# ---- servers ----

def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


REGISTRY_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  cache: {{blobdescriptor: inmemory}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def start_registry(work):
    """Debian's docker-registry; its port and where it keeps blobs."""
    port, root = free_port(), work.new_folder("registry")
    config = work.new("registry.yml")
    config.write_text(REGISTRY_CONFIG.format(root=root, port=port))
    process = work.start(["docker-registry", "serve", config])
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/v2/"),
               "start of docker-registry", process)
    return port, root / "docker" / "registry" / "v2" / "blobs"


NGINX_CONFIG = """\
daemon off; master_process off; worker_processes 1; pid {dir}/pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000;
  client_body_temp_path {dir}/1; proxy_temp_path {dir}/2;
  fastcgi_temp_path {dir}/3; uwsgi_temp_path {dir}/4; scgi_temp_path {dir}/5;
  server {{ listen 127.0.0.1:{port}; root {root}; autoindex on; }}
}}
"""


def start_files(work, root):
    """A web server that lists and serves the files below `root`; its port."""
    port, folder = free_port(), work.new_folder("nginx")
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(dir=folder, port=port, root=root))
    process = work.start(["nginx", "-c", config])
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/"), "start of nginx",
               process)
    return port


class Proxy:
    """slowproxy before a port."""

    def __init__(self, work, program, to, network):
        argv = [program, "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{to}"]
        if network.rtt_ms:
            argv += ["--rtt-ms", network.rtt_ms]
        if network.rate:
            argv += ["--rate-bytes", network.rate]
        self.process = work.start(argv, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def counters(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())


class Network:
    """How far away the servers are: what a row is measured through.

    On bare loopback times are taken without a proxy, since it costs as much
    as the servers; requests are counted in a run of their own through one.
    """

    def __init__(self, label, rtt_ms=0, rate=0):
        self.label, self.rtt_ms, self.rate = label, rtt_ms, rate
        self.direct, self.proxies = {}, {}

    @property
    def is_bare(self):
        return not self.rtt_ms and not self.rate

    def connect(self, work, program, ports):
        """`ports`: {"registry": port, "files": port or None}."""
        for name, port in ports.items():
            if port:
                self.direct[name] = port
                self.proxies[name] = Proxy(work, program, port, self)

    def address(self, name, counted):
        if self.is_bare and not counted:
            return f"127.0.0.1:{self.direct[name]}"
        return f"127.0.0.1:{self.proxies[name].port}"

    def requests(self):
        return sum(p.counters()["requests"] for p in self.proxies.values())
