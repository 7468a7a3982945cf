# SPDX-License-Identifier: Apache-2.0
"""What fs/image makes of layers is what GNU tar put in and umoci unpacks."""
import gzip
import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile
import urllib.parse

import pytest

import imagetool
import mounts

PROBE = mounts.BUILD / "imageprobe"


def run(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, **more).stdout


def what(st, path):
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            return "sha256:" + hashlib.file_digest(f, "sha256").hexdigest()
    if stat.S_ISLNK(st.st_mode):
        return os.fsdecode(os.readlink(path))
    return f"{os.major(st.st_rdev)},{os.minor(st.st_rdev)}"


def tree_of(root):
    """path: (type, mode, uid, gid, time, what) of a directory on disk."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            found[path.removeprefix(str(root))] = (
                stat.S_IFMT(st.st_mode), stat.S_IMODE(st.st_mode), st.st_uid,
                st.st_gid, st.st_mtime_ns, what(st, path))
    return found


def nanoseconds(text):
    seconds, fraction = text.split(".")
    return int(seconds) * 10**9 + int(fraction)


def probe(index, *layers):
    """The same of an image, and its attributes by path."""
    found, attributes, path = {}, {}, None
    for line in run(PROBE, index, *layers, timeout=300).decode().splitlines():
        if line.startswith(" "):
            attributes.setdefault(path, []).append(line[1:])
            continue
        kind, mode, uid, gid, time, _, _, value, path = line.split(" ")
        path = urllib.parse.unquote(path)
        found[path] = (int(kind, 8), int(mode, 8), int(uid), int(gid),
                       nanoseconds(time), urllib.parse.unquote(value))
    return found, attributes


def make_tree(root):
    """Of each kind; names and times that not every format can say."""
    (root / "d" / "deep").mkdir(parents=True)
    (root / "d" / "deep" / "file").write_bytes(b"deep" * 100_000)
    (root / "empty").write_bytes(b"")
    (root / ("n" * 90)).write_bytes(b"long")
    (root / "link").symlink_to("d/deep/file")
    (root / "setuid").write_bytes(b"#!")
    (root / "setuid").chmod(0o4755)
    os.chown(root / "d", 12, 34)
    os.link(root / "setuid", root / "again")
    os.mkfifo(root / "fifo")
    os.mknod(root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    with open(root / "holes", "wb") as f:
        f.truncate(3 << 20)
        f.seek(1 << 20)
        f.write(b"in between")
        f.seek((2 << 20) + 12345)
        f.write(os.urandom(70_000))
    for path in sorted(root.rglob("*")):
        os.utime(path, (1_600_000_000, 1_600_000_000), follow_symlinks=False)


def pack(tar, packing, to):
    if packing == "gzip":
        to.write_bytes(gzip.compress(tar, 6))
    elif packing == "members":
        to.write_bytes(b"".join(gzip.compress(tar[i:i + 50_000])
                                for i in range(0, len(tar), 50_000)))
    elif packing == "zstd":
        to.write_bytes(run("zstd", "-c", input=tar))
    else:
        to.write_bytes(tar)
    return to


@pytest.mark.parametrize("packing", ["none", "gzip", "members", "zstd"])
@pytest.mark.parametrize("how", [
    "v7", "oldgnu", "gnu", "ustar", "posix", "gnu --sparse",
    "posix --sparse --sparse-version=0.0",
    "posix --sparse --sparse-version=0.1",
    "posix --sparse --sparse-version=1.0"])
def test_a_layer_of_gnu_tar_is_the_tree_it_was_made_of(tmp_path, how, packing):
    source = tmp_path / "tree"
    source.mkdir()
    make_tree(source)
    if how == "v7":
        for name in ("fifo", "null"):
            (source / name).unlink()  # it has no type for them
    tar = run("tar", *f"--format={how}".split(), "--numeric-owner", "-cC",
              source, ".")
    layer = pack(tar, packing, tmp_path / "layer")
    found, _ = probe(tmp_path / "index", layer)
    assert found == tree_of(source)
    assert probe(tmp_path / "index", layer)[0] == found  # by the index kept


def tar_of(*entries):
    """Of (name, more attributes, bytes)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, more, data in entries:
            info = tarfile.TarInfo(name)
            info.mtime = 1_500_000_000
            info.size = len(data)
            for key, value in more.items():
                setattr(info, key, value)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


DIR = {"type": tarfile.DIRTYPE, "mode": 0o755}


def layers_with_whiteouts():
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    return [
        tar_of(("d/", DIR, b""), ("d/old", {}, b"old"), ("d/keep", {}, b"keep"),
               ("opaque/", DIR | {"mode": 0o700, "uid": 5}, b""),
               ("opaque/hidden", {}, b"x"),
               ("file", {}, b"file"), ("dir/", DIR, b""), ("dir/x", {}, b"x"),
               ("gone/", DIR, b""), ("gone/x", {}, b"x"),
               ("caps", {"pax_headers": {
                   "SCHILY.xattr.security.capability":
                       capability.decode("latin-1")}}, b"elf"),
               ("lower", {}, b"lower"),
               ("../../escape", {}, b"inside"), ("/absolute", {}, b"too")),
        tar_of(("d/.wh.old", {}, b""), ("d/new", {"uid": 1000}, b"new"),
               ("opaque/.wh..wh..opq", {}, b""), ("opaque/seen", {}, b"y"),
               (".wh.gone", {}, b""), ("file/", DIR, b""),
               ("file/inner", {}, b"z"), ("dir", {}, b"now a file"),
               ("linked", {"type": tarfile.LNKTYPE, "linkname": "lower"}, b"")),
        tar_of(("lower", {}, b"replaced"), ("gone/", DIR, b""),
               ("gone/back", {"mtime": 1_500_000_000.25}, b"back")),
    ]


def layout(folder, tars):
    """An OCI layout, whose layers are files of their digests."""
    blobs = [imagetool.Blob(gzip.compress(t), imagetool.LAYER_GZIP)
             for t in tars]
    config = imagetool.Blob(json.dumps({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [
            imagetool.digest_of([t]) for t in tars]}}).encode(),
        imagetool.CONFIG)
    manifest = imagetool.Blob(json.dumps({
        "schemaVersion": 2, "mediaType": imagetool.MANIFEST,
        "config": config.descriptor(),
        "layers": [b.descriptor() for b in blobs]}).encode(),
        imagetool.MANIFEST)
    store = folder / "blobs" / "sha256"
    store.mkdir(parents=True)
    for blob in (*blobs, config, manifest):
        (store / blob.digest.removeprefix("sha256:")).write_bytes(blob.data)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(json.dumps({
        "schemaVersion": 2, "manifests": [manifest.descriptor(
            annotations={imagetool.REF_NAME: "v1"})]}))
    return [store / b.digest.removeprefix("sha256:") for b in blobs]


def test_layers_with_whiteouts_are_what_umoci_unpacks(tmp_path):
    layers = layout(tmp_path / "layout", layers_with_whiteouts())
    run("umoci", "unpack", "--image", f"{tmp_path}/layout:v1",
        tmp_path / "bundle")
    unpacked = tmp_path / "bundle" / "rootfs"
    want = tree_of(unpacked)
    found, attributes = probe(tmp_path / "index", *layers)
    assert sorted(found) == sorted(want)
    for path in want:
        if stat.S_ISDIR(want[path][0]):  # umoci's are of when it unpacked
            assert found[path][:4] == want[path][:4], path
        else:
            assert found[path] == want[path], path
    names = [a.split("=")[0] for a in attributes.get("/caps", [])]
    assert names == os.listxattr(unpacked / "caps")


def test_a_layer_that_is_cut_short_has_no_index(tmp_path):
    layer = pack(tar_of(("a", {}, b"x" * 100_000)), "gzip", tmp_path / "layer")
    layer.write_bytes(layer.read_bytes()[:-50])
    done = subprocess.run([PROBE, tmp_path / "index", layer],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "ends early" in done.stderr
    assert not os.listdir(tmp_path / "index")
