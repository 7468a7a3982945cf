# SPDX-License-Identifier: Apache-2.0
"""The registry's token endpoint, /20180419/docker/token.

As OCIR does, it answers a request that is signed wrongly not with an error but
with a token for an anonymous user.
"""
import base64
import hashlib
import json
import re

from . import errors, tokens
from .directory import Principal
from .service import answer_json

_SCOPE = re.compile(r"repository:[^:]+(?::\d+/[^:]+)?:[a-z*]+(?:,[a-z*]+)*")
BEARER_USER = "BEARER_TOKEN"
DOMAIN = "oracleidentitycloudservice/"


def anonymous(request):
    """Another one for each address, the same for one address."""
    digest = hashlib.sha1(request.host.encode()).hexdigest()
    return Principal("anonymous", f"anon-{digest}", "anonymous")


def check_scopes(scopes, settings):
    if len(scopes) > 1 and not settings.repeated_scope:
        raise errors.invalid("scope is given more than once")
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise errors.invalid("scope is malformed or not supported")
        if "delete" in scope.rpartition(":")[2].split(","):
            raise errors.invalid("action delete is not supported")


class TokenEndpoint:
    def __init__(self, cloud):
        self.cloud, self.state = cloud, cloud.state
        self.mint = cloud.registry_tokens

    # ---- making ----

    def answer(self, request):
        if request.method != "GET":
            raise errors.ApiError(405, "MethodNotAllowed", "GET only")
        scopes = [s for s in request.params().get("scope", ()) if s]
        check_scopes(scopes, self.cloud.settings)
        who = self._who(request)
        request.principal = who
        life = self.cloud.settings.registry_token_seconds
        subject = {"userId": who.id, "tenantId":
                   None if who.is_anonymous else self.state.tenancy,
                   "claims": []}
        token = self.mint.make(
            {"sub": json.dumps(subject), "aud": request.host},
            self.cloud.now(), life)
        return answer_json({"token": token, "access_token": token,
                            "scope": " ".join(scopes), "expires_in": life})

    def _who(self, request):
        kind, _, value = request.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            return self._user_of_password(request, value)
        if kind.lower() != "signature":
            return anonymous(request)
        try:
            return self.cloud.directory.authenticate(request, b"")
        except errors.ApiError as e:
            request.note = f"anonymous, because {e.note}"
            return anonymous(request)

    def _user_of_password(self, request, value):
        try:
            name, _, password = base64.b64decode(
                value, validate=True).decode().partition(":")
        except ValueError:
            raise self.unauthorized("not base64") from None
        if name == BEARER_USER:
            return self.read(request, password)
        namespace, _, user = name.partition("/")
        user = self.cloud.directory.user_named(user.removeprefix(DOMAIN))
        if namespace != self.state.namespace or user is None or \
                password not in user.auth_tokens.values():
            raise self.unauthorized("user name or auth token")
        return user.principal()

    @staticmethod
    def unauthorized(note, headers=()):
        return errors.RegistryError(401, "UNAUTHORIZED", "Unauthorized",
                                    headers=headers, note=note)

    # ---- reading ----

    def challenge(self, request):
        scheme = "https" if request.secure else "http"
        host = request.host
        return [("WWW-Authenticate",
                 f'Bearer realm="{scheme}://{host}/20180419/docker/token",'
                 f'service="{host}",scope=""')]

    def read(self, request, token):
        """Whose token this is; a 401 with the challenge when it is no good."""
        try:
            claims = self.mint.read(token, self.cloud.now())
            if claims["aud"] != request.host:
                raise tokens.Invalid(f"made for {claims['aud']}")
            ocid = json.loads(claims["sub"])["userId"]
        except tokens.Invalid as e:
            raise self.unauthorized(f"registry token: {e}",
                                    self.challenge(request)) from None
        if ocid.startswith("anon-"):
            return anonymous(request)
        who = self.cloud.directory.principal(ocid)
        if who is None:
            raise self.unauthorized("nobody has this token any more",
                                    self.challenge(request))
        return who

    def bearer(self, request):
        """Who asks for something below /v2/."""
        kind, _, token = request.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise self.unauthorized("no bearer token", self.challenge(request))
        request.principal = self.read(request, token.strip())
        return request.principal
