# SPDX-License-Identifier: Apache-2.0
"""What a cache remembers of one user's listings is not shown to another who
shares it."""
import base64
import json
import os
import subprocess

import pytest

import images
import ocir

pytest_plugins = "emulators"
pytestmark = pytest.mark.semantics("S112")

ANNE, BERT = "anne", "bert"


def names(m, *path):
    """What is listed there; nothing when that is an error."""
    try:
        return set(os.listdir(m.path.joinpath(*path)))
    except OSError:
        return set()


# ---- a registry with passwords ----

@pytest.fixture
def registry(make_registry, htpasswd, tmp_path):
    auth = htpasswd(ANNE, "a")
    bert = subprocess.run(["htpasswd", "-nbB", "-C", "5", BERT, "b"],
                          check=True, capture_output=True, text=True).stdout
    with open(auth["htpasswd"]["path"], "a") as f:
        f.write(bert)
    filled = make_registry()
    images.push(filled, "secret/app", images.small_image(), "1.0")
    return make_registry(storage=filled.storage, auth=auth)


@pytest.fixture
def login(tmp_path, registry):
    """login("anne", "a"): a file with that in it; None: with nothing."""
    def make(user=None, password=None, name="auth.json"):
        path = tmp_path / name
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        path.write_text(json.dumps(
            {"auths": {registry.address: {"auth": pair}} if user else {}}))
        return path

    return make


def seen_by_anne(mount, registry, login, tmp_path):
    """She has looked around, and the registry is away now; her cache."""
    m = mount(registry, auth_file=login(ANNE, "a"))
    assert names(m) == {"secret"}
    assert "1.0" in names(m, "secret/app")
    m.unmount()
    registry.kill()
    return m.cache


def test_another_login_does_not_see_it(mount, registry, login, tmp_path):
    cache = seen_by_anne(mount, registry, login, tmp_path)
    for who in ((BERT, "b"), (None, None)):
        m = mount(registry, cache=cache, bg=True, timeout="3s",
                  auth_file=login(*who))
        assert names(m) == set(), who
        assert "1.0" not in names(m, "secret/app"), who
        m.unmount()


def test_the_same_login_sees_it_again(mount, registry, login, tmp_path):
    """Also with a new password, from another file."""
    cache = seen_by_anne(mount, registry, login, tmp_path)
    for password in ("a", "new"):
        m = mount(registry, cache=cache, bg=True, timeout="3s",
                  auth_file=login(ANNE, password, f"{password}.json"))
        assert names(m) == {"secret"}
        assert "1.0" in names(m, "secret/app")
        m.unmount()


def test_who_signs_off_while_it_is_mounted_leaves_nothing(
        mount, registry, login, tmp_path):
    """What was seen as one is not noted as nobody's."""
    file = login(ANNE, "a")
    m = mount(registry, auth_file=file, ttl="0s")
    assert names(m) == {"secret"}
    assert "1.0" in names(m, "secret/app")
    login()
    names(m)
    m.unmount()
    registry.kill()
    m = mount(registry, cache=m.cache, bg=True, timeout="3s", auth_file=file)
    assert names(m) == set() and "1.0" not in names(m, "secret/app")


def test_a_helper_s_user_counts(mount, registry, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tmp_path / "auth.json").write_text(json.dumps(
        {"credHelpers": {registry.address: "tests"}}))
    tool = tools / "docker-credential-tests"

    def mounted(user, secret, **more):
        tool.write_text('#!/bin/sh\ncat >/dev/null\necho \'{"Username":"%s",'
                        '"Secret":"%s"}\'\n' % (user, secret))
        tool.chmod(0o755)
        return mount(registry, auth_file=tmp_path / "auth.json",
                     env={"PATH": f"{tools}:{os.environ['PATH']}"}, **more)

    m = mounted(ANNE, "a")
    assert "1.0" in names(m, "secret/app") and names(m) == {"secret"}
    m.unmount()
    registry.kill()
    away = {"cache": m.cache, "bg": True, "timeout": "3s"}
    other = mounted(BERT, "b", **away)
    assert names(other) == set()
    other.unmount()
    again = mounted(ANNE, "a", **away)
    assert names(again) == {"secret"} and "1.0" in names(again, "secret/app")


# ---- OCIR ----

def away(oracle):
    for service in ("identity", "artifacts", "registry"):
        oracle.fault(service=service, match=".*", status=503, times=0)


def test_another_profile_does_not_see_it(mount, oracle):
    m = ocir.mounted(mount, oracle, ttl="0s")
    seen = names(m)
    assert "prod" in seen and names(m, "prod")
    tags = names(m, "prod/motando-webapp")
    m.unmount()
    away(oracle)
    more = {"cache": m.cache, "bg": True, "namespace": oracle.namespace,
            "timeout": "3s"}
    other = ocir.mounted(mount, oracle, profile="STRANGER", **more)
    assert names(other) == set()
    assert not names(other, "prod/motando-webapp") & tags
    other.unmount()
    for kind in ("api_key", "encrypted", "cli", "security_token"):
        same = ocir.mounted(mount, oracle, kind, **more)
        assert names(same) == seen, kind
        assert names(same, "prod/motando-webapp") == tags, kind
        same.unmount()
