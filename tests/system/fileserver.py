# SPDX-License-Identifier: Apache-2.0
"""Small HTTP servers beside the registry: an object store that blobs are
redirected to, a forward proxy, a bad line.  All remember what they were asked.
"""
import collections
import http.client
import http.server
import pathlib
import random
import re
import socket
import ssl
import struct
import threading
import urllib.parse


class Server:
    """A threading HTTP server on a free port, with TLS if wanted."""

    handler = None

    def __init__(self, tls=None):
        self.seen = []  # (method, path, headers)
        self.lock = threading.Lock()
        handler = type("Handler", (self.handler,), {"owner": self})
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            self.http.socket = context.wrap_socket(self.http.socket,
                                                   server_side=True)
        self.scheme = "https" if tls else "http"
        self.thread = threading.Thread(target=self.http.serve_forever,
                                       kwargs={"poll_interval": 0.05})
        self.thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.http.server_port}"

    @property
    def url(self):
        return f"{self.scheme}://{self.address}"

    def note(self, handler):
        with self.lock:
            self.seen.append((handler.command, handler.path,
                              dict(handler.headers)))

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *_):
        pass

    def send(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Files(_Handler):
    def do_GET(self):
        self.owner.note(self)
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        file = self.owner.root / path.lstrip("/")
        if not file.is_file():
            self.send(404, b"")
            return
        data = file.read_bytes()
        m = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not m:
            self.send(200, data)
            return
        first = int(m[1])
        last = min(int(m[2] or len(data) - 1), len(data) - 1)
        self.send(206, data[first:last + 1],
                  Content_Range=f"bytes {first}-{last}/{len(data)}")

    do_HEAD = do_GET


class FileServer(Server):
    """Serves files below a folder, in ranges, to whoever asks."""

    handler = _Files

    def __init__(self, root, tls=None):
        self.root = pathlib.Path(root)
        super().__init__(tls)


class _Forward(_Handler):
    def do_GET(self):
        """An absolute URL: fetch it from where the owner says it is."""
        self.owner.note(self)
        url = urllib.parse.urlsplit(self.path)
        to = self.owner.hosts.get(url.netloc)
        if not to:
            self.send(502, b"no such host")
            return
        connection = http.client.HTTPConnection(to, timeout=30)
        headers = {k: v for k, v in self.headers.items()
                   if not k.lower().startswith("proxy-")}
        connection.request(self.command, f"{url.path}?{url.query}",
                           headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() != "transfer-encoding":
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        connection.close()

    do_HEAD = do_GET


class _Chaos(_Handler):
    """Hands on to the registry; each answer may meet a fault on its way."""

    def do_GET(self):
        self.owner.note(self)
        connection = http.client.HTTPConnection(self.owner.to, timeout=30)
        connection.request(self.command, self.path, headers=dict(self.headers))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        fault = self.owner.next_fault()
        if fault == "flip" and not re.search("/(blobs|manifests)/", self.path):
            fault = "reset"  # a list has no digest that would tell
        if fault in ("429", "503"):
            self.send(int(fault), b"later", Retry_After="0")
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.owner.spoil(fault, body))
        if fault == "reset":
            # No goodbye: what was not read yet is lost.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
        self.close_connection = fault != "none"

    do_HEAD = do_GET


class ChaosProxy(Server):
    """In front of a registry; the same seed makes the same faults."""

    handler = _Chaos
    FAULTS = ("429", "503", "reset", "truncate", "flip")

    def __init__(self, to, seed, share=0.3):
        self.to, self.share = to, share
        self.dice = random.Random(seed)
        self.made = collections.Counter()
        super().__init__()

    def next_fault(self):
        with self.lock:
            fault = "none"
            if self.dice.random() < self.share:
                fault = self.dice.choice(self.FAULTS)
            self.made[fault] += 1
            return fault

    def spoil(self, fault, body):
        with self.lock:
            at = self.dice.randrange(len(body)) if body else 0
        if fault in ("reset", "truncate"):
            return body[:at]
        if fault == "flip" and body:
            return body[:at] + bytes([body[at] ^ 4]) + body[at + 1:]
        return body


class ForwardProxy(Server):
    """hosts: "name:port" that only this proxy knows -> where it really is."""

    handler = _Forward

    def __init__(self, hosts):
        self.hosts = hosts
        super().__init__()
