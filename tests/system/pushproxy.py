# SPDX-License-Identifier: Apache-2.0
"""A proxy before a registry that counts what passes, and meddles by rule.

It streams both ways, so an upload that runs while its data are still written
is seen as one.  A rule can hold a request, or its answer, until the test has
done what it wants to do at exactly that moment.
"""
import contextlib
import http.client
import http.server
import os
import re
import socket
import struct
import threading

import fileserver
import waiting

PIECE = 1 << 16
HOLD_S = 120
HOP = {"connection", "transfer-encoding", "expect", "keep-alive"}

KINDS = (  # kind, method, path: the first that matches
    ("mount", "POST", r"/blobs/uploads/\?.*\bmount="),
    ("upload-start", "POST", r"/blobs/uploads/"),
    ("upload-data", "PATCH", r"/blobs/uploads/"),
    ("upload-end", "PUT", r"/blobs/uploads/"),
    ("upload-cancel", "DELETE", r"/blobs/uploads/"),
    ("upload-status", "GET", r"/blobs/uploads/"),
    ("blob-head", "HEAD", r"/blobs/sha256"),
    ("blob-get", "GET", r"/blobs/sha256"),
    ("manifest-head", "HEAD", r"/manifests/"),
    ("manifest-get", "GET", r"/manifests/"),
    ("manifest-put", "PUT", r"/manifests/"),
    ("manifest-delete", "DELETE", r"/manifests/"),
    ("list", "GET", r"/(tags/list|_catalog)"),
)
DATA = ("upload-data", "upload-end")  # bytes of a blob


def kind_of(method, path):
    for kind, its_method, pattern in KINDS:
        if method == its_method and re.search(pattern, path):
            return kind
    return "other"


class Request:
    """One that was seen."""

    def __init__(self, number, method, path):
        self.number, self.method, self.path = number, method, path
        self.kind = kind_of(method, path)
        self.up = self.down = 0  # bytes of the bodies so far
        self.status = None       # of the answer that the client got

    def __repr__(self):
        return (f"{self.method} {self.path} -> {self.status} "
                f"({self.up} up, {self.down} down)")


class Rule:
    """What happens to `times` requests of some kinds, after `skip` of them.

    act: a status ("503"), or
      reset        the connection, before the registry hears of it
      reset-body   when `after` bytes of its body have passed
      lost         the registry does it, the answer never arrives
      cut          half of the answer's body, then a reset
      hold         the request, until release()
      hold-answer  the answer, until release()
      hold-body    the request, when `after` bytes of its body have passed
      no-mount     the registry is asked for an upload instead of a mount
    """

    def __init__(self, act, *kinds, times=1, skip=0, after=0, path="",
                 words=None):
        self.act, self.kinds, self.path = act, set(kinds), path
        self.times, self.skip, self.after = times, skip, after
        self.words = words  # the body of an answer with a status
        self.met = 0
        self.reached, self.released = threading.Event(), threading.Event()
        self.goes_on = True

    def wait(self, seconds=30):
        """Until a request is held."""
        assert self.reached.wait(seconds * waiting.SLOW), \
            f"no request of {self.kinds} came to be held"

    def release(self, goes_on=True):
        """False: what was held is dropped, with its connection."""
        self.goes_on = goes_on
        self.released.set()

    def applies(self, request):
        if self.kinds and not self.kinds & {request.kind, request.number}:
            return False
        if not re.search(self.path, request.path):
            return False
        self.met += 1
        return self.skip < self.met <= self.skip + self.times


class Reset(Exception):
    """The client's connection ends without a goodbye."""


class _Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner = None

    def log_message(self, *_):
        pass

    def relay(self):
        request, rule = self.owner.meet(self.command, self.path)
        upstream = http.client.HTTPConnection(self.owner.to, timeout=HOLD_S)
        try:
            self.pass_on(request, rule, upstream)
        except (Reset, OSError, http.client.HTTPException):
            self.reset()
        finally:
            upstream.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = relay

    def pass_on(self, request, rule, upstream):
        act = rule.act if rule else None
        if act == "reset":
            raise Reset
        if act and act.isdigit():
            for piece in self.body():
                request.up += len(piece)
            self.refuse(request, int(act), rule.words)
            return
        if act == "hold":
            self.hold(rule)
        self.send_request(request, rule, upstream)
        answer = upstream.getresponse()
        if act == "hold-answer":
            self.hold(rule)
        if act == "lost":
            answer.read()
            raise Reset
        self.send_answer(request, answer, act == "cut")

    @staticmethod
    def hold(rule):
        rule.reached.set()
        rule.released.wait(HOLD_S)
        if not rule.goes_on:
            raise Reset

    def refuse(self, request, status, words):
        body = (words or "later").encode()
        request.status = status
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # ---- to the registry ----

    def send_request(self, request, rule, upstream):
        act = rule.act if rule else None
        path = self.path.split("?")[0] if act == "no-mount" else self.path
        is_chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
        upstream.putrequest(self.command, path, skip_host=True,
                            skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                upstream.putheader(name, value)
        if is_chunked:
            upstream.putheader("Transfer-Encoding", "chunked")
        upstream.endheaders()
        for piece in self.body():
            request.up += len(piece)
            if is_chunked:
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            upstream.send(piece)
            if act in ("reset-body", "hold-body") and request.up > rule.after:
                if act == "reset-body":
                    rule.reached.set()
                    raise Reset
                self.hold(rule)
        if is_chunked:
            upstream.send(b"0\r\n\r\n")

    def body(self):
        """Pieces of the request's body as they arrive."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            yield from self.chunks()
            return
        left = int(self.headers.get("Content-Length") or 0)
        yield from self.pieces(left)

    def chunks(self):
        while True:
            size = int(self.rfile.readline().split(b";")[0] or b"0", 16)
            yield from self.pieces(size)
            self.rfile.readline()
            if size == 0:
                return

    def pieces(self, left):
        while left > 0:
            piece = self.rfile.read1(min(left, PIECE))
            if not piece:
                raise Reset
            left -= len(piece)
            yield piece

    # ---- to the client ----

    def send_answer(self, request, answer, is_cut):
        length = answer.getheader("Content-Length")
        body = None
        if length is None and self.command != "HEAD":
            body = answer.read()
            length = str(len(body))
        request.status = answer.status
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP | {"content-length"}:
                self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command == "HEAD":
            return
        pieces = [body] if body is not None else \
            iter(lambda: answer.read(PIECE), b"")
        for piece in pieces:
            if is_cut:
                self.wfile.write(piece[:len(piece) // 2])
                raise Reset
            self.wfile.write(piece)
            request.down += len(piece)

    def reset(self):
        """At once: the server's own goodbye would begin with a polite FIN."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            os.close(self.connection.detach())


class PushProxy(fileserver.Server):
    """`to` is "host:port" of a registry without TLS."""

    handler = _Relay

    def __init__(self, to):
        self.to = to
        self.rules, self.requests = [], []
        super().__init__()

    def rule(self, act, *kinds, **more):
        """`kinds`: of KINDS, or numbers of requests; none: any."""
        made = Rule(act, *kinds, **more)
        with self.lock:
            self.rules.append(made)
        return made

    def meet(self, method, path):
        with self.lock:
            request = Request(len(self.requests), method, path)
            self.requests.append(request)
            applied = [r for r in self.rules if r.applies(request)]
        return request, applied[0] if applied else None

    def forget(self):
        """All requests and rules so far; what is held goes on."""
        with self.lock:
            for r in self.rules:
                r.release()
            self.rules, self.requests = [], []

    def asked(self, *kinds):
        with self.lock:
            return [r for r in self.requests if not kinds or r.kind in kinds]

    def uploaded(self):
        """Bytes of blobs that went to the registry."""
        return sum(r.up for r in self.asked("upload-data", "upload-end",
                                           "upload-start"))

    def downloaded(self):
        return sum(r.down for r in self.asked("blob-get"))

    def stop(self):
        self.forget()
        super().stop()
