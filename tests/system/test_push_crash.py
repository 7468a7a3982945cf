# SPDX-License-Identifier: Apache-2.0
"""kill -9 at each step of a push: what was acknowledged is there, or lies in
the staging area and is finished; the rest can simply be done again."""
import os
import threading

import pytest

import images
import pushed
import pushproxy
import waiting
import writers

STEPS = ("mount", "upload-start", *pushproxy.DATA, "manifest-put")


def make_image(seed):
    """Not one byte of it is in the registry already; the layer is so large
    that it is sent while it is written."""
    return images.image(
        [images.layer({"data": images.noise(5_000_000, seed)}, False)],
        annotations={"seed": str(seed)}, created=images.CREATED)


@pytest.fixture
def proxy(registry):
    p = pushproxy.PushProxy(registry.address)
    yield p
    p.stop()


def crash(mnt):
    mnt.crash()
    mnt.expect_death = False


class Attempt(threading.Thread):
    """A writer that may be left alone by its mount."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.done, self.error = work, False, None
        self.start()

    def run(self):
        try:
            self.work()
            self.done = True
        except OSError as e:
            self.error = e

    def end(self):
        self.join(30 * waiting.SLOW)
        assert not self.is_alive(), "a dead daemon holds its writers"


def check_after(mnt, registry, repo, m, acknowledged):
    """Pending work is finished, but for what waits for the rest of its parts;
    what was acknowledged is complete."""
    waiting.until(lambda: all("waits for" in x for x in pushed.pending(mnt)),
                  "nothing pending that could go on", 30)
    there = pushed.tags(registry, repo)
    assert there <= {"1.0"}
    assert there or not acknowledged
    if there:
        pushed.check(registry, repo, "1.0", m)


def steps_of(mnt, proxy, writer):
    """(kind, how many before) of each request of a push in peace."""
    proxy.forget()
    writer(mnt / "peace", make_image("peace"), "1.0").write()
    kinds = [r.kind for r in proxy.asked(*STEPS)]
    assert {"upload-start", "manifest-put"} <= set(kinds)
    return [(kind, kinds[:i].count(kind)) for i, kind in enumerate(kinds)]


@pytest.mark.semantics("S57", "S59")
@pytest.mark.parametrize("act", ["hold", "hold-answer"])
@pytest.mark.parametrize("writer", [writers.Skopeo, writers.CopyIndexFirst],
                         ids=lambda w: w.__name__)
def test_kill_9_at_each_request_of_a_push(
        mount, registry, proxy, writer, act):
    mnt = mount(proxy, ttl="1h")
    for i, (kind, skip) in enumerate(steps_of(mnt, proxy, writer)):
        proxy.forget()
        repo, m = f"step{i}", make_image((writer.__name__, act, i))
        rule = proxy.rule(act, kind, skip=skip)
        attempt = Attempt(writer(mnt / repo, m, "1.0").write)
        rule.wait()
        acknowledged = attempt.done
        crash(mnt)
        rule.release(goes_on=False)
        attempt.end()
        proxy.forget()
        mnt.start()
        check_after(mnt, registry, repo, m, acknowledged)
        if pushed.pending(mnt):
            os.listdir(mnt / repo)  # what waits keeps its directory
        writer(mnt / repo, m, "1.0").write()
        pushed.check(registry, repo, "1.0", m)
        assert not pushed.pending(mnt)


@pytest.fixture
def m():
    return make_image("one")


@pytest.mark.semantics("S59")
def test_kill_9_after_index_json_while_blobs_are_missing(mount, registry, m):
    """Acknowledged, waiting; the next mount finishes it with the blobs."""
    mnt = mount(registry)
    folder = mnt / "app"
    writers.make_layout(folder)
    files = pushed.layout_files({"1.0": m})
    names = list(files)[::-1]  # index.json, oci-layout, the manifest, ...
    for name in names[:3]:
        writers.write_file(folder / name, files[name])
    crash(mnt)
    mnt.start()
    assert any("app" in line for line in pushed.pending(mnt))
    writers.make_layout(folder)
    assert (folder / names[2]).read_bytes() == m.data
    for name in names[3:]:
        assert not pushed.tags(registry, "app")
        writers.write_file(folder / name, files[name])
    pushed.check(registry, "app", "1.0", m)
    assert not pushed.pending(mnt)


@pytest.mark.semantics("S57")
def test_kill_9_while_data_are_written(mount, registry, m):
    """Never acknowledged: nothing of it is called a blob."""
    mnt = mount(registry)
    writers.make_layout(mnt / "app")
    blob = m.blobs[-1]
    path = mnt / "app/blobs/sha256" / pushed.hex_of(blob.digest)
    fd = os.open(path, writers.OVERWRITE)
    writers.write_all(fd, blob.data[:4_500_000])
    crash(mnt)
    with pytest.raises(OSError):
        os.close(fd)
    mnt.start()
    writers.make_layout(mnt / "app")
    assert not path.exists()
    assert not pushed.client(registry).has_blob("app", blob.digest)
    writers.write_file(path, blob.data)
    assert pushed.client(registry).has_blob("app", blob.digest)


@pytest.mark.semantics("S67")
def test_nothing_is_kept_for_ever(mount, registry, m):
    """Neither scratch files of a crash nor what was pushed."""
    mnt = mount(registry)
    writers.make_layout(mnt / "app")
    fd = os.open(mnt / "app/.scratch", writers.CREATE_NEW)
    writers.write_all(fd, images.noise(300_000))
    crash(mnt)
    with pytest.raises(OSError):
        os.close(fd)
    mnt.start()
    writers.Skopeo(mnt / "app", m, "1.0").write()
    mnt.unmount()
    places = [mnt.cache, *mnt.cache.parent.glob("*staging*")]
    left = [p for place in places for p in place.rglob("*") if p.is_file()
            and "blobs" not in p.parts and p.stat().st_size >= 200_000]
    assert not left


@pytest.mark.semantics("S57")
def test_kill_9_during_a_copy_between_repositories(
        mount, registry, proxy, m):
    images.push(registry, "from", m, "1.0")
    mnt = mount(proxy, ttl="1h")
    writers.make_layout(mnt / "app")
    data = (mnt / "from/1.0").read_bytes()
    rule = proxy.rule("hold", "manifest-put")
    attempt = Attempt(lambda: writers.write_file(mnt / "app/1.0", data))
    rule.wait()
    crash(mnt)
    rule.release(goes_on=False)
    attempt.end()
    proxy.forget()
    assert not attempt.done
    mnt.start()
    check_after(mnt, registry, "app", m, False)
    writers.make_layout(mnt / "app")
    writers.write_file(mnt / "app/1.0", data)
    pushed.check(registry, "app", "1.0", m)
