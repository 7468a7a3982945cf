# SPDX-License-Identifier: Apache-2.0
"""All of the emulator in one process: state, services, their listeners."""
import pathlib
import secrets
import threading
import time

from . import pki, server, tokens
from .artifacts import Artifacts
from .auth_federation import Auth
from .backend import Backend
from .control import Control
from .directory import Directory
from .faults import Faults, Log
from .gate import Gate
from .identity import Identity
from .metadata import Instance, Metadata
from .objectstorage import Objects, ObjectStorage
from .oke import Oke
from .registry_door import Door
from .settings import Settings
from .state import State

REGION, REGION_KEY = "us-ashburn-1", "iad"
NAMESPACE = "ansh81vru1zp"
HOST = "127.0.0.1"
WITH_TLS = ("identity", "artifacts", "auth", "objectstorage", "registry",
            "objects", "all")


class Cloud:
    """`folder`: for all files; `tls`: https where the real one has it;
    `storage`: of a docker-registry, kept; `ports`: service -> port."""

    def __init__(self, folder, tls=False, storage=None, ports=None,
                 registry=True, **settings):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tls, self.ports = tls, ports or {}
        self.settings = Settings()
        self.settings.change(settings)
        self.stopped = threading.Event()
        self.faults, self.log = Faults(), Log()
        self.state = State(REGION, REGION_KEY, NAMESPACE, self.now)
        leaf, self.session_key = pki.new_rsa_keys(2)
        self.directory = Directory(self.state, self.now)
        self.registry_tokens = tokens.Mint()
        self.link_secret = secrets.token_bytes(32)
        self.service_accounts = {}  # Kubernetes' token: Principal
        self.session_keys = {}  # fingerprint: how often it was seen
        self.instance = Instance(
            self.directory.add_other("instance", "build-host",
                                     ("build-hosts",)),
            leaf, self.state.tenancy, self.state.tenancy)
        self.backend = Backend(self.folder, storage) if registry else None
        self.objects = Objects(self)
        self.listeners = {}

    def now(self):
        return time.time() + self.settings.clock_offset

    def wait(self, seconds):
        """A delay that ends when the emulator does."""
        if seconds > 0:
            self.stopped.wait(seconds)

    def count_session_key(self, public):
        name = pki.fingerprint(public)
        self.session_keys[name] = self.session_keys.get(name, 0) + 1

    @property
    def urls(self):
        return {name: x.url for name, x in self.listeners.items()}

    # ---- life ----

    def _certificates(self):
        ca = pki.authority("emulator")
        made = pki.server(ca, [HOST, "localhost"])
        for name, text in (("ca.pem", pki.pem_of(ca.certificate)),
                           ("server.pem", pki.pem_of(made.certificate)),
                           ("server.key", pki.pem_of_key(made.key))):
            self.write(name, text)
        return server.tls_context(self.folder / "server.pem",
                                  self.folder / "server.key")

    def write(self, name, text):
        """A file that only we may read; its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        new.touch(mode=0o600)
        new.write_text(text)
        new.replace(path)  # somebody may be reading it
        return path

    def start(self):
        context = self._certificates()
        services = [Identity(self), Artifacts(self), Auth(self),
                    Metadata(self), Oke(self), ObjectStorage(self),
                    self.objects, Control(self)]
        if self.backend:
            self.backend.start()
            services.append(Door(self))
        services.append(Gate(services))
        for s in services:
            secure = s.name == "oke" or (self.tls and s.name in WITH_TLS)
            self.listeners[s.name] = server.Listener(
                s, self.ports.get(s.name, 0), context if secure else None,
                HOST)
        return self

    def stop(self):
        self.stopped.set()
        for listener in self.listeners.values():
            listener.stop()
        if self.backend:
            self.backend.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
