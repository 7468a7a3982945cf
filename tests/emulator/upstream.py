# SPDX-License-Identifier: Apache-2.0
"""A client's connection to the server behind this one, bodies streamed."""
import socket

from .wire import (MAX_HEAD, Body, Broken, Fields, Wire, framing, has_body,
                   parse_head)


class Upstream:
    """Kept open; one thread's."""

    def __init__(self, host, port):
        self.address = (host, port)
        self.wire = None

    def close(self):
        if self.wire:
            self.wire.close()
            self.wire = None

    def _connect(self):
        sock = socket.create_connection(self.address, timeout=120)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wire = Wire(sock)

    def ask(self, method, target, headers, body=b""):
        """(status, Fields, Body).  The Body must be read to its end before
        the next call, or the connection closed."""
        streamed = isinstance(body, Body) and not body.finished
        for fresh in (self.wire is None, True):
            if self.wire is None:
                self._connect()
            try:
                self._send(method, target, headers, body)
                return self._answer(method)
            except (OSError, Broken):
                self.close()
                # A kept connection may have been closed by the server; only
                # what can be said again is said again.
                if fresh or streamed:
                    raise
        raise Broken("unreachable")

    def _send(self, method, target, headers, body):
        streamed = isinstance(body, Body)
        head = [f"{method} {target} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in headers]
        if streamed and body.chunked:
            head.append("Transfer-Encoding: chunked")
        elif streamed:
            head.append(f"Content-Length: {body.length}")
        elif body or method in ("POST", "PUT", "PATCH"):
            head.append(f"Content-Length: {len(body)}")
        data = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
        if not streamed:
            self.wire.send(data + body)
            return
        self.wire.send(data)
        try:
            self._relay(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused half-way: the answer says why

    def _relay(self, body):
        for piece in body.pieces():
            if body.chunked:
                self.wire.send(b"%x\r\n" % len(piece))
            self.wire.send(piece)
            if body.chunked:
                self.wire.send(b"\r\n")
        if body.chunked:
            self.wire.send(b"0\r\n\r\n")

    def _answer(self, method):
        status = 100
        while status < 200:
            head = self.wire.until(b"\r\n\r\n", MAX_HEAD)
            if head is None:
                raise Broken("the server behind closed")
            first, fields = parse_head(head)
            status = int(first.split(" ", 2)[1])
        fields = Fields(fields)
        length, chunked = framing(fields)
        if not has_body(method, status):
            return status, fields, Body(self.wire)
        return status, fields, Body(self.wire, length, chunked)
