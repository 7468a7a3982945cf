# SPDX-License-Identifier: Apache-2.0
"""The emulator as a child process, and its control port, for tests and
scripts.

A process of its own, since a test that touches a mount must not share its
interpreter with what the mount asks.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

CLI = pathlib.Path(__file__).resolve().with_name("cli.py")
KEYS = tempfile.TemporaryDirectory(prefix="ocir-emulator-keys-")


class Refused(Exception):
    pass


class Emulator:
    """`Emulator(folder).start()`; `words` are options of cli.py."""

    def __init__(self, folder, *words, **settings):
        self.folder = pathlib.Path(folder)
        self.words = [str(w) for w in words]
        for name, value in settings.items():
            self.words += ["--set", f"{name}={json.dumps(value)}"]
        self.process = None
        self.info = None  # what cli.py said when it was ready

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "emulator.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-B", CLI, "--until-eof", "--folder",
                 self.folder, "--keys", KEYS.name, *self.words], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("the emulator did not start:\n" + self.errors())
        self.info = json.loads(line)
        return self

    def stop(self):
        if self.process is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None

    def errors(self):
        """What it wrote to its standard error: faults of its own."""
        return (self.folder / "emulator.log").read_text(errors="replace")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # ---- where it is ----

    def __getattr__(self, name):
        """tenancy, namespace, region, urls, users, environment, config, …"""
        if name.startswith("_") or self.__dict__.get("info") is None:
            raise AttributeError(name)
        try:
            return self.info[name]
        except KeyError:
            raise AttributeError(name) from None

    # ---- its control port ----

    def control(self, method, path, value=None):
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(
            self.info["urls"]["control"] + path, body, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=300) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as e:
            raise Refused(f"{method} {path}: {e.read().decode()}") from None

    def set(self, **settings):
        return self.control("PATCH", "/settings", settings)

    def fault(self, **fault):
        """See faults.Fault; for example service="identity", status=429."""
        self.control("POST", "/faults", fault)

    def clear_faults(self):
        self.control("DELETE", "/faults")

    def requests(self, service=None, match=""):
        """What was asked since the last mark(), in order."""
        query = {"match": match}
        if service:
            query["service"] = service
        return self.control("GET", "/requests?" + urllib.parse.urlencode(
            query, quote_via=urllib.parse.quote))

    def counters(self):
        return self.control("GET", "/counters")

    def mark(self):
        self.control("DELETE", "/requests")

    def policies(self, *statements):
        self.control("PUT", "/policies", {"statements": statements})

    def revoke(self, registry=False, security=False):
        self.control("POST", "/revoke", {"registry": registry,
                                         "security": security})

    def renew(self, what, seconds=None):
        """A new token in the file of the "session" or the "resource"."""
        return self.control("POST", "/renew", {"what": what,
                                               "seconds": seconds})

    def add_compartment(self, name, parent=None, state="ACTIVE"):
        """Its OCID; `parent` by OCID, name or path "a:b"."""
        return self.control("POST", "/compartments", {
            "name": name, "parent": parent, "state": state})["id"]

    def add_repository(self, name, compartment=None, **more):
        return self.control("POST", "/repositories", {
            "name": name, "compartment": compartment, **more})["id"]

    def add_images(self, repository, *tags, **more):
        """{tag: digest}"""
        return self.control("POST", "/images", {
            "repository": repository, "tags": tags, **more})

    def fill(self, compartments, repositories, tags):
        return self.control("POST", "/fill", {
            "compartments": compartments, "repositories": repositories,
            "tags": tags})

    def state(self):
        return self.control("GET", "/state")

    def repository(self, name):
        return next(r for r in self.state()["repositories"]
                    if r["displayName"] == name)

    def secrets(self):
        return self.control("GET", "/secrets")
