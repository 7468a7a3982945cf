# SPDX-License-Identifier: Apache-2.0
"""OKE's token endpoint: a pod's service account for a security token."""
import base64
import json

from . import errors, pki
from .service import Service, parse_object, route
from .wire import Answer


class Oke(Service):
    name = "oke"
    signed = False

    @route("POST", "/resourcePrincipalSessionTokens")
    def token(self, request, body):
        who = self.cloud.service_accounts.get(
            request.get("authorization", "").removeprefix("Bearer "))
        if who is None:
            raise errors.ApiError(403, "NotAuthorized",
                                  "unknown service account token")
        if request.get("content-type", "").split(";")[0] != "application/json":
            raise errors.invalid("content-type")
        try:
            key = pki.load_public(parse_object(body).get("podKey") or "")
        except (ValueError, TypeError):
            raise errors.invalid("podKey") from None
        self.cloud.count_session_key(key)
        request.principal = who
        token = self.cloud.directory.make_token(
            who, key, self.cloud.settings.security_token_seconds,
            res_compartment=self.state.tenancy)
        text = base64.b64encode(json.dumps({"token": f"ST${token}"}).encode())
        if self.cloud.settings.oke_quotes:
            text = b'"' + text + b'"'
        return Answer(200, text, [("Content-Type", "text/plain")])
