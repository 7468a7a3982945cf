#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes OCI images and puts them into a registry or a layout.

A module for the tests, the demo and the bench, and a program:

    imagetool.py push URL REPO TAG [--layer SIZE]... [--files DIR]...
    imagetool.py tags URL REPO N [--same]
    imagetool.py blob URL REPO SIZE [--seed N]
    imagetool.py layout DIR TAG [--layer SIZE]... [--files DIR]...

Standard library only, so that it runs wherever the tests do; it speaks to the
registry by itself, so that what it pushed is not what another tool thought it
should be.  The same seed makes the same bytes everywhere.
"""
import argparse
import base64
import concurrent.futures
import gzip
import hashlib
import http.client
import io
import json
import os
import pathlib
import random
import re
import ssl
import struct
import sys
import tarfile
import threading
import urllib.parse

OCI = "application/vnd.oci.image."
MANIFEST, INDEX, CONFIG = (OCI + s for s in (
    "manifest.v1+json", "index.v1+json", "config.v1+json"))
LAYER, LAYER_GZIP = OCI + "layer.v1.tar", OCI + "layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
REF_NAME = "org.opencontainers.image.ref.name"
CREATED = "2026-01-05T21:31:40Z"
PIECE = 1 << 20


# ---- content ----

class Blob:
    """Bytes in memory, with their digest."""

    def __init__(self, data, media_type=LAYER, annotations=None):
        self.data, self.size = data, len(data)
        self.media_type, self.annotations = media_type, annotations
        self.digest = digest_of([data])

    def pieces(self):
        yield self.data

    def descriptor(self, **more):
        d = {"mediaType": self.media_type, "digest": self.digest,
             "size": self.size}
        if self.annotations:
            d["annotations"] = self.annotations
        return {**d, **more}


class Seeded(Blob):
    """Bytes made from a seed as they are needed."""

    def __init__(self, seed, size, media_type=LAYER):
        self.seed, self.size = seed, size
        self.media_type, self.annotations = media_type, None
        self.digest = digest_of(self.pieces())

    def pieces(self):
        base = random.Random(self.seed).randbytes(PIECE)
        for i, at in enumerate(range(0, self.size, PIECE)):
            piece = struct.pack("<Q", i) + base[8:]
            yield piece[:self.size - at]


class File(Blob):
    """The content of a file."""

    def __init__(self, path, media_type=LAYER):
        self.path, self.size = path, os.path.getsize(path)
        self.media_type, self.annotations = media_type, None
        self.digest = digest_of(self.pieces())

    def pieces(self):
        with open(self.path, "rb") as f:
            yield from iter(lambda: f.read(PIECE), b"")


def digest_of(pieces):
    h = hashlib.sha256()
    for p in pieces:
        h.update(p)
    return "sha256:" + h.hexdigest()


def make_blob(seed, size):
    return b"".join(Seeded(seed, size).pieces())


def make_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def make_layer(files, compress=True):
    """A layer of {name: bytes}, or of the files below a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        if isinstance(files, (str, pathlib.Path)):
            tar.add(files, arcname=".")
        else:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode, info.mtime = len(data), 0o644, 1767648700
                tar.addfile(info, io.BytesIO(data))
    if not compress:
        return Blob(out.getvalue(), LAYER)
    return Blob(gzip.compress(out.getvalue(), 6, mtime=0), LAYER_GZIP)


class Image:
    """A manifest (Blob) and what it needs: `.config`, `.blobs`."""

    def __init__(self, manifest, config, layers):
        self.manifest, self.config, self.layers = manifest, config, layers

    @property
    def blobs(self):
        return [self.config, *self.layers]

    def __iter__(self):
        return iter((self.manifest, self.config, self.blobs))


def as_blob(data):
    return data if isinstance(data, Blob) else Blob(data)


def make_image(layers=(), created=CREATED, annotations=None, subject=None,
               artifact_type=None, media_type=MANIFEST):
    """Layers: bytes or Blobs.  Also unpacks to (manifest, config, blobs)."""
    layers = [as_blob(x) for x in layers]
    config = Blob(make_json({
        "created": created, "architecture": "amd64", "os": "linux",
        "config": {"Env": ["PATH=/usr/bin:/bin"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id(x) for x in layers]},
        "history": [{"created": created, "created_by": "imagetool"}
                    for _ in layers]}), CONFIG)
    m = {"schemaVersion": 2, "mediaType": media_type}
    if artifact_type:
        m["artifactType"] = artifact_type
    m["config"] = config.descriptor()
    m["layers"] = [x.descriptor() for x in layers]
    if subject:
        m["subject"] = subject.descriptor()
    if annotations:
        m["annotations"] = annotations
    return Image(Blob(make_json(m), media_type), config, layers)


def diff_id(layer):
    if layer.media_type != LAYER_GZIP:
        return layer.digest
    return digest_of([gzip.decompress(b"".join(layer.pieces()))])


def make_index(images, platforms=None, annotations=None):
    """An index (Blob) of Images; platforms: ("linux/arm64", ...)."""
    entries = []
    for i, image in enumerate(images):
        more = {}
        if platforms:
            system, machine = platforms[i].split("/")
            more["platform"] = {"os": system, "architecture": machine}
        entries.append(image.manifest.descriptor(**more))
    value = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    if annotations:
        value["annotations"] = annotations
    return Blob(make_json(value), INDEX)


# ---- registry ----

class RegistryError(Exception):
    pass


class Registry:
    """A registry by its URL.  Thread-safe: a connection for each thread."""

    def __init__(self, url, user=None, password=None, token=None,
                 ca_file=None):
        self.url = urllib.parse.urlsplit(url)
        self.user, self.password, self.token = user, password, token
        self.ca_file = ca_file
        self.local = threading.local()

    def connect(self, url):
        if url.scheme == "https":
            return http.client.HTTPSConnection(
                url.netloc, timeout=60,
                context=ssl.create_default_context(cafile=self.ca_file))
        return http.client.HTTPConnection(url.netloc, timeout=60)

    def basic(self):
        plain = f"{self.user}:{self.password}".encode()
        return "Basic " + base64.b64encode(plain).decode()

    def authorization(self):
        if self.token:
            return {"Authorization": "Bearer " + self.token}
        return {"Authorization": self.basic()} if self.user else {}

    def once(self, method, target, body, headers):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = self.connect(self.url)
        pieces = body.pieces() if isinstance(body, Blob) else body
        connection.request(method, target, pieces,
                           {**headers, **self.authorization()})
        answer = connection.getresponse()
        return answer, answer.read()

    def ask(self, method, target, body=None, headers=None, good=(200,)):
        headers = dict(headers or {})
        if isinstance(body, Blob):
            headers["Content-Length"] = str(body.size)
        answer, data = self.once(method, target, body, headers)
        if answer.status == 401 and self.renew(answer):
            answer, data = self.once(method, target, body, headers)
        if answer.status not in good:
            raise RegistryError(
                f"{method} {target}: {answer.status} {data[:300]!r}")
        return answer, data

    def renew(self, answer):
        """A new token as the challenge asks for it; False: cannot."""
        challenge = answer.getheader("WWW-Authenticate", "")
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if not challenge.lower().startswith("bearer ") or "realm" not in fields:
            return False
        realm = urllib.parse.urlsplit(fields.pop("realm"))
        fields.pop("error", None)
        connection = self.connect(realm)
        query = "&".join(filter(None, (realm.query,
                                       urllib.parse.urlencode(fields))))
        connection.request("GET", f"{realm.path}?{query}", headers=(
            {"Authorization": self.basic()} if self.user else {}))
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        if reply.status != 200:
            raise RegistryError(f"token: {reply.status} {data[:300]!r}")
        value = json.loads(data)
        self.token = value.get("token") or value["access_token"]
        return True

    def path(self, repo, what):
        return f"{self.url.path.rstrip('/')}/v2/{repo}/{what}"

    def has_blob(self, repo, digest):
        answer, _ = self.ask("HEAD", self.path(repo, "blobs/" + digest),
                             good=(200, 404))
        return answer.status == 200

    def push_blob(self, repo, data):
        """Bytes or a Blob; its digest."""
        blob = as_blob(data)
        if self.has_blob(repo, blob.digest):
            return blob.digest
        answer, _ = self.ask("POST", self.path(repo, "blobs/uploads/"),
                             headers={"Content-Length": "0"}, good=(202,))
        at = urllib.parse.urlsplit(answer.getheader("Location"))
        query = at.query + ("&" if at.query else "") + "digest=" + \
            urllib.parse.quote(blob.digest, safe="")
        self.ask("PUT", f"{at.path}?{query}", blob, {
            "Content-Type": "application/octet-stream"}, good=(201, 202, 204))
        return blob.digest

    def push_manifest(self, repo, ref, data, media_type=MANIFEST):
        """`ref`: tag or digest, None for the digest; the digest."""
        digest = digest_of([data])
        self.ask("PUT", self.path(repo, "manifests/" + (ref or digest)), data,
                 {"Content-Type": media_type}, good=(201, 202))
        return digest

    def push_image(self, repo, tag, image):
        for blob in image.blobs:
            self.push_blob(repo, blob)
        return self.push_manifest(repo, tag, image.manifest.data,
                                  image.manifest.media_type)

    def get(self, repo, what, accept=f"{MANIFEST}, {INDEX}, */*;q=0.1"):
        """The bytes of "manifests/latest", "blobs/sha256:...", "tags/list"."""
        return self.ask("GET", self.path(repo, what),
                        headers={"Accept": accept})[1]

    def untag(self, repo, digest):
        self.ask("DELETE", self.path(repo, "manifests/" + digest), good=(202,))


def as_registry(url):
    return url if isinstance(url, Registry) else Registry(url)


def push_blob(url, repo, data):
    return as_registry(url).push_blob(repo, data)


def push_manifest(url, repo, tag, data, media_type=MANIFEST):
    return as_registry(url).push_manifest(repo, tag, data, media_type)


def push_image(url, repo, tag, image):
    return as_registry(url).push_image(repo, tag, image)


def many_tags(url, repo, n, distinct=True, prefix="tag"):
    """Tags "tag00000", ...; to manifests of their own or all to one."""
    registry = as_registry(url)
    layer = Seeded(1, 1000)

    def image(i):
        return make_image([layer], annotations={"number": str(i)})

    registry.push_image(repo, f"{prefix}{0:05}", image(0))

    def push(i):
        manifest = image(i if distinct else 0).manifest
        return registry.push_manifest(repo, f"{prefix}{i:05}", manifest.data)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(push, range(n)))


# ---- layout ----

def write_layout(folder, tagged):
    """`tagged`: {tag: Image}."""
    folder = pathlib.Path(folder)
    store = folder / "blobs" / "sha256"
    store.mkdir(parents=True, exist_ok=True)
    entries = []
    for tag, image in tagged.items():
        for blob in [image.manifest, *image.blobs]:
            with open(store / blob.digest.split(":")[1], "wb") as f:
                f.writelines(blob.pieces())
        entries.append(image.manifest.descriptor(
            annotations={REF_NAME: tag}))
    (folder / "oci-layout").write_bytes(
        make_json({"imageLayoutVersion": "1.0.0"}))
    (folder / "index.json").write_bytes(make_json(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}))


# ---- program ----

def size_of(text):
    unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1].upper(), 0)
    return int(text[:-1]) * unit if unit else int(text)


def image_of(args):
    layers = [make_layer(d) for d in args.files]
    layers += [Seeded(args.seed + i, n) for i, n in enumerate(args.layer)]
    return make_image(layers or [make_layer({"hello": b"Hello\n"})])


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = p.add_subparsers(dest="command", required=True)
    for name, words in {"push": ("url", "repo", "tag"),
                        "tags": ("url", "repo"), "blob": ("url", "repo"),
                        "layout": ("dir", "tag")}.items():
        c = commands.add_parser(name)
        for word in words:
            c.add_argument(word)
        c.add_argument("--seed", type=int, default=1)
        if name == "tags":
            c.add_argument("n", type=int)
            c.add_argument("--same", action="store_true")
        elif name == "blob":
            c.add_argument("size", type=size_of)
        else:
            c.add_argument("--layer", type=size_of, action="append",
                           default=[], metavar="SIZE")
            c.add_argument("--files", action="append", default=[],
                           metavar="DIR")
        if name != "layout":
            for option in ("--user", "--password", "--token", "--ca-file"):
                c.add_argument(option)
    return p.parse_args(argv)


def main(argv):
    args = parse(argv)
    if args.command == "layout":
        image = image_of(args)
        write_layout(args.dir, {args.tag: image})
        print(image.manifest.digest)
        return
    registry = Registry(args.url, args.user, args.password, args.token,
                        args.ca_file)
    if args.command == "push":
        print(registry.push_image(args.repo, args.tag, image_of(args)))
    elif args.command == "tags":
        print(len(many_tags(registry, args.repo, args.n, not args.same)))
    else:
        print(registry.push_blob(args.repo, Seeded(args.seed, args.size)))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (RegistryError, OSError) as e:
        sys.exit(f"imagetool: {e}")
