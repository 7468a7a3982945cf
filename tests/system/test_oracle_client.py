# SPDX-License-Identifier: Apache-2.0
"""The control plane's client (net/oracle) and the principals that it signs as,
against the emulator, which checks every signature."""
import json
import os
import subprocess

import pytest

import mounts

pytest_plugins = "emulators"

PROBE = mounts.BUILD / "oracleprobe"


class Probe:
    """probe("api_key", "compartments"): (lines, last line)."""

    def __init__(self, oracle, home):
        self.oracle, self.home = oracle, home

    def environment(self, *kinds, **more):
        urls = self.oracle.urls
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("OCI_", "KUBERNETES_"))}
        env |= {"HOME": str(self.home), "PROBE_IDENTITY": urls["identity"],
                "PROBE_ARTIFACTS": urls["artifacts"],
                "PROBE_OBJECTSTORAGE": urls["objectstorage"],
                "PROBE_AUTH": urls["auth"],
                "PROBE_SERVICE_ACCOUNT": self.oracle.service_account,
                "OCI_METADATA_BASE_URL": "http://127.0.0.1:1/"}
        for kind in kinds:
            env |= self.oracle.environment[kind]
        return env | more

    def __call__(self, kind, *words, kinds=("api_key",), **more):
        done = subprocess.run(
            [PROBE, kind, *words], env=self.environment(*kinds, **more),
            capture_output=True, text=True, timeout=90)
        assert not done.stderr, done.stderr
        *lines, last = map(json.loads, done.stdout.splitlines())
        assert done.returncode == ("error" in last)
        for secret in self.oracle.secrets():
            assert secret not in done.stdout
        return lines, last

    def good(self, *words, **more):
        lines, last = self("auto", *words, **more)
        assert last == {"ok": True}
        return lines


@pytest.fixture
def probe(oracle, tmp_path):
    return Probe(oracle, tmp_path)


INSTANCE = "instance_principal"


@pytest.mark.parametrize("kind, kinds, more", [
    ("api_key", ("api_key",), {}),
    ("api_key", ("cli",), {}),
    ("api_key", ("api_key",), {"OCI_CLI_PROFILE": "DEFAULT_ENCRYPTED"}),
    ("security_token", ("api_key",), {"OCI_CLI_PROFILE": "SESSION"}),
    (INSTANCE, (INSTANCE,), {}),
    ("resource_principal", ("resource_principal",), {}),
    ("oke_workload_identity", ("oke_workload_identity",), {}),
    ("instance_obo_user", ("api_key", INSTANCE),
     {"OCI_CLI_PROFILE": "CLOUD_SHELL"}),
])
@pytest.mark.parametrize("auto", [False, True])
def test_every_principal_is_known_to_the_service(probe, oracle, kind, kinds,
                                                 more, auto):
    asked = "auto" if auto else kind
    (who,), last = probe(asked, "whoami", kinds=kinds, **more)
    assert last == {"ok": True}
    assert who["kind"] == kind and who["tenancy"] == oracle.tenancy
    lines, last = probe(asked, "compartments", kinds=kinds, **more)
    assert last == {"ok": True}
    assert sorted(c["name"] for c in lines) == ["build", "eu", "prod"]


@pytest.mark.parametrize("kinds, more, kind", [
    (("resource_principal", "oke_workload_identity", "api_key", INSTANCE), {},
     "resource_principal"),
    (("oke_workload_identity", "api_key", INSTANCE), {},
     "oke_workload_identity"),
    (("api_key", INSTANCE), {}, "api_key"),
    (("api_key", INSTANCE), {"OCI_CLI_AUTH": INSTANCE}, INSTANCE),
])
def test_auto_takes_them_in_order(probe, kinds, more, kind):
    assert probe.good("whoami", kinds=kinds, **more)[0]["kind"] == kind


def test_a_region_that_is_new_describes_itself(probe, oracle):
    oracle.fault(service="metadata", match="instance/region$", status=200,
                 text="new", times=0)
    oracle.fault(service="metadata", match="instance/regionInfo", status=200,
                 text=json.dumps({
                     "realmKey": "oc77", "regionKey": "NEW",
                     "realmDomainComponent": "oraclecloud77.com",
                     "regionIdentifier": "xx-new-1"}), times=0)
    (who,), last = probe(INSTANCE, "whoami", kinds=(INSTANCE,))
    assert last == {"ok": True} and who["region"] == "xx-new-1"


def test_nothing_to_sign_in_with_is_said(probe):
    _, last = probe("auto", "whoami", kinds=())
    assert last["error"] == "ENOENT" and "nothing to sign in" in last["text"]


@pytest.mark.parametrize("more, error, says", [
    ({"OCI_CLI_PROFILE": "NOBODY"}, "EINVAL", "no profile [NOBODY]"),
    ({"OCI_CLI_CONFIG_FILE": "/nowhere"}, "EINVAL", "/nowhere"),
    ({"OCI_CLI_FINGERPRINT": "00:11"}, "EINVAL", "fingerprint"),
    ({"OCI_CLI_KEY_FILE": "/nowhere.pem"}, "ENOENT", "/nowhere.pem"),
    ({"OCI_CLI_PROFILE": "DEFAULT_ENCRYPTED", "OCI_CLI_PASSPHRASE": "no"},
     "EACCES", "passphrase"),
    ({"OCI_CLI_AUTH": "magic"}, "EINVAL", "auth=magic"),
])
def test_a_wrong_configuration_names_its_mistake(probe, more, error, says):
    _, last = probe("auto", "whoami", **more)
    assert last["error"] == error and says in last["text"]


def test_a_wrong_clock_and_a_wrong_user_are_refused_with_advice(probe, oracle):
    for more, says in (({}, "clock is 10 minutes behind"),
                       ({"OCI_CLI_USER": "ocid1.user.oc1..nobody"},
                        "is the API key uploaded")):
        oracle.set(clock_offset=0 if more else 600)
        _, last = probe("api_key", "compartments", **more)
        assert last["error"] == "EACCES" and last["status"] == 401
        assert says in last["text"] and last["request_id"]


def test_lists_are_paged_to_their_end(probe, oracle):
    oracle.fill(7, 5, 1)
    oracle.set(max_page=3, empty_pages=2)
    assert len(probe.good("compartments")) == 3 + 7
    everything = probe.good("repositories", oracle.tenancy, "subtree")
    assert len({r["id"] for r in everything}) == 5 + 7 * 5
    root = probe.good("repositories", oracle.tenancy)
    assert [r["name"] for r in root] == ["scratch"]
    assert root[0]["namespace"] == oracle.namespace
    assert len(oracle.requests("identity")) == 12


def test_a_repository_from_its_making_to_its_end(probe, oracle):
    prod = next(c["id"] for c in probe.good("compartments")
                if c["name"] == "prod")
    made, = probe.good("create", oracle.tenancy, "team-a/b_c")
    assert made["name"] == "team-a/b_c" and made["etag"] and not made["public"]
    _, last = probe("auto", "create", oracle.tenancy, "team-a/b_c")
    assert last["error"] == "EEXIST" and last["status"] == 409
    _, last = probe("auto", "update", made["id"], "# Héllo")
    assert last["error"] == "EOPNOTSUPP" and last["word"] == "BAD_REQUEST"
    oracle.set(immutable="taken")
    assert probe.good("update", made["id"], "# Héllo") == []
    assert probe.good("move", made["id"], prod) == []
    now, = probe.good("get", made["id"])
    assert now["readme"] == "# Héllo" and now["compartment"] == prod
    assert now["public"] and now["immutable"] == 1
    assert now["etag"] != made["etag"]
    assert probe.good("delete", made["id"]) == []
    _, last = probe("auto", "get", made["id"])
    assert last["error"] == "ENOENT"
    assert last["word"] == "NotAuthorizedOrNotFound"


def test_an_image_loses_one_of_its_tags(probe, oracle):
    oracle.add_images("project01/base", "one", "two", same=True)
    repo = oracle.repository("project01/base")
    name = f"{oracle.namespace}/project01/base"
    uri = f"{name}:one"
    image, = probe.good("lookup", uri)
    assert sorted(image["tags"]) == ["one", "two"]
    listed = probe.good("images", repo["compartmentId"], repo["id"])
    assert image["id"] in [i["id"] for i in listed] and len(listed) == 3
    _, last = probe("auto", "untag", uri, "one", "stale")
    assert last["error"] == "ESTALE"
    assert probe.good("untag", uri, "one") == []
    now, = probe.good("lookup", f"{name}:two")
    assert now["tags"] == ["two"] and now["bytes"] > 0
    _, last = probe("auto", "lookup", uri)
    assert last["error"] == "ENOENT"


def test_the_namespace(probe, oracle):
    value, = probe.good("namespace")
    assert value["namespace"] == oracle.namespace


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_in_trouble_is_asked_again_signed_anew(probe, oracle,
                                                         status):
    oracle.fault(service="artifacts", match="repositories", status=status,
                 times=2, headers={"retry-after": "1"})
    oracle.mark()
    made, = probe.good("create", oracle.tenancy, f"again{status}")
    asked = oracle.requests("artifacts")
    assert [r["status"] for r in asked] == [status, status, 200]
    assert asked[2]["at"] - asked[0]["at"] >= 1.9
    assert made["name"] == f"again{status}"


def test_trouble_that_lasts_is_reported(probe, oracle):
    oracle.fault(service="identity", status=503, times=0)
    _, last = probe("auto", "compartments")
    assert last["error"] == "EIO" and last["status"] == 503
    assert len(oracle.requests("identity")) == 4


def test_a_dropped_connection_is_tried_again(probe, oracle):
    oracle.fault(service="identity", drop=True, times=2)
    assert len(probe.good("compartments")) == 3


def test_a_free_tenancy_is_told_what_to_do(probe, oracle):
    oracle.set(free_tier=True)
    _, last = probe("auto", "repositories", oracle.tenancy, "subtree")
    assert last["word"] == "FREE_TIER_NOT_SUPPORTED"
    assert "repos=" in last["text"]


@pytest.mark.parametrize("kind", [INSTANCE, "oke_workload_identity"])
def test_short_tokens_are_renewed_under_load(probe, oracle, kind):
    oracle.set(security_token_seconds=2)
    oracle.mark()
    (value,), last = probe(kind, "load", "7000", kinds=(kind,))
    assert last == {"ok": True} and value["calls"] > 8
    service = "auth" if kind == INSTANCE else "oke"
    assert 2 <= len(oracle.requests(service)) <= 12
    assert {r["status"] for r in oracle.requests("identity")} <= {200, 401}


def test_an_ended_session_says_how_to_go_on(probe, oracle):
    oracle.renew("session", 1)
    oracle.set(clock_offset=2)
    _, last = probe("auto", "load", "2500", OCI_CLI_PROFILE="SESSION")
    assert last["error"] == "EACCES"


def test_the_metadata_service_may_refuse_a_certificate(probe, oracle):
    oracle.fault(service="auth", status=401, times=0)
    _, last = probe(INSTANCE, "whoami", kinds=(INSTANCE,))
    assert last["error"] == "EACCES"
    assert "does not take this instance's certificate" in last["text"]
    assert len(oracle.requests("auth")) == 1
