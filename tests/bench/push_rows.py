# SPDX-License-Identifier: Apache-2.0
"""The rows of the bench that write: what is pushed, by whom, to where.

Each run of a push gets a registry of its own, which is empty, so that no run
finds what another one has left; copies go to a repository that is new.
"""
import contextlib
import gzip
import json
import os
import pathlib
import shutil

import imagetool

import data
import ground
import rows

MIB = 1 << 20
ENV = {**os.environ, "LC_ALL": "C"}
SKOPEO = ["skopeo", "copy", "--quiet", "--insecure-policy"]


# ---- what is pushed ----

def make_layer(path, seed, size):
    """A gzip file that took no time to compress, since nobody may be tempted
    to compress it on the way; its diff id."""
    plain = imagetool.Seeded(seed, size)
    with open(path, "wb") as f, gzip.GzipFile(
            "", "wb", compresslevel=0, fileobj=f, mtime=0) as z:
        for piece in plain.pieces():
            z.write(piece)
    return plain.digest


class Local:
    """Layouts on local disk with one layer, and with eight."""

    def __init__(self, quick):
        self.big_size = (256 if quick else 1024) * MIB
        self.part_size = (32 if quick else 128) * MIB
        self.big = self.eight = None

    def make(self, work):
        self.big = self.layout(work, "big", [self.big_size], 1)
        self.eight = self.layout(work, "eight", [self.part_size] * 8, 100)

    @staticmethod
    def layout(work, name, sizes, seed):
        folder = work.new_folder(name)
        layers, diff_ids = [], []
        for i, size in enumerate(sizes):
            path = folder / f"layer{i}"
            diff_ids.append(make_layer(path, seed + i, size))
            layers.append(imagetool.File(path, imagetool.LAYER_GZIP))
        config = imagetool.Blob(imagetool.make_json({
            "architecture": "amd64", "os": "linux",
            "created": imagetool.CREATED, "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids}}),
            imagetool.CONFIG)
        manifest = imagetool.Blob(imagetool.make_json({
            "schemaVersion": 2, "mediaType": imagetool.MANIFEST,
            "config": config.descriptor(),
            "layers": [x.descriptor() for x in layers]}), imagetool.MANIFEST)
        image = imagetool.Image(manifest, config, layers)
        layout = Layout(folder, image)
        layout.write()
        return layout

    def heat(self):
        """Sources are read from the page cache, and nothing waits to be
        written."""
        for layout in (self.big, self.eight):
            for path in layout.layers:
                with open(path, "rb", buffering=0) as f:
                    while f.read(MIB):
                        pass
        os.sync()


class Layout:
    def __init__(self, folder, image):
        self.folder, self.image = pathlib.Path(folder), image
        self.layers = []

    def write(self):
        """The layers are moved to where they belong."""
        store = self.folder / "blobs" / "sha256"
        store.mkdir(parents=True)
        for blob in self.image.layers:
            path = store / data.hex_of(blob)
            os.rename(blob.path, path)
            blob.path = path
            self.layers.append(path)
        for blob in (self.image.config, self.image.manifest):
            (store / data.hex_of(blob)).write_bytes(blob.data)
        (self.folder / "oci-layout").write_text(
            '{"imageLayoutVersion":"1.0.0"}')
        (self.folder / "index.json").write_text(json.dumps({
            "schemaVersion": 2, "mediaType": imagetool.INDEX,
            "manifests": [self.image.manifest.descriptor(
                annotations={imagetool.REF_NAME: "latest"})]}))


# ---- to where ----

class Target:
    """A registry, directly or through a proxy that counts."""

    def __init__(self, port, proxy=None):
        self.port, self.proxy = port, proxy
        self.start = proxy.counters() if proxy else None

    @property
    def address(self):
        return f"127.0.0.1:{self.proxy.port if self.proxy else self.port}"

    def mark(self):
        self.start = self.proxy.counters() if self.proxy else None

    def count(self, taken):
        if self.proxy:
            end = self.proxy.counters()
            taken.requests = end["requests"] - self.start["requests"]
            taken.wire_mib = sum(end[k] - self.start[k] for k in (
                "bytes_up", "bytes_down")) / MIB
        return taken


class Targets:
    """Makes them, and ends them."""

    def __init__(self, work, slowproxy, local):
        self.work, self.slowproxy, self.local = work, slowproxy, local
        self.filled = None
        self.n_copies = 0

    @contextlib.contextmanager
    def empty(self, counted):
        with self.work.scope():
            port, _ = ground.start_registry(self.work)
            self.local.heat()
            yield Target(port, self.proxy(port, counted))

    @contextlib.contextmanager
    def copying(self, counted):
        """One registry for all copies, with the image of eight layers."""
        if not self.filled:
            self.filled, _ = ground.start_registry(self.work)
            imagetool.push_image(f"http://127.0.0.1:{self.filled}", "from",
                                 "latest", self.local.eight.image)
        with self.work.scope():
            self.n_copies += 1
            os.sync()
            target = Target(self.filled, self.proxy(self.filled, counted))
            target.repo = f"to{self.n_copies}"
            yield target

    def proxy(self, port, counted):
        return ground.Proxy(self.work, self.slowproxy, port,
                            ground.Network("bare")) if counted else None


# ---- by whom ----

class Ocirfs:
    name = "ocirfs"

    def __init__(self, work, local, build):
        self.work, self.local, self.program = work, local, build / "ocirfs"

    def on_mount(self, target, repo, job):
        """job(folder) gives the commands that are measured at once."""
        cache = self.work.new_folder("push-cache")
        mount = ground.Mount(self.work, self.name, lambda point: [
            self.program, "-f", f"http://{target.address}", point, "-o",
            f"cache={cache}"])
        try:
            (mount.point / repo / "blobs" / "sha256").mkdir(parents=True)
            target.mark()
            taken = ground.run(*job(mount.point, mount.point / repo), env=ENV)
            taken.peak_mib = mount.peak_mib()
            return target.count(taken)
        finally:
            mount.end()
            shutil.rmtree(cache, ignore_errors=True)

    @staticmethod
    def copies(layout, folder):
        return [["cp", path, folder / "blobs" / "sha256"]
                for path in layout.layers]

    def push_big(self, target):
        return self.on_mount(target, "app", lambda _, folder: self.copies(
            self.local.big, folder))

    def push_at_once(self, target):
        return self.on_mount(target, "app", lambda _, folder: self.copies(
            self.local.eight, folder))

    def push_eight(self, target):
        return self.on_mount(target, "app", lambda _, folder: [
            [*SKOPEO, f"oci:{self.local.eight.folder}:latest",
             f"oci:{folder}:latest"]])

    def copy_image(self, target):
        return self.on_mount(target, target.repo, lambda point, folder: [
            ["cp", point / "from" / "latest", folder / "latest"]])


class Curl:
    """POST for a place, PUT of the file; the digest is known beforehand."""

    name = "curl"

    def __init__(self, work, local):
        self.work, self.local = work, local

    def push_big(self, target):
        target.mark()
        path, = self.local.big.layers
        head = self.work.new("curl-head")
        curl = ["curl", "-q", "-sS", "-f"]
        taken = ground.run([
            *curl, "-X", "POST", "-D", head, "-o", "/dev/null",
            "-H", "Content-Length: 0",
            f"http://{target.address}/v2/app/blobs/uploads/"], env=ENV)
        place = next(line.split(": ", 1)[1] for line in
                     head.read_text().splitlines()
                     if line.lower().startswith("location: "))
        second = ground.run([
            *curl, "-T", path, "-H", "Expect:", "-o", "/dev/null",
            "-H", "Content-Type: application/octet-stream",
            f"{place}&digest=sha256%3A{path.name}"], env=ENV)
        taken.seconds += second.seconds
        taken.peak_mib = second.peak_mib
        return target.count(taken)


class Skopeo:
    name = "skopeo"

    def __init__(self, work, local):
        self.work, self.local = work, local

    def copy(self, target, source, repo):
        target.mark()
        return target.count(ground.run([
            *SKOPEO, "--src-tls-verify=false", "--dest-tls-verify=false",
            source, f"docker://{target.address}/{repo}:latest"], env=ENV))

    def push_big(self, target):
        return self.copy(target, f"oci:{self.local.big.folder}:latest", "app")

    def push_eight(self, target):
        return self.copy(target, f"oci:{self.local.eight.folder}:latest",
                         "app")

    def copy_image(self, target):
        return self.copy(target, f"docker://{target.address}/from:latest",
                         target.repo)


# ---- rows and measures ----

class PushRow(rows.Row):
    """`is_copy`: from one repository to another of one registry."""

    def __init__(self, label, method, network, is_copy=False):
        super().__init__(label, method, network, True)
        self.is_copy = is_copy

    def place(self, targets, counted):
        return (targets.copying if self.is_copy else targets.empty)(counted)

    def once(self, client, targets, counted):
        with self.place(targets, counted) as target:
            return getattr(client, self.method)(target)

    def measure(self, clients, targets, runs, say):
        able = [c for c in clients if getattr(c, self.method, None)]
        for c in able:
            counted = self.once(c, targets, True)
            self.requests[c.name] = counted.requests
            self.wire[c.name] = counted.wire_mib
        for _ in range(runs):
            for c in able:
                taken = self.once(c, targets, False)
                self.samples.setdefault(c.name, []).append(taken)
        self.tell(able, say)


def size_of(n):
    return "1 GiB" if n == 1024 * MIB else f"{n // MIB} MiB"


def make_rows(local, near):
    part = size_of(local.part_size)
    return [
        PushRow(f"push of a {size_of(local.big_size)} blob", "push_big", near),
        PushRow(f"push of 8 layers of {part}", "push_eight", near),
        PushRow(f"push of 8 blobs of {part} at once", "push_at_once", near),
        PushRow(f"copy of 8 x {part} in the registry", "copy_image",
                near, is_copy=True)]


def make_clients(work, local, build, wanted):
    every = [Ocirfs(work, local, build), Curl(work, local),
             Skopeo(work, local)]
    return [c for c in every if c.name in wanted]


def measures(push_rows):
    big, eight, at_once, copy = push_rows
    times = "{:.2f} x"
    return [
        rows.Measure("push of a blob by cp, to curl POST and PUT", 1.1,
                     big.ratio("curl"), times),
        rows.Measure("push of a blob by cp, to skopeo copy oci: docker:", 1.0,
                     big.ratio("skopeo"), times),
        rows.Measure("8 layers by skopeo copy oci: oci:, to oci: docker:", 1.2,
                     eight.ratio("skopeo"), times),
        rows.Measure("cp of an image to another repository, to skopeo", 1.0,
                     copy.ratio("skopeo"), times),
        # Manifests and the configuration pass, and what HTTP says.
        rows.Measure("the same: on the wire", 0.1, copy.wire.get("ocirfs"),
                     "{:.2f} MiB"),
        rows.Measure("peak memory while 8 blobs are pushed at once", 64.0,
                     at_once.peak("ocirfs"), "{:.0f} MiB"),
    ]
