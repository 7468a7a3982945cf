# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with OCIR is one sentence that names cause and next step:
before the mount goes to the background, or later where people look."""
import errno
import os
import subprocess

import pytest

import ocir
import waiting

pytest_plugins = "emulators"
pytestmark = pytest.mark.semantics("S48")

NOBODY = f"http://127.0.0.1:{waiting.free_port()}"


@pytest.fixture(scope="module")
def shared(module_oracle):
    return module_oracle("--sample")


@pytest.fixture
def oracle(shared):
    yield shared
    shared.clear_faults()
    shared.set(clock_offset=0, free_tier=False)


@pytest.fixture
def says(run_ocirfs, oracle, tmp_path):
    """says(...): the sentence of a mount that is refused."""
    def ask(*args, **more):
        line = ocir.refused(run_ocirfs, oracle, tmp_path, *args, **more)
        ocir.no_secret_of(oracle, line)
        return line

    return ask


def new_key(folder):
    """A key that the cloud does not know, and its fingerprint."""
    path = folder / "new.pem"
    subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True,
                   capture_output=True)
    der = subprocess.run(
        ["openssl", "rsa", "-in", path, "-pubout", "-outform", "DER"],
        check=True, capture_output=True).stdout
    md5 = subprocess.run(["openssl", "md5", "-c"], input=der, check=True,
                         capture_output=True).stdout.decode()
    return path, md5.split()[-1]


# ---- before the mount ----

def test_a_key_that_is_another_ones(says, tmp_path):
    path, mark = new_key(tmp_path)
    line = says(env={"OCI_CLI_KEY_FILE": str(path)})
    assert f"the private key has the fingerprint {mark}" in line
    assert "the configuration says" in line


def test_a_key_that_was_not_uploaded(says, tmp_path):
    path, mark = new_key(tmp_path)
    line = says(env={"OCI_CLI_KEY_FILE": str(path),
                     "OCI_CLI_FINGERPRINT": mark})
    assert "401 NotAuthenticated" in line
    assert "is the API key uploaded for that user" in line and mark in line


@pytest.mark.parametrize("more, says_what", [
    ({"OCI_CLI_KEY_FILE": "/nowhere.pem"}, "/nowhere.pem: No such file"),
    ({"OCI_CLI_CONFIG_FILE": "/nowhere"}, "/nowhere: No such file"),
    ({"OCI_CLI_PROFILE": "NOBODY"}, "there is no profile [NOBODY]"),
    ({"OCI_CLI_AUTH": "magic"}, "auth=magic is not known"),
    ({"OCI_CLI_PASSPHRASE": "no", "OCI_CLI_PROFILE": "DEFAULT_ENCRYPTED"},
     "passphrase"),
])
def test_a_configuration_that_is_wrong(says, more, says_what):
    assert says_what in says(env=more)


def test_nothing_to_sign_in_with(says):
    line = says(env={"OCI_CLI_CONFIG_FILE": ""})
    assert "nothing to sign in to OCI with" in line


def test_a_session_that_has_ended(says, oracle):
    oracle.renew("session", -60)
    line = says("security_token")
    oracle.renew("session")
    assert "the session token has expired" in line
    assert "oci session authenticate" in line


@pytest.mark.parametrize("kind", ["api_key", "instance_principal",
                                  "resource_principal"])
@pytest.mark.parametrize("offset, way", [(600, "behind"), (-600, "ahead of")])
def test_a_clock_that_is_ten_minutes_off(says, oracle, kind, offset, way):
    oracle.set(clock_offset=offset)
    line = says(kind)
    assert f"this machine's clock is 10 minutes {way} OCI's" in line
    assert "timedatectl" in line


def test_a_policy_that_is_missing(says):
    line = says(profile="STRANGER")
    assert "404 NotAuthorizedOrNotFound" in line
    assert "Allow group GROUP to inspect compartments in tenancy" in line


def test_a_policy_that_a_machine_lacks(says, oracle):
    old = oracle.control("GET", "/policies")
    oracle.policies()
    line = says("instance_principal")
    oracle.policies(*old)
    assert ("Allow dynamic-group GROUP to inspect compartments in tenancy"
            in line)


def test_a_repository_that_the_registry_does_not_show(says):
    line = says(profile="STRANGER", repos="motando-webapp")
    assert "motando-webapp" in line
    assert "Allow group GROUP to read repos in tenancy" in line


def test_a_namespace_that_is_anothers(says, oracle):
    line = says(namespace="wrong")
    assert "namespace=wrong is not this tenancy's" in line
    assert f"'{oracle.namespace}'" in line


def test_a_namespace_that_is_anothers_in_a_url(says, oracle, tmp_path):
    user = oracle.users["reader"]
    path = ocir.docker_file(oracle, tmp_path, user["username"],
                            user["auth_token"])
    line = says(source=oracle.urls["registry"], **ocir.PLAIN,
                auth_file=path, repos="wrong/motando-webapp")
    assert "Tenant with name wrong not found" in line


def test_a_signature_that_the_registry_takes_for_nobodys(says, oracle,
                                                         tmp_path):
    """It answers 200 and an anonymous token then."""
    path, mark = new_key(tmp_path)
    line = says(namespace=oracle.namespace, repos="motando-webapp",
                env={"OCI_CLI_KEY_FILE": str(path),
                     "OCI_CLI_FINGERPRINT": mark})
    assert "gives an anonymous token" in line and mark in line
    oracle.set(clock_offset=600)
    line = says(namespace=oracle.namespace, repos="motando-webapp")
    assert "gives an anonymous token" in line
    assert "10 minutes behind" in line


@pytest.mark.parametrize("service", ["identity", "objectstorage", "registry"])
def test_no_network(says, service):
    line = says(**{service: NOBODY})
    assert "refused" in line and "-o bg mounts all the same" in line


def test_no_federation(says):
    line = says("instance_principal", federation=NOBODY, timeout="5s")
    assert "instance_principal" in line and "is the network up?" in line


@pytest.mark.parametrize("more, what", [
    ({"source": "atlantis-1"}, "'atlantis-1' is no region of OCI"),
    ({"region": "gru"}, "region= goes with a URL"),
    ({"source": "http://127.0.0.1:1", "region": "iad"}, "registry= goes with"),
    ({"identity": "http://identity.example"}, "plain http is refused"),
    ({"identity": "identity.example"}, "identity"),
])
def test_options_that_make_no_sense(says, more, what):
    assert what in says(**more)


def test_an_unknown_kind_is_a_wrong_command_line(run_ocirfs, tmp_path):
    done = run_ocirfs("iad", tmp_path, "-o", "auth=magic")
    assert done.returncode == 2
    assert "option 'auth': 'magic' is not one of the kinds" in done.stderr


# ---- later ----

def error_of(m, path):
    """(errno, the sentence in .ocirfs/errors) of opening something there."""
    with pytest.raises(OSError) as e:
        os.listdir(m / path)
    lines = m.status("errors").splitlines()
    return e.value.errno, lines[-1] if lines else ""


def test_a_session_that_ends_meanwhile(mount, oracle):
    oracle.renew("session", 3)
    m = ocir.mounted(mount, oracle, "security_token", ttl="0s")
    assert "prod" in os.listdir(m.path)

    def has_ended():
        oracle.revoke(registry=True)
        try:
            os.listdir(m / "prod/motando-webapp")
        except OSError as e:
            return e

    waiting.until(has_ended, "the end of the session", 20)
    code, line = error_of(m, "build/project01/base")
    assert code == errno.EACCES
    assert "session token has expired" in line and "oci session" in line
    oracle.renew("session")
    assert "1.2" in os.listdir(m / "build/project01/base")
    ocir.no_secret_of(oracle, m.log(), m.status("errors"))


def test_a_clock_that_is_set_wrong_meanwhile(mount, oracle):
    m = ocir.mounted(mount, oracle, ttl="0s")
    assert "prod" in os.listdir(m.path)
    oracle.set(clock_offset=600)
    oracle.revoke(registry=True)
    code, line = error_of(m, "prod/motando-webapp")
    assert code == errno.EACCES and "10 minutes behind" in line


def test_a_policy_that_is_taken_away_meanwhile(mount, oracle):
    m = ocir.mounted(mount, oracle, ttl="0s")
    assert "1.2" in os.listdir(m / "build/project01/base")
    old = oracle.control("GET", "/policies")
    oracle.policies("Allow group builders to inspect compartments in tenancy")
    try:
        os.stat(m / "build")
        code, line = error_of(m, "prod/motando-webapp")
    finally:
        oracle.policies(*old)
    assert code in (errno.EACCES, errno.ENOENT)
    assert "Allow group GROUP to read repos" in line


def test_a_network_that_goes_away_meanwhile(mount, oracle):
    m = ocir.mounted(mount, oracle, ttl="0s", timeout="3s")
    assert "prod" in os.listdir(m.path)
    for service in ("identity", "artifacts", "registry"):
        oracle.fault(service=service, drop=True, times=0)
    _, line = error_of(m, "prod/motando-webapp")
    assert "the connection was closed without an answer" in line
    oracle.clear_faults()
    waiting.until(lambda: not m.status().count("does not answer"),
                  "the registry", 30)
    assert "latest" in os.listdir(m / "prod/motando-webapp")


@pytest.mark.semantics("S54")
def test_a_free_tenancy_says_how_to_go_on(mount, oracle):
    """It mounts, as whoever knows a name gets it all the same."""
    oracle.set(free_tier=True)
    m = ocir.mounted(mount, oracle)
    os.stat(m / "prod")
    waiting.until(lambda: "name the repositories with repos=" in m.log(),
                  "the sentence", 10)
    named = ocir.mounted(mount, oracle, repos="motando-webapp:tools/lint")
    assert "latest" in os.listdir(named / "motando-webapp")
    assert "2026.01" in os.listdir(named / "tools/lint")
