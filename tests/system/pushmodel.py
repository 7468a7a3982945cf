# SPDX-License-Identifier: Apache-2.0
"""What a writable mount of a plain registry ought to do, in a few dictionaries;
and the same operations as system calls.

Both sides have one method for each operation, with the same parameters: it
returns what a user would see, or raises OSError.
"""
import contextlib
import errno
import os

import images
import pushed
import writers

LAYOUT_NAMES = {"blobs", "index.json", "oci-layout"}


def fail(number):
    raise OSError(number, os.strerror(number))


class Repository:
    def __init__(self):
        self.tags = {}           # tag -> image
        self.blobs = set()       # digests
        self.manifests = set()   # images, also without a tag
        self.is_pushed = False   # the registry knows it


class Model:
    def __init__(self, made):
        self.made = made  # images by number; blobs may be anywhere or nowhere
        self.repos = {}

    def repo(self, name):
        return self.repos.get(name) or fail(errno.ENOENT)

    def is_complete(self, m):
        known = set().union(*(r.blobs for r in self.repos.values()))
        return all(b.digest in known for b in m.blobs)

    def set_tag(self, repo, tag, m):
        repo.tags[tag] = m
        repo.manifests.add(m)
        repo.blobs |= {b.digest for b in m.blobs}
        repo.is_pushed = True

    # ---- operations ----

    def mkdir(self, name):
        if name in self.repos:
            fail(errno.EEXIST)
        self.repos[name] = Repository()

    def rmdir(self, name):
        if self.repo(name).tags:
            fail(errno.ENOTEMPTY)
        del self.repos[name]

    def may_rmdir(self, name):
        """A registry cannot forget a repository that it has seen."""
        repo = self.repos.get(name)
        return repo is None or repo.tags or not repo.is_pushed

    def write_blob(self, name, number, which):
        repo = self.repo(name)
        blobs = self.made[number].blobs
        repo.blobs.add(blobs[which % len(blobs)].digest)
        repo.is_pushed = True

    def write_wrong_blob(self, name, number):
        self.repo(name)
        fail(errno.EBADMSG)

    def write_tag(self, name, tag, number):
        repo, m = self.repo(name), self.made[number]
        if not self.is_complete(m):
            fail(errno.ENOENT)
        self.set_tag(repo, tag, m)

    write_beside_and_rename = write_tag

    def write_garbage(self, name, tag):
        self.repo(name)
        fail(errno.EINVAL)

    def write_index(self, name, tag, number):
        """Of a manifest that the repository has; other tags stay."""
        repo, m = self.repo(name), self.made[number]
        if m in repo.manifests:
            repo.tags[tag] = m

    def rename(self, name, tag, to):
        repo = self.repo(name)
        m = repo.tags.get(tag) or fail(errno.ENOENT)
        if tag != to:
            del repo.tags[tag]
            repo.tags[to] = m

    def link(self, name, tag, to):
        repo = self.repo(name)
        m = repo.tags.get(tag) or fail(errno.ENOENT)
        if to in repo.tags:
            fail(errno.EEXIST)
        repo.tags[to] = m

    def unlink(self, name, tag):
        repo = self.repo(name)
        if not repo.tags.pop(tag, None):
            fail(errno.ENOENT)

    def copy(self, name, tag, to_name, to):
        m = self.repo(name).tags.get(tag) or fail(errno.ENOENT)
        self.set_tag(self.repo(to_name), to, m)

    def elsewhere(self, name, tag, number):
        """Another client pushes."""
        repo = self.repos.setdefault(name, Repository())
        self.set_tag(repo, tag, self.made[number])

    def list_root(self):
        return set(self.repos)

    def list(self, name):
        return set(self.repo(name).tags)

    def stat(self, name, tag):
        m = self.repo(name).tags.get(tag) or fail(errno.ENOENT)
        return len(m.data)

    def read(self, name, tag):
        m = self.repo(name).tags.get(tag) or fail(errno.ENOENT)
        return m.data

    def has_blob(self, name, number, which):
        blobs = self.made[number].blobs
        return blobs[which % len(blobs)].digest in self.repo(name).blobs


class Real:
    """The same with system calls on a mount."""

    def __init__(self, mnt, registry, made):
        self.mnt, self.registry, self.made = mnt, registry, made

    def blob_path(self, name, digest):
        return self.mnt / name / "blobs/sha256" / pushed.hex_of(digest)

    def make_layout(self, name):
        os.stat(self.mnt / name)
        writers.make_layout(self.mnt / name)

    def mkdir(self, name):
        os.mkdir(self.mnt / name)

    def rmdir(self, name):
        os.rmdir(self.mnt / name)

    def write_blob(self, name, number, which):
        blobs = self.made[number].blobs
        blob = blobs[which % len(blobs)]
        self.make_layout(name)
        writers.write_file(self.blob_path(name, blob.digest), blob.data)

    def write_wrong_blob(self, name, number):
        digest = images.digest_of(b"of something else %d" % number)
        self.make_layout(name)
        writers.write_file(self.blob_path(name, digest), b"wrong")

    def write_tag(self, name, tag, number):
        writers.write_file(self.mnt / name / tag, self.made[number].data)

    def write_beside_and_rename(self, name, tag, number):
        beside = self.mnt / name / f".{tag}.tmp"
        writers.write_file(beside, self.made[number].data)
        try:
            os.rename(beside, self.mnt / name / tag)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(beside)
            raise

    def write_garbage(self, name, tag):
        writers.write_file(self.mnt / name / tag, b"neither nor")

    def write_index(self, name, tag, number):
        path = self.mnt / name / "index.json"
        old = writers.read_file(path)
        if old is None:
            fail(errno.ENOENT)
        digest = self.made[number].digest
        if pushed.has_manifest(self.registry, name, digest):
            writers.write_file(path, pushed.index_json(
                {tag: self.made[number]}, old))

    def rename(self, name, tag, to):
        os.rename(self.mnt / name / tag, self.mnt / name / to)

    def link(self, name, tag, to):
        os.link(self.mnt / name / tag, self.mnt / name / to)

    def unlink(self, name, tag):
        # What has been set since it looked last it does not take away.
        os.listdir(self.mnt / name)
        os.unlink(self.mnt / name / tag)

    def copy(self, name, tag, to_name, to):
        """As cp: by copy_file_range."""
        source = os.open(self.mnt / name / tag, os.O_RDONLY)
        try:
            with writers.opened(self.mnt / to_name / to,
                                writers.OVERWRITE) as target:
                while os.copy_file_range(source, target, 1 << 30):
                    pass
        finally:
            os.close(source)

    def elsewhere(self, name, tag, number):
        images.push(self.registry, name, self.made[number], tag)
        os.listdir(self.mnt / name / "blobs/sha256")  # somebody looks

    def list_root(self):
        return set(os.listdir(self.mnt.path))

    def list(self, name):
        return set(os.listdir(self.mnt / name)) - LAYOUT_NAMES

    def stat(self, name, tag):
        return os.stat(self.mnt / name / tag).st_size

    def read(self, name, tag):
        data = writers.read_file(self.mnt / name / tag)
        return fail(errno.ENOENT) if data is None else data

    def has_blob(self, name, number, which):
        blobs = self.made[number].blobs
        os.stat(self.mnt / name)
        return writers.is_there(self.blob_path(
            name, blobs[which % len(blobs)].digest))
