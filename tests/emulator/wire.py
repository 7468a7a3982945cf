# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as bytes on a socket, for both ends of a proxy.

The standard library's server normalises what a signature must be checked
against (the request target) and copies bodies in small pieces; this one keeps
the one as it came and moves the other in large buffers.
"""
import os
import ssl
import urllib.parse

MAX_HEAD = 64 << 10
PIECE = 512 << 10
DRAIN = 1 << 20  # of a body nobody wants, before the connection is given up

REASONS = {
    100: "Continue", 200: "OK", 201: "Created", 202: "Accepted",
    204: "No Content", 206: "Partial Content", 304: "Not Modified",
    307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 412: "Precondition Failed", 413: "Payload Too Large",
    416: "Range Not Satisfiable", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}


class Broken(Exception):
    """The other side closed in the middle, or does not speak HTTP."""


class Wire:
    """A socket, and what was read from it too early."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        self._piece = None

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass

    def send(self, data):
        self.sock.sendall(data)

    def _fill(self):
        data = self.sock.recv(64 << 10)
        self.buffer += data
        return bool(data)

    def looks_like_text(self):
        """False for a TLS greeting, which has no end of line to wait for."""
        if not self.buffer and not self._fill():
            return True
        return self.buffer[:1].isalpha()

    def until(self, mark, limit):
        """What comes before `mark`; None when the peer closed instead."""
        start = 0
        while True:
            at = self.buffer.find(mark, start)
            if at >= 0:
                found = bytes(self.buffer[:at])
                del self.buffer[:at + len(mark)]
                return found
            start = max(0, len(self.buffer) - len(mark))
            if start > limit:
                raise Broken("a head that does not end")
            if not self._fill():
                if self.buffer:
                    raise Broken("closed inside a head")
                return None

    def line(self):
        text = self.until(b"\r\n", 4096)
        if text is None:
            raise Broken("closed inside a body")
        return text

    def pieces(self, n):
        """`n` bytes, as views that hold until the next one is asked for."""
        if n and self.buffer:
            early = bytes(self.buffer[:n])
            del self.buffer[:len(early)]
            n -= len(early)
            yield memoryview(early)
        if not n:
            return
        if self._piece is None:
            self._piece = memoryview(bytearray(PIECE))
        while n:
            got = self.sock.recv_into(self._piece[:min(n, PIECE)])
            if not got:
                raise Broken("closed inside a body")
            n -= got
            yield self._piece[:got]


def parse_head(head):
    """First line, and the fields as (lower-case name, value)."""
    lines = head.decode("latin-1").split("\r\n")
    fields = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Broken(f"not a header field: {line!r}")
        fields.append((name.lower(), value.strip()))
    return lines[0], fields


class Fields:
    """Header fields in order; names in lower case."""

    def __init__(self, fields):
        self.fields = fields

    def all(self, name):
        return [v for n, v in self.fields if n == name]

    def get(self, name, default=None):
        return next((v for n, v in self.fields if n == name), default)

    def __contains__(self, name):
        return any(n == name for n, _ in self.fields)

    def names(self):
        return sorted({n for n, _ in self.fields})


class Body:
    """The body of a message: read once, or relayed, or drained."""

    def __init__(self, wire, length=0, chunked=False, expect=False):
        self.wire, self.length, self.chunked = wire, length, chunked
        self.expect = expect
        self.started = self.finished = False
        if not length and not chunked:
            self.started = self.finished = True

    def pieces(self):
        if self.started:
            return
        self.started = True
        if self.expect:
            self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self.chunked:
            yield from self._chunks()
        else:
            yield from self.wire.pieces(self.length)
        self.finished = True

    def _chunks(self):
        while True:
            size = self.wire.line().partition(b";")[0]
            try:
                n = int(size, 16)
            except ValueError:
                raise Broken(f"not a chunk size: {size!r}") from None
            if n == 0:
                while self.wire.line():
                    pass
                return
            yield from self.wire.pieces(n)
            if self.wire.line():
                raise Broken("a chunk longer than it said")

    def read(self, limit=64 << 20):
        if self.length > limit:
            raise Broken(f"a body of {self.length} bytes")
        whole = bytearray()
        for piece in self.pieces():
            whole += piece
            if len(whole) > limit:
                raise Broken("a body without end")
        return bytes(whole)

    def drain(self):
        """True when the connection can be used for another message."""
        if self.finished:
            return True
        if self.started or self.expect or self.length > DRAIN:
            return False
        dropped = 0
        for piece in self.pieces():
            dropped += len(piece)
            if dropped > DRAIN:
                return False
        return True


def framing(fields):
    """(length, chunked) of a message; a message with both is refused."""
    codings = fields.all("transfer-encoding")
    lengths = set(fields.all("content-length"))
    if len(lengths) > 1 or (codings and lengths):
        raise Broken("its length is said in two ways")
    if codings:
        if [c.lower() for c in codings] != ["chunked"]:
            raise Broken(f"transfer coding {codings}")
        return 0, True
    text = lengths.pop() if lengths else "0"
    if not text.isascii() or not text.isdigit():
        raise Broken(f"content-length {text!r}")
    return int(text), False


class Request:
    """One request; `target` is exactly what came over the wire."""

    def __init__(self, wire, method, target, fields):
        self.wire, self.method, self.target = wire, method, target
        self.fields = fields
        length, chunked = framing(fields)
        self.body = Body(wire, length, chunked, fields.get(
            "expect", "").lower() == "100-continue")
        path, _, self.query = target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.raw_path = path
        self.principal = None  # who it was found to be, for the log
        self.note = ""  # why it was refused, for the log
        self.secure = False  # came over TLS

    def get(self, name, default=None):
        return self.fields.get(name, default)

    @property
    def host(self):
        return self.fields.get("host", "")

    def params(self):
        """Parameters of the query.  A plus sign is a plus sign here, as in
        any URL that is not an HTML form."""
        found = {}
        for word in filter(None, self.query.split("&")):
            name, _, value = word.partition("=")
            found.setdefault(urllib.parse.unquote(name), []).append(
                urllib.parse.unquote(value))
        return found

    def keep_alive(self):
        return not any("close" in v.lower()
                       for v in self.fields.all("connection"))


def read_request(wire):
    """None when the client is done with this connection."""
    if not wire.looks_like_text():
        raise Broken("not HTTP; TLS, perhaps")
    head = wire.until(b"\r\n\r\n", MAX_HEAD)
    if head is None:
        return None
    first, fields = parse_head(head)
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise Broken(f"not a request: {first[:80]!r}")
    if words[2] == "HTTP/1.0":
        fields.append(("connection", "close"))
    return Request(wire, words[0], words[1], Fields(fields))


class Answer:
    """What is sent back.  The body is bytes, a Body to relay, or a File."""

    def __init__(self, status, body=b"", headers=(), length=None):
        self.status, self.body = status, body
        self.headers = list(headers)
        self.length = length  # of a body that is not sent: answers to HEAD
        self.drop_after = None  # bytes of the body after which we hang up

    def header(self, name, default=None):
        name = name.lower()
        return next((v for n, v in self.headers if n.lower() == name), default)


class File:
    """A stretch of an open file."""

    def __init__(self, file, size, offset=0):
        self.file, self.length, self.offset = file, size, offset

    def send(self, wire, limit):
        left = min(self.length, limit)
        by_kernel = not isinstance(wire.sock, ssl.SSLSocket)
        if by_kernel:
            # A socket with a time-out is non-blocking underneath.
            wire.sock.settimeout(None)
        while left:
            if by_kernel:
                n = os.sendfile(wire.sock.fileno(), self.file.fileno(),
                                self.offset, left)
            else:
                data = os.pread(self.file.fileno(), min(left, PIECE),
                                self.offset)
                wire.send(data)
                n = len(data)
            if not n:
                raise Broken("a file that became shorter")
            self.offset += n
            left -= n


def has_body(method, status):
    return method != "HEAD" and status >= 200 and status not in (204, 304)


def send_answer(wire, request, answer, closing):
    """False when the connection is of no further use."""
    head = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Unknown')}"]
    head += [f"{name}: {value}" for name, value in answer.headers]
    length = len(answer.body) if isinstance(answer.body, bytes) \
        else answer.body.length
    if answer.length is not None:
        length = answer.length
    if answer.status != 204:
        head.append(f"Content-Length: {length}")
    if closing:
        head.append("Connection: close")
    data = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
    if not has_body(request.method, answer.status):
        wire.send(data)
        return True
    limit = length if answer.drop_after is None else answer.drop_after
    if isinstance(answer.body, bytes):
        wire.send(data + answer.body[:limit])
    else:
        wire.send(data)
        _send_stream(wire, answer.body, limit)
    return limit >= length


def _send_stream(wire, body, limit):
    if isinstance(body, File):
        body.send(wire, limit)
        return
    for piece in body.pieces():
        wire.send(piece[:limit])
        limit -= len(piece)
        if limit < 0:
            return
