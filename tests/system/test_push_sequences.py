# SPDX-License-Identifier: Apache-2.0
"""Every writer of image layouts, replayed call by call, pushes what it wrote."""
import concurrent.futures
import contextlib
import errno
import json
import os

import pytest

import images
import pushed
import writers

OLD = images.small_image("was there before")


@pytest.fixture(scope="module")
def registry(module_registry):
    return module_registry()


@pytest.fixture(scope="module")
def image():
    return images.image([images.layer({"etc/motd": b"hello\n"}),
                         images.layer({"data": images.noise(300_000)}, False)])


@pytest.fixture(scope="module")
def multi(image):
    """An index: both platforms share a layer, as they do."""
    arm = images.image([images.layer({"etc/motd": b"hello\n"}),
                        images.layer({"arm": b"arm"})], created="2022-02-02"
                       "T02:02:02Z")
    return images.index({"amd64": image, "arm64": arm})


@pytest.fixture(scope="module")
def mnt(module_mount, registry):
    """Each test has a repository of its own."""
    return module_mount(registry, ttl="0")


def repo_for(writer, kind):
    return f"{kind}/{writer.__name__.lower()}"


def write(mnt, registry, writer, kind, m, tag="1.0"):
    repo = repo_for(writer, kind)
    if writer is writers.Umoci:  # it works on what is there
        images.push(registry, repo, OLD, "old")
    os.makedirs(mnt / kind, exist_ok=True)
    writer(mnt / repo, m, tag).write()
    return repo


def is_quiet(mnt):
    return not pushed.pending(mnt)


each_writer = pytest.mark.parametrize("writer", writers.ALL,
                                      ids=lambda w: w.__name__)
each_over = pytest.mark.parametrize("writer", writers.OVER,
                                    ids=lambda w: w.__name__)


@pytest.mark.semantics("S60")
@each_writer
def test_an_image_is_pushed(mnt, registry, image, writer):
    repo = write(mnt, registry, writer, "one", image)
    pushed.check(registry, repo, "1.0", image)
    assert is_quiet(mnt)


@pytest.mark.semantics("S60")
@each_writer
def test_an_index_with_its_platforms_is_pushed(mnt, registry, multi, writer):
    repo = write(mnt, registry, writer, "multi", multi)
    pushed.check(registry, repo, "1.0", multi)
    assert is_quiet(mnt)


@pytest.mark.semantics("S60")
@each_over
def test_a_second_image_leaves_the_first_tag(mnt, registry, image, writer):
    repo = repo_for(writer, "second")
    images.push(registry, repo, OLD, "old", "1.0")
    writer(mnt / repo, image, "1.0").write()
    assert pushed.tag_map(registry, repo) == {"old": OLD.digest,
                                              "1.0": image.digest}
    pushed.check(registry, repo, "1.0", image)
    pushed.check(registry, repo, "old", OLD)


@pytest.mark.semantics("S60", "S65")
@each_writer
def test_the_mount_shows_what_was_written(mnt, registry, image, writer):
    repo = write(mnt, registry, writer, "shown", image)
    folder = mnt / repo
    assert (folder / "1.0").read_bytes() == image.data
    left = {"old", "ingest"}  # who made a directory may leave it behind
    assert set(os.listdir(folder)) - left == {"1.0", "blobs", "index.json",
                                              "oci-layout"}
    for digest, data in image.contents().items():
        path = folder / "blobs/sha256" / pushed.hex_of(digest)
        assert path.read_bytes() == data
    entries = json.loads((folder / "index.json").read_bytes())["manifests"]
    assert image.digest in [e["digest"] for e in entries]


@pytest.mark.semantics("S60")
@each_over
def test_nothing_is_sent_twice(mnt, registry, image, writer):
    repo = write(mnt, registry, writer, "again", image)
    registry.mark()
    writer(mnt / repo, image, "1.0").write()
    sent = [r for r in registry.requests() if r[0] in ("PUT", "PATCH")]
    assert not sent


@pytest.mark.semantics("S59")
def test_a_tag_appears_with_the_last_part_and_not_before(mnt, registry, multi):
    """index.json first, then each blob: the tag is there after the last."""
    folder = mnt / "order/app"
    writers.make_layout(folder)
    files = list(pushed.layout_files({"1.0": multi}).items())[::-1]
    for i, (name, data) in enumerate(files):
        assert "1.0" not in pushed.tags(registry, "order/app"), files[i - 1][0]
        writers.write_file(folder / name, data)
    pushed.check(registry, "order/app", "1.0", multi)
    assert is_quiet(mnt)


@pytest.mark.semantics("S59")
def test_what_waits_for_its_parts_is_listed_as_pending(mnt, image, registry):
    folder = mnt / "waiting/app"
    writers.make_layout(folder)
    writers.write_file(folder / "index.json", pushed.index_json({"9": image}))
    lines = pushed.pending(mnt)
    assert any("waiting/app" in line for line in lines), lines
    for digest, data in image.contents().items():
        writers.write_file(folder / "blobs/sha256" / pushed.hex_of(digest),
                           data)
    pushed.check(registry, "waiting/app", "9", image)
    assert is_quiet(mnt)


@pytest.mark.semantics("S59")
def test_index_json_never_removes_a_tag(mnt, registry, image):
    images.push(registry, "keep", OLD, "old", "older")
    writers.write_file(mnt / "keep/index.json", pushed.index_json({}))
    assert pushed.tags(registry, "keep") == {"old", "older"}
    for digest, data in image.contents().items():
        writers.write_file(
            mnt / "keep/blobs/sha256" / pushed.hex_of(digest), data)
    writers.write_file(mnt / "keep/index.json",
                       pushed.index_json({"old": image}))
    assert pushed.tag_map(registry, "keep") == {"old": image.digest,
                                                "older": OLD.digest}


@pytest.mark.semantics("S59")
def test_one_manifest_under_two_tags_of_index_json(mnt, registry, image):
    folder = mnt / "twice"
    writers.make_layout(folder)
    for digest, data in image.contents().items():
        writers.write_file(folder / "blobs/sha256" / pushed.hex_of(digest),
                           data)
    writers.write_file(folder / "index.json",
                       pushed.index_json({"a": image, "b": image}))
    assert pushed.tag_map(registry, "twice") == {"a": image.digest,
                                                 "b": image.digest}


@pytest.mark.semantics("S67")
@pytest.mark.parametrize("name", [
    ".tmp", "oci-put-blob123", ".umoci-1/blob-1", "ingest/x", "blobs/x",
    "blobs/sha256/" + 64 * "0" + ".tmp", "index.json.lock"])
def test_scratch_files_live_in_the_staging_area_only(mnt, registry, name):
    images.push(registry, "scratch", OLD, "old")
    registry.mark()
    path = mnt / "scratch" / name
    with contextlib.suppress(FileExistsError):
        os.makedirs(path.parent)
    writers.write_file(path, b"half of it", writers.CREATE_NEW)
    assert path.read_bytes() == b"half of it"
    assert path.name in os.listdir(path.parent)
    with writers.opened(path, os.O_WRONLY | os.O_APPEND) as fd:
        os.write(fd, b", and the rest")
    assert path.read_bytes() == b"half of it, and the rest"
    other = mnt / "scratch/.other"
    os.rename(path, other)
    assert not path.exists()
    assert path.name not in os.listdir(path.parent)
    os.unlink(other)
    assert ".other" not in os.listdir(mnt / "scratch")
    assert not [r for r in registry.requests() if r[0] not in ("GET", "HEAD")]


@pytest.mark.semantics("S67")
def test_writes_anywhere_in_any_order(mnt, registry):
    """A blob that is written backwards, cut, and grown again."""
    data = images.noise(200_000)
    digest = images.digest_of(data)
    writers.make_layout(mnt / "seek")
    path = mnt / "seek/.scratch"
    with writers.opened(path, writers.CREATE_NEW) as fd:
        os.pwrite(fd, b"x" * 300_000, 50_000)
        os.ftruncate(fd, 120_000)
        os.ftruncate(fd, 200_000)
        for at in range(190_000, -1, -10_000):
            os.pwrite(fd, data[at:at + 10_000], at)
        assert os.pread(fd, 5000, 100_000) == data[100_000:105_000]
        os.fsync(fd)
    assert os.stat(path).st_size == 200_000
    os.rename(path, mnt / "seek/blobs/sha256" / pushed.hex_of(digest))
    assert pushed.client(registry).has_blob("seek", digest)


@pytest.mark.semantics("S57")
def test_an_empty_blob(mnt, registry):
    digest = images.digest_of(b"")
    writers.make_layout(mnt / "empty")
    writers.write_file(mnt / "empty/blobs/sha256" / pushed.hex_of(digest), b"")
    assert pushed.client(registry).has_blob("empty", digest)


@pytest.mark.semantics("S57")
def test_fsync_of_a_blob_says_that_it_is_there(mnt, registry):
    data = images.noise(100_000, "fsync")
    digest = images.digest_of(data)
    writers.make_layout(mnt / "fsync")
    path = mnt / "fsync/blobs/sha256" / pushed.hex_of(digest)
    with writers.opened(path, writers.OVERWRITE) as fd:
        writers.write_all(fd, data)
        os.fsync(fd)
        assert pushed.client(registry).has_blob("fsync", digest)


@pytest.mark.semantics("S57")
def test_a_file_that_is_closed_twice_by_two_processes(mnt, registry, image):
    """dup and fork: each close flushes, the last one is not the only one."""
    images.push(registry, "dup", image, "1.0")
    fd = os.open(mnt / "dup/2.0", writers.OVERWRITE)
    other = os.dup(fd)
    writers.write_all(fd, image.data)
    os.close(other)
    os.close(fd)
    pushed.check(registry, "dup", "2.0", image)


@pytest.mark.semantics("S57")
def test_two_writers_of_one_repository_at_once(mnt, registry):
    writers.make_layout(mnt / "many")
    made = {f"t{i}": images.small_image(f"image {i}") for i in range(6)}

    def push(tag):
        folder = mnt / "many"
        for digest, data in made[tag].contents().items():
            writers.write_file(folder / "blobs/sha256" / pushed.hex_of(digest),
                               data)
        writers.write_file(folder / tag, made[tag].data)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(push, made))
    for tag, m in made.items():
        pushed.check(registry, "many", tag, m)


def test_errno_of_what_cannot_be(mnt, registry):
    images.push(registry, "errnos", OLD, "old")
    folder = mnt / "errnos"
    found = {}
    for what, call in {
            "mkdir that is there": lambda: os.mkdir(folder),
            "O_EXCL of a tag that is there":
                lambda: os.open(folder / "old", writers.CREATE_NEW),
            "rename of nothing":
                lambda: os.rename(folder / "no", folder / "new"),
            "unlink of nothing": lambda: os.unlink(folder / ".no"),
            "rmdir of a tag": lambda: os.rmdir(folder / "old"),
            "symlink": lambda: os.symlink("old", folder / "s"),
            "a file in the registry's root":
                lambda: writers.write_file(mnt / "Not-A-Name", b"x"),
            "a directory that cannot be a repository":
                lambda: os.mkdir(mnt / "UPPER")}.items():
        try:
            call()
            found[what] = None
        except OSError as e:
            found[what] = errno.errorcode[e.errno]
    assert found.pop("symlink") in ("EPERM", "EOPNOTSUPP", "ENOSYS", "EROFS")
    assert found.pop("a file in the registry's root") in ("EPERM", "EINVAL")
    assert found.pop("a directory that cannot be a repository") in (
        "EPERM", "EINVAL")
    assert found == {
        "mkdir that is there": "EEXIST",
        "O_EXCL of a tag that is there": "EEXIST",
        "rename of nothing": "ENOENT", "unlink of nothing": "ENOENT",
        "rmdir of a tag": "ENOTDIR"}
