# SPDX-License-Identifier: Apache-2.0
"""Those who are compared.  Each method is one thing that a row measures.

A method returns a `ground.Taken`, or is missing where a client has no such
thing.  `cold_...` starts with nothing: a fresh mount and an empty cache, made
before the clock starts.
"""
import contextlib
import os
import shutil
import time

import data
import ground

ENV = {**os.environ, "LC_ALL": "C"}


def take(path):
    return ["cat", path]


class Mounted:
    """What ocirfs, rclone and minfuse have in common."""

    def __init__(self, work, content):
        self.work, self.content = work, content

    @contextlib.contextmanager
    def mounted(self, network, counted=False):
        cache = self.work.new_folder(self.name + "-cache")
        mount = self.mount(network, counted, cache)
        try:
            yield mount
        finally:
            mount.end()
            shutil.rmtree(cache, ignore_errors=True)

    def cold(self, network, counted, job):
        """Run `job(mount)` on a fresh mount; adds requests and peak."""
        with self.mounted(network, counted) as mount:
            before = network.requests()
            taken = job(mount)
            taken.requests = network.requests() - before
            taken.peak_mib = mount.peak_mib()
            return taken

    def cold_big(self, network, counted):
        return self.cold(network, counted,
                         lambda m: ground.run(take(self.big(m))))

    def cold_eight(self, network, counted):
        return self.cold(network, counted, lambda m: ground.run(
            *(take(self.part(m, p)) for p in self.content.parts)))

    def cold_random(self, network, counted):
        def job(mount):
            fd = os.open(self.big(mount), os.O_RDONLY)
            try:
                before = network.requests()
                start = time.monotonic()
                for place in self.content.places:
                    if len(os.pread(fd, data.READ, place)) != data.READ:
                        raise ground.Failure(f"{self.name}: a short read")
                seconds = time.monotonic() - start
                self.opened = network.requests() - before
                return ground.Taken(seconds, None)
            finally:
                os.close(fd)
        taken = self.cold(network, counted, job)
        taken.requests = self.opened
        return taken

    def cold_ls(self, network, counted, options=()):
        return self.cold(network, counted, lambda m: ground.run(
            ["ls", *options, self.tags(m)], env=ENV))

    def cold_ls_l(self, network, counted):
        return self.cold_ls(network, counted, ["-l"])

    def again(self, network, counted, prepare, job):
        """The same a second time, on a mount that stays."""
        def both(mount):
            job(mount)
            prepare()
            before = network.requests()
            taken = job(mount)
            self.second = network.requests() - before
            return taken
        taken = self.cold(network, counted, both)
        taken.requests = self.second
        return taken

    def warm_big(self, network, counted):
        return self.again(network, counted, ground.drop_page_cache,
                          lambda m: ground.run(take(self.big(m))))

    def hot_big(self, network, counted):
        return self.again(network, counted, lambda: None,
                          lambda m: ground.run(take(self.big(m))))

    def warm_ls(self, network, counted):
        return self.again(network, counted, lambda: None, lambda m: ground.run(
            ["ls", self.tags(m)], env=ENV))

    def warm_ls_l(self, network, counted):
        return self.again(network, counted, lambda: None, lambda m: ground.run(
            ["ls", "-l", self.tags(m)], env=ENV))


class Ocirfs(Mounted):
    name = "ocirfs"

    def __init__(self, work, content, build):
        super().__init__(work, content)
        self.program = build / "ocirfs"

    def mount(self, network, counted, cache):
        url = "http://" + network.address("registry", counted)
        return ground.Mount(self.work, self.name, lambda point: [
            self.program, "-f", url, point, "-o", f"cache={cache}"])

    def big(self, mount):
        return self.blob(mount, data.BIG, self.content.big)

    def part(self, mount, part):
        return self.blob(mount, data.EIGHT, part)

    def tags(self, mount):
        return mount.point / data.TAGS

    @staticmethod
    def blob(mount, repo, blob):
        return mount.point / repo / "blobs" / "sha256" / data.hex_of(blob)


class Rclone(Mounted):
    name = "rclone"

    def mount(self, network, counted, cache):
        url = "http://" + network.address("files", counted)
        return ground.Mount(self.work, self.name, lambda point: [
            "rclone", "mount", ":http:", point, "--http-url", url,
            "--config", "/dev/null", "--read-only", "--vfs-cache-mode", "full",
            "--cache-dir", cache, "--dir-cache-time", "1h"])

    def big(self, mount):
        return mount.point / "blobs" / data.hex_of(self.content.big)

    def part(self, mount, part):
        return mount.point / "blobs" / data.hex_of(part)

    def tags(self, mount):
        return mount.point / "tags"


class Minfuse(Mounted):
    name = "minfuse"
    cold_big = cold_eight = cold_random = cold_ls = cold_ls_l = None
    warm_ls = warm_ls_l = None

    def __init__(self, work, content, build):
        super().__init__(work, content)
        self.program = build / "minfuse"

    def mount(self, network, counted, cache):
        # A copy, as ocirfs has one: files written alike lie alike.
        copy = cache / "blob"
        shutil.copyfile(self.content.local, copy)
        return ground.Mount(self.work, self.name, lambda point: [
            self.program, copy, point])

    def big(self, mount):
        return mount.point / "blob"


class Command:
    """curl and skopeo: programs that run and end."""

    def __init__(self, work, content):
        self.work, self.content = work, content

    def measure(self, network, *commands):
        before = network.requests()
        taken = ground.run(*commands, env=ENV)
        taken.requests = network.requests() - before
        return taken


class Curl(Command):
    name = "curl"

    def url(self, network, counted, repo, what):
        return (f"http://{network.address('registry', counted)}"
                f"/v2/{repo}/{what}")

    def measure_config(self, network, lines, *options):
        config = self.work.new("curlrc")
        config.write_text("".join(line + "\n" for line in lines))
        return self.measure(network, [
            "curl", "-q", "-sS", "-f", *options, "-K", config])

    def cold_big(self, network, counted):
        out = self.work.new("curl-out")
        try:
            return self.measure(network, [
                "curl", "-q", "-sS", "-f", "-o", out, self.url(
                    network, counted, data.BIG,
                    "blobs/" + self.content.big.digest)])
        finally:
            out.unlink(missing_ok=True)

    def cold_eight(self, network, counted):
        folder = self.work.new_folder("curl-out")
        lines = []
        for i, part in enumerate(self.content.parts):
            url = self.url(network, counted, data.EIGHT, f"blobs/{part.digest}")
            lines += [f'url = "{url}"', f'output = "{folder}/{i}"']
        try:
            return self.measure_config(network, lines, "-Z")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def cold_random(self, network, counted):
        url = self.url(network, counted, data.BIG,
                       "blobs/" + self.content.big.digest)
        lines = []
        for place in self.content.places:
            lines += ["next"] if lines else []
            lines += [f'url = "{url}"', 'output = "/dev/null"',
                      f'range = "{place}-{place + data.READ - 1}"']
        return self.measure_config(network, lines)

    def cold_ls(self, network, counted):
        return self.measure(network, [
            "curl", "-q", "-sS", "-f", "-o", "/dev/null",
            self.url(network, counted, data.TAGS, "tags/list")])

    def cold_ls_l(self, network, counted):
        """The list, then a HEAD for each tag, as many at once as it can."""
        first = self.cold_ls(network, counted)
        lines = ['header = "Accept: application/vnd.oci.image.manifest.v1+json"']
        for tag in self.content.tags:
            url = self.url(network, counted, data.TAGS, "manifests/" + tag)
            lines += [f'url = "{url}"', 'output = "/dev/null"']
        second = self.measure_config(network, lines, "-I", "-Z",
                                     "--parallel-max", "50")
        second.seconds += first.seconds
        second.requests += first.requests
        return second


class Skopeo(Command):
    name = "skopeo"

    def copy(self, network, counted, repo):
        out = self.work.new_folder("skopeo-out")
        try:
            return self.measure(network, [
                "skopeo", "copy", "--quiet", "--insecure-policy",
                "--src-tls-verify=false",
                f"docker://{network.address('registry', counted)}"
                f"/{repo}:latest", f"dir:{out}"])
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def cold_big(self, network, counted):
        return self.copy(network, counted, data.BIG)

    def cold_eight(self, network, counted):
        return self.copy(network, counted, data.EIGHT)

    def cold_ls(self, network, counted):
        return self.measure(network, [
            "skopeo", "list-tags", "--tls-verify=false",
            f"docker://{network.address('registry', counted)}/{data.TAGS}"])
