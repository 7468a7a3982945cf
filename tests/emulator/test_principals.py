# SPDX-License-Identifier: Apache-2.0
"""Ways to sign in without an API key: instances, session tokens, delegation
tokens, resources, pods."""
import base64
import configparser
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from . import pki, population
from .conftest import load_key
from .signing_client import Client, send

METADATA = {"authorization": "Bearer Oracle"}
COMPARTMENTS = "/20160918/compartments"


def inner(pem):
    """A PEM's base64 on one line."""
    return "".join(pem.splitlines()[1:-1])


class Machine:
    """An instance that asks its metadata service who it is."""

    def __init__(self, rig):
        self.rig = rig
        self.refresh()

    def read(self, path):
        answer = send(self.rig.urls["metadata"], "GET", "/opc/v2/" + path,
                      METADATA)
        assert answer.status == 200
        return answer.body.decode()

    def refresh(self):
        self.leaf = self.read("identity/cert.pem")
        self.between = self.read("identity/intermediate.pem")
        self.key = serialization.load_pem_private_key(
            self.read("identity/key.pem").encode(), None)
        self.certificate = x509.load_pem_x509_certificate(self.leaf.encode())
        self.tenancy = pki.units_of(self.certificate)["opc-tenant"]

    def key_id(self):
        return (f"{self.tenancy}/fed-x509/"
                f"{pki.certificate_fingerprint(self.certificate)}")

    def details(self, session):
        return {"certificate": inner(self.leaf), "purpose": "DEFAULT",
                "publicKey": inner(pki.pem_of_public(session.public_key())),
                "intermediateCertificates": [inner(self.between)]}

    def federate(self, session, key=None, key_id=None, date="date", **more):
        client = Client(key or self.key, key_id or self.key_id(), date)
        return client.ask(self.rig.urls["auth"], "POST", "/v1/x509",
                          {**self.details(session), **more})


@pytest.fixture
def machine(plane):
    return Machine(plane)


@pytest.fixture(scope="session")
def session():
    return pki.new_rsa()


def list_with(plane, key, token, **more):
    return Client(key, f"ST${token}", **more).get(
        plane.urls["identity"], COMPARTMENTS, compartmentId=plane.tenancy)


# ---- metadata ----

def test_metadata(plane, machine):
    assert machine.read("instance/region") == "iad"
    plane.cloud.settings.change({"region_form": "identifier"})
    assert machine.read("instance/region") == "us-ashburn-1"
    info = json.loads(machine.read("instance/regionInfo"))
    assert info["regionKey"] == "IAD" and info["realmKey"] == "oc1"
    assert len(machine.tenancy) > 64, "longer than a name may be"
    assert "BEGIN RSA PRIVATE KEY" in machine.read("identity/key.pem")


@pytest.mark.parametrize("headers, path, status", [
    ({}, "/opc/v2/instance/region", 401),
    ({"authorization": "Bearer oracle"}, "/opc/v2/instance/region", 401),
    ({**METADATA, "x-forwarded-for": "1"}, "/opc/v2/instance/region", 400),
    ({**METADATA, "forwarded": "1"}, "/opc/v2/instance/region", 400),
    (METADATA, "/opc/v1/instance/region", 404)])
def test_metadata_is_careful(plane, headers, path, status):
    assert send(plane.urls["metadata"], "GET", path, headers).status == status


# ---- instances ----

def test_an_instance_gets_a_token(plane, machine, session):
    answer = machine.federate(session)
    assert answer.status == 200, answer.body
    assert list_with(plane, session, answer.json["token"]).status == 200
    assert plane.cloud.log.read("identity")[-1]["who"] == "build-host"
    assert list_with(plane, machine.key, answer.json["token"]).status == 401


def test_federation_is_strict(plane, machine, session):
    other = pki.authority("other", pki.new_rsa())
    fake = pki.instance_leaf(other, session, "a", "b", plane.tenancy)
    for change in (
            {"key": session}, {"key_id": machine.key_id() + "0"},
            {"key_id": machine.key_id().upper()}, {"date": "x-date"},
            {"intermediateCertificates": []},
            {"intermediateCertificates": [
                inner(pki.pem_of(other.certificate))]},
            {"certificate": inner(pki.pem_of(fake.certificate))}):
        answer = machine.federate(session, **change)
        assert (answer.status, answer.code) == (401, "NotAuthenticated"), \
            change
    for change in ({"publicKey": "x"}, {"certificate": "MIIC"},
                   {"purpose": "OTHER"}, {"publicKey": None}):
        assert machine.federate(session, **change).status == 400, change


def test_certificates_rotate(plane, machine, session):
    plane.cloud.instance.rotate()
    assert machine.federate(session).status == 200, "the one before is good"
    plane.cloud.instance.rotate()
    assert machine.federate(session).status == 401
    machine.refresh()
    assert machine.federate(session).status == 200


def test_tokens_end(plane, machine, session):
    plane.cloud.settings.change({"security_token_seconds": 60})
    token = machine.federate(session).json["token"]
    assert list_with(plane, session, token).status == 200
    plane.cloud.settings.change({"clock_offset": 62})
    assert list_with(plane, session, token).status == 401
    assert "ended" in plane.cloud.log.read("identity")[-1]["note"]
    plane.cloud.settings.change({"clock_offset": 0})
    plane.cloud.directory.security.revoke_all()
    assert list_with(plane, session, token).status == 401


def test_keys_used_again_are_counted(plane, machine):
    key = pki.throwaway_rsa()
    before = dict(plane.cloud.session_keys)
    for _ in range(2):
        machine.federate(key)
    name = pki.fingerprint(key.public_key())
    assert plane.cloud.session_keys[name] == before.get(name, 0) + 2


# ---- profiles ----

def profile(plane, name):
    c = configparser.RawConfigParser(default_section="none")
    c.read(plane.cloud.folder / "oci/config")
    return dict(c[name])


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


@pytest.mark.parametrize("part, word", [
    (0, "keyId"), (1, "keyId"), (2, "fingerprint")])
def test_each_part_of_a_key_id_counts(plane, part, word):
    client = plane.user()
    parts = client.key_id.split("/")
    parts[part] += "0"
    client.key_id = "/".join(parts)
    answer = client.get(plane.urls["identity"], "/20160918/regions")
    assert answer.status == 401
    assert plane.cloud.log.read("identity")[-1]["note"].startswith(word)


def test_api_key_profiles(plane):
    p = profile(plane, "DEFAULT")
    assert pki.fingerprint(load_key(p["key_file"]).public_key()) == \
        p["fingerprint"]
    p = profile(plane, "DEFAULT_ENCRYPTED")
    assert "ENCRYPTED" in read(p["key_file"])


def test_session_tokens_are_renewed(plane):
    p = profile(plane, "SESSION")
    token, key = read(p["security_token_file"]), load_key(p["key_file"])
    assert list_with(plane, key, token).status == 200
    client = Client(key, f"ST${token}")

    def refresh(value):
        return client.ask(plane.urls["auth"], "POST",
                          "/v1/authentication/refresh", {"currentToken": value})

    new = refresh(token)
    assert new.status == 200 and new.json["token"] != token
    assert list_with(plane, key, new.json["token"]).status == 200
    assert refresh("x").status == 401
    assert refresh("").status == 400
    plane.cloud.settings.change({"clock_offset": 3700})
    client.skew = 3700
    assert refresh(token).status == 401


def test_a_delegation_token_speaks_for_a_user(plane, machine, session):
    token = machine.federate(session).json["token"]
    obo = read(profile(plane, "CLOUD_SHELL")["delegation_token_file"])
    answer = list_with(plane, session, token, more={"opc-obo-token": obo})
    assert answer.status == 200
    assert plane.cloud.log.read("identity")[-1]["who"] == "jdoe@example.com"
    assert list_with(plane, session, token, more={
        "opc-obo-token": token}).status == 401
    assert list_with(plane, plane.cloud.session_key, obo).status == 401


def test_a_resource_principal(plane):
    folder = plane.cloud.folder / "resource"
    token = read(folder / "rpst")
    assert list_with(plane, load_key(folder / "key.pem"), token).status == 200
    assert plane.cloud.log.read("identity")[-1]["who"] == "function"
    population.renew(plane.cloud, "resource", 60)
    assert read(folder / "rpst") != token


# ---- pods ----

def ask_oke(plane, token, body, **more):
    return send(plane.urls["oke"], "POST", "/resourcePrincipalSessionTokens", {
        "authorization": f"Bearer {token}", "content-type":
        "application/json", **more}, json.dumps(body),
        ca=plane.cloud.folder / "k8s/ca.crt")


@pytest.mark.parametrize("quotes", [False, True])
def test_a_pod_gets_a_token(plane, session, quotes):
    plane.cloud.settings.change({"oke_quotes": quotes})
    answer = ask_oke(plane, read(plane.cloud.folder / "k8s/token"), {
        "podKey": inner(pki.pem_of_public(session.public_key()))})
    text = answer.body.decode()
    assert text.startswith('"') is quotes
    token = json.loads(base64.b64decode(text.strip('"')))["token"]
    assert token.startswith("ST$")
    assert list_with(plane, session, token[3:]).status == 200
    assert plane.cloud.log.read("identity")[-1]["who"] == "pod"


def test_oke_is_careful(plane, session):
    right = read(plane.cloud.folder / "k8s/token")
    key = {"podKey": inner(pki.pem_of_public(session.public_key()))}
    assert ask_oke(plane, "x", key).status == 403
    assert ask_oke(plane, right, {"podKey": "x"}).status == 400
    assert ask_oke(plane, right, key, **{"content-type": "x"}).status == 400
