# SPDX-License-Identifier: Apache-2.0
"""The proxy that makes loopback look like a distance keeps what it says."""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

import waiting

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("OCIRFS_BUILD", ROOT / "build"))
PROXY = BUILD / "slowproxy"


class Answers(http.server.BaseHTTPRequestHandler):
    """GET /N answers N bytes; POST answers how many came."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b"x" * int(self.path[1:]))

    def do_POST(self):
        n = int(self.headers["Content-Length"])
        self.answer(b"%d" % len(self.rfile.read(n)))


@pytest.fixture(scope="module")
def server():
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    s.daemon_threads = True
    thread = threading.Thread(target=s.serve_forever)
    thread.start()
    yield s.server_port
    s.shutdown()
    thread.join()
    s.server_close()


class Proxy:
    def __init__(self, to, *options):
        self.process = subprocess.Popen(
            [PROXY, "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{to}",
             *options], stdout=subprocess.PIPE, text=True)
        word, port = self.process.stdout.readline().split()
        assert word == "listening"
        self.port = int(port)

    def counters(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.terminate()
        line = self.process.stdout.readline()
        assert self.process.wait(10) == 0
        self.process.stdout.close()
        return json.loads(line)


@contextlib.contextmanager
def proxy(to, *options):
    p = Proxy(to, *options)
    try:
        yield p
    finally:
        if p.process.poll() is None:
            p.end()


@contextlib.contextmanager
def client(port):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        yield c
    finally:
        c.close()


def get(c, n):
    """Seconds that it took to get n bytes."""
    start = time.monotonic()
    c.request("GET", f"/{n}")
    assert len(c.getresponse().read()) == n
    return time.monotonic() - start


def test_without_limits_it_passes_everything_and_counts(server):
    with proxy(server) as p, client(p.port) as c:
        get(c, 10)
        get(c, 50_000_000)
        c.request("POST", "/", body=b"GET / HTTP/1.1\r\n\r\n" * 1000)
        assert c.getresponse().read() == b"18000"
        get(c, 0)
        seen = p.counters()
        assert seen["requests"] == 4
        assert seen["connections"] == 1
        assert seen["bytes_down"] > 50_000_000
        assert 18000 < seen["bytes_up"] < 20000
        get(c, 0)
        assert p.end()["requests"] == 5


def test_a_request_costs_one_round_trip(server):
    with proxy(server, "--rtt-ms", "40") as p, client(p.port) as c:
        first = get(c, 10)
        again = [get(c, 10) for _ in range(5)]
        assert first > 0.080
        assert all(t > 0.040 for t in again)
        assert min(again) < 0.040 + 0.030 * waiting.SLOW
        assert first < 0.080 + 0.100 * waiting.SLOW


def test_the_round_trip_does_not_limit_the_rate(server):
    """Stop and wait, 256 KiB at a time, would take eight seconds."""
    with proxy(server, "--rtt-ms", "40") as p, client(p.port) as c:
        assert get(c, 50_000_000) < 4 * waiting.SLOW


def test_each_connection_has_its_rate(server):
    with proxy(server, "--rate-bytes", "20000000") as p:
        took = [0.0] * 4

        def run(i):
            with client(p.port) as c:
                took[i] = get(c, 10_000_000)

        threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        # Half a second each; two, if they had to share.
        assert all(0.45 < t < 1.6 * waiting.SLOW for t in took), took


def test_many_small_requests_are_quick(server):
    with proxy(server) as p, client(p.port) as c:
        start = time.monotonic()
        for _ in range(500):
            get(c, 1)
        assert time.monotonic() - start < 5 * waiting.SLOW
        assert p.end()["requests"] == 500


def test_half_a_stream_may_end_before_the_other(server):
    with proxy(server, "--rtt-ms", "20") as p:
        with socket.create_connection(("127.0.0.1", p.port)) as s:
            s.sendall(b"GET /100000 HTTP/1.1\r\nConnection: close\r\n\r\n")
            s.shutdown(socket.SHUT_WR)
            got = b"".join(iter(lambda: s.recv(65536), b""))
        assert got.endswith(b"\r\n\r\n" + b"x" * 100000)
        assert p.counters()["open"] == 0


def test_a_server_that_is_not_there_resets_the_client():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with proxy(port) as p:
        with socket.create_connection(("127.0.0.1", p.port)) as s:
            with pytest.raises(ConnectionResetError):
                s.recv(1)


def test_what_is_not_http_passes_and_counts_as_nothing():
    with socket.create_server(("127.0.0.1", 0)) as server, \
            proxy(server.getsockname()[1]) as p, \
            socket.create_connection(("127.0.0.1", p.port)) as s:
        peer, _ = server.accept()
        with peer:
            s.sendall(b"\x16\x03\x01\nGET / HTTP/1.1\r\n\r\n")
            assert peer.recv(100).startswith(b"\x16\x03\x01\nGET")
            seen = p.counters()
            assert (seen["requests"], seen["open"]) == (0, 1)
