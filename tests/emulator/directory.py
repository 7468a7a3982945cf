# SPDX-License-Identifier: Apache-2.0
"""Who there is, how each proves it, and what each may do."""
import dataclasses
import threading

from . import policy, signature, tokens
from .errors import not_authenticated, not_found
from .state import unique

API_KEY = 3  # parts of such a keyId
DELEGATION = "obo"  # what a token is that speaks for a user


@dataclasses.dataclass(frozen=True)
class Principal:
    kind: str  # "user", "instance", "resource", "workload", "anonymous"
    id: str
    name: str
    groups: tuple = ()

    @property
    def is_anonymous(self):
        return self.kind == "anonymous"


class User:
    def __init__(self, name, groups):
        self.name, self.groups = name, tuple(groups)
        self.id = f"ocid1.user.oc1..{unique()}"
        self.keys = {}  # fingerprint: public key
        self.auth_tokens = {}  # OCID: token

    def principal(self):
        return Principal("user", self.id, self.name, self.groups)


class Directory:
    """`state` for the compartments, `clock` for the cloud's time."""

    def __init__(self, state, clock):
        self.state, self.clock = state, clock
        self.lock = threading.Lock()
        self.users = {}  # by OCID
        self.others = {}  # Principal by OCID: instances and the like
        self.statements = []
        self.texts = []
        self.security = tokens.Mint()
        self._keys = {}  # of tokens' claims: the session's public key

    # ---- who ----

    def add_user(self, name, groups=()):
        user = User(name, groups)
        self.users[user.id] = user
        return user

    def user_named(self, name):
        return next((u for u in self.users.values() if u.name == name), None)

    def add_other(self, kind, name, groups=()):
        who = Principal(kind, f"ocid1.{kind}.oc1.{self.state.region_key}."
                        f"{unique()}", name, tuple(groups))
        self.others[who.id] = who
        return who

    def principal(self, ocid):
        if ocid in self.users:
            return self.users[ocid].principal()
        return self.others.get(ocid)

    def grant_auth_token(self, user):
        token = unique()[8:28] + ";&$x>"
        ocid = f"ocid1.credential.oc1..{unique()}"
        user.auth_tokens[ocid] = token
        return ocid, token

    # ---- security tokens ----

    def make_token(self, who, public, seconds, **claims):
        """A security token that binds a principal to a session key."""
        claims = {"sub": who.id, "iss": "authService.oracle.com",
                  "aud": "oci", "ptype": who.kind, "ttype": "x509",
                  "tenant": self.state.tenancy, "opc-tenant":
                  self.state.tenancy, "res_tenant": self.state.tenancy,
                  "jwk": tokens.jwk_of(public), **claims}
        return self.security.make(claims, self.clock(), seconds)

    def read_token(self, token):
        try:
            return self.security.read(token, self.clock())
        except tokens.Invalid as e:
            raise not_authenticated(f"security token: {e}") from None

    # ---- proof ----

    def find_key(self, key_id):
        """The public key that must have signed for this keyId."""
        if key_id.startswith("ST$"):
            claims = self.read_token(key_id[3:])
            if claims["ttype"] == DELEGATION:
                raise not_authenticated("a delegation token signs nothing")
            serial = claims["jti"]
            if serial not in self._keys:
                self._keys[serial] = tokens.key_of_jwk(claims["jwk"])
            return self._keys[serial]
        parts = key_id.split("/")
        user = len(parts) == API_KEY and self.users.get(parts[1])
        if not user or parts[0] != self.state.tenancy:
            raise not_authenticated(f"keyId {key_id}")
        if parts[2] not in user.keys:
            raise not_authenticated(f"fingerprint {parts[2]}")
        return user.keys[parts[2]]

    def _owner(self, key_id):
        if key_id.startswith("ST$"):
            return self.principal(self.read_token(key_id[3:])["sub"])
        return self.principal(key_id.split("/")[1])

    def authenticate(self, request, body):
        """Who signed this request; raises NotAuthenticated."""
        key_id = signature.verify(request, body, self.find_key, self.clock())
        who = self._owner(key_id)
        delegated = request.get(signature.DELEGATION)
        if delegated:
            # The signer proves the request, the delegation token the user.
            claims = self.read_token(delegated)
            if claims["ttype"] != DELEGATION:
                raise not_authenticated("not a delegation token")
            who = self.principal(claims["sub"])
        if who is None:
            raise not_authenticated("nobody has this keyId any more")
        request.principal = who
        return who

    # ---- permission ----

    def set_policies(self, texts):
        """All or, when one is malformed, none: policy.Malformed."""
        parsed = [policy.parse(t, self.state.find_compartment) for t in texts]
        with self.lock:
            self.statements, self.texts = parsed, list(texts)

    def allows(self, who, permission, compartment, repo=None):
        chain = self.state.chain(compartment)
        return any(s.allows(who.groups, permission, chain, repo)
                   for s in self.statements)

    def require(self, who, permission, compartment, repo=None):
        if not self.allows(who, permission, compartment, repo):
            raise not_found(f"{who.name} lacks {permission}")

    def allowed_below(self, who, permission, compartment):
        """Is it allowed here, or in any compartment below?"""
        return any(self.allows(who, permission, c)
                   for c in self.state.compartments
                   if compartment in self.state.chain(c))
