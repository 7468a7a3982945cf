# SPDX-License-Identifier: Apache-2.0
"""Error answers, in the two forms there are: the control plane's
{"code", "message"} and the registry's {"errors": [...]}."""
import json


class ApiError(Exception):
    """Refuses a request of the control plane."""

    def __init__(self, status, code, message, headers=(), note=""):
        super().__init__(f"{status} {code}: {note or message}")
        self.status, self.code, self.message = status, code, message
        self.headers = list(headers)
        self.note = note  # for the log of the tests; never sent

    def body(self):
        return json.dumps({"code": self.code,
                           "message": self.message}).encode()


class RegistryError(ApiError):
    """Refuses a request at the registry's door."""

    def __init__(self, status, code, message, detail=None, **more):
        super().__init__(status, code, message, **more)
        self.detail = detail

    def body(self):
        error = {"code": self.code, "message": self.message}
        if self.detail is not None:
            error["detail"] = self.detail
        return json.dumps({"errors": [error]}).encode()


def not_authenticated(note):
    """The cloud does not tell what was wrong; the tests' log does."""
    return ApiError(401, "NotAuthenticated", "The required information to "
                    "complete authentication was not provided or was "
                    "incorrect.", note=note)


def not_found(note=""):
    """Missing or not permitted: on purpose not to be told apart."""
    return ApiError(404, "NotAuthorizedOrNotFound", "Authorization failed or "
                    "requested resource not found.", note=note)


def invalid(message):
    return ApiError(400, "InvalidParameter", message)


def missing(name):
    return ApiError(400, "MissingParameter", f"Missing parameter: {name}")


def conflict(message, code="Conflict"):
    return ApiError(409, code, message)


def etag_mismatch():
    return ApiError(412, "NoEtagMatch", "The etag does not match the current "
                    "state of the resource.")


def denied(message="You do not have access to this repository", status=403):
    return RegistryError(status, "DENIED", message)


ANONYMOUS = "Anonymous users are only allowed read access on public repos"
