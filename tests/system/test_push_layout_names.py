# SPDX-License-Identifier: Apache-2.0
"""What the entries of an index.json are called, by every writer there is."""
import errno
import json
import os

import pytest

import imagetool
import images
import pushed
import writers

CONTAINERD = "io.containerd.image.name"


@pytest.fixture(scope="module")
def registry(module_registry):
    return module_registry()


@pytest.fixture(scope="module")
def mnt(module_mount, registry):
    return module_mount(registry, ttl="0")


def entry(m, **annotations):
    return m.descriptor(**({"annotations": annotations} if annotations else {}))


def named(m, name):
    return entry(m, **{imagetool.REF_NAME: name})


def index_of(*entries):
    return json.dumps({"schemaVersion": 2, "mediaType": imagetool.INDEX,
                       "manifests": list(entries)}).encode()


def write_blobs(folder, *made):
    writers.make_layout(folder)
    for m in made:
        for digest, data in m.contents().items():
            writers.write_file(folder / "blobs/sha256"
                               / pushed.hex_of(digest), data)


def shown(folder):
    """(name or None, digest) of each entry that the mount shows."""
    index = json.loads((folder / "index.json").read_bytes())
    return {(e.get("annotations", {}).get(imagetool.REF_NAME), e["digest"])
            for e in index["manifests"]}


@pytest.mark.semantics("S80")
@pytest.mark.parametrize("annotations, tags", [
    ({imagetool.REF_NAME: "localhost/app:1.0"}, {"1.0"}),
    ({imagetool.REF_NAME: "host:5000/x/app:1.0"}, {"1.0"}),
    ({imagetool.REF_NAME: "docker.io/library/a:1,docker.io/library/a:2"},
     {"1", "2"}),
    ({CONTAINERD: "docker.io/library/app:7"}, {"7"}),
    ({CONTAINERD: "docker.io/library/app:7", imagetool.REF_NAME: "8"}, {"8"}),
], ids=["podman", "port", "buildkit", "containerd", "both"])
@pytest.mark.parametrize("index_first", [False, True])
def test_a_full_name_gives_its_tag(mnt, registry, annotations, tags,
                                   index_first):
    m = images.small_image(f"{sorted(annotations)} {index_first}")
    name = f"full/{'-'.join(sorted(tags))}-{len(annotations)}-{index_first}"
    folder = mnt / name.lower()
    if index_first:
        writers.make_layout(folder)
        writers.write_file(folder / "index.json", index_of(
            entry(m, **annotations)))
    write_blobs(folder, m)
    if not index_first:
        writers.write_file(folder / "index.json", index_of(
            entry(m, **annotations)))
    assert pushed.tag_map(registry, name.lower()) == {
        tag: m.digest for tag in tags}
    assert not pushed.pending(mnt)


@pytest.mark.semantics("S80")
def test_a_full_name_moves_the_tag_that_is_there(mnt, registry):
    """The entry that was read is handed back beside the new one."""
    old, new = images.small_image("v1"), images.small_image("v2")
    images.push(registry, "again", old, "1.0")
    write_blobs(mnt / "again", new)
    writers.write_file(mnt / "again/index.json", index_of(
        named(old, "1.0"), named(new, "localhost/again:1.0")))
    assert pushed.tag_map(registry, "again") == {"1.0": new.digest}
    writers.write_file(mnt / "again/index.json", index_of(
        named(old, "localhost/again:1.0"), named(new, "1.0")))
    assert pushed.tag_map(registry, "again") == {"1.0": old.digest}


@pytest.mark.semantics("S81")
@pytest.mark.parametrize("index_first", [False, True])
def test_an_entry_without_a_name_is_pushed_and_shown(mount, registry,
                                                     index_first):
    mnt = mount(registry, ttl="0")
    m = images.small_image(f"nameless {index_first}")
    name = f"nameless/{index_first}".lower()
    folder = mnt / name
    writers.make_layout(folder)
    if index_first:
        writers.write_file(folder / "index.json", index_of(entry(m)))
        assert [p for p in pushed.pending(mnt) if "without a tag" in p]
    write_blobs(folder, m)
    if not index_first:
        writers.write_file(folder / "index.json", index_of(entry(m)))
    assert pushed.has_manifest(registry, name, m.digest)
    assert pushed.tags(registry, name) == set()
    assert not pushed.pending(mnt)
    assert shown(folder) == {(None, m.digest)}
    assert {pushed.hex_of(d) for d in m.all_digests()} <= set(
        os.listdir(folder / "blobs/sha256"))
    for told in mnt.status("errors"), mnt.log():
        assert f"'{name}'" in told and m.digest in told and "ln " in told
    os.link(folder / m.digest, folder / "1.0")  # as it was told
    assert shown(folder) == {("1.0", m.digest)}


@pytest.mark.semantics("S81")
def test_skopeo_finds_what_it_wrote_without_a_name(mnt, registry, tmp_path):
    one, two = images.small_image("one"), images.small_image("two")
    for i, m in enumerate((one, two)):
        local = pushed.write_layout(tmp_path / str(i), {"x": m})
        pushed.run("skopeo", "copy", "-q", "--insecure-policy",
                   f"oci:{local}:x", f"oci:{mnt / 'bare'}")
        assert (None, m.digest) in shown(mnt / "bare")
        assert pushed.has_manifest(registry, "bare", m.digest)
    pushed.run("skopeo", "copy", "-q", "--insecure-policy",
               f"oci:{local}:x", f"oci:{mnt / 'bare2'}")
    pushed.run("skopeo", "copy", "-q", "--insecure-policy",
               f"oci:{mnt / 'bare2'}", f"dir:{tmp_path / 'back'}")
    assert images.digest_of((tmp_path / "back/manifest.json").read_bytes()) \
        == two.digest


@pytest.mark.semantics("S80")
@pytest.mark.parametrize("bad", [
    lambda m: named(m, "localhost/app"), lambda m: named(m, "1.0+build"),
    lambda m: named(m, "x/app:"),
    lambda m: {**named(m, "1.0"), "mediaType":
               "application/vnd.oci.image.layer.v1.tar+gzip"},
], ids=["no tag", "no tag can be so", "empty", "a layer"])
def test_what_no_registry_can_have_is_an_error_at_close(mnt, registry, bad,
                                                        request):
    """All the rest is pushed."""
    name = f"bad/{request.node.callspec.id.replace(' ', '-')}"
    good, other = images.small_image("good"), images.small_image("other")
    write_blobs(mnt / name, good, other)
    with pytest.raises(OSError) as e:
        writers.write_file(mnt / name / "index.json",
                           index_of(bad(other), named(good, "good")))
    assert e.value.errno == errno.EINVAL
    assert pushed.tag_map(registry, name) == {"good": good.digest}
    assert "index.json" in pushed.error_of(mnt / name)


@pytest.mark.semantics("S80")
def test_an_image_manifest_is_no_index_json(mnt, registry):
    m = images.small_image("no index")
    write_blobs(mnt / "manifest", m)
    with pytest.raises(OSError) as e:
        writers.write_file(mnt / "manifest/index.json", m.data)
    assert e.value.errno == errno.EINVAL
    assert pushed.tags(registry, "manifest") == set()
