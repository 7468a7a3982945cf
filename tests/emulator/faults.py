# SPDX-License-Identifier: Apache-2.0
"""What a test does to the services, and what it reads of them: faults, and a
log of every request."""
import collections
import dataclasses
import re
import threading
import time

LOG = 200000  # requests that are remembered
CODES = {400: "InvalidParameter", 401: "NotAuthenticated", 403: "NotAllowed",
         404: "NotAuthorizedOrNotFound", 409: "IncorrectState",
         429: "TooManyRequests", 500: "InternalServerError",
         502: "BadGateway", 503: "ServiceUnavailable",
         504: "GatewayTimeout"}


class Drop(Exception):
    """Hang up without an answer."""


@dataclasses.dataclass
class Fault:
    """Applies to requests of `service` whose "METHOD /target" `match` finds:
    after the first `skip`, to `times` of them (0: all)."""
    service: str = ""  # any
    match: str = ""
    times: int = 1
    skip: int = 0
    delay: float = 0.0  # seconds before anything else
    status: int = 0  # 0: go on as usual after the delay
    code: str = ""
    message: str = "told to"
    headers: dict = dataclasses.field(default_factory=dict)
    text: str = None  # a body that is not of the documented form
    drop: bool = False
    drop_after: int = -1  # bytes of the right answer's body, then hang up
    hits: int = 0

    def __post_init__(self):
        self.pattern = re.compile(self.match)

    def applies(self, service, line):
        if self.service not in ("", service) or not self.pattern.search(line):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times and self.hits >= self.times:
            return False
        self.hits += 1
        return True

    def word(self):
        return self.code or CODES.get(self.status, "Unknown")

    def as_dict(self):
        return {f.name: getattr(self, f.name)
                for f in dataclasses.fields(self)}


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.all = []

    def add(self, values):
        """TypeError or re.error: not a fault."""
        fault = Fault(**values)
        with self.lock:
            self.all.append(fault)

    def clear(self):
        with self.lock:
            self.all.clear()

    def pick(self, service, request):
        line = f"{request.method} {request.target}"
        with self.lock:
            return next((f for f in self.all if f.applies(service, line)),
                        None)


class Log:
    """Requests in the order in which they were answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.clear()

    def clear(self):
        with self.lock:
            self.entries = collections.deque(maxlen=LOG)
            self.counts = collections.Counter()
            self.statuses = collections.Counter()

    def add(self, service, request, status, seconds):
        who = request.principal
        entry = {
            "service": service, "method": request.method,
            "target": request.target, "status": status,
            "who": who.name if who else None, "note": request.note,
            "headers": request.fields.names(), "host": request.host,
            "request_id": request.get("opc-request-id"),
            "at": time.time(), "ms": round(seconds * 1000, 2)}
        with self.lock:
            self.entries.append(entry)
            self.counts[service] += 1
            self.statuses[f"{service} {status}"] += 1

    def read(self, service=None, match=""):
        pattern = re.compile(match)
        with self.lock:
            entries = list(self.entries)
        return [e for e in entries if service in (None, e["service"])
                and pattern.search(f"{e['method']} {e['target']}")]

    def counters(self):
        with self.lock:
            return {"requests": dict(self.counts),
                    "statuses": dict(self.statuses)}
