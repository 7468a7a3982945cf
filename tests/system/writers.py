# SPDX-License-Identifier: Apache-2.0
"""The system calls by which tools write an OCI image layout, one by one.

Each writer puts images.Manifest `m` under `tag` into a folder, as a tool was
seen to do it with strace, or does it by its source.  What a tool tolerates is
tolerated here, and nothing else.
"""
import contextlib
import errno
import fcntl
import os
import stat

import images
import pushed

PIECE = 32768
CREATE_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
OVERWRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def mkdir(path, mode=0o755):
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, mode)


def make_layout(folder):
    """A directory that is made shows nothing that nobody has made."""
    os.makedirs(f"{folder}/blobs/sha256", exist_ok=True)


def write_all(fd, data):
    for at in range(0, len(data), PIECE):
        piece = data[at:at + PIECE]
        while piece:
            piece = piece[os.write(fd, piece):]


@contextlib.contextmanager
def opened(path, flags, mode=0o644):
    """close() is called where a tool calls it, and may fail."""
    fd = os.open(path, flags, mode)
    try:
        yield fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)


def write_file(path, data, flags=OVERWRITE, mode=0o644):
    with opened(path, flags, mode) as fd:
        write_all(fd, data)


def read_file(path):
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        found = b""
        while piece := os.read(fd, PIECE):
            found += piece
        return found
    finally:
        os.close(fd)


def is_there(path):
    try:
        os.stat(path)
        return True
    except FileNotFoundError:
        return False


class Writer:
    """Blobs, then manifests, then oci-layout and index.json."""

    def __init__(self, folder, m, tag):
        self.folder, self.m, self.tag = str(folder), m, tag
        self.n = 0

    def number(self):
        self.n += 1
        return 100000000 + self.n

    def path(self, *names):
        return "/".join((self.folder, *map(str, names)))

    def target(self, digest):
        return self.path("blobs", "sha256", pushed.hex_of(digest))

    def manifests(self):
        """All of them, what is needed first."""
        found = []

        def walk(m):
            for child in m.children:
                walk(child)
            found.append(m)

        walk(self.m)
        return found

    def begin(self):
        mkdir(self.folder)
        mkdir(self.path("blobs"))
        mkdir(self.path("blobs", "sha256"))

    def blob(self, digest, data):
        raise NotImplementedError

    def manifest(self, m):
        self.blob(m.digest, m.data)

    def write_index(self, data):
        write_file(self.path("index.json"), data)

    def end(self):
        write_file(self.path("oci-layout"), pushed.LAYOUT)
        old = read_file(self.path("index.json"))
        self.write_index(pushed.index_json({self.tag: self.m}, old))

    def write(self):
        self.begin()
        for m in self.manifests():
            for b in m.blobs:
                if not is_there(self.target(b.digest)):
                    self.blob(b.digest, b.data)
            self.manifest(m)
        self.end()


class Skopeo(Writer):
    """containers/image, 1.9: also buildah and podman push."""

    def begin(self):
        mkdir(self.folder)
        mkdir(self.path("blobs"))

    def finish(self, fd):
        """Before it is closed."""

    def blob(self, digest, data):
        temporary = self.path(f"oci-put-blob{self.number()}")
        with opened(temporary, CREATE_NEW, 0o600) as fd:
            write_all(fd, data)
            self.finish(fd)
        mkdir(self.path("blobs", "sha256"))
        os.rename(temporary, self.target(digest))

    def manifest(self, m):
        write_file(self.target(m.digest), m.data)


class NewerSkopeo(Skopeo):
    def finish(self, fd):
        os.fsync(fd)
        os.fchmod(fd, 0o644)


class Umoci(Writer):
    """Writes into a layout that is there, below a directory of its own."""

    def begin(self):
        assert read_file(self.path("oci-layout"))
        assert read_file(self.path("index.json"))
        self.own = self.path(f".umoci-{self.number()}")
        os.mkdir(self.own, 0o700)
        self.lock = os.open(self.own, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def blob(self, digest, data):
        temporary = f"{self.own}/blob-{self.number()}"
        write_file(temporary, data, CREATE_NEW, 0o600)
        os.rename(temporary, self.target(digest))

    def end(self):
        old = read_file(self.path("index.json"))
        temporary = f"{self.own}/index-{self.number()}"
        write_file(temporary, pushed.index_json({self.tag: self.m}, old),
                   CREATE_NEW, 0o600)
        os.rename(temporary, self.path("index.json"))
        try:
            os.unlink(self.own)
        except OSError as e:
            assert e.errno == errno.EISDIR
        os.rmdir(self.own)
        os.close(self.lock)


class GoContainerRegistry(Writer):
    """crane --format oci"""

    def blob(self, digest, data):
        temporary = f"{self.target(digest)}{self.number()}"
        write_file(temporary, data, CREATE_NEW, 0o600)
        os.rename(temporary, self.target(digest))

    def begin(self):
        """The layout is made first, without an image in it."""
        super().begin()
        if not is_there(self.path("index.json")):
            write_file(self.path("index.json"), pushed.index_json({}))


class Containerd(Writer):
    """containerd's content store; buildx --output type=oci,tar=false"""

    def blob(self, digest, data):
        mkdir(self.path("ingest"))
        own = self.path("ingest", pushed.hex_of(images.digest_of(
            digest.encode())))
        os.mkdir(own)
        for name, text in (("ref", digest), ("startedat", "2026-01-05"),
                           ("updatedat", "2026-01-05"),
                           ("total", str(len(data)))):
            write_file(f"{own}/{name}", text.encode())
        write_file(f"{own}/data", data, CREATE_NEW, 0o600)
        os.rename(f"{own}/data", self.target(digest))
        for name in ("ref", "startedat", "updatedat", "total"):
            os.unlink(f"{own}/{name}")
        os.rmdir(own)


class ContainerdLock(Containerd):
    def write_index(self, data):
        temporary = self.path("index.json.lock")
        write_file(temporary, data, CREATE_NEW)
        os.rename(temporary, self.path("index.json"))


class ContainerdDot(Containerd):
    def write_index(self, data):
        temporary = self.path(f".index.json{self.number()}")
        write_file(temporary, data, CREATE_NEW)
        os.rename(temporary, self.path("index.json"))


class Oras(Writer):
    """ingest/ without folders; names end in a random part"""

    def blob(self, digest, data):
        mkdir(self.path("ingest"))
        temporary = self.path(
            "ingest", f"{pushed.hex_of(digest)}_{self.number()}")
        write_file(temporary, data, CREATE_NEW, 0o600)
        os.chmod(temporary, 0o444)
        os.rename(temporary, self.target(digest))


class Regctl(Writer):
    """ocidir"""

    def blob(self, digest, data):
        temporary = f"{self.target(digest)}.{self.number()}.tmp"
        write_file(temporary, data, CREATE_NEW, 0o600)
        os.rename(temporary, self.target(digest))


class Copy(Writer):
    """cp -r LAYOUT/. DIR, in the order of `files()`."""

    def files(self):
        return list(pushed.layout_files({self.tag: self.m}).items())

    def one(self, name, data):
        path = self.path(name)
        if is_there(path):
            flags = os.O_WRONLY | os.O_TRUNC
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with opened(path, flags) as fd:
            write_all(fd, data)
            self.settle(fd)

    def settle(self, fd):
        """Times, modes, owners."""

    def write(self):
        self.begin()
        for name, data in self.files():
            self.one(name, data)


class CopyIndexFirst(Copy):
    def files(self):
        return super().files()[::-1]


class CopyPreserving(Copy):
    """cp -rp"""

    def settle(self, fd):
        os.utime(fd, (1614834367, 1614834367))
        os.fchown(fd, os.getuid(), os.getgid())
        os.fchmod(fd, stat.S_IRUSR | stat.S_IWUSR)

    def write(self):
        super().write()
        for name in ("blobs/sha256", "blobs", ""):
            os.utime(self.path(name), (1614834367, 1614834367))
            os.chmod(self.path(name), 0o755)


class Rsync(Copy):
    """rsync -a: files of a directory before its subdirectories, by name."""

    def files(self):
        return sorted(super().files(), key=lambda f: (f[0].count("/"), f[0]))

    def one(self, name, data):
        path = self.path(name)
        folder, base = os.path.split(path)
        temporary = f"{folder}/.{base}.{self.number()}"
        with opened(temporary, CREATE_NEW, 0o600) as fd:
            write_all(fd, data)
            os.fchmod(fd, 0o600)
        os.utime(temporary, (1614834367, 1614834367), follow_symlinks=False)
        os.chmod(temporary, 0o644)
        os.rename(temporary, path)

    def write(self):
        super().write()
        for name in ("blobs/sha256", "blobs"):
            os.utime(self.path(name), (1614834367, 1614834367),
                     follow_symlinks=False)


class Tar(Copy):
    """tar x: what is in the way is unlinked, directories are set right at the
    end.  Members in any order; here index.json first."""

    def files(self):
        return super().files()[::-1]

    def one(self, name, data):
        path = self.path(name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            fd = os.open(path, flags, 0o600)
        except FileExistsError:
            os.unlink(path)
            fd = os.open(path, flags, 0o600)
        try:
            write_all(fd, data)
            os.utime(fd, (1614834367, 1614834367))
            os.fchown(fd, os.getuid(), os.getgid())
            os.fchmod(fd, 0o644)
        finally:
            os.close(fd)

    def write(self):
        super().write()
        for name in ("blobs/sha256", "blobs"):
            os.utime(self.path(name), (1614834367, 1614834367))


class TarOverwrite(Tar):
    """tar x --overwrite, as it must be where things are already."""

    def one(self, name, data):
        with opened(self.path(name), OVERWRITE, 0o600) as fd:
            write_all(fd, data)
            os.utime(fd, (1614834367, 1614834367))
            os.fchmod(fd, 0o644)


ALL = (Skopeo, NewerSkopeo, Umoci, GoContainerRegistry, Containerd,
       ContainerdLock, ContainerdDot, Oras, Regctl, Copy, CopyIndexFirst,
       CopyPreserving, Rsync, Tar)
OVER = tuple(w for w in ALL if w is not Tar) + (TarOverwrite,)
