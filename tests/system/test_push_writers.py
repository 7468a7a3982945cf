# SPDX-License-Identifier: Apache-2.0
"""Several write one name, or one repository, at once: each has what he was told
that he has."""
import concurrent.futures
import errno
import json
import os
import subprocess
import threading

import pytest

import imagetool
import images
import pushed
import writers

OLD = images.small_image("old")
NEW = images.small_image("new")
NEWER = images.small_image("newer")


@pytest.fixture(scope="module")
def registry(module_registry):
    return module_registry()


@pytest.fixture(scope="module")
def mnt(module_mount, registry):
    return module_mount(registry, ttl="0")


@pytest.fixture
def repo(request, registry):
    """The parts of all images are there; OLD is tagged 1.0."""
    name = "w/" + request.node.name.split("[")[0].removeprefix(
        "test_").replace("_", "-")[:60].strip("-")
    images.push(registry, name, OLD, "1.0")
    for m in NEW, NEWER:
        images.push(registry, name, m)
    return name


def each_at_once(calls):
    """What they returned, or the errno they failed with."""
    start = threading.Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            return call()
        except OSError as e:
            return errno.errorcode[e.errno]

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.semantics("S82")
@pytest.mark.parametrize("name", ["1.0", "2.0"])
def test_each_opener_has_a_file_of_his_own(mnt, registry, repo, name):
    path = mnt / repo / name
    with writers.opened(path, writers.OVERWRITE) as second:
        with writers.opened(path, writers.OVERWRITE) as first:
            # the one that was opened last has the name
            writers.write_all(second, NEW.data)
            writers.write_all(first, NEWER.data[:10])
            assert os.stat(path).st_size == os.fstat(first).st_size == 10
            assert os.fstat(second).st_size == len(NEW.data)
            writers.write_all(first, NEWER.data[10:])
        pushed.check(registry, repo, name, NEWER)
        assert path.read_bytes() in (NEW.data, NEWER.data)
    pushed.check(registry, repo, name, NEW)
    assert path.read_bytes() == NEW.data


@pytest.mark.semantics("S82")
@pytest.mark.parametrize("name", ["oci-layout", "1.0", "3.0", "blob"])
def test_writers_of_the_same_right_bytes_all_succeed(mnt, registry, repo,
                                                     name):
    data = pushed.LAYOUT if name == "oci-layout" else NEW.data
    path = mnt / repo / name
    if name == "blob":
        data = images.noise(50_000)
        path = mnt / repo / "blobs/sha256" / pushed.hex_of(
            images.digest_of(data))

    def write():
        for _ in range(15):
            writers.write_file(path, data)

    assert each_at_once([write] * 4) == [None] * 4
    assert path.read_bytes() == data


@pytest.mark.semantics("S83")
def test_others_see_what_the_registry_has(mnt, repo):
    """Half of an index.json is nothing that anybody could read."""
    for name in "index.json", "1.0":
        path = mnt / repo / name
        before = path.read_bytes()
        # Forked before, since what it inherits it closes.
        with subprocess.Popen(
                ["sh", "-c", f"read x; cat {path}; rm {path}; echo $?"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other, \
                writers.opened(path, writers.OVERWRITE) as fd:
            writers.write_all(fd, before[:5])
            assert os.stat(path).st_size == 5
            assert other.communicate(b"\n")[0] == before + b"1\n"
            writers.write_all(fd, before[5:])
        assert path.read_bytes() == before


def index_of(old, **tagged):
    return pushed.index_json(tagged, old)


def add_tag(folder, tag, m, barrier):
    """As skopeo does: read, wait for the others, write all of it."""
    path = folder / "index.json"
    old = path.read_bytes()
    barrier.wait()
    writers.write_file(path, index_of(old, **{tag: m}))


@pytest.mark.semantics("S83")
def test_all_tags_that_were_added_through_index_json_are_there(
        mnt, registry, repo):
    made = {f"t{i}": images.small_image(f"m{i}") for i in range(5)}
    for m in made.values():
        images.push(registry, repo, m)
    barrier = threading.Barrier(len(made))
    assert each_at_once([
        lambda t=t, m=m: add_tag(mnt / repo, t, m, barrier)
        for t, m in made.items()]) == [None] * len(made)
    assert pushed.tag_map(registry, repo) == {
        "1.0": OLD.digest, **{t: m.digest for t, m in made.items()}}


@pytest.mark.semantics("S83")
def test_who_hands_back_an_old_entry_moves_no_tag(mnt, registry, repo):
    """One moves a tag, the other has read it before."""
    path = mnt / repo / "index.json"
    done, read = threading.Event(), threading.Event()

    def slow():
        old = path.read_bytes()
        read.set()
        assert done.wait(60)
        writers.write_file(path, index_of(old, other=NEWER))

    def quick():
        assert read.wait(60)
        writers.write_file(path, index_of(path.read_bytes(), **{"1.0": NEW}))
        done.set()

    assert each_at_once([slow, quick]) == [None, None]
    want = {"1.0": NEW.digest, "other": NEWER.digest}
    assert pushed.tag_map(registry, repo) == want
    # who has seen that, and wants it back, gets it
    old = json.loads(path.read_bytes())
    assert {e["digest"] for e in old["manifests"]} == set(want.values())
    writers.write_file(path, pushed.index_json({"1.0": OLD}))
    assert pushed.tag_map(registry, repo) == {**want, "1.0": OLD.digest}


@pytest.mark.semantics("S83")
@pytest.mark.parametrize("moves", [False, True], ids=["add", "move"])
def test_four_skopeo_at_once(mnt, registry, tmp_path, moves):
    tags = [f"t{i}" for i in range(4)]
    os.makedirs(mnt / "skopeo", exist_ok=True)
    for n in range(int(os.environ.get("OFS_SKOPEO_ROUNDS", "4"))):
        repo = f"skopeo/{moves}".lower() if moves else f"skopeo/add{n}"
        made = {t: images.small_image(f"{n} {t}") for t in tags}
        for t, m in made.items():
            pushed.write_layout(tmp_path / f"{n}{t}", {t: m})
        running = [subprocess.Popen(
            ["skopeo", "copy", "-q", "--insecure-policy",
             f"oci:{tmp_path / (str(n) + t)}:{t}", f"oci:{mnt / repo}:{t}"],
            stderr=subprocess.PIPE, text=True) for t in tags]
        told = [p.communicate(timeout=300)[1] for p in running]
        assert [p.returncode for p in running] == [0] * 4, told
        assert pushed.tag_map(registry, repo) == {
            t: m.digest for t, m in made.items()}
    assert not pushed.pending(mnt)


@pytest.mark.semantics("S64")
def test_with_no_overwrite_one_of_two_wins(mount, registry, repo):
    mnt = mount(registry, no_overwrite=True)
    for n in range(6):
        tag = f"new{n}"
        found = each_at_once([
            lambda m=m: writers.write_file(mnt / repo / tag, m.data)
            for m in (NEW, NEWER)])
        assert sorted(found, key=str) == ["EPERM", None]
        winner = (NEW, NEWER)[found.index(None)]
        assert pushed.tag_map(registry, repo)[tag] == winner.digest
