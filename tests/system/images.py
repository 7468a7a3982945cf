# SPDX-License-Identifier: Apache-2.0
"""What the tests put into a registry: imagetool's images, and docker's, and
indexes, in bytes that nobody would make again by accident."""
import json
import random

import imagetool

DOCKER = "application/vnd.docker"
DOCKER_MANIFEST = f"{DOCKER}.distribution.manifest.v2+json"
DOCKER_LIST = f"{DOCKER}.distribution.manifest.list.v2+json"
CREATED = "2021-03-04T05:06:07Z"
CREATED_S = 1614834367


def digest_of(data):
    return imagetool.digest_of([data])


def noise(size, seed=0):
    """Bytes that no compression makes smaller; the same for one seed."""
    return random.Random(f"{size}/{seed}").randbytes(size)


def layer(files, compress=True):
    return imagetool.make_layer(files, compress)


class Manifest:
    """A manifest's bytes and all that must be there before it."""

    def __init__(self, value, blobs=(), children=()):
        # With odd white space: a copy that was parsed and printed differs.
        self.data = json.dumps(value, indent=3).encode() + b"\n"
        self.value = value
        self.media_type = value["mediaType"]
        self.digest = digest_of(self.data)
        self.blobs = list(blobs)
        self.children = list(children)

    def all_digests(self):
        """Of everything that `blobs/sha256` must list for a tag of this."""
        found = {self.digest, *(b.digest for b in self.blobs)}
        for child in self.children:
            found |= child.all_digests()
        return found

    def contents(self):
        """digest -> bytes of all that it reaches, what is needed first."""
        found = {}
        for child in self.children:
            found.update(child.contents())
        found.update((b.digest, b.data) for b in self.blobs)
        return {**found, self.digest: self.data}

    def descriptor(self, **more):
        return {"mediaType": self.media_type, "size": len(self.data),
                "digest": self.digest, **more}


def image(layers, docker=False, created=CREATED, annotations=None):
    """Of imagetool's layers; in docker's media types if wanted."""
    made = imagetool.make_image(layers, created, annotations)
    value = json.loads(made.manifest.data)
    if docker:
        value["mediaType"] = DOCKER_MANIFEST
        value["config"]["mediaType"] = f"{DOCKER}.container.image.v1+json"
        for x in value["layers"]:
            x["mediaType"] = f"{DOCKER}.image.rootfs.diff.tar.gzip"
    return Manifest(value, made.blobs)


def small_image(text="hello", **more):
    """One layer with one file."""
    return image([layer({"hello.txt": text.encode()})], **more)


def big_image(*sizes, seed=0):
    """A layer of noise, not compressed, for each size."""
    return image([layer({f"noise-{i}.bin": noise(size, (seed, i))}, False)
                  for i, size in enumerate(sizes)])


def index(members, docker=False):
    """members: architecture -> Manifest"""
    return Manifest({
        "schemaVersion": 2,
        "mediaType": DOCKER_LIST if docker else imagetool.INDEX,
        "manifests": [m.descriptor(platform={"architecture": a, "os": "linux"})
                      for a, m in members.items()]}, children=members.values())


def push(registry, repo, manifest, *tags):
    """Everything a manifest needs, then itself, under all the tags."""
    client = registry if isinstance(registry, imagetool.Registry) \
        else imagetool.as_registry(registry.url)
    for child in manifest.children:
        push(registry, repo, child)
    for blob in manifest.blobs:
        client.push_blob(repo, blob)
    for tag in tags or (None,):
        client.push_manifest(repo, tag, manifest.data, manifest.media_type)
    return manifest
