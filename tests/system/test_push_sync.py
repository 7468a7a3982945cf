# SPDX-License-Identifier: Apache-2.0
"""Programs that make a repository equal to a directory, and take away what is
not there: the tags that they have just set are not."""
import errno
import os
import shutil

import pytest

import images
import pushed
import writers

OLD = images.image([images.layer({"f": b"sync, old"})], created=images.CREATED)
NEW = images.image([images.layer({"f": b"sync, new"})], created=images.CREATED)


@pytest.fixture
def mnt(mount, registry):
    return mount(registry, allow_delete=True)


@pytest.fixture
def layout(tmp_path):
    def make(name, tagged):
        return pushed.write_layout(tmp_path / name, tagged)

    return make


def name_of(call, *args):
    try:
        call(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
    return None


@pytest.mark.semantics("S98")
@pytest.mark.parametrize("options", [
    "--delete", "--delete-before", "--delete-after", "--delete-delay",
    "--delete-after --inplace", "--delete-delay --delay-updates"])
def test_rsync_keeps_what_it_has_pushed(mnt, registry, layout, options):
    """Twice the same, then the image is another one."""
    for m in (OLD, OLD, NEW):
        pushed.run("rsync", "-a", *options.split(),
                   f"{layout(m.digest[7:], {'1.0': m})}/", f"{mnt.path}/app/",
                   check=False)
        pushed.check(registry, "app", "1.0", m)


@pytest.mark.semantics("S98")
def test_rsync_takes_away_what_is_no_more(mnt, registry, layout):
    images.push(registry, "app", OLD, "0.9")
    pushed.run("rsync", "-a", "--delete-delay",
               f"{layout('l', {'1.0': NEW})}/", f"{mnt.path}/app/",
               check=False)
    assert pushed.tag_map(registry, "app") == {"1.0": NEW.digest}


@pytest.mark.semantics("S98")
def test_a_list_from_before_a_push_does_not_take_it_away(
        mnt, registry, layout):
    images.push(registry, "app", OLD, "1.0")
    os.listdir(mnt / "app")
    pushed.run("cp", mnt / "app/1.0", mnt / "app/2.0")
    assert name_of(os.unlink, mnt / "app/2.0") == "EPERM"
    assert "since this program has listed" in pushed.error_of(mnt / "app/2.0")
    shutil.copyfile(layout("l", {"1.0": OLD}) / "index.json",
                    mnt / "app/index.json")
    assert name_of(os.unlink, mnt / "app/1.0") == "EPERM"
    os.listdir(mnt / "app")
    os.unlink(mnt / "app/2.0")
    assert pushed.tags(registry, "app") == {"1.0"}


@pytest.mark.semantics("S98", "S62")
def test_who_pushes_may_take_it_away(mnt, registry, layout):
    """By a program of its own, by what has set the tag itself, and all."""
    folder = layout("l", {"1.0": OLD})
    pushed.run("cp", "-r", folder, mnt / "app")
    pushed.run("rm", mnt / "app/1.0")
    assert pushed.tags(registry, "app") == set()
    os.listdir(mnt / "app")
    writers.write_file(mnt / "app/2.0", OLD.data)
    os.unlink(mnt / "app/2.0")
    assert pushed.tags(registry, "app") == set()
    pushed.run("cp", "-r", folder, mnt / "other")
    shutil.rmtree(mnt / "other")
    assert pushed.tags(registry, "other") == set()
