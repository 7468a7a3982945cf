# SPDX-License-Identifier: Apache-2.0
"""The token server that docker-registry's `auth.token` sends clients to:
Basic on its door, RS256 JWTs with a libtrust key id inside."""
import base64
import hashlib
import http.server
import json
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

SERVICE = "ocirfs-tests"


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_id(private):
    """libtrust: SHA-256 of the public key, 30 bytes, base32 in groups of 4."""
    der = private.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[i:i + 4] for i in range(0, len(text), 4))


class TokenServer:
    """users: name -> password; a repository in `private` needs one of them."""

    def __init__(self, signer, users, private=(), issuer="tests", life=300):
        self.signer, self.users, self.private = signer, users, private
        self.issuer, self.life = issuer, life
        self.asked = []  # (user or None, scopes) of each request
        self.issued = []  # the tokens, to look for them where they must not be
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"owner": self})
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.http.serve_forever,
                                       kwargs={"poll_interval": 0.05})
        self.thread.start()

    @property
    def realm(self):
        return f"http://127.0.0.1:{self.http.server_port}/token"

    def registry_auth(self):
        return {"token": {"realm": self.realm, "service": SERVICE,
                          "issuer": self.issuer,
                          "rootcertbundle": str(self.signer.certificate)}}

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def access(self, user, scopes):
        """What of these scopes this user is given."""
        given = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            if kind == "repository" and name in self.private and not user:
                continue
            given.append({"type": kind, "name": name,
                          "actions": actions.split(",")})
        return given

    def token(self, user, scopes):
        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256",
                  "kid": key_id(self.signer.private)}
        claims = {"iss": self.issuer, "sub": user or "", "aud": SERVICE,
                  "exp": now + self.life, "nbf": now - 10, "iat": now,
                  "jti": f"{len(self.issued)}",
                  "access": self.access(user, scopes)}
        body = ".".join(_b64(json.dumps(x).encode()) for x in (header, claims))
        signature = self.signer.private.sign(
            body.encode(), padding.PKCS1v15(), hashes.SHA256())
        token = f"{body}.{_b64(signature)}"
        with self.lock:
            self.issued.append(token)
            self.asked.append((user, scopes))
        return token


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *_):
        pass

    def answer(self, status, value, **headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(body)

    def user(self):
        """None: anonymous; False: a wrong password."""
        value = self.headers.get("Authorization", "")
        if not value:
            return None
        kind, _, text = value.partition(" ")
        name, _, password = base64.b64decode(text).decode().partition(":")
        right = self.owner.users.get(name) == password
        return name if kind.lower() == "basic" and right else False

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        user = self.user()
        if url.path != "/token" or query.get("service") != [SERVICE]:
            self.answer(404, {"details": "no such thing"})
        elif user is False:
            self.answer(401, {"errors": [{
                "code": "UNAUTHORIZED", "message": "incorrect password"}]})
        else:
            token = self.owner.token(user, query.get("scope", []))
            self.answer(200, {"token": token, "expires_in": self.owner.life})
