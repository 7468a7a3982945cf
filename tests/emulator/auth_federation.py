# SPDX-License-Identifier: Apache-2.0
"""Auth: security tokens for instances (X.509 federation), and the renewal of
session tokens."""
from cryptography.hazmat.primitives.asymmetric import rsa

from . import errors, pki, signature
from .service import Service, answer_json, parse_object, route


def text_of(value, name):
    if not isinstance(value, str) or not value:
        raise errors.missing(name)
    return value


class Auth(Service):
    name = "auth"
    signed = False  # each of its requests is signed in a way of its own

    @route("POST", "/v1/x509")
    def federate(self, request, body):
        details = parse_object(body)
        try:
            leaf = pki.load_certificate(
                text_of(details.get("certificate"), "certificate"))
            between = [pki.load_certificate(text_of(t, "intermediate"))
                       for t in details.get("intermediateCertificates") or ()]
            session = pki.load_public(
                text_of(details.get("publicKey"), "publicKey"))
        except ValueError as e:
            raise errors.ApiError(400, "CannotParseRequest",
                                  f"Not base64 of DER: {e}") from None
        if details.get("purpose") != "DEFAULT":
            raise errors.invalid("purpose")
        who = self._instance(leaf, between)
        self._check_signature(request, body, leaf)
        self.cloud.count_session_key(session)
        request.principal = who
        units = pki.units_of(leaf)
        token = self.cloud.directory.make_token(
            who, session, self.cloud.settings.security_token_seconds,
            **{"opc-instance": units["opc-instance"],
               "opc-compartment": units["opc-compartment"],
               "opc-certtype": "instance"})
        return answer_json({"token": token})

    def _instance(self, leaf, between):
        """The instance that this certificate was given to."""
        now = self.cloud.now()
        chain = [leaf, *between, self.cloud.instance.root.certificate]
        for certificate, issuer in zip(chain, chain[1:]):
            if not pki.is_signed_by(certificate, issuer):
                raise errors.not_authenticated("the chain does not end at "
                                               "our root")
        if not all(pki.is_valid_at(c, now) for c in chain):
            raise errors.not_authenticated("a certificate is not valid now")
        if not self.cloud.instance.is_current(leaf):
            raise errors.not_authenticated("a certificate that was replaced")
        return self.cloud.instance.principal

    def _check_signature(self, request, body, leaf):
        tenancy = pki.units_of(leaf).get("opc-tenant")
        wanted = (f"{tenancy}/fed-x509/"
                  f"{pki.certificate_fingerprint(leaf)}")
        public = leaf.public_key()

        def find_key(key_id):
            if key_id != wanted or not isinstance(public, rsa.RSAPublicKey):
                raise errors.not_authenticated(f"keyId is not {wanted}")
            return public

        # Oracle's SDK signs `date` here, where it signs `x-date` elsewhere.
        signature.verify(request, body, find_key, self.cloud.now(), ("date",))

    @route("POST", "/v1/authentication/refresh")
    def refresh(self, request, body):
        """A new session token for the same key, signed with the old one."""
        directory = self.cloud.directory
        who = directory.authenticate(request, body)
        old = text_of(parse_object(body).get("currentToken"), "currentToken")
        claims = directory.read_token(old)
        key = directory.find_key(f"ST${old}")
        if claims["sub"] != who.id or claims.get("ttype") != "login":
            raise errors.not_authenticated("not a session token of the signer")
        return answer_json({"token": directory.make_token(
            who, key, self.cloud.settings.security_token_seconds,
            ttype="login")})
