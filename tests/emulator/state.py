# SPDX-License-Identifier: Apache-2.0
"""What the cloud holds: compartments, repositories, images, and how they
change.  Knows no HTTP, no permission; everybody holds `lock` while using it.
"""
import base64
import dataclasses
import datetime
import json
import re
import secrets
import threading
import time
import uuid

NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
                  r"(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
ACTIVE, AVAILABLE, DELETED = "ACTIVE", "AVAILABLE", "DELETED"


def unique():
    """The last part of an OCID."""
    return "aaaaaaaa" + base64.b32encode(
        secrets.token_bytes(32)).decode().lower().rstrip("=")


def new_etag():
    return uuid.uuid4().hex


def timestamp(seconds):
    at = datetime.datetime.utcfromtimestamp(seconds)
    return at.isoformat(timespec="milliseconds") + "Z"


class Clash(Exception):
    """Against a rule of the service; the text says which."""


@dataclasses.dataclass
class Compartment:
    id: str
    parent: str
    name: str
    created: float
    state: str = ACTIVE
    description: str = ""


@dataclasses.dataclass
class Version:
    created: float
    created_by: str


@dataclasses.dataclass
class Image:
    id: str
    digest: str
    media_type: str
    size: int
    layers: list  # (digest, size)
    created: float
    created_by: str
    upstream: str  # where the registry behind the door has the manifest
    versions: dict = dataclasses.field(default_factory=dict)
    last_version: str = None
    state: str = AVAILABLE
    deleted: float = None
    pulls: int = 0
    pulled: float = None
    freeform: dict = dataclasses.field(default_factory=dict)
    etag: str = dataclasses.field(default_factory=new_etag)

    def changed(self):
        self.etag = new_etag()

    def latest(self):
        """The most recent version, None when it has none."""
        return next(reversed(self.versions), None)


@dataclasses.dataclass
class Repository:
    id: str
    compartment: str
    name: str
    created: float
    created_by: str
    upstream: str
    is_public: bool = False
    is_immutable: bool = False
    readme: dict = None
    pushed: float = None
    freeform: dict = dataclasses.field(default_factory=dict)
    images: dict = dataclasses.field(default_factory=dict)  # by digest
    tags: dict = dataclasses.field(default_factory=dict)  # tag: digest
    etag: str = dataclasses.field(default_factory=new_etag)

    def changed(self):
        self.etag = new_etag()

    def available(self):
        return [i for i in self.images.values() if i.state == AVAILABLE]

    def layers(self):
        """{digest: size} of all images that are there."""
        return {d: n for i in self.available() for d, n in i.layers}


class State:
    def __init__(self, region, region_key, namespace, clock=time.time):
        self.region, self.region_key = region, region_key
        self.namespace = namespace
        self.clock = clock
        self.lock = threading.RLock()
        self.tenancy = f"ocid1.tenancy.oc1..{unique()}"
        self.tenancy_name = "acme"
        self.create_on_push = False
        self.configuration_etag = new_etag()
        self.compartments = {self.tenancy: Compartment(
            self.tenancy, None, self.tenancy_name, clock())}
        self.repositories = {}  # by OCID
        self.by_name = {}
        self.images = {}  # OCID: (Repository, Image)

    # ---- compartments ----

    def add_compartment(self, name, parent=None, state=ACTIVE):
        with self.lock:
            parent = parent or self.tenancy
            if any(c.parent == parent and c.name == name
                   for c in self.compartments.values()):
                raise Clash(f"there is a compartment '{name}' already")
            c = Compartment(f"ocid1.compartment.oc1..{unique()}", parent, name,
                            self.clock(), state)
            self.compartments[c.id] = c
            return c

    def chain(self, compartment):
        """OCIDs from a compartment up to the tenancy."""
        found = []
        while compartment in self.compartments:
            found.append(compartment)
            compartment = self.compartments[compartment].parent
        return found

    def find_compartment(self, name):
        """OCID by OCID, by name, by path "a:b"; None: the tenancy."""
        if name is None or name in self.compartments:
            return name or self.tenancy
        here = None
        for part in name.split(":"):
            here = next((c.id for c in self.compartments.values()
                         if c.name == part and c.parent
                         and here in (None, c.parent)), "")
            if not here:
                return None
        return here

    # ---- repositories ----

    def add_repository(self, name, compartment, who):
        with self.lock:
            if name in self.by_name:
                raise Clash(f"there is a repository '{name}' already")
            tail = unique()
            r = Repository(
                f"ocid1.containerrepo.oc1.{self.region_key}.0."
                f"{self.namespace}.{tail}", compartment, name,
                self.clock(), who, f"r/{tail[8:28]}")
            self.repositories[r.id] = self.by_name[name] = r
            return r

    def remove_repository(self, r):
        with self.lock:
            del self.repositories[r.id], self.by_name[r.name]
            for image in r.images.values():
                del self.images[image.id]

    # ---- images ----

    def _new_image(self, r, digest, media_type, body, who):
        value = json.loads(body)
        layers = {x["digest"]: x.get("size", 0)
                  for x in value.get("layers") or ()}
        image = Image(
            f"ocid1.containerimage.oc1.{self.region_key}.0.{self.namespace}."
            f"{unique()}", digest, media_type, len(body),
            sorted(layers.items()), self.clock(), who, r.upstream)
        r.images[digest] = image
        self.images[image.id] = (r, image)
        return image

    def put_manifest(self, r, digest, media_type, body, who):
        """Called when the registry behind the door has taken a manifest."""
        with self.lock:
            image = r.images.get(digest)
            if image is None:
                image = self._new_image(r, digest, media_type, body, who)
            elif image.state == DELETED:
                image.state, image.versions = AVAILABLE, {}
            r.pushed = self.clock()
            r.changed()
            return image

    def set_tag(self, r, tag, image, who):
        with self.lock:
            old = r.images.get(r.tags.get(tag))
            if old is image:
                return
            if old:
                self._drop_version(old, tag)
            image.versions[tag] = Version(self.clock(), who)
            image.last_version = tag
            image.changed()
            r.tags[tag] = image.digest

    def _drop_version(self, image, tag):
        del image.versions[tag]
        image.changed()

    def remove_version(self, r, image, tag):
        with self.lock:
            if tag not in image.versions:
                raise Clash(f"the image has no version '{tag}'")
            self._drop_version(image, tag)
            del r.tags[tag]

    def delete_image(self, r, image):
        """Its tags go with it; it can be restored."""
        with self.lock:
            for tag in image.versions:
                r.tags.pop(tag, None)
            image.state, image.deleted = DELETED, self.clock()
            image.changed()

    def restore_image(self, r, image, version=None):
        """As it was, or with one version; a tag that has been given to
        another image since then stays there."""
        with self.lock:
            kept = dict(image.versions)
            if version:
                kept = {version: Version(self.clock(), image.created_by)}
            image.versions = {t: v for t, v in kept.items() if t not in r.tags}
            r.tags.update((t, image.digest) for t in image.versions)
            image.state, image.deleted = AVAILABLE, None
            image.changed()

    def lookup(self, r, reference):
        """A digest or a tag -> the Image that is there, or None."""
        digest = reference if ":" in reference else r.tags.get(reference)
        image = r.images.get(digest)
        return image if image and image.state == AVAILABLE else None

    def pulled(self, image):
        with self.lock:
            image.pulls += 1
            image.pulled = self.clock()
