# SPDX-License-Identifier: Apache-2.0
"""Tags move, come and go; what is known is not asked for again too soon."""
import os
import subprocess

import pytest

import images
import imagetool
import waiting


@pytest.fixture
def old():
    return images.small_image("old")


@pytest.fixture
def new():
    return images.small_image("new and longer", annotations={"is": "new"})


@pytest.fixture
def registry(make_registry, old):
    r = make_registry()
    images.push(r, "app", old, "1.0", "latest")
    return r


def read_fresh(path):
    """Opening a tag whose name has moved is ESTALE inside the kernel, which
    then looks again: a reader does not see it."""
    with open(path, "rb") as f:
        return f.read()


def names(path):
    return set(os.listdir(path))


@pytest.mark.semantics("S26")
def test_a_moved_tag_is_other_content_under_a_new_inode(
        mount, registry, old, new):
    mnt = mount(registry, ttl="1s")
    path = mnt / "app/latest"
    before = os.stat(path)
    assert read_fresh(path) == old.data
    images.push(registry, "app", new, "latest")
    waiting.until(lambda: os.stat(path).st_ino != before.st_ino,
                  "the new inode", 5)
    assert os.stat(path).st_size == len(new.data)
    assert read_fresh(path) == new.data
    assert read_fresh(mnt / "app/1.0") == old.data
    assert os.getxattr(path, "user.oci.digest").decode() == new.digest


@pytest.mark.semantics("S26")
def test_opening_asks_when_what_is_known_is_too_old(
        mount, registry, old, new):
    """No stat in between."""
    mnt = mount(registry, ttl="1s")
    assert read_fresh(mnt / "app/latest") == old.data
    images.push(registry, "app", new, "latest")
    waiting.until(lambda: read_fresh(mnt / "app/latest") == new.data,
                  "the new content", 5)


@pytest.mark.semantics("S26")
def test_with_no_ttl_every_open_asks(mount, registry, old, new):
    mnt = mount(registry, ttl=0)
    for manifest in (old, new, old):
        images.push(registry, "app", manifest, "latest")
        assert read_fresh(mnt / "app/latest") == manifest.data
        assert os.stat(mnt / "app/latest").st_size == len(manifest.data)


@pytest.mark.semantics("S28")
def test_an_open_file_is_the_version_that_was_opened(
        mount, registry, old, new):
    mnt = mount(registry, ttl="500ms")
    with open(mnt / "app/latest", "rb", buffering=0) as f:
        start = f.read(10)
        images.push(registry, "app", new, "latest")
        waiting.until(lambda: read_fresh(mnt / "app/latest") == new.data,
                      "the new content", 5)
        assert start + f.read() == old.data
        assert os.fstat(f.fileno()).st_size == len(old.data)


@pytest.mark.semantics("S26", "S5", "S4")
def test_index_and_blobs_follow_the_tags(mount, registry, new):
    mnt = mount(registry, ttl="1s")
    before = os.stat(mnt / "app/index.json").st_ino
    assert new.digest.encode() not in read_fresh(mnt / "app/index.json")
    images.push(registry, "app", new, "latest")
    waiting.until(lambda: new.digest.encode() in
                  read_fresh(mnt / "app/index.json"), "the new index", 5)
    assert os.stat(mnt / "app/index.json").st_ino != before
    waiting.until(lambda: new.all_digests() <= {
        f"sha256:{n}" for n in names(mnt / "app/blobs/sha256")},
        "the new blobs", 5)


@pytest.mark.semantics("S26")
def test_a_new_tag_and_a_new_repository_appear(mount, registry, new):
    mnt = mount(registry, ttl="1s")
    assert "2.0" not in names(mnt / "app")
    assert names(mnt.path) == {"app"}
    assert not (mnt / "app/2.0").exists()
    images.push(registry, "app", new, "2.0")
    images.push(registry, "other/tool", new, "x")
    waiting.until(lambda: "2.0" in names(mnt / "app"), "the tag", 5)
    waiting.until(lambda: (mnt / "app/2.0").exists(), "the tag by name", 5)
    assert read_fresh(mnt / "app/2.0") == new.data
    waiting.until(lambda: "other" in names(mnt.path), "the repository", 5)
    waiting.until(lambda: (mnt / "other/tool/x").exists(), "its tag", 5)


@pytest.mark.semantics("S26")
def test_a_removed_tag_goes(mount, registry, new):
    images.push(registry, "app", new, "gone")
    mnt = mount(registry, ttl="1s")
    assert read_fresh(mnt / "app/gone") == new.data
    imagetool.as_registry(registry.url).untag("app", new.digest)
    waiting.until(lambda: not (mnt / "app/gone").exists(), "its end", 5)
    waiting.until(lambda: "gone" not in names(mnt / "app"), "its end", 5)
    with pytest.raises(FileNotFoundError):
        read_fresh(mnt / "app/gone")


@pytest.mark.semantics("S27")
def test_within_the_ttl_nothing_is_asked(mount, registry):
    mnt = mount(registry, ttl="1h")

    def look():
        done = subprocess.run(["ls", "-lR", mnt.path], check=True, text=True,
                              capture_output=True)
        return done.stdout + str(read_fresh(mnt / "app/1.0"))

    first = look()
    registry.mark()
    for _ in range(3):
        assert look() == first
    assert registry.requests() == []


@pytest.mark.semantics("S27")
def test_what_is_not_there_is_not_asked_for_at_once_again(mount, registry):
    """Compilers and shells look for the same absent names again and again."""
    mnt = mount(registry, ttl="1h")
    names(mnt / "app")
    assert not (mnt / "app/absent").exists()
    registry.mark()
    for _ in range(20):
        assert not (mnt / "app/absent").exists()
    assert len(registry.requests()) <= 1


@pytest.mark.semantics("S27")
def test_ls_l_of_many_tags_asks_once_for_each_at_most(mount, registry, old):
    registry.link_tags("app", old.digest, [f"t{i:03}" for i in range(200)])
    mnt = mount(registry, ttl="1h")
    registry.mark()
    subprocess.run(["ls", "-l", mnt / "app"], check=True, capture_output=True)
    asked = registry.requests()
    assert len(asked) <= 230
    subprocess.run(["ls", "-l", mnt / "app"], check=True, capture_output=True)
    assert len(registry.requests()) == len(asked)
