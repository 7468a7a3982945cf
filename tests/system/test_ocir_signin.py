# SPDX-License-Identifier: Apache-2.0
"""A mount of OCIR as each kind of principal, over the emulator, which checks
every signature."""
import base64
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import urllib.request

import pytest

import mounts
import ocir
import waiting

pytest_plugins = "emulators"

WEBAPP = "prod/motando-webapp"


@pytest.fixture(scope="module")
def oracle(module_oracle):
    return module_oracle("--sample")


def look(m):
    """Compartments, a repository, a tag and a blob: all three services."""
    assert {"prod", "build", "scratch"} <= set(os.listdir(m.path))
    assert {"1.4.1", "1.4.2", "latest"} <= set(os.listdir(m / WEBAPP))
    assert b"schemaVersion" in (m / WEBAPP / "latest").read_bytes()


def signers(oracle, service="registry"):
    return {r["who"] for r in oracle.requests(service)
            if r["who"] not in (None, "anonymous")}


def is_anything_refused(oracle):
    """Of what was signed or had a token: the first question has neither."""
    return [r for r in oracle.requests() if "authorization" in r["headers"]
            and (r["status"] == 401 or "anonymous" in r["note"])]


@pytest.mark.parametrize("kind", ocir.KINDS)
@pytest.mark.semantics("S47")
def test_each_kind_of_principal_sees_the_tenancy(mount, oracle, kind):
    oracle.mark()
    m = ocir.mounted(mount, oracle, kind)
    look(m)
    who = {"instance_principal": "build-host", "resource_principal":
           "function", "oke_workload_identity": "pod"}.get(
               kind, "jdoe@example.com")
    assert signers(oracle) == signers(oracle, "artifacts") == {who}
    asked = oracle.requests("registry", "docker/token")
    assert asked and {r["status"] for r in asked} == {200}
    assert not is_anything_refused(oracle)
    ocir.no_secret_of(oracle, m.log(), m.status(), m.status("errors"))


@pytest.mark.parametrize("kind", ["api_key", "security_token",
                                  "instance_principal", "resource_principal",
                                  "oke_workload_identity",
                                  "instance_obo_user"])
def test_it_can_be_named(mount, oracle, kind):
    m = ocir.mounted(mount, oracle, kind, auth=kind)
    assert "prod" in os.listdir(m.path)


def test_the_environment_may_name_it(mount, oracle):
    env = oracle.environment["instance_principal"] | {
        "OCI_CLI_AUTH": "instance_principal"}
    oracle.mark()
    m = ocir.mounted(mount, oracle, "api_key", env=env)
    assert "prod" in os.listdir(m.path)
    assert signers(oracle, "identity") == {"build-host"}


def test_a_profile_inherits_and_lies_where_home_is(mount, oracle, tmp_path):
    """~/.oci/config, a profile that has its region only, the rest from
    [DEFAULT]."""
    home = tmp_path / "home"
    (home / ".oci").mkdir(parents=True)
    with open(oracle.config) as f:
        text = f.read()
    (home / ".oci/config").write_text(text + "[HERE]\nregion = iad\n")
    m = ocir.mounted(mount, oracle, env={
        "HOME": str(home), "OCI_CLI_CONFIG_FILE": ""}, profile="HERE")
    look(m)


def test_the_option_wins_over_the_environment(mount, oracle, tmp_path):
    shutil.copy(oracle.config, tmp_path / "config")
    m = ocir.mounted(mount, oracle, config=tmp_path / "config",
                     env={"OCI_CLI_CONFIG_FILE": "/nowhere"})
    assert "prod" in os.listdir(m.path)


def test_a_key_may_be_in_the_environment(mount, oracle):
    env = dict(oracle.environment["cli"])
    with open(env.pop("OCI_CLI_KEY_FILE")) as f:
        env["OCI_CLI_KEY_CONTENT"] = f.read() + "OCI_API_KEY\n"
    m = ocir.mounted(mount, oracle, env=env | {"OCI_CLI_CONFIG_FILE": ""})
    look(m)


def test_a_session_may_be_in_the_environment(mount, oracle):
    folder = pathlib.Path(oracle.config).parent
    env = {"OCI_CLI_CONFIG_FILE": "", "OCI_CLI_TENANCY": oracle.tenancy,
           "OCI_CLI_KEY_FILE": str(folder / "session.pem"),
           "OCI_CLI_SECURITY_TOKEN_FILE": str(folder / "session.token")}
    look(ocir.mounted(mount, oracle, env=env))


def test_a_new_session_token_is_taken_up(mount, oracle):
    m = ocir.mounted(mount, oracle, "security_token", ttl="0s")
    assert "prod" in os.listdir(m.path)
    oracle.revoke(registry=True, security=True)
    oracle.renew("session")
    look(m)


@pytest.mark.parametrize("source", ["us-ashburn-1", "IAD", "iad.ocir.io",
                                    "us-ashburn-1.ocir.io",
                                    "ocir.us-ashburn-1.oci.oraclecloud.com"])
def test_a_region_has_many_names(mount, oracle, source):
    m = ocir.mounted(mount, oracle, source=source)
    assert "prod" in os.listdir(m.path)
    assert f"source      {source}" in m.status()


def test_a_url_may_be_ocir_too(mount, oracle):
    m = ocir.mounted(mount, oracle, source=oracle.urls["registry"],
                     registry=None, region="iad")
    look(m)


def test_a_region_that_is_not_known_yet_may_be_described(mount, oracle):
    m = ocir.mounted(mount, oracle, source="xx-new-1", env={
        "OCI_REGION_METADATA": json.dumps({
            "realmKey": "oc77", "realmDomainComponent": "oraclecloud77.com",
            "regionKey": "NEW", "regionIdentifier": "xx-new-1"})})
    assert "prod" in os.listdir(m.path)


@pytest.mark.semantics("S47")
def test_over_tls(mount, make_oracle):
    oracle = make_oracle("--tls", "--sample")
    m = ocir.mounted(mount, oracle, "instance_principal", ca_file=oracle.ca)
    look(m)


# ---- the registry's token ----

def registry_token(oracle, user):
    """As a person gets one by hand."""
    pair = base64.b64encode(
        f"{user['username']}:{user['auth_token']}".encode()).decode()
    request = urllib.request.Request(
        oracle.urls["registry"] + "/20180419/docker/token",
        headers={"Authorization": f"Basic {pair}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["token"]


def test_a_file_that_is_named_comes_first(mount, oracle, tmp_path):
    user = oracle.users["reader"]
    path = ocir.docker_file(oracle, tmp_path, user["username"],
                            user["auth_token"])
    oracle.mark()
    m = ocir.mounted(mount, oracle, auth_file=path)
    look(m)
    assert signers(oracle) == {"reader"}
    assert signers(oracle, "artifacts") == {"jdoe@example.com"}


def test_a_named_file_without_this_registry_leaves_it_to_the_principal(
        mount, oracle, tmp_path):
    path = tmp_path / "auth.json"
    path.write_text("{}")
    oracle.mark()
    look(ocir.mounted(mount, oracle, auth_file=path))
    assert signers(oracle) == {"jdoe@example.com"}


def test_docker_login_helps_out_where_the_signature_is_not_taken(
        mount, oracle, tmp_path):
    """The key is not known to the cloud any more, a login is."""
    user = oracle.users["reader"]
    path = ocir.docker_file(oracle, tmp_path, user["username"],
                            user["auth_token"])
    oracle.mark()
    m = ocir.mounted(
        mount, oracle, namespace=oracle.namespace, repos="motando-webapp",
        env={"REGISTRY_AUTH_FILE": str(path),
             "OCI_CLI_USER": "ocid1.user.oc1..nobody"})
    assert (m / "motando-webapp/latest").read_bytes()
    assert signers(oracle) == {"reader"}


@pytest.mark.parametrize("login", ["auth token", "bearer token"])
def test_a_login_alone_mounts_the_registry_without_compartments(
        mount, oracle, tmp_path, login):
    user = oracle.users["reader"]
    name, word = user["username"], user["auth_token"]
    if login == "bearer token":
        name, word = "BEARER_TOKEN", registry_token(oracle, user)
    path = ocir.docker_file(oracle, tmp_path, name, word)
    m = mount(oracle.urls["registry"], auth_file=path,
              repos=f"{oracle.namespace}/motando-webapp")
    assert (m / oracle.namespace / "motando-webapp/latest").read_bytes()


def test_one_name_for_all_calls(mount, oracle):
    oracle.mark()
    m = ocir.mounted(mount, oracle)
    look(m)
    asked = oracle.requests("registry")
    assert {r["host"] for r in asked} == {ocir.host_of(oracle)}


def test_a_scope_that_is_refused_is_left_out(mount, oracle):
    oracle.fault(service="registry", match="docker/token.*scope=", status=400,
                 times=0)
    try:
        look(ocir.mounted(mount, oracle))
    finally:
        oracle.clear_faults()


def test_a_token_server_in_trouble_is_asked_again_signed_anew(mount, oracle):
    oracle.fault(service="registry", match="docker/token", status=503, times=2)
    oracle.mark()
    look(ocir.mounted(mount, oracle))
    asked = oracle.requests("registry", "docker/token")
    assert [r["status"] for r in asked[:3]] == [503, 503, 200]
    assert not is_anything_refused(oracle)


@pytest.mark.parametrize("kind", ["api_key", "instance_principal"])
@pytest.mark.semantics("S42")
def test_it_mounts_before_its_network(mount, oracle, kind):
    """`bg`: with a key nothing needs to be asked first, and an instance asks
    itself; the rest comes when it is there."""
    for service in ("identity", "artifacts", "auth", "objectstorage",
                    "registry"):
        oracle.fault(service=service, drop=True, times=0)
    m = ocir.mounted(mount, oracle, kind, bg=True, timeout="3s")
    with pytest.raises(OSError):
        os.listdir(m / WEBAPP)
    oracle.clear_faults()

    def is_there():
        try:
            return "latest" in os.listdir(m / WEBAPP)
        except OSError:
            return False

    waiting.until(is_there, "the network", 30)
    look(m)


def spoken(text):
    """[(variables, options)] of each way to sign in that a text tells of."""
    found, env = [], {}
    for line in text.splitlines():
        if line.startswith("    export "):
            name, _, value = shlex.split(line)[1].partition("=")
            env[name] = value
        elif line.startswith("    ocirfs "):
            found.append((env, line.split()[-1]))
            env = {}
    return found


def test_what_the_emulator_tells_people_to_do_works(tmp_path, watchdog):
    script = pathlib.Path(__file__).parents[2] / "scripts/ocir-emulator"
    process = subprocess.Popen([script], text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    try:
        text = ""
        while "Faults, settings" not in text:
            line = process.stdout.readline()
            assert line, text
            text += line
        ways = spoken(text)
        assert len(ways) == 4
        for i, (env, words) in enumerate(ways):
            m = mounts.Mount("us-ashburn-1", tmp_path / f"way{i}",
                             env=ocir.NO_METADATA | env,
                             **dict(w.split("=", 1) for w in words.split(",")))
            watchdog.mounts.append(m)
            with m:
                assert "prod" in os.listdir(m.path)
    finally:
        waiting.end_process(process, signal.SIGINT)
        process.stdout.close()
