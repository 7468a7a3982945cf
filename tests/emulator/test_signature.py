# SPDX-License-Identifier: Apache-2.0
"""Signatures: the published vectors are right, and nothing else is."""
import json
import pathlib
import types
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization

from . import signature
from .errors import ApiError
from .pki import new_rsa
from .wire import Fields

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "vectors/signing"
FILE = json.loads((FOLDER / "vectors.json").read_text())
VECTORS = FILE["vectors"]
NOW = signature.parse_date("Mon, 05 Jan 2026 21:31:40 GMT")
PUBLIC = serialization.load_pem_public_key(
    (FOLDER / "throwaway-test-key-public.pem").read_bytes())


def ids(vectors):
    return [v["id"] for v in vectors]


class Message:
    """A vector as a request that can be changed."""

    def __init__(self, vector, authorization=None, date=None):
        self.method = vector["method"]
        self.target = vector["requestTarget"].partition(" ")[2]
        self.body = (vector["body"] or "").encode()
        values = {k: v for k, v in vector["signedHeaderValues"].items()
                  if not k.startswith("(")}
        if date:
            values["date"] = values.pop("x-date")
        values["authorization"] = authorization or vector["authorization"]
        self.headers = list(values.items())
        self.dates = ("date",) if "fed" in vector["id"] else \
            ("date", "x-date")

    def put(self, name, value):
        self.headers = [(n, v) for n, v in self.headers if n != name]
        if value is not None:
            self.headers.append((name, value))

    def get(self, name):
        return dict(self.headers)[name]

    def verify(self, now=NOW, key=PUBLIC):
        request = types.SimpleNamespace(
            method=self.method, target=self.target,
            fields=Fields(self.headers))
        return signature.verify(request, self.body, lambda _: key, now,
                                self.dates)


@pytest.mark.parametrize("vector", VECTORS, ids=ids(VECTORS))
def test_each_vector_is_right(vector):
    assert Message(vector).verify() == vector["keyId"]
    sdk = vector.get("sdkAuthorization", vector["authorization"])
    assert Message(vector, sdk).verify() == vector["keyId"]
    assert urllib.parse.urlsplit(vector["url"]).netloc == vector["host"]


@pytest.mark.parametrize("vector", VECTORS[:7], ids=ids(VECTORS[:7]))
def test_the_date_may_be_date(vector):
    other = vector["dateVariant"]
    value = vector["authorization"].replace(
        vector["headersList"], other["headersList"]).replace(
        vector["signature"], other["signature"])
    assert Message(vector, value, date=True).verify() == vector["keyId"]


def test_the_federation_request_must_sign_date():
    m = Message(VECTORS[0])
    m.dates = ("date",)
    with pytest.raises(ApiError, match="signed dates"):
        m.verify()


@pytest.mark.parametrize("vector", VECTORS, ids=ids(VECTORS))
@pytest.mark.parametrize("offset, good", [
    (0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes_are_the_limit(vector, offset, good):
    if good:
        Message(vector).verify(NOW + offset)
    else:
        with pytest.raises(ApiError, match="from the cloud's clock"):
            Message(vector).verify(NOW + offset)


def authorization(**changes):
    """Changes a field of the Authorization header."""
    def change(m):
        value = m.get("authorization")
        for name, (old, new) in changes.items():
            assert old in value, name
            value = value.replace(old, new)
        m.put("authorization", value)

    return change


def header(name, value):
    return lambda m: m.put(name, value)


GET = {  # what is done to vector 01: what the log says of it
    "another target": (lambda m: setattr(m, "target", m.target + "0"),
                       "signature is wrong"),
    "encoded otherwise": (lambda m: setattr(m, "target", m.target.replace(
        "%2F", "/")), "signature is wrong"),
    "another method": (lambda m: setattr(m, "method", "HEAD"),
                       "signature is wrong"),
    "another host": (header("host", "identity.us-ashburn-1.example"),
                     "signature is wrong"),
    "no date": (header("x-date", None), "no RFC 1123 date"),
    "a wrong day": (header("x-date", "Tue, 05 Jan 2026 21:31:40 GMT"),
                    "no RFC 1123 date"),
    "an ISO date": (header("x-date", "2026-01-05T21:31:40Z"),
                    "no RFC 1123 date"),
    "no header": (header("authorization", None), "0 Authorization"),
    "two hosts": (lambda m: m.headers.append(("host", "b")),
                  "host is there 2 times"),
    "two headers": (lambda m: m.headers.append(("authorization", "b")),
                    "2 Authorization"),
    "Basic": (header("authorization", "Basic YTpi"), "of the form"),
    "blanks": (authorization(a=(",", ", ")), "of the form"),
    "version 2": (authorization(a=('version="1"', 'version="2"')),
                  "not version 1"),
    "no version": (authorization(a=('version="1",', "")), "fields"),
    "hmac": (authorization(a=("rsa-sha256", "hmac-sha256")), "not version 1"),
    "no host": (authorization(a=(" host", "")), "needed"),
    "one too many": (authorization(a=(" host", " host accept")), "needed"),
    "twice": (authorization(a=(" host", " host host")), "twice"),
    "both dates": (authorization(a=("x-date", "x-date date")), "signed dates"),
    "not base64": (authorization(a=("==", "=!")), "signature is wrong"),
    "an unsigned delegation": (header("opc-obo-token", "x"), "needed"),
}
POST = {  # what is done to vector 02
    "another body": (lambda m: setattr(m, "body", m.body + b" "),
                     "x-content-sha256"),
    "an empty body": (lambda m: setattr(m, "body", b""), "x-content-sha256"),
    "another length": (header("content-length", "3"), "content-length"),
    "no length": (header("content-length", None), "content-length"),
    "no digest": (header("x-content-sha256", None), "x-content-sha256"),
    "another type": (header("content-type", "text/plain"), "content-type"),
    "a parameter": (header("content-type", "application/json; charset=utf-8"),
                    "signature is wrong"),
    "body not signed": (authorization(a=(
        " content-type content-length x-content-sha256", "")), "needed"),
}


@pytest.mark.parametrize("vector, name, change, word", [
    (VECTORS[v], name, change, word) for v, table in ((0, GET), (1, POST))
    for name, (change, word) in table.items()],
    ids=[*GET, *POST])
def test_anything_else_is_refused(vector, name, change, word):
    m = Message(vector)
    change(m)
    with pytest.raises(ApiError, match=word) as e:
        m.verify()
    assert (e.value.status, e.value.code) == (401, "NotAuthenticated")
    assert word not in e.value.message, "the cloud does not tell why"


def test_another_key_is_refused():
    other = serialization.load_pem_private_key(
        (FOLDER / "throwaway-test-key.pem").read_bytes(), None).public_key()
    Message(VECTORS[0]).verify(key=other)  # the same key in another form
    with pytest.raises(ApiError, match="signature is wrong"):
        Message(VECTORS[0]).verify(key=new_rsa().public_key())


@pytest.mark.parametrize("text, seconds", [
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ("Sun, 29 Feb 2032 23:59:59 GMT", 1961711999),
    ("Sun, 30 Feb 2032 23:59:59 GMT", None),
    ("Thu, 1 Jan 1970 00:00:00 GMT", None),
    ("Thu, 01 Jan 1970 00:00:00 UTC", None),
    ("Thu, 01 jan 1970 00:00:00 GMT", None), ("", None)])
def test_dates_are_read_strictly(text, seconds):
    assert signature.parse_date(text) == seconds
    if seconds is not None:
        assert signature.format_date(seconds) == text
