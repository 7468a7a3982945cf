# SPDX-License-Identifier: Apache-2.0
"""JSON web tokens: security tokens and the registry's."""
import base64
import hashlib
import hmac
import json
import math
import secrets
import threading

from cryptography.hazmat.primitives.asymmetric import rsa


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwk_of(public):
    numbers = public.public_numbers()
    return {"kty": "RSA", "kid": "session", "alg": "RS256", "use": "sig",
            "n": encode(numbers.n.to_bytes(public.key_size // 8, "big")),
            "e": encode(numbers.e.to_bytes(3, "big"))}


def key_of_jwk(jwk):
    return rsa.RSAPublicNumbers(
        int.from_bytes(decode(jwk["e"]), "big"),
        int.from_bytes(decode(jwk["n"]), "big")).public_key()


class Invalid(Exception):
    """Not a token of ours, or one that has ended."""


class Mint:
    """Makes tokens and knows them again.

    Each has a serial number, so that a test can end all that were made so far
    without waiting for the clock.  Signed with a secret: nobody but the
    service that made a token looks at its signature.
    """

    def __init__(self):
        self.secret = secrets.token_bytes(32)
        self.lock = threading.Lock()
        self.issued = []
        self.first_valid = 0
        self._known = {}  # digest of a token that was checked: its claims

    def make(self, claims, now, seconds):
        with self.lock:
            serial = len(self.issued)
            self.issued.append(None)
        head = {"alg": "HS256", "kid": "asw", "typ": "JWT"}
        claims = {**claims, "iat": int(now), "exp": math.ceil(now + seconds),
                  "jti": str(serial)}
        text = ".".join(encode(json.dumps(x).encode()) for x in (head, claims))
        token = f"{text}.{encode(self._sign(text))}"
        self.issued[serial] = token
        return token

    def _sign(self, text):
        return hmac.digest(self.secret, text.encode(), "sha256")

    def _decode(self, token):
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._known.get(digest)
        if claims is None:
            try:
                head, body, signature = token.split(".")
                if not hmac.compare_digest(self._sign(f"{head}.{body}"),
                                           decode(signature)):
                    raise Invalid("not signed by us")
                claims = json.loads(decode(body))
            except ValueError:
                raise Invalid("not a token") from None
            if len(self._known) > 10000:
                self._known.clear()
            self._known[digest] = claims
        return claims

    def read(self, token, now):
        """The claims of a token that is good now."""
        claims = self._decode(token)
        if now >= claims["exp"]:
            raise Invalid(f"ended {now - claims['exp']:.0f} s ago")
        if int(claims["jti"]) < self.first_valid:
            raise Invalid("revoked")
        return claims

    def revoke_all(self):
        with self.lock:
            self.first_valid = len(self.issued)
