# SPDX-License-Identifier: Apache-2.0
"""Small real images, made in memory: a layer with a few files, a
configuration, any number of manifests that differ by an annotation."""
import gzip
import hashlib
import io
import json
import random
import tarfile

OCI = "application/vnd.oci.image."
MANIFEST = OCI + "manifest.v1+json"
CREATED = "2026-01-05T21:31:40Z"


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1767648700
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Image:
    """`size`: of a file that no compression makes smaller."""

    def __init__(self, name, size=1000):
        tar = _tar({"etc/os-release": f'NAME="{name}"\nID=sample\n'.encode(),
                    "srv/noise.bin": random.Random(name).randbytes(size)})
        # Stored: the noise would only cost time.
        self.layer = gzip.compress(tar, 0, mtime=0)
        self.config = json.dumps({
            "created": CREATED, "architecture": "amd64", "os": "linux",
            "config": {"Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
            "history": [{"created": CREATED, "created_by": name}]}).encode()

    def _descriptor(self, data, kind):
        return {"mediaType": OCI + kind, "digest": _digest(data),
                "size": len(data)}

    def manifest(self, **annotations):
        return json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self._descriptor(self.config, "config.v1+json"),
            "layers": [self._descriptor(self.layer, "layer.v1.tar+gzip")],
            "annotations": annotations}, indent=1).encode()
