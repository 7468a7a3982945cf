# SPDX-License-Identifier: Apache-2.0
"""Listens for a service; one thread for each connection."""
import socket
import ssl
import threading

from .faults import Drop
from .wire import Broken, Wire, read_request, send_answer

IDLE = 120  # seconds before a silent connection is closed
LINGER = 64 << 20  # bytes of a refused body that are thrown away


def tls_context(certificate_file, key_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate_file, key_file)
    return context


class Listener:
    def __init__(self, service, port=0, tls=None, host="127.0.0.1"):
        self.service, self.tls = service, tls
        self.lock = threading.Lock()
        self.open = set()
        self.stopping = False
        self.socket = socket.create_server((host, port), backlog=256)
        self.host, self.port = host, self.socket.getsockname()[1]
        self.thread = threading.Thread(
            target=self._accept, name=f"{service.name} accept", daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.address}"

    def stop(self):
        with self.lock:
            self.stopping = True
            connections = list(self.open)
        for s in (self.socket, *connections):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(5)
        self.socket.close()

    def _accept(self):
        while not self.stopping:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,),
                             name=self.service.name, daemon=True).start()

    def _serve(self, sock):
        plain = sock
        with self.lock:
            if self.stopping:
                sock.close()
                return
            self.open.add(plain)
        try:
            sock.settimeout(IDLE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            wire = Wire(sock)
            while self._one(wire):
                pass
        except (OSError, Broken, Drop):
            pass
        finally:
            with self.lock:
                self.open.discard(plain)
            self.service.connection_ends()
            sock.close()

    def _one(self, wire):
        """One request and its answer; False when it was the last."""
        request = read_request(wire)
        if request is None:
            return False
        request.secure = self.tls is not None
        answer = self.service.handle(request)
        usable = request.body.drain()
        last = not usable or not request.keep_alive() or self.stopping
        whole = send_answer(wire, request, answer, last)
        if not usable:
            linger(wire)
        return whole and not last


def linger(wire):
    """Let the client finish what it sends: a reset would take the answer
    away from it."""
    wire.sock.settimeout(2)
    wire.sock.shutdown(socket.SHUT_WR)
    left = LINGER
    while left > 0:
        data = wire.sock.recv(1 << 16)
        if not data:
            return
        left -= len(data)
