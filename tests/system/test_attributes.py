# SPDX-License-Identifier: Apache-2.0
"""Sizes, modes, owners, times, inode numbers, extended attributes."""
import errno
import os
import stat
import subprocess

import pytest

import images

SIZE = 300_000


@pytest.fixture(scope="module")
def big():
    return images.big_image(SIZE, 10)


@pytest.fixture(scope="module")
def registry(module_registry, big):
    r = module_registry()
    images.push(r, "app", big, "1.0", "latest")
    images.push(r, "app", images.index({"amd64": big}), "multi")
    images.push(r, "team/tool", images.image(
        [images.layer({"a": b"a"})],
        annotations={"org.example.word": "h\u00e4llo",
                     "org.example.empty": ""}), "x")
    return r


@pytest.fixture
def mnt(mount, registry):
    return mount(registry)


def blob_path(mnt, repo, digest):
    return mnt / repo / "blobs/sha256" / digest.split(":")[1]


def walk(top):
    """path below top -> stat of everything that is listed"""
    found = {"": os.lstat(top)}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = os.lstat(path)
    return found


@pytest.mark.semantics("S11")
def test_sizes_are_exact(mnt, big):
    assert os.stat(mnt / "app/1.0").st_size == len(big.data)
    for blob in big.blobs:
        st = os.stat(blob_path(mnt, "app", blob.digest))
        assert st.st_size == len(blob.data)
    for name in ("index.json", "oci-layout"):
        path = mnt / "app" / name
        assert os.stat(path).st_size == len(path.read_bytes()) > 0


@pytest.mark.semantics("S11")
def test_sizes_of_all_files_are_those_of_their_bytes(mnt):
    for path, st in walk(mnt.path).items():
        if stat.S_ISREG(st.st_mode):
            assert st.st_size == len((mnt / path).read_bytes()), path


@pytest.mark.semantics("S11")
def test_disk_usage_is_told_in_blocks(mnt, big):
    st = os.stat(blob_path(mnt, "app", big.blobs[1].digest))
    assert SIZE <= st.st_blocks * 512 <= SIZE * 2


@pytest.mark.semantics("S12")
def test_files_belong_to_the_one_who_mounted(mnt):
    for path, st in walk(mnt.path).items():
        assert (st.st_uid, st.st_gid) == (os.getuid(), os.getgid()), path


@pytest.mark.semantics("S12")
def test_only_the_owner_may_write(mnt):
    for path, st in walk(mnt.path).items():
        want = 0o755 if stat.S_ISDIR(st.st_mode) else 0o644
        assert stat.S_IMODE(st.st_mode) == want, path


@pytest.mark.semantics("S12")
def test_on_a_read_only_mount_nothing_has_a_write_bit(mount, registry):
    for path, st in walk(mount(registry, ro=True).path).items():
        want = 0o555 if stat.S_ISDIR(st.st_mode) else 0o444
        assert stat.S_IMODE(st.st_mode) == want, path


@pytest.mark.semantics("S12")
def test_what_tells_of_the_mount_has_no_write_bit(mnt):
    for name in os.listdir(mnt / ".ocirfs"):
        st = os.stat(mnt / ".ocirfs" / name)
        assert stat.S_IMODE(st.st_mode) == 0o444, name


@pytest.mark.semantics("S12")
def test_owner_and_modes_as_the_options_say(mount, registry):
    mnt = mount(registry, uid=1234, gid=4321, umask="027")
    for path, st in walk(mnt.path).items():
        want = 0o750 if stat.S_ISDIR(st.st_mode) else 0o640
        assert (st.st_uid, st.st_gid) == (1234, 4321), path
        assert stat.S_IMODE(st.st_mode) == want, path


@pytest.mark.semantics("S13")
def test_a_tag_is_as_old_as_its_image(mnt):
    (mnt / "app/1.0").read_bytes()
    assert os.stat(mnt / "app/1.0").st_mtime == images.CREATED_S


@pytest.mark.semantics("S13")
def test_times_stay_where_they_are(mount, registry):
    """A backup tool compares them: a remount must change none."""
    times = []
    for _ in range(2):
        mnt = mount(registry)
        (mnt / "app/1.0").read_bytes()
        found = walk(mnt / "app")
        times.append({p: st.st_mtime for p, st in found.items()
                      if stat.S_ISREG(st.st_mode)})
        mnt.unmount()
    assert times[0] == times[1]
    assert all(t > 0 for t in times[0].values())


@pytest.mark.semantics("S14")
def test_inode_numbers_are_the_same_after_a_remount(mount, registry):
    seen = []
    for _ in range(2):
        mnt = mount(registry)
        seen.append({p: st.st_ino for p, st in walk(mnt.path).items()})
        mnt.unmount()
    assert seen[0] == seen[1]


@pytest.mark.semantics("S14")
def test_different_things_have_different_inode_numbers(mnt):
    found = walk(mnt.path)
    assert len({st.st_ino for st in found.values()}) == len(found)
    assert all(st.st_ino for st in found.values())


@pytest.mark.semantics("S14")
def test_listed_inode_numbers_are_those_of_stat(mnt):
    """Of what is known: that of index.json comes from all the tags."""
    walk(mnt.path)
    for folder in (mnt.path, mnt / "app", mnt / "app/blobs/sha256"):
        for entry in os.scandir(folder):
            assert entry.inode() == os.lstat(entry.path).st_ino, entry.path


@pytest.mark.semantics("S15")
def test_statfs_tells_the_room_of_the_cache(mount, registry):
    mnt = mount(registry, cache_size="64M", cache_fsfree=0)
    st = os.statvfs(mnt.path)
    assert st.f_blocks * st.f_frsize == 64 << 20
    assert 0 < st.f_bavail * st.f_frsize <= 64 << 20
    assert st.f_namemax >= 255
    df = subprocess.run(["df", "-B1", "--output=size", mnt.path], check=True,
                        capture_output=True, text=True)
    assert df.stdout.split()[-1] == str(64 << 20)


@pytest.mark.semantics("S15")
def test_statfs_of_an_unlimited_cache_is_that_of_its_disk(mount, registry):
    mnt = mount(registry, cache_size=0, cache_fsfree=0)
    st, disk = os.statvfs(mnt.path), os.statvfs(mnt.cache)
    assert st.f_blocks * st.f_frsize == disk.f_blocks * disk.f_frsize


@pytest.mark.semantics("S16")
def test_extended_attributes_tell_what_a_tag_names(mnt, big):
    path = mnt / "app/1.0"
    assert os.getxattr(path, "user.oci.digest").decode() == big.digest
    assert os.getxattr(path, "user.oci.mediaType").decode() == big.media_type
    assert {"user.oci.digest", "user.oci.mediaType"} <= set(os.listxattr(path))
    done = subprocess.run(
        ["getfattr", "--only-values", "-n", "user.oci.digest", path],
        check=True, capture_output=True, text=True)
    assert done.stdout == big.digest


@pytest.mark.semantics("S16")
def test_annotations_are_extended_attributes(mnt):
    path = mnt / "team/tool/x"
    name = "user.oci.annotation.org.example."
    assert name + "word" in os.listxattr(path)
    assert os.getxattr(path, name + "word").decode() == "h\u00e4llo"
    assert os.getxattr(path, name + "empty") == b""


@pytest.mark.semantics("S16")
def test_a_blob_tells_its_digest(mnt, big):
    for blob in big.blobs:
        path = blob_path(mnt, "app", blob.digest)
        assert os.getxattr(path, "user.oci.digest").decode() == blob.digest


@pytest.mark.semantics("S16")
def test_an_attribute_that_is_not_there_is_not_there(mnt):
    for name in ("user.nothing", "security.capability",
                 "system.posix_acl_access", "user.oci.annotation.nothing"):
        with pytest.raises(OSError) as e:
            os.getxattr(mnt / "app/1.0", name)
        assert e.value.errno in (errno.ENODATA, errno.EOPNOTSUPP)


@pytest.mark.semantics("S16")
def test_ls_and_cp_with_all_attributes_have_nothing_to_complain(
        mnt, tmp_path):
    subprocess.run(["ls", "-laZ", mnt / "app"], check=True,
                   capture_output=True)
    done = subprocess.run(["cp", "-a", mnt / "app", tmp_path / "copy"],
                          check=True, capture_output=True, text=True)
    assert done.stderr == ""
