# SPDX-License-Identifier: Apache-2.0
"""Compartments and repositories of OCIR as directories: names, attributes,
what is missing for whom, and with how many requests."""
import errno
import os
import subprocess

import pytest

import ocir
from waiting import until

pytest_plugins = "emulators"

LAYOUT = {"blobs", "index.json", "oci-layout"}


def listed(*path):
    return set(os.listdir(os.path.join(*map(str, path))))


def xattrs(path, prefix="user.ocir."):
    return {n.removeprefix(prefix): os.getxattr(path, n).decode()
            for n in os.listxattr(path) if n.startswith(prefix)}


def asked(oracle, *services):
    return [f"{r['method']} {r['target']}" for s in services
            for r in oracle.requests(s)]


@pytest.mark.semantics("S51")
def test_a_tenancy_is_a_tree(mount, oracle):
    state = oracle.state()
    names = {c["id"]: c["name"] for c in state["compartments"]}
    m = ocir.mounted(mount, oracle)
    assert {"prod", "build"} <= listed(m.path)
    assert "eu" in listed(m / "prod")
    for repo in state["repositories"]:
        where = m.path if repo["compartmentId"] == oracle.tenancy else next(
            m / p for p in ("prod", "build", "prod/eu")
            if os.path.basename(p) == names[repo["compartmentId"]])
        there = listed(where, repo["displayName"])
        assert LAYOUT | set(repo["tags"]) <= there


@pytest.mark.semantics("S53")
def test_whoever_loses_a_name_has_a_long_one(mount, make_oracle):
    oracle = make_oracle()
    team = oracle.add_compartment("team")
    oracle.add_compartment("blobs")
    oracle.add_repository("team/web")
    oracle.add_repository("inside", "team")
    m = ocir.mounted(mount, oracle)
    assert listed(m.path) == {"blobs", "team", "team@compartment"}
    assert listed(m / "team") == {"web"}
    for name in ("team@compartment", team):
        assert listed(m / name) == {"inside"}
    assert listed(m / "blobs@compartment") == set()
    assert not (m / "inside").exists()


@pytest.mark.semantics("S69")
def test_attributes_tell_what_the_service_knows(mount, oracle):
    oracle.add_repository("attr/app", "prod", isPublic=True)
    oracle.add_images("attr/app", "1.0", "latest")
    repo = oracle.repository("attr/app")
    m = ocir.mounted(mount, oracle)
    got = xattrs(m / "prod/attr/app")
    assert got.items() >= {
        "id": repo["id"], "compartmentId": repo["compartmentId"],
        "displayName": "attr/app", "namespace": oracle.namespace,
        "isPublic": "true", "isImmutable": "false",
        "imageCount": str(repo["imageCount"])}.items()
    assert got["timeCreated"].startswith("20")
    assert xattrs(m / "prod")["id"] == repo["compartmentId"]
    assert xattrs(m / "prod/attr") == {}
    tag = xattrs(m / "prod/attr/app/1.0")
    assert tag["id"].startswith("ocid1.containerimage.")
    assert int(tag["pullCount"]) >= 0
    made = os.stat(m / "prod/attr/app").st_mtime
    assert abs(made - os.stat(m / "prod/attr/app/1.0").st_mtime) < 60


@pytest.mark.semantics("S52")
def test_a_large_tenancy_is_a_few_requests(mount, make_oracle):
    oracle = make_oracle()
    oracle.fill(100, 5, 0)
    m = ocir.mounted(mount, oracle)
    oracle.mark()
    folders = [f for f, below, _ in os.walk(m.path)
               if "blobs" in below and below.remove("blobs") is None]
    assert len(folders) == 500
    control = asked(oracle, "identity", "artifacts", "objectstorage")
    assert len(control) <= 4, control


@pytest.mark.semantics("S52")
def test_a_service_without_a_list_of_all(mount, make_oracle):
    oracle = make_oracle("--sample")
    oracle.fault(service="artifacts", match="GET .*Subtree=true", status=400)
    m = ocir.mounted(mount, oracle)
    oracle.mark()
    assert listed(m / "prod/eu") and listed(m / "prod/eu")
    where = [r for r in asked(oracle, "artifacts") if "repositories?" in r]
    assert len(where) <= 4, where


@pytest.mark.semantics("S52")
def test_one_list_of_images_tells_when_they_were_pushed(mount, make_oracle):
    oracle = make_oracle()
    oracle.add_repository("many")
    tags = [f"v{i}" for i in range(20)]
    oracle.add_images("many", *tags)
    m = ocir.mounted(mount, oracle, ttl="1s")
    oracle.mark()

    def times():
        with os.scandir(m / "many") as entries:
            return {e.name: e.stat().st_mtime for e in entries
                    if e.name in tags}

    seen = times()
    assert len(seen) == 20
    reads = [r for r in asked(oracle, "registry") if "/blobs/" in r]
    assert not reads, "the time is in the list, not in the configurations"
    assert len([r for r in asked(oracle, "artifacts") if "images?" in r]) <= 2
    assert times() == seen


@pytest.mark.semantics("S54", "S9")
@pytest.mark.parametrize("what", ["compartments", "free tier"])
def test_what_is_named_is_there_whoever_may_list(mount, make_oracle, what):
    oracle = make_oracle("--sample")
    repo = next(r["displayName"] for r in oracle.state()["repositories"]
                if r["tags"])
    if what == "free tier":
        oracle.set(free_tier=True)
    oracle.fault(service="identity", match="GET .*compartments", status=404)
    m = ocir.mounted(mount, oracle, repos=repo)
    assert listed(m.path) == {repo.partition("/")[0]}
    assert LAYOUT < listed(m / repo)
    said = [line for line in m.status("errors").splitlines()
            if "compartments cannot be listed" in line]
    assert len(said) == 1, m.status("errors")


@pytest.mark.semantics("S55")
def test_a_part_of_the_tenancy(mount, oracle, run_ocirfs, tmp_path):
    eu = next(c["id"] for c in oracle.state()["compartments"]
              if c["name"] == "eu")
    by_name = ocir.mounted(mount, oracle, compartment="prod/eu")
    by_id = ocir.mounted(mount, oracle, compartment=eu)
    names = listed(by_name.path)
    assert names and names == listed(by_id.path)
    line = ocir.refused(run_ocirfs, oracle, tmp_path, compartment="prod/mars")
    assert "'prod/mars'" in line


@pytest.mark.semantics("S33")
def test_what_was_seen_is_there_without_the_services(mount, oracle, tmp_path):
    def walk(m):
        return {f.removeprefix(str(m.path)): sorted(names)
                for f, _, names in os.walk(m.path)}

    m = ocir.mounted(mount, oracle, ttl=0)
    seen = walk(m)
    assert len(seen) > 5
    for service in ("identity", "artifacts", "registry"):
        oracle.fault(service=service, match=".*", status=503)
    assert walk(m) == seen


def test_a_repository_that_leaves_is_gone(mount, oracle):
    oracle.add_repository("leaving", "prod")
    m = ocir.mounted(mount, oracle, ttl=0)
    assert listed(m / "prod/leaving") == LAYOUT
    oracle.fault(service="registry", match=".*leaving.*", status=404)
    assert listed(m / "prod/leaving") == LAYOUT
    with pytest.raises(OSError) as e:
        os.stat(m / "build/leaving")
    assert e.value.errno == errno.ENOENT


# ---- changing it ----

def refusal(action, *args):
    with pytest.raises(OSError) as e:
        action(*args)
    return e.value.errno


@pytest.mark.semantics("S70")
def test_mkdir_makes_a_repository_in_that_compartment(mount, oracle):
    m = ocir.mounted(mount, oracle)
    prod = next(c["id"] for c in oracle.state()["compartments"]
                if c["name"] == "prod")
    os.mkdir(m / "prod/new")
    os.mkdir(m / "prod/new/nested")
    os.mkdir(m / "at-the-root")
    for name, where in (("new", prod), ("new/nested", prod),
                        ("at-the-root", oracle.tenancy)):
        assert oracle.repository(name)["compartmentId"] == where
    assert "new" in listed(m / "prod") and "nested" in listed(m / "prod/new")
    assert "new" not in listed(m / "build")
    assert refusal(os.mkdir, m / "prod/new") == errno.EEXIST
    assert refusal(os.mkdir, m / "build/new") == errno.EEXIST
    assert refusal(os.mkdir, m / "prod/UPPER") == errno.EINVAL
    assert refusal(os.mkdir, m / "prod/eu") == errno.EEXIST


@pytest.mark.semantics("S70")
def test_rmdir_deletes_what_is_empty(mount, oracle):
    oracle.add_repository("rm/full", "prod")
    oracle.add_images("rm/full", "1")
    oracle.add_repository("rm/empty", "prod")
    oracle.add_repository("rm", "prod")
    careful = ocir.mounted(mount, oracle)
    assert refusal(os.rmdir, careful / "prod/rm/empty") == errno.EPERM
    m = ocir.mounted(mount, oracle, allow_delete=True)
    assert refusal(os.rmdir, m / "prod/rm/full") == errno.ENOTEMPTY
    assert refusal(os.rmdir, m / "prod/rm") == errno.ENOTEMPTY
    assert refusal(os.rmdir, m / "prod/eu") == errno.EPERM
    os.rmdir(m / "prod/rm/empty")
    assert "empty" not in listed(m / "prod/rm")
    names = {r["displayName"] for r in oracle.state()["repositories"]}
    assert "rm/empty" not in names and {"rm", "rm/full"} <= names


@pytest.mark.semantics("S70")
def test_mv_changes_the_compartment_and_nothing_else(mount, oracle):
    oracle.add_repository("mv/app", "prod")
    oracle.add_repository("mv/app/more", "prod")
    digests = oracle.add_images("mv/app", "1", "2")
    m = ocir.mounted(mount, oracle)
    before = oracle.repository("mv/app")
    os.rename(m / "prod/mv", m / "build/mv")
    after = oracle.repository("mv/app")
    build = next(c["id"] for c in oracle.state()["compartments"]
                 if c["name"] == "build")
    assert before | {"compartmentId": build} == after
    assert oracle.repository("mv/app/more")["compartmentId"] == build
    assert "mv" not in listed(m / "prod")
    assert {"1", "2", "more"} <= listed(m / "build/mv/app")
    assert os.getxattr(m / "build/mv/app/1", "user.oci.digest").decode() \
        == digests["1"]
    assert refusal(os.rename, m / "build/mv", m / "build/vm") == errno.EINVAL
    assert refusal(os.rename, m / "prod/eu", m / "build/eu") == errno.EPERM


@pytest.mark.semantics("S70")
def test_rm_takes_one_tag_away(mount, oracle):
    oracle.add_repository("tags/app", "prod")
    digest = oracle.add_images("tags/app", "1", "latest")["1"]
    m = ocir.mounted(mount, oracle, allow_delete=True)
    oracle.mark()
    os.unlink(m / "prod/tags/app/1")
    assert "1" not in listed(m / "prod/tags/app")
    tags = oracle.repository("tags/app")["tags"]
    assert "1" not in tags and "latest" in tags
    assert oracle.repository("tags/app")["images"][digest]["state"] \
        == "AVAILABLE"
    assert not [r for r in asked(oracle, "registry", "artifacts")
                if r.startswith("DELETE")]


@pytest.mark.semantics("S71")
def test_attributes_that_can_be_set(mount, oracle):
    oracle.add_repository("set/app", "prod")
    oracle.add_images("set/app", "1")
    m = ocir.mounted(mount, oracle)
    app = m / "prod/set/app"
    assert os.stat(app / "1").st_mode & 0o200
    for name, value in (("isPublic", b"true"), ("isImmutable", b"false"),
                        ("readme", "# Grüße".encode())):
        os.setxattr(app, f"user.ocir.{name}", value)
        assert os.getxattr(app, f"user.ocir.{name}") == value
    there = oracle.repository("set/app")
    assert there["isPublic"] and not there["isImmutable"]
    assert there["readme"]["content"] == "# Grüße"
    for name, code in (("isPublic", errno.EINVAL), ("id", errno.EPERM)):
        assert refusal(os.setxattr, app, f"user.ocir.{name}", b"x") == code


@pytest.mark.semantics("S71")
def test_that_nothing_becomes_immutable_is_told(mount, oracle):
    oracle.add_repository("set/fixed", "prod")
    m = ocir.mounted(mount, oracle)
    app = m / "prod/set/fixed"
    words = "Setting isImmutable is not currently supported"
    assert refusal(os.setxattr, app, "user.ocir.isImmutable", b"true") \
        == errno.EOPNOTSUPP
    assert words in os.getxattr(app, "user.ocirfs.error").decode()
    assert words in m.status("errors")
    assert os.getxattr(app, "user.ocir.isImmutable") == b"false"
    oracle.set(immutable="taken")
    os.setxattr(app, "user.ocir.isImmutable", b"true")
    assert oracle.repository("set/fixed")["isImmutable"]
    assert os.getxattr(app, "user.ocir.isImmutable") == b"true"


@pytest.mark.semantics("S71")
def test_a_tag_of_an_immutable_repository_stays(mount, oracle):
    oracle.add_repository("fixed/app", "prod", isImmutable=True)
    oracle.add_images("fixed/app", "1", "2")
    m = ocir.mounted(mount, oracle)
    app = m / "prod/fixed/app"
    subprocess.run(["ls", "-l", app], check=True, capture_output=True)
    until(lambda: not os.stat(app / "1").st_mode & 0o200, "the mode", 30)
    manifest = (app / "2").read_bytes() + b" "

    def overwrite():
        with open(app / "1", "wb") as f:
            f.write(manifest)

    assert refusal(overwrite) in (errno.EPERM, errno.EACCES)
    assert oracle.repository("fixed/app")["tags"]["1"] \
        != oracle.repository("fixed/app")["tags"]["2"]


@pytest.mark.semantics("S70")
def test_a_copy_to_a_new_directory_is_pushed_into_its_compartment(mount,
                                                                  oracle):
    oracle.add_repository("copy/from", "prod")
    digest = oracle.add_images("copy/from", "1")["1"]
    m = ocir.mounted(mount, oracle)
    subprocess.run(["cp", "-r", m / "prod/copy/from", m / "build/copied"],
                   check=True, timeout=120)
    subprocess.run(
        ["skopeo", "copy", f"oci:{m / 'prod/copy/from'}:1",
         f"oci:{m / 'build/by-skopeo'}:new"], check=True, timeout=120,
        capture_output=True)
    build = next(c["id"] for c in oracle.state()["compartments"]
                 if c["name"] == "build")
    for name, tag in (("copied", "1"), ("by-skopeo", "new")):
        repo = oracle.repository(name)
        assert repo["compartmentId"] == build
        assert repo["tags"] == {tag: digest}
        assert os.getxattr(m / "build" / name / tag,
                           "user.oci.digest").decode() == digest
