# SPDX-License-Identifier: Apache-2.0
"""What the services have in common: routes, JSON in and out, errors, faults,
the log."""
import json
import re
import sys
import time
import traceback
import uuid

from . import errors, signature
from .faults import Drop
from .wire import Answer, Broken

MAX_JSON = 1 << 20


def route(method, pattern):
    """Marks a method of a Service as the one for these requests.  Groups of
    the pattern are its arguments."""
    def mark(function):
        function.routes = getattr(function, "routes", []) + [
            (method, re.compile(pattern))]
        return function

    return mark


def answer_json(value, status=200, headers=(), etag=None):
    headers = [("Content-Type", "application/json"), *headers]
    if etag:
        headers.append(("etag", etag))
    return Answer(status, json.dumps(value).encode(), headers)


def first(params, name, default=None):
    return params.get(name, [default])[0]


def needed(params, name):
    value = first(params, name)
    if not value:
        raise errors.missing(name)
    return value


def as_bool(params, name, default=None):
    value = first(params, name)
    if value is None:
        return default
    if value not in ("true", "false"):
        raise errors.invalid(f"{name} must be true or false")
    return value == "true"


def parse_object(body):
    """A JSON object; no body at all counts as an empty one, since Oracle's
    SDK sends it so."""
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise errors.ApiError(400, "CannotParseRequest",
                              "The request body is not JSON.") from None
    if not isinstance(value, dict):
        raise errors.ApiError(400, "CannotParseRequest",
                              "The request body is not a JSON object.")
    return value


class Service:
    name = ""
    signed = True  # every route is for signed requests only

    def __init__(self, cloud):
        self.cloud = cloud
        self.state = cloud.state
        self.routes = [(m, p, getattr(self, n)) for n in dir(type(self))
                       for m, p in getattr(getattr(type(self), n), "routes",
                                           ())]

    def find(self, request):
        """(handler, its arguments)"""
        here = []
        for method, pattern, handler in self.routes:
            m = pattern.fullmatch(request.path)
            if m and method == request.method:
                return handler, m.groups()
            if m:
                here.append(method)
        if here:
            raise errors.ApiError(405, "MethodNotAllowed", "Not allowed here.",
                                  [("allow", ", ".join(here))])
        raise errors.ApiError(404, "NotFound", "There is no such operation.")

    def answer(self, request):
        """The Answer, or an ApiError."""
        handler, words = self.find(request)
        body = request.body.read(MAX_JSON)
        if self.signed:
            self.cloud.directory.authenticate(request, body)
        return handler(request, body, *words)

    def error(self, request, status, code, message):
        """In the form that this service has for errors."""
        return errors.ApiError(status, code, message)

    def connection_ends(self):
        """Called in the thread of each connection, at its end."""

    # ---- with faults, errors and the log ----

    def handle(self, request):
        started = time.monotonic()
        fault = self.cloud.faults.pick(self.name, request)
        try:
            answer = self._with_fault(request, fault)
        except errors.ApiError as e:
            request.note = e.note or e.message
            answer = Answer(e.status, e.body(), [
                ("Content-Type", "application/json"), *e.headers])
        except (Broken, Drop, OSError):
            self.cloud.log.add(self.name, request, 0,
                               time.monotonic() - started)
            raise
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc(file=sys.stderr)
            answer = Answer(500, errors.ApiError(
                500, "InternalServerError", "The emulator has a fault; see "
                "its standard error.").body())
        self._dress(request, answer)
        self.cloud.log.add(self.name, request, answer.status,
                           time.monotonic() - started)
        return answer

    def _with_fault(self, request, fault):
        if fault is None:
            return self.answer(request)
        self.cloud.wait(fault.delay)
        if fault.drop:
            raise Drop
        if fault.status:
            if fault.text is not None:
                return Answer(fault.status, fault.text.encode(),
                              fault.headers.items())
            e = self.error(request, fault.status, fault.word(), fault.message)
            e.headers = list(fault.headers.items())
            raise e
        answer = self.answer(request)
        if fault.drop_after >= 0:
            answer.drop_after = fault.drop_after
        return answer

    def _dress(self, request, answer):
        """The headers that every answer has."""
        asked = request.get("opc-request-id", uuid.uuid4().hex.upper())
        own = uuid.uuid4().hex.upper()
        answer.headers += [
            ("Date", signature.format_date(self.cloud.now())),
            ("opc-request-id", f"{asked[:100]}/{own}/{own[::-1]}")]
