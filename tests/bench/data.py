# SPDX-License-Identifier: Apache-2.0
"""What the bench reads: pushed once into the registry."""
import concurrent.futures
import os
import random

import imagetool

import ground

BIG, EIGHT, TAGS = "bench/big", "bench/eight", "bench/tags"
MIB = 1 << 20
N_PLACES = 32
READ = 4096


class Data:
    def __init__(self, quick):
        self.big_size = (256 if quick else 1024) * MIB
        self.part_size = (32 if quick else 128) * MIB
        self.n_tags = 1000
        self.big = None        # imagetool.Blob
        self.parts = []
        self.tags = []         # names
        self.places = []       # offsets of random reads in big
        self.local = None      # big as a local file

    def push(self, url, say):
        """A gigabyte or two; needs some seconds for hashing."""
        registry = imagetool.Registry(url)
        say("making and pushing the data")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            big = pool.submit(imagetool.Seeded, 1, self.big_size)
            parts = [pool.submit(imagetool.Seeded, 10 + i, self.part_size)
                     for i in range(8)]
            self.big, self.parts = big.result(), [p.result() for p in parts]
            pushes = [
                pool.submit(registry.push_image, BIG, "latest",
                            imagetool.make_image([self.big])),
                pool.submit(registry.push_image, EIGHT, "latest",
                            imagetool.make_image(self.parts))]
            for p in pushes:
                p.result()
        self.tags = [f"tag{i:05}" for i in range(self.n_tags)]
        imagetool.many_tags(registry, TAGS, self.n_tags)
        spread = random.Random(4096)
        self.places = [spread.randrange(self.big_size // READ) * READ
                       for _ in range(N_PLACES)]

    def publish(self, work, blobs, url):
        """The same bytes as plain files below a folder, for a web server."""
        root = work.new_folder("www")
        registry = imagetool.Registry(url)
        for name in ("blobs", "tags"):
            (root / name).mkdir()
        for blob in [self.big, *self.parts]:
            (root / "blobs" / hex_of(blob)).symlink_to(stored(blobs, blob))
        self.local = stored(blobs, self.big)
        for tag in self.tags:
            (root / "tags" / tag).write_bytes(
                registry.get(TAGS, "manifests/" + tag))
        return root

    def heat(self, blobs):
        """Servers read from the page cache, so that disks do not count."""
        for blob in [self.big, *self.parts]:
            with open(stored(blobs, blob), "rb", buffering=0) as f:
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
                while f.read(MIB):
                    pass


def hex_of(blob):
    return blob.digest.split(":")[1]


def stored(blobs, blob):
    """Where docker-registry keeps a blob, below its blobs folder."""
    path = blobs / "sha256" / hex_of(blob)[:2] / hex_of(blob) / "data"
    if not path.exists():
        raise ground.Failure(f"docker-registry keeps no blob in {path}")
    return path
