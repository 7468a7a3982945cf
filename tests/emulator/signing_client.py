# SPDX-License-Identifier: Apache-2.0
"""A client of the cloud in a few lines, for the emulator's own tests.

It signs by the description, without code of signature.py: what checks must not
be what makes.
"""
import base64
import email.utils
import hashlib
import http.client
import json
import ssl
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding


def sign(key, key_id, method, target, headers, names):
    """Adds Authorization to `headers` (a dict with lower-case names)."""
    lines = [f"{n}: {method.lower()} {target}" if n == "(request-target)"
             else f"{n}: {headers[n]}" for n in names]
    raw = key.sign("\n".join(lines).encode(), padding.PKCS1v15(),
                   hashes.SHA256())
    headers["authorization"] = (
        f'Signature version="1",keyId="{key_id}",algorithm="rsa-sha256",'
        f'headers="{" ".join(names)}",'
        f'signature="{base64.b64encode(raw).decode()}"')


class Answer:
    def __init__(self, reply):
        self.status = reply.status
        self.headers = {n.lower(): v for n, v in reply.getheaders()}
        self.body = reply.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The word of an error in either form."""
        value = self.json
        return value["errors"][0]["code"] if "errors" in value \
            else value["code"]


def send(url, method, target, headers=None, body=None, ca=None):
    """Without any signature."""
    at = urllib.parse.urlsplit(url)
    if at.scheme == "https":
        connection = http.client.HTTPSConnection(
            at.netloc, timeout=30,
            context=ssl.create_default_context(cafile=ca))
    else:
        connection = http.client.HTTPConnection(at.netloc, timeout=30)
    try:
        connection.request(method, target, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


class Client:
    """Signs for one keyId."""

    def __init__(self, key, key_id, date="x-date", skew=0, more=None):
        self.key, self.key_id = key, key_id
        self.date, self.skew, self.more = date, skew, more or {}

    def headers(self, url, method, target, body):
        headers = {"host": urllib.parse.urlsplit(url).netloc,
                   self.date: email.utils.formatdate(
                       time.time() + self.skew, usegmt=True), **self.more}
        names = [self.date, "(request-target)", "host"]
        names += [n for n in ("opc-obo-token",) if n in headers]
        if body is not None:
            digest = hashlib.sha256(body).digest()
            headers |= {"content-type": "application/json",
                        "content-length": str(len(body)),
                        "x-content-sha256": base64.b64encode(digest).decode()}
            names += ["content-type", "content-length", "x-content-sha256"]
        sign(self.key, self.key_id, method, target, headers, names)
        return headers

    def ask(self, url, method, target, value=None, body=None, more=None):
        if body is None and method in ("POST", "PUT"):
            body = json.dumps({} if value is None else value).encode()
        headers = self.headers(url, method, target, body)
        return send(url, method, target, {**headers, **(more or {})}, body)

    def get(self, url, path, **query):
        words = "&".join(f"{k}={urllib.parse.quote(str(v), safe='')}"
                         for k, v in query.items())
        return self.ask(url, "GET", path + ("?" + words if words else ""))

    def pages(self, url, path, **query):
        """Every page of a list, to the end."""
        found = []
        while True:
            answer = self.get(url, path, **query)
            assert answer.status == 200, answer.body
            found.append(answer.json)
            if "opc-next-page" not in answer.headers:
                return found
            query["page"] = answer.headers["opc-next-page"]
