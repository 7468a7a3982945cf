# SPDX-License-Identifier: Apache-2.0
"""A policy that is missing is told at the call, with the one to write, wherever
somebody looks."""
import errno
import os
import subprocess

import pytest

import images
import ocir

pytest_plugins = "emulators"
pytestmark = pytest.mark.semantics("S110", "S111")

IMAGE = images.small_image("new")
LOOKS_ONLY = ("Allow group builders to inspect compartments in tenancy",
              "Allow group builders to read repos in tenancy")


@pytest.fixture
def oracle(make_oracle):
    made = make_oracle("--sample")
    made.add_repository("it/app", "prod:eu")
    made.add_images("it/app", "1", "2")
    made.add_repository("it/empty", "prod:eu")
    made.policies(*LOOKS_ONLY)
    return made


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def blob_of(m):
    blob = IMAGE.blobs[0]
    path = m / "prod/eu/it/app/blobs/sha256" / blob.digest.partition(":")[2]
    write(path, blob.data)


MANAGE = "Allow group GROUP to manage repos in compartment prod:eu"

# What is done, and of which name the directory or file is told.
CHANGES = {
    "mkdir": (lambda m: os.mkdir(m / "prod/eu/new"), "prod/eu"),
    "rmdir": (lambda m: os.rmdir(m / "prod/eu/it/empty"), "prod/eu/it"),
    "setxattr": (lambda m: os.setxattr(
        m / "prod/eu/it/app", "user.ocir.isPublic", b"true"),
        "prod/eu/it/app"),
    "unlink": (lambda m: os.unlink(m / "prod/eu/it/app/1"),
               "prod/eu/it/app/1"),
    "blob": (blob_of, "prod/eu/it/app/blobs/sha256"),
    "retag": (lambda m: os.rename(m / "prod/eu/it/app/1",
                                  m / "prod/eu/it/app/3"), "prod/eu/it/app"),
    "copy": (lambda m: write(m / "prod/eu/it/app/3",
                             (m / "prod/eu/it/app/1").read_bytes()),
             "prod/eu/it/app"),
}


def refusal(action, m):
    with pytest.raises(OSError) as e:
        action(m)
    return e.value.errno


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("status", [403, 404])
def test_a_change_that_no_policy_allows(mount, oracle, what, status):
    oracle.set(forbidden_status=status)
    m = ocir.mounted(mount, oracle, allow_delete=True)
    action, told = CHANGES[what]
    assert refusal(action, m) == errno.EACCES
    line = m.status("errors").splitlines()[-1]
    assert " WARN " in line and MANAGE in line, line
    assert "[request " in line and "ocid1." not in line, line
    assert " of 'prod/eu" in line, line
    assert line.partition(" WARN ")[2] in m.log()
    said = os.getxattr(m / told, "user.ocirfs.error").decode()
    assert MANAGE in said and "[request " in said, said


def test_a_move_needs_two_policies(mount, oracle):
    oracle.policies(*LOOKS_ONLY, MANAGE.replace("GROUP", "builders"))
    m = ocir.mounted(mount, oracle)
    assert refusal(lambda m: os.rename(m / "prod/eu/it", m / "build/it"),
                   m) == errno.EACCES
    line = m.status("errors").splitlines()[-1]
    assert MANAGE in line, line
    assert "Allow group GROUP to manage repos in compartment build" in line


def test_the_policy_that_is_told_is_the_right_one(mount, oracle):
    """Whoever writes it can go on."""
    m = ocir.mounted(mount, oracle, ttl="0s")
    assert refusal(lambda m: os.mkdir(m / "build/mine"), m) == errno.EACCES
    line = m.status("errors").splitlines()[-1]
    at = line.index("Allow group GROUP")
    policy = line[at:line.index(" [request")].replace("GROUP", "builders")
    oracle.policies(*LOOKS_ONLY, policy)
    os.mkdir(m / "build/mine")
    assert oracle.repository("mine")
    assert refusal(lambda m: os.mkdir(m / "prod/mine2"), m) == errno.EACCES


def test_a_read_asks_for_no_more_than_read(mount, oracle):
    oracle.policies(LOOKS_ONLY[0],
                    "Allow group builders to inspect repos in tenancy")
    m = ocir.mounted(mount, oracle)
    with pytest.raises(OSError):
        (m / "prod/eu/it/app/1").read_bytes()
    line = m.status("errors").splitlines()[-1]
    assert "Allow group GROUP to read repos in compartment prod:eu" in line
    assert "manage" not in line


def test_at_the_root_and_in_a_part_of_the_tree(mount, oracle):
    whole = ocir.mounted(mount, oracle)
    assert refusal(lambda m: os.mkdir(m / "new"), whole) == errno.EACCES
    assert "manage repos in tenancy" in whole.status("errors")
    part = ocir.mounted(mount, oracle, compartment="prod")
    assert refusal(lambda m: os.mkdir(m / "eu/new"), part) == errno.EACCES
    line = part.status("errors").splitlines()[-1]
    assert MANAGE in line and " of 'eu'" in line, line


def test_a_name_that_is_taken_elsewhere_says_where(mount, oracle):
    oracle.policies(*LOOKS_ONLY, "Allow group builders to manage repos in "
                    "tenancy")
    m = ocir.mounted(mount, oracle)
    with pytest.raises(FileExistsError):
        os.mkdir(m / "build/it")
        os.mkdir(m / "build/it/app")
    line = m.status("errors").splitlines()[-1]
    assert "exists already in this tenancy, in compartment prod:eu" in line
    assert "ocid1." not in line


def test_what_is_refused_is_still_there(mount, oracle):
    m = ocir.mounted(mount, oracle, allow_delete=True)
    for what in ("rmdir", "unlink", "retag", "setxattr"):
        assert refusal(CHANGES[what][0], m) == errno.EACCES
    assert set(os.listdir(m / "prod/eu/it")) == {"app", "empty"}
    assert {"1", "2"} <= set(os.listdir(m / "prod/eu/it/app"))
    done = subprocess.run(["rm", "-f", m / "prod/eu/it/app/1"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "Permission denied" in done.stderr


def test_the_last_of_many_conflicts_is_told(mount, oracle):
    """In the registry's words, with its id of that request."""
    oracle.policies(*LOOKS_ONLY, MANAGE.replace("GROUP", "builders"))
    oracle.fault(service="registry", match="PUT .*/manifests/", status=409,
                 code="CONFLICT", message="two at once", times=0)
    m = ocir.mounted(mount, oracle)
    manifest = (m / "prod/eu/it/app/1").read_bytes()
    assert refusal(lambda m: write(m / "prod/eu/it/app/3", manifest),
                   m) == errno.EBUSY
    last = oracle.requests("registry", "PUT .*/manifests/")[-1]
    line = next(x for x in m.status("errors").splitlines()
                if "another push is in the way" in x)
    assert "two at once (CONFLICT, 409)" in line and "[request " in line, line
    assert last["status"] == 409
