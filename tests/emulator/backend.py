# SPDX-License-Identifier: Apache-2.0
"""Debian's docker-registry behind the door: its process, and its files, for
filling it with many images quickly."""
import ctypes
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading

from .state import DIGEST

PROGRAM = "docker-registry"
START_SECONDS = 30
PR_SET_PDEATHSIG = 1


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Backend:
    def __init__(self, folder, storage=None):
        self.folder = pathlib.Path(folder)
        self.storage = pathlib.Path(storage or self.folder / "storage")
        self.storage.mkdir(parents=True, exist_ok=True)
        self.top = self.storage / "docker/registry/v2"
        self.log = self.folder / "docker-registry.log"
        self.port = None
        self.process = None

    @property
    def address(self):
        return "127.0.0.1", self.port

    def _config(self):
        return {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage),
                               "maxthreads": 200},
                "cache": {"blobdescriptor": "inmemory"},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}}},
            "http": {"addr": f"127.0.0.1:{self.port}", "relativeurls": True,
                     "secret": "emulator"}}

    def start(self):
        self.port = _free_port()
        config = self.folder / "docker-registry.yml"
        config.write_text(json.dumps(self._config()))  # JSON is YAML
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("REGISTRY_")}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", str(config)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=env,
                preexec_fn=_die_with_parent, start_new_session=True)
        self._wait_until_up()
        return self

    def _wait_until_up(self):
        pause = threading.Event()
        for _ in range(START_SECONDS * 50):
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(self.address, timeout=1).close()
                return
            except OSError:
                pause.wait(0.02)
        self.stop()
        raise RuntimeError(f"{PROGRAM} does not start:\n"
                           + self.log.read_text()[-2000:])

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    # ---- its files ----

    def blob_file(self, digest):
        if not DIGEST.fullmatch(digest):
            raise FileNotFoundError(digest)
        name = digest.removeprefix("sha256:")
        return self.top / "blobs/sha256" / name[:2] / name / "data"

    def store(self, data):
        """Put bytes there; their digest."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        path = self.blob_file(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return digest

    def _link(self, upstream, kind, digest):
        folder = (f"{self.top}/repositories/{upstream}/{kind}/sha256/"
                  + digest.removeprefix("sha256:"))
        os.makedirs(folder, exist_ok=True)
        with open(folder + "/link", "w", encoding="ascii") as f:
            f.write(digest)

    def link_blob(self, upstream, digest):
        self._link(upstream, "_layers", digest)

    def link_manifest(self, upstream, digest):
        self._link(upstream, "_manifests/revisions", digest)
