# SPDX-License-Identifier: Apache-2.0
"""A tenancy of many compartments, listed: seconds and requests, cold (a fresh
mount and an empty cache) and warm (the same mount again, within its ttl).

What is asked is the emulator of Oracle's cloud, one process of Python in front
of docker-registry: seconds are its more than ours, requests are the measure.
"""
import os
import pathlib
import sys

import ground
from rows import Measure

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from emulator.process import Emulator  # noqa: E402

SIZE, QUICK = (100, 5, 20), (20, 5, 20)  # compartments, repositories, tags
SERVICES = ("identity", "artifacts", "registry")
TTL = "10m"


class Row:
    """`ls` with these flags over everything."""

    def __init__(self, label, flags, warm):
        self.label, self.flags, self.is_warm = label, flags, warm
        self.seconds, self.requests = None, {}
        self.n_repositories = 0
        self.network = ground.Network("the emulator")
        self.is_judged = True

    def total(self):
        return sum(self.requests.values())

    def of_control_plane(self):
        return self.requests["identity"] + self.requests["artifacts"]


def make_rows(quick):
    compartments, repositories, tags = QUICK if quick else SIZE
    what = (f"{compartments} compartments x {repositories} repositories x "
            f"{tags} tags")
    rows = [Row(f"ls {flags} of {what}, {state}", flags, state == "warm")
            for flags in ("-R", "-lR") for state in ("cold", "warm")]
    for row in rows:
        row.n_repositories = compartments * repositories
    return rows


class Tenancy:
    def __init__(self, work, build, quick):
        self.work, self.program = work, build / "ocirfs"
        self.emulator = Emulator(work.new("tenancy")).start()
        work.stack.callback(self.emulator.stop)
        self.emulator.fill(*(QUICK if quick else SIZE))

    def mount(self):
        e = self.emulator
        words = [f"{s}={e.urls[s]}" for s in (*SERVICES, "objectstorage")]
        words += [f"cache={self.work.new_folder('cache')}", f"ttl={TTL}"]
        env = os.environ | e.environment["api_key"]
        return ground.Mount(self.work, "ocir", lambda point: [
            self.program, "-f", e.region, point, "-o", ",".join(words)],
            env=env)

    def measure(self, row, mount, say):
        self.emulator.mark()
        row.seconds = ground.run(["ls", row.flags, mount.point]).seconds
        counts = self.emulator.counters()["requests"]
        row.requests = {s: counts.get(s, 0) for s in SERVICES}
        say(f"{row.label}: {row.seconds:.2f} s, {row.total()} requests")


def measure(tenancy, rows, say):
    """A cold row and the warm one of the same flags share a mount."""
    for flags in ("-R", "-lR"):
        wanted = [r for r in rows if r.flags == flags]
        if not wanted:
            continue
        mount = tenancy.mount()
        try:
            if wanted[0].is_warm:
                ground.run(["ls", flags, mount.point])
            for row in wanted:
                tenancy.measure(row, mount, say)
        finally:
            mount.end()


def measures(rows):
    cold, warm = (next(r for r in rows if r.flags == "-lR" and r.is_warm == w)
                  for w in (False, True))
    # ls -lR looks at each tag: a list of images and whether the repository is
    # immutable replace a request for each.
    each = cold.of_control_plane() / cold.n_repositories
    return [
        Measure("a tenancy, cold: to the control plane, a repository", 2.1,
                each, "{:.2f}"),
        Measure("the same again within ttl: requests", 0, warm.total(),
                "{:d}"),
    ]


def table(rows):
    head = "".join(f"{name:>10}" for name in ("seconds", *SERVICES))
    out = [f"{'':<60}{head}", "-" * (60 + 10 * (1 + len(SERVICES)))]
    for row in rows:
        cells = "".join(f"{row.requests[s]:>10}" for s in SERVICES)
        out.append(f"{row.label:<60}{row.seconds:>10.2f}{cells}")
    return "\n".join(out)
