# SPDX-License-Identifier: Apache-2.0
"""Debian's docker-registry on a free port of the loopback, in the kinds that
occur: plain, TLS, htpasswd, bearer token, pull-through mirror."""
import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.request

import waiting

PROGRAM = "docker-registry"
ACCESS = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" '
                    r'(?P<status>\d+) (?P<bytes>\d+)')


def _yaml(value):
    """JSON is YAML."""
    return json.dumps(value, indent=1)


class Registry:
    """One process.  Several of them may share one folder of storage, so that
    an image is pushed once and read through every kind of door."""

    def __init__(self, folder, storage=None, tls=None, auth=None, proxy=None,
                 middleware=None, host="127.0.0.1"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.storage = pathlib.Path(storage or self.folder / "storage")
        self.storage.mkdir(exist_ok=True)
        self.tls, self.auth, self.proxy = tls, auth, proxy
        self.middleware = middleware
        self.host = host
        self.port = waiting.free_port()
        self.log = self.folder / "registry.log"
        self.process = None
        self._mark = 0

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.address}"

    def _config(self):
        config = {
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "delete": {"enabled": True},
                # No cache: a test that changes files on disk means it.
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"127.0.0.1:{self.port}", "secret": "tests"},
        }
        if self.tls:
            config["http"]["tls"] = {"certificate": str(self.tls.certificate),
                                     "key": str(self.tls.key)}
        if self.auth:
            config["auth"] = self.auth
        if self.proxy:
            config["proxy"] = {"remoteurl": self.proxy}
        if self.middleware:
            config["middleware"] = self.middleware
        return config

    def start(self):
        path = self.folder / "config.yml"
        path.write_text(_yaml(self._config()))
        env = {k: v for k, v in os.environ.items()
               if not k.lower().endswith("_proxy")
               and not k.startswith("REGISTRY_")}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", path], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=env)
        waiting.until(self._is_up, f"the registry; see {self.log}")
        return self

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("the registry did not start:\n"
                                 + self.log.read_text()[-2000:])
        return waiting.port_answers(self.port)

    def kill(self):
        """As a crash: no goodbye to anybody."""
        waiting.end_process(self.process, signal.SIGKILL)

    def freeze(self):
        """Connections are accepted by the kernel, nobody answers."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            waiting.end_process(self.process, signal.SIGTERM)

    # ---- what was asked of it ----

    def mark(self):
        """Forget the requests so far."""
        self._mark = self.log.stat().st_size

    def requests(self):
        """(method, path, status, bytes) of each request since the mark."""
        with open(self.log, "rb") as f:
            f.seek(self._mark)
            text = f.read().decode(errors="replace")
        return [(m["method"], m["path"], int(m["status"]), int(m["bytes"]))
                for m in ACCESS.finditer(text)]

    # ---- behind its back ----

    def blob_file(self, digest):
        algorithm, name = digest.split(":")
        return (self.storage / "docker/registry/v2/blobs" / algorithm
                / name[:2] / name / "data")

    def tags_folder(self, repo):
        return (self.storage / "docker/registry/v2/repositories" / repo
                / "_manifests/tags")

    def link_tags(self, repo, digest, tags):
        """Make tags of a manifest that is there, without a request each."""
        for tag in tags:
            current = self.tags_folder(repo) / tag / "current"
            current.mkdir(parents=True, exist_ok=True)
            (current / "link").write_text(digest)

    # ---- the API, without any of our code ----

    def open(self, method, path, body=None, headers=None, url=None):
        request = urllib.request.Request(
            url or f"{self.url}{path}", data=body, method=method,
            headers=headers or {})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(request, timeout=30)
