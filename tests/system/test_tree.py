# SPDX-License-Identifier: Apache-2.0
"""What the mount shows: directories, files and their names."""
import json
import os
import subprocess

import pytest

import images
import imagetool

REF_NAME = "org.opencontainers.image.ref.name"


@pytest.fixture(scope="module")
def content():
    """repository -> tag -> what it names"""
    small = images.small_image()
    other = images.small_image("other", docker=True)
    multi = images.index({"amd64": small,
                          "arm64": images.small_image("arm")})
    return {
        "app": {"1.0": small, "latest": other, "web": small},
        "app/web": {"2.0": small},
        "deep/er/still": {"v1": multi},
        "nested/blobs": {"x": small},
        "nested": {"blobs": small, "index.json": other, "oci-layout": multi,
                   "plain": small},
        "lists": {"d": images.index({"amd64": other}, docker=True)},
    }


@pytest.fixture(scope="module")
def registry(module_registry, content):
    r = module_registry()
    for repo, tags in content.items():
        for tag, manifest in tags.items():
            images.push(r, repo, manifest, tag)
    return r


@pytest.fixture
def mnt(mount, registry):
    return mount(registry)


def ls(path, *flags):
    """As coreutils see it."""
    done = subprocess.run(["ls", *flags, path], text=True, check=True,
                          capture_output=True)
    return done.stdout.splitlines()


def names(path):
    return set(ls(path, "-A"))


def folder_of(mnt, repo):
    """By its long form, which nothing can hide."""
    return mnt.path.joinpath(*(f"{p}@repository" for p in repo.split("/")))


@pytest.mark.semantics("S1")
def test_the_root_lists_the_first_parts_of_names(mnt):
    assert names(mnt.path) == {"app", "deep", "nested", "lists"}
    assert all((mnt / n).is_dir() for n in names(mnt.path))


@pytest.mark.semantics("S1")
def test_a_part_of_a_name_that_is_no_repository_holds_only_its_children(mnt):
    assert names(mnt / "deep") == {"er"}
    assert names(mnt / "deep/er") == {"still"}


@pytest.mark.semantics("S1", "S5")
def test_a_repository_holds_its_tags_and_a_layout(mnt):
    assert names(mnt / "deep/er/still") == {"v1", "blobs", "index.json",
                                            "oci-layout"}
    assert (mnt / "deep/er/still/v1").is_file()
    assert names(mnt / "deep/er/still/blobs") == {"sha256"}


@pytest.mark.semantics("S1", "S6")
def test_a_repository_that_is_a_parent_too_shows_both(mnt, content):
    """app/web the repository wins over the tag web of app."""
    assert names(mnt / "app") == {"1.0", "latest", "web", "web@tag", "blobs",
                                  "index.json", "oci-layout"}
    assert (mnt / "app/web/2.0").read_bytes() == \
        content["app/web"]["2.0"].data
    assert (mnt / "app/web@tag").read_bytes() == content["app"]["web"].data


@pytest.mark.semantics("S6")
def test_the_names_of_the_layout_win(mnt, content):
    tags = content["nested"]
    assert names(mnt / "nested") == {
        "blobs", "index.json", "oci-layout", "plain", "blobs@repository",
        "blobs@tag", "index.json@tag", "oci-layout@tag"}
    assert names(mnt / "nested/blobs") == {"sha256"}
    assert names(mnt / "nested/blobs@repository") == {
        "x", "blobs", "index.json", "oci-layout"}
    assert (mnt / "nested/blobs@repository/x").read_bytes() == \
        content["nested/blobs"]["x"].data
    for name in ("blobs", "index.json", "oci-layout"):
        assert (mnt / f"nested/{name}@tag").read_bytes() == tags[name].data
    assert json.loads((mnt / "nested/index.json").read_text())["manifests"]


@pytest.mark.semantics("S6")
def test_the_long_forms_are_always_accepted(mnt, content):
    assert (mnt / "app@repository/1.0@tag").read_bytes() == \
        content["app"]["1.0"].data
    assert (mnt / "deep@repository/er@repository/still@repository/v1@tag"
            ).read_bytes() == content["deep/er/still"]["v1"].data


@pytest.mark.semantics("S3")
def test_a_tag_is_the_exact_bytes_of_its_manifest(mnt, content):
    for repo, tags in content.items():
        for tag, manifest in tags.items():
            path = folder_of(mnt, repo) / f"{tag}@tag"
            assert path.read_bytes() == manifest.data, (repo, tag)


@pytest.mark.semantics("S3")
def test_a_manifest_can_be_named_by_its_digest(mnt, content):
    for repo, tags in content.items():
        for manifest in tags.values():
            for m in [manifest, *manifest.children]:
                path = folder_of(mnt, repo) / m.digest
                assert path.read_bytes() == m.data


@pytest.mark.semantics("S4")
def test_blobs_lists_what_the_tags_reach(mnt, content):
    for repo, tags in content.items():
        reached = set().union(*(m.all_digests() for m in tags.values()))
        blobs = folder_of(mnt, repo) / "blobs/sha256"
        assert names(blobs) == {d.split(":")[1] for d in reached}


@pytest.mark.semantics("S4")
def test_any_other_blob_or_manifest_is_there_by_name(mnt, registry):
    blob = os.urandom(1000)
    imagetool.push_blob(registry.url, "app", blob)
    lonely = images.push(registry, "app", images.small_image("untagged"))
    for data, digest in ((blob, images.digest_of(blob)),
                         (lonely.data, lonely.digest)):
        name = digest.split(":")[1]
        assert name not in names(mnt / "app/blobs/sha256")
        assert (mnt / "app/blobs/sha256" / name).read_bytes() == data


@pytest.mark.semantics("S4", "S29")
@pytest.mark.parametrize("name", [
    "0" * 64, "0" * 63, "0" * 65, "A" * 64, "g" * 64, "nothing", "sha256"])
def test_a_blob_that_is_not_there_is_not_there(mnt, name):
    with pytest.raises(FileNotFoundError):
        (mnt / "app/blobs/sha256" / name).read_bytes()


@pytest.mark.semantics("S5")
def test_the_index_has_an_entry_for_each_tag(mnt, content):
    for repo in ("app", "nested", "deep/er/still", "lists"):
        index = json.loads((mnt / repo / "index.json").read_text())
        assert index["schemaVersion"] == 2
        entries = {e["annotations"][REF_NAME]: e for e in index["manifests"]}
        assert len(entries) == len(index["manifests"])
        assert entries.keys() == content[repo].keys()
        for tag, manifest in content[repo].items():
            assert entries[tag]["digest"] == manifest.digest
            assert entries[tag]["size"] == len(manifest.data)
            assert entries[tag]["mediaType"] == manifest.media_type


@pytest.mark.semantics("S5")
def test_the_layout_names_its_version(mnt):
    for repo in ("app", "nested"):
        value = json.loads((mnt / repo / "oci-layout").read_text())
        assert value == {"imageLayoutVersion": "1.0.0"}


@pytest.mark.semantics("S29")
@pytest.mark.parametrize("name", [
    "nothing", "app/nothing", "app/nothing/deeper", "deep/er/other",
    "app/nothing@tag", "nothing@repository", "app/1.0@repository",
    "app/x@y", "app/1.0@", "app/@", "app/@tag", "app/sha256:" + "0" * 64,
    "app/blobs/sha512", "app/blobs/sha256/x", "deep/index.json",
    "deep/er/blobs"])
def test_what_the_registry_does_not_have_is_not_there(mnt, name):
    assert not os.path.lexists(mnt / name)
    with pytest.raises(FileNotFoundError):
        os.stat(mnt / name)


@pytest.mark.semantics("S7")
@pytest.mark.parametrize("name", [
    "App", "a b", "-x", "a" * 300, "app/ 1.0", "app/.hidden", "app/-x",
    "app/" + "t" * 129, "app/\u00e4", "app/a\nb", "app/a%2fb", "...",
    "app/sha256:" + "0" * 63, "app/sha256:" + "G" * 64, "app/sha512:00"])
def test_names_that_cannot_be_are_not_asked_for(mnt, registry, name):
    names(mnt.path)
    names(mnt / "app")
    registry.mark()
    with pytest.raises(OSError) as e:
        os.stat(mnt / name)
    assert e.value.strerror in ("No such file or directory",
                                "File name too long")
    assert not registry.requests()


@pytest.mark.semantics("S7")
def test_hostile_tags_of_a_registry_are_not_shown(mount, make_registry):
    r = make_registry()
    m = images.push(r, "app", images.small_image(), "good")
    r.link_tags("app", m.digest, [
        "..evil", "a b", "-x", "n\nl", "@", "x@tag", ".ocirfs", "c\x01",
        "t" * 200, "\u00fc", "sha256:" + "0" * 64])
    mnt = mount(r)
    assert names(mnt / "app") == {"good", "blobs", "index.json", "oci-layout"}
    index = json.loads((mnt / "app/index.json").read_text())
    assert [e["annotations"][REF_NAME] for e in index["manifests"]] == ["good"]


@pytest.mark.semantics("S8")
def test_control_files_can_be_read_and_are_not_listed(mnt, registry):
    assert ".ocirfs" not in names(mnt.path)
    assert names(mnt / ".ocirfs") == {"status", "metrics", "errors",
                                      "transfers", "pending"}
    assert registry.url in mnt.status()
    assert str(mnt.path) in mnt.status()
    assert "ocirfs_http_requests_total" in mnt.status("metrics")
    assert mnt.status("transfers") == ""
    for name in ("status", "metrics", "errors", "transfers", "pending"):
        done = subprocess.run(["cat", mnt / ".ocirfs" / name], check=True,
                              capture_output=True, text=True)
        assert done.returncode == 0


@pytest.mark.semantics("S9")
def test_repos_names_what_is_shown(mount, registry, content):
    registry.mark()
    mnt = mount(registry, repos="app/web:deep/er/still:absent")
    assert names(mnt.path) >= {"app", "deep"}
    assert "nested" not in names(mnt.path)
    assert names(mnt / "deep/er") == {"still"}
    assert (mnt / "app/web/2.0").read_bytes() == \
        content["app/web"]["2.0"].data
    assert not [r for r in registry.requests() if "_catalog" in r[1]]


@pytest.mark.semantics("S10")
def test_ten_thousand_tags_are_listed(mount, make_registry):
    r = make_registry()
    m = images.push(r, "many", images.small_image(), "t00000")
    tags = [f"t{i:05}" for i in range(10000)]
    r.link_tags("many", m.digest, tags)
    mnt = mount(r)
    assert ls(mnt / "many") == sorted(
        tags + ["blobs", "index.json", "oci-layout"])
    assert (mnt / "many/t09999").read_bytes() == m.data


@pytest.mark.semantics("S10")
def test_a_catalog_of_many_repositories_is_listed(mount, make_registry):
    """The registry gives 100 of them at a time."""
    r = make_registry()
    m = images.push(r, "first", images.small_image(), "x")
    for i in range(350):
        r.link_tags(f"group/r{i:03}", m.digest, ["x"])
        (r.tags_folder(f"group/r{i:03}").parent.parent / "_layers").mkdir()
    mnt = mount(r)
    assert names(mnt.path) == {"first", "group"}
    assert ls(mnt / "group") == [f"r{i:03}" for i in range(350)]


@pytest.mark.semantics("S1")
def test_find_and_du_walk_the_whole_tree(mnt):
    """Nothing unlisted, nothing endless."""
    found = subprocess.run(["find", mnt.path, "-type", "f"], check=True,
                           text=True, capture_output=True)
    assert found.stderr == ""
    assert len(found.stdout.splitlines()) > 30
    assert "/.ocirfs" not in found.stdout
    subprocess.run(["du", "-s", mnt.path], check=True, capture_output=True)
