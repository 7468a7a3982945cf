# SPDX-License-Identifier: Apache-2.0
"""Files that are being written, seen from all sides."""
import errno
import os
import subprocess
import threading

import pytest

import images
import pushed
import writers

OLD = images.small_image("old")
NEW = images.small_image("new")


@pytest.fixture(scope="module")
def registry(module_registry):
    return module_registry()


@pytest.fixture(scope="module")
def mnt(module_mount, registry):
    return module_mount(registry, ttl="0")


@pytest.fixture
def repo(request, registry):
    """The parts of both images are there; OLD has a tag."""
    name = "files/" + request.node.name.split("[")[0].removeprefix(
        "test_").replace("_", "-")[:60].strip("-")
    images.push(registry, name, OLD, "1.0")
    images.push(registry, name, NEW)
    registry.mark()
    return name


def puts(registry):
    return [r for r in registry.requests() if r[0] in ("PUT", "PATCH", "POST")]


@pytest.mark.semantics("S57")
def test_touch_of_a_tag_pushes_nothing(mnt, registry, repo):
    pushed.run("touch", mnt / repo / "1.0")
    pushed.run("chmod", "600", mnt / repo / "1.0")
    pushed.run("chown", "0:0", mnt / repo / "1.0")
    assert not puts(registry)
    pushed.check(registry, repo, "1.0", OLD)


def test_a_tag_is_asked_for_put_and_seen(mnt, registry, repo):
    """What one step of a push learns is handed on, not asked again (R17)."""
    for tag, before in ("2.0", 404), ("1.0", 200):
        with writers.opened(mnt / repo / tag, os.O_CREAT | os.O_WRONLY
                            | os.O_TRUNC) as fd:
            os.write(fd, NEW.data)
            registry.mark()
        ours = [(method, status) for method, path, status, _
                in registry.requests() if path.endswith(f"/manifests/{tag}")]
        assert ours == [("HEAD", before), ("PUT", 201), ("HEAD", 200)]


@pytest.mark.semantics("S57")
def test_a_file_that_is_opened_and_not_written_is_not_pushed(
        mnt, registry, repo):
    for flags in (os.O_RDWR, os.O_WRONLY, os.O_RDWR | os.O_APPEND):
        with writers.opened(mnt / repo / "1.0", flags):
            pass
    assert not puts(registry)
    assert pushed.tag_map(registry, repo) == {"1.0": OLD.digest}


@pytest.mark.semantics("S28", "S65")
def test_readers_have_the_old_tag_until_close(mnt, registry, repo):
    path = mnt / repo / "1.0"
    with open(path, "rb") as early, \
            writers.opened(path, writers.OVERWRITE) as fd:
        writers.write_all(fd, NEW.data)
        assert pushed.tag_map(registry, repo) == {"1.0": OLD.digest}
        assert early.read() == OLD.data
    assert path.read_bytes() == NEW.data
    pushed.check(registry, repo, "1.0", NEW)


@pytest.mark.semantics("S57", "S65")
def test_a_new_tag_is_not_in_the_registry_until_close(mnt, registry, repo):
    path = mnt / repo / "2.0"
    with writers.opened(path, writers.OVERWRITE) as fd:
        writers.write_all(fd, NEW.data[:10])
        assert os.fstat(fd).st_size == 10
        writers.write_all(fd, NEW.data[10:])
        assert os.fstat(fd).st_size == len(NEW.data)
        assert pushed.tags(registry, repo) == {"1.0"}
    assert os.stat(path).st_size == len(NEW.data)
    pushed.check(registry, repo, "2.0", NEW)


@pytest.mark.semantics("S57")
def test_rename_of_a_file_that_is_still_open(mnt, registry, repo):
    path = mnt / repo / "2.0"
    with writers.opened(mnt / repo / ".new", writers.CREATE_NEW) as fd:
        writers.write_all(fd, NEW.data)
        os.fsync(fd)
        os.rename(mnt / repo / ".new", path)
        pushed.check(registry, repo, "2.0", NEW)
        assert os.fstat(fd).st_size == len(NEW.data)
    assert path.read_bytes() == NEW.data


@pytest.mark.semantics("S67")
def test_unlink_of_a_file_that_is_still_open(mnt, repo):
    path = mnt / repo / ".gone"
    with writers.opened(path, writers.CREATE_NEW) as fd:
        writers.write_all(fd, b"still here")
        os.unlink(path)
        assert not path.exists()
        assert os.pread(fd, 100, 0) == b"still here"
    assert ".gone" not in os.listdir(mnt / repo)


@pytest.mark.semantics("S57")
def test_a_manifest_changed_in_its_place(mnt, registry, repo):
    """Without truncation: open, overwrite some bytes, close."""
    m = images.image([], annotations={"word": "before"})
    images.push(registry, repo, m, "3.0")
    at = m.data.index(b"before")
    with writers.opened(mnt / repo / "3.0", os.O_RDWR) as fd:
        assert os.pread(fd, 6, at) == b"before"
        os.pwrite(fd, b"behind", at)
    digest, found = pushed.pull(registry, repo, "3.0")
    assert found[digest] == m.data.replace(b"before", b"behind")


@pytest.mark.semantics("S58")
def test_truncation_alone_is_no_manifest(mnt, registry, repo):
    with pytest.raises(OSError) as e:
        with writers.opened(mnt / repo / "1.0", os.O_WRONLY) as fd:
            os.ftruncate(fd, 10)
    assert e.value.errno == errno.EINVAL
    pushed.check(registry, repo, "1.0", OLD)
    assert (mnt / repo / "1.0").read_bytes() == OLD.data


@pytest.mark.semantics("S58")
def test_an_error_is_told_once_and_the_next_try_is_a_new_one(
        mnt, registry, repo):
    path = mnt / repo / "2.0"
    for _ in range(2):
        with pytest.raises(OSError) as e:
            writers.write_file(path, b"no manifest")
        assert e.value.errno == errno.EINVAL
    writers.write_file(path, NEW.data)
    pushed.check(registry, repo, "2.0", NEW)


@pytest.mark.semantics("S57", "S82")
def test_two_write_one_tag_at_once(mnt, registry, repo):
    """Each has a file of his own, so none gets into another's way."""
    start = threading.Barrier(4)
    failures = set()

    def write(m):
        start.wait()
        for _ in range(5):
            try:
                writers.write_file(mnt / repo / "both", m.data)
            except OSError as e:
                failures.add(e.errno)

    threads = [threading.Thread(target=write, args=(m,))
               for m in (OLD, NEW, OLD, NEW)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    told = (mnt / ".ocirfs/errors").read_text()
    assert not failures, told
    found = pushed.tag_map(registry, repo).get("both")
    assert found in (OLD.digest, NEW.digest)
    writers.write_file(mnt / repo / "both", NEW.data)
    pushed.check(registry, repo, "both", NEW)


@pytest.mark.semantics("S67")
def test_ls_shows_what_is_being_written(mnt, repo):
    path = mnt / repo / ".part"
    with writers.opened(path, writers.CREATE_NEW) as fd:
        writers.write_all(fd, bytes(5000))
        assert ".part" in os.listdir(path.parent)
        assert os.stat(path).st_size == 5000
        shown = pushed.run("ls", "-la", path.parent).stdout
        assert any(line.endswith(" .part") and " 5000 " in line
                   for line in shown.splitlines())
    os.unlink(path)


@pytest.mark.semantics("S58")
def test_what_cannot_be_written(mnt, repo):
    """Nothing but tags, blobs, the layout's files and scratch files."""
    cases = {
        ".ocirfs/status": "EACCES EPERM EROFS",
        f"{repo}/blobs": "EISDIR",
        f"{repo}/sha256:{'0' * 64}": "EPERM EBADMSG",
    }
    for name, allowed in cases.items():
        with pytest.raises(OSError) as e:
            writers.write_file(mnt / name, b"x")
        assert errno.errorcode[e.value.errno] in allowed.split(), name


@pytest.mark.semantics("S58")
def test_a_shell_redirection_says_what_was_wrong(mnt, repo):
    """What a user sees of an error at close."""
    done = subprocess.run(
        ["cp", "/etc/hostname", mnt / repo / "2.0"], capture_output=True,
        text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 1
    assert "Invalid argument" in done.stderr
    assert not (mnt / repo / "2.0").exists()
