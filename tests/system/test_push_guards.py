# SPDX-License-Identifier: Apache-2.0
"""What a write must not do, and what it says when it did not work."""
import errno
import os
import sys
import signal
import subprocess

import pytest

import images
import pushed
import pushproxy
import waiting
import writers

MIB = 1 << 20
AT_ONCE = 2.0 * waiting.SLOW
OLD = images.small_image("old")
NEW = images.small_image("new")


@pytest.fixture
def proxy(registry):
    p = pushproxy.PushProxy(registry.address)
    yield p
    p.stop()


def name_of(call, *args):
    """The errno's name of what it raised; None: it worked."""
    try:
        call(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
    return None


def put(path, data):
    writers.write_file(path, data)


def blob_path(mnt, repo, digest):
    return mnt / repo / "blobs/sha256" / pushed.hex_of(digest)


def put_blobs(mnt, repo, m):
    for b in m.blobs:
        put(blob_path(mnt, repo, b.digest), b.data)


# ---- what is refused ----

@pytest.mark.semantics("S62", "S58")
def test_rm_and_rmdir_need_allow_delete(mount, registry):
    images.push(registry, "app", OLD, "1.0", "2.0")
    mnt = mount(registry)
    registry.mark()
    assert name_of(os.unlink, mnt / "app/1.0") == "EPERM"
    assert name_of(os.rmdir, mnt / "app") == "EPERM"
    assert "allow_delete" in pushed.error_of(mnt / "app/1.0")
    done = pushed.run("rm", "-rf", mnt / "app", check=False)
    assert done.returncode == 1
    assert pushed.tags(registry, "app") == {"1.0", "2.0"}
    assert not [r for r in registry.requests() if r[0] == "DELETE"]


@pytest.mark.semantics("S62")
def test_rm_takes_one_tag_and_no_other(mount, registry):
    """All tags of one manifest, and one whose manifest is shared."""
    images.push(registry, "app", OLD, "1.0", "2.0", "latest")
    images.push(registry, "app", NEW, "new")
    mnt = mount(registry, allow_delete=True)
    os.unlink(mnt / "app/2.0")
    assert pushed.tag_map(registry, "app") == {
        "1.0": OLD.digest, "latest": OLD.digest, "new": NEW.digest}
    assert not (mnt / "app/2.0").exists()
    assert set(os.listdir(mnt / "app")) & {"1.0", "2.0", "latest", "new"} == {
        "1.0", "latest", "new"}
    pushed.check(registry, "app", "latest", OLD)
    os.unlink(mnt / "app/new")
    assert set(pushed.tags(registry, "app")) == {"1.0", "latest"}
    assert name_of(os.unlink, mnt / "app/new") == "ENOENT"


@pytest.mark.semantics("S62")
def test_the_last_tag_of_a_manifest_can_be_written_again(mount, registry):
    images.push(registry, "app", OLD, "only")
    images.push(registry, "app", NEW, "other")
    mnt = mount(registry, allow_delete=True)
    os.unlink(mnt / "app/only")
    assert pushed.tags(registry, "app") == {"other"}
    put(mnt / "app/only", OLD.data)
    pushed.check(registry, "app", "only", OLD)


@pytest.mark.semantics("S62")
def test_rm_rf_of_a_repository_with_allow_delete(mount, registry):
    images.push(registry, "app", OLD, "1.0")
    images.push(registry, "other", OLD, "1.0")
    mnt = mount(registry, allow_delete=True)
    pushed.run("rm", "-rf", mnt / "app")
    assert pushed.tags(registry, "app") == set()
    assert not (mnt / "app").exists()
    pushed.check(registry, "other", "1.0", OLD)


@pytest.mark.semantics("S96")
@pytest.mark.parametrize("words", [
    ["rm", "-r"], ["find", "-delete"], ["rsync", "-r", "--delete", "/empty/"],
    [sys.executable, "-c", "import shutil, sys; shutil.rmtree(sys.argv[1])"],
], ids=["rm", "find", "rsync", "rmtree"])
def test_what_removes_a_tree_comes_to_its_end(
        mount, registry, tmp_path, words):
    for repo in ("app", "deep/one", "deep/two"):
        images.push(registry, repo, OLD, "1.0", "2.0")
    mnt = mount(registry, allow_delete=True)
    (tmp_path / "empty").mkdir()
    words = [w.replace("/empty", f"{tmp_path}/empty") for w in words]
    for folder in ("app", "deep"):
        at = [mnt / folder, *words[1:]] if words[0] == "find" \
            else [*words[1:], mnt / folder]
        done = pushed.run(words[0], *at, check=False)
        assert done.returncode == 0, done.stderr
    for repo in ("app", "deep/one", "deep/two"):
        assert pushed.tags(registry, repo) == set()


@pytest.mark.semantics("S96", "S62")
def test_the_view_stays_as_long_as_the_tags_do(mount, registry):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry, allow_delete=True)
    before = sorted(os.listdir(mnt / "app/blobs/sha256"))
    pushed.run("rm", "-r", mnt / "app/blobs")
    assert sorted(os.listdir(mnt / "app/blobs/sha256")) == before
    assert name_of(os.rmdir, mnt / "app") == "ENOTEMPTY"
    assert name_of(os.unlink, mnt / "app" / OLD.digest) == "EPERM"
    pushed.check(registry, "app", "1.0", OLD)


@pytest.mark.semantics("S97")
def test_symbolic_links_are_refused_with_what_to_do(
        mount, registry, tmp_path):
    layout = pushed.write_layout(tmp_path / "layout", {"1.0": OLD})
    for blob in (layout / "blobs/sha256").iterdir():
        blob.rename(tmp_path / blob.name)
        blob.symlink_to(tmp_path / blob.name)
    mnt = mount(registry)
    assert pushed.run("cp", "-a", layout, mnt / "app",
                      check=False).returncode == 1
    assert "cp -rL" in mnt.status("errors")
    pushed.run("cp", "-rL", layout, mnt / "other")
    pushed.check(registry, "other", "1.0", OLD)
    pushed.run("cp", "-rL", f"{layout}/.", mnt / "app")
    pushed.check(registry, "app", "1.0", OLD)
    assert not pushed.pending(mnt)


@pytest.mark.semantics("S62", "S66")
def test_rmdir_only_of_what_holds_no_image(mount, registry):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry, allow_delete=True)
    assert name_of(os.rmdir, mnt / "app") == "ENOTEMPTY"
    os.mkdir(mnt / "fresh")
    assert "fresh" in os.listdir(mnt.path)
    os.rmdir(mnt / "fresh")
    assert "fresh" not in os.listdir(mnt.path)
    pushed.check(registry, "app", "1.0", OLD)


@pytest.mark.semantics("S64", "S58")
def test_no_overwrite_keeps_tags_where_they_are(mount, registry):
    images.push(registry, "app", OLD, "1.0", "2.0")
    images.push(registry, "app", NEW, "new")
    mnt = mount(registry, no_overwrite=True)
    assert name_of(put, mnt / "app/1.0", NEW.data) == "EPERM"
    assert name_of(os.rename, mnt / "app/new", mnt / "app/1.0") == "EPERM"
    put(mnt / "app/.tmp", NEW.data)
    assert name_of(os.rename, mnt / "app/.tmp", mnt / "app/1.0") == "EPERM"
    assert name_of(put, mnt / "app/index.json",
                   pushed.index_json({"2.0": NEW})) == "EPERM"
    assert pushed.tag_map(registry, "app") == {
        "1.0": OLD.digest, "2.0": OLD.digest, "new": NEW.digest}
    assert "no_overwrite" in pushed.error_of(mnt / "app/1.0")


@pytest.mark.semantics("S64")
def test_no_overwrite_allows_new_tags_and_the_same_again(mount, registry):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry, no_overwrite=True)
    put(mnt / "app/3.0", OLD.data)
    put(mnt / "app/1.0", OLD.data)
    assert pushed.tag_map(registry, "app") == {"1.0": OLD.digest,
                                               "3.0": OLD.digest}


@pytest.mark.semantics("S12", "S25")
def test_modes_tell_what_may_be_written(mount, registry):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry)
    assert os.stat(mnt / "app/1.0").st_mode & 0o200
    assert os.stat(mnt / "app").st_mode & 0o200
    assert os.access(mnt / "app", os.W_OK)
    fixed = mount(registry, ro=True)
    assert not os.stat(fixed / "app/1.0").st_mode & 0o222
    assert not os.access(fixed / "app", os.W_OK)
    assert name_of(put, fixed / "app/2.0", OLD.data) == "EROFS"


# ---- wrong content ----

@pytest.mark.semantics("S58")
@pytest.mark.parametrize("how", ["direct", "rename"])
def test_bytes_that_do_not_have_the_digest(mount, registry, how):
    mnt = mount(registry)
    writers.make_layout(mnt / "app")
    digest = images.digest_of(b"right")
    path = blob_path(mnt, "app", digest)
    if how == "direct":
        assert name_of(put, path, b"wrong") == "EBADMSG"
    else:
        put(mnt / "app/.tmp", b"wrong")
        assert name_of(os.rename, mnt / "app/.tmp", path) == "EBADMSG"
    assert not pushed.client(registry).has_blob("app", digest)
    assert not path.exists()
    put(path, b"right")
    assert pushed.client(registry).has_blob("app", digest)


@pytest.mark.semantics("S58")
@pytest.mark.parametrize("data", [
    b"hello\n", b"{}", b'{"schemaVersion":2', b"\0" * 2000,
    b'{"schemaVersion":2,"config":{"digest":"sha256:1"},"layers":[]}'],
    ids=["text", "object", "half", "zeros", "digest"])
def test_a_tag_that_is_neither_manifest_nor_archive(mount, registry, data):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry)
    for tag in ("1.0", "2.0"):
        assert name_of(put, mnt / "app" / tag, data) == "EINVAL"
    assert pushed.tag_map(registry, "app") == {"1.0": OLD.digest}
    assert (mnt / "app/1.0").read_bytes() == OLD.data
    assert not (mnt / "app/2.0").exists()
    assert "manifest" in mnt.status("errors")


@pytest.mark.semantics("S57")
def test_an_empty_file_is_nothing_to_push(mount, registry):
    """`touch`, and vim's 4913: neither an error nor a tag."""
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry)
    registry.mark()
    for tag in ("1.0", "4913"):
        put(mnt / "app" / tag, b"")
    assert not [r for r in registry.requests() if r[0] != "GET"
                and r[0] != "HEAD"]
    assert (mnt / "app/1.0").read_bytes() == OLD.data
    assert "4913" not in os.listdir(mnt / "app")
    assert pushed.tag_map(registry, "app") == {"1.0": OLD.digest}


@pytest.mark.semantics("S58")
def test_a_bad_index_json(mount, registry):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry)
    assert name_of(put, mnt / "app/index.json", b"{") == "EINVAL"
    assert pushed.tag_map(registry, "app") == {"1.0": OLD.digest}
    assert OLD.digest.encode() in (mnt / "app/index.json").read_bytes()


@pytest.mark.semantics("S58", "S59")
def test_a_tag_whose_blobs_are_missing_names_the_first(mount, registry):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry)
    m = images.image([images.layer({"a": b"1"}), images.layer({"b": b"2"})])
    put(blob_path(mnt, "app", m.blobs[0].digest), m.blobs[0].data)
    path = mnt / "app/1.0"
    assert name_of(put, path, m.data) == "ENOENT"
    assert m.blobs[1].digest in pushed.error_of(path)
    assert m.blobs[2].digest not in pushed.error_of(path)
    assert m.blobs[1].digest in mnt.status("errors")
    assert m.blobs[1].digest in mnt.log()
    assert pushed.tag_map(registry, "app") == {"1.0": OLD.digest}
    put_blobs(mnt, "app", m)
    put(path, m.data)
    pushed.check(registry, "app", "1.0", m)


@pytest.mark.semantics("S58", "S59")
def test_an_index_whose_platform_is_missing_names_it(mount, registry):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry)
    m = images.index({"amd64": OLD, "arm64": NEW})
    assert name_of(put, mnt / "app/2.0", m.data) == "ENOENT"
    assert pushed.tags(registry, "app") == {"1.0"}


@pytest.mark.semantics("S57")
def test_full_staging_is_enospc_at_write(mount, registry):
    mnt = mount(registry, staging_size="4M")
    writers.make_layout(mnt / "app")
    fd = os.open(mnt / "app/.big", writers.CREATE_NEW)
    try:
        with pytest.raises(OSError) as e:
            for _ in range(16):
                os.write(fd, images.noise(MIB))
        assert e.value.errno == errno.ENOSPC
    finally:
        os.close(fd)
    os.unlink(mnt / "app/.big")
    put(mnt / "app/.small", images.noise(MIB))
    os.unlink(mnt / "app/.small")


def test_pushing_more_than_staging_holds_one_after_the_other(mount, registry):
    mnt = mount(registry, staging_size="4M")
    writers.make_layout(mnt / "app")
    for i in range(4):
        data = images.noise(2 * MIB, i)
        put(blob_path(mnt, "app", images.digest_of(data)), data)
    assert name_of(put, mnt / "app/x", b"no manifest") == "EINVAL"


# ---- a registry that fails ----

def put_then(path, data, event):
    """Something happens between the last write and close."""
    with writers.opened(path, writers.OVERWRITE) as fd:
        writers.write_all(fd, data)
        event()


@pytest.mark.semantics("S57")
def test_a_dead_registry_is_an_error_and_the_push_goes_on_later(
        mount, registry):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(registry, timeout="3s")
    os.listdir(mnt / "app")
    data = images.noise(MIB)
    path = blob_path(mnt, "app", images.digest_of(data))
    got = name_of(put_then, path, data, registry.kill)
    assert got in ("EIO", "ETIMEDOUT", "ECONNREFUSED", "EHOSTUNREACH")
    lines = pushed.pending(mnt)
    assert any(images.digest_of(data)[7:19] in x and "app" in x
               for x in lines), lines
    assert pushed.error_of(path)
    mnt.unmount()
    registry.start()
    mnt.start()
    waiting.until(lambda: pushed.client(registry).has_blob(
        "app", images.digest_of(data)), "the blob", 20)
    waiting.until(lambda: not pushed.pending(mnt), "nothing pending", 20)


@pytest.mark.semantics("S57")
def test_a_tag_that_could_not_be_pushed_is_resumed_by_the_next_mount(
        mount, registry):
    images.push(registry, "app", OLD, "1.0")
    images.push(registry, "app", NEW)  # its parts are there
    mnt = mount(registry, timeout="3s", ttl="0")
    assert name_of(put_then, mnt / "app/2.0", NEW.data, registry.kill)
    assert any("2.0" in line for line in pushed.pending(mnt))
    mnt.unmount()
    registry.start()
    mnt.start()
    waiting.until(lambda: pushed.has_come(registry, "app", "2.0"),
                  "the tag", 20)
    pushed.check(registry, "app", "2.0", NEW)


@pytest.fixture
def held_writer(tmp_path):
    """held_writer(mnt, data, rule): a cp whose close() waits for an answer
    that does not come."""
    started = []

    def start(mnt, data, rule):
        source = tmp_path / "source"
        source.write_bytes(data)
        started.append(subprocess.Popen(
            ["cp", source, blob_path(mnt, "app", images.digest_of(data))]))
        rule.wait()
        return started[-1]

    yield start
    for p in started:
        waiting.end_process(p, signal.SIGKILL)


@pytest.mark.semantics("S31")
@pytest.mark.parametrize("kinds", [("upload-start",), pushproxy.DATA])
@pytest.mark.parametrize("size", [300_000, 6_000_000])
def test_ctrl_c_ends_a_close_that_waits(mount, proxy, held_writer, kinds,
                                        size):
    mnt = mount(proxy, timeout="60s")
    writers.make_layout(mnt / "app")
    data = images.noise(size)
    rule = proxy.rule("hold", *kinds, times=9)
    p = held_writer(mnt, data, rule)
    with waiting.Stopwatch() as w:
        assert waiting.end_process(p, signal.SIGINT)
    assert w.seconds < AT_ONCE
    assert p.returncode == -signal.SIGINT
    proxy.forget()
    put(blob_path(mnt, "app", images.digest_of(data)), data)
    assert pushed.client(proxy).has_blob("app", images.digest_of(data))


@pytest.mark.semantics("S31")
def test_ctrl_c_ends_a_tag_that_waits(mount, registry, proxy):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(proxy, timeout="60s")
    rule = proxy.rule("hold", "manifest-put", times=9)
    p = subprocess.Popen(["cp", mnt / "app/1.0", mnt / "app/2.0"])
    rule.wait()
    with waiting.Stopwatch() as w:
        assert waiting.end_process(p, signal.SIGINT)
    assert w.seconds < AT_ONCE
    os.statvfs(mnt.path)


@pytest.mark.semantics("S32", "S8")
def test_others_do_not_wait_for_a_close_that_waits(mount, registry, proxy,
                                                   held_writer):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(proxy, timeout="60s", ttl="1h")
    os.listdir(mnt / "app")
    (mnt / "app/1.0").read_bytes()
    data = images.noise(300_000)
    rule = proxy.rule("hold", *pushproxy.DATA, times=1)
    p = held_writer(mnt, data, rule)
    with waiting.Stopwatch() as w:
        os.statvfs(mnt.path)
        assert "1.0" in os.listdir(mnt / "app")
        assert (mnt / "app/1.0").read_bytes() == OLD.data
        other = images.noise(1000)
        put(blob_path(mnt, "app", images.digest_of(other)), other)
        assert mnt.status("transfers")
    assert w.seconds < AT_ONCE
    proxy.forget()
    assert p.wait(30 * waiting.SLOW) == 0


@pytest.mark.semantics("S58")
@pytest.mark.parametrize("status, words, name", [
    ("403", '{"errors":[{"code":"DENIED","message":"not for you"}]}',
     "EACCES"),
    ("413", '{"errors":[{"code":"SIZE_INVALID","message":"too much"}]}',
     "EFBIG"),
    ("400", '{"errors":[{"code":"MANIFEST_INVALID","message":"odd one"}]}',
     "EINVAL")])
def test_the_registrys_own_words(mount, registry, proxy, status, words, name):
    images.push(registry, "app", OLD, "1.0")
    mnt = mount(proxy)
    proxy.rule(status, "manifest-put", times=99, words=words)
    path = mnt / "app/2.0"
    assert name_of(put, path, OLD.data) == name
    said = words.split('"message":"')[1].split('"')[0]
    assert said in pushed.error_of(path)
    assert said in mnt.status("errors")
    assert said in mnt.log()
    assert pushed.tags(registry, "app") == {"1.0"}


@pytest.mark.semantics("S58")
def test_a_refused_blob_is_an_error_at_close(mount, registry, proxy):
    mnt = mount(proxy)
    writers.make_layout(mnt / "app")
    words = '{"errors":[{"code":"DENIED","message":"no room for you"}]}'
    proxy.rule("403", "upload-start", "mount", times=99, words=words)
    path = blob_path(mnt, "app", images.digest_of(b"data"))
    assert name_of(put, path, b"data") == "EACCES"
    assert "no room for you" in pushed.error_of(path)


def test_pending_is_empty_when_all_is_well(mount, registry):
    mnt = mount(registry)
    assert not pushed.pending(mnt)
    writers.make_layout(mnt / "app")
    put_blobs(mnt, "app", OLD)
    put(mnt / "app/1.0", OLD.data)
    pushed.check(registry, "app", "1.0", OLD)
    assert not pushed.pending(mnt)
