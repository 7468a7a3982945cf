# SPDX-License-Identifier: Apache-2.0
"""The rows of the bench's table, what is asked of them, and the table."""
import statistics

import data


class Row:
    """One thing, through one network, by all clients that can do it."""

    def __init__(self, label, method, network, is_judged=False):
        self.label, self.method, self.network = label, method, network
        self.is_judged = is_judged  # a measure looks at it
        self.samples = {}   # client's name -> [Taken]
        self.requests = {}  # client's name -> number
        self.wire = {}      # client's name -> MiB, where that is counted

    def measure(self, clients, runs, say):
        able = [c for c in clients if getattr(c, self.method, None)]
        if self.network.is_bare:
            for c in able:
                self.requests[c.name] = getattr(c, self.method)(
                    self.network, True).requests
        for _ in range(runs):
            for c in able:
                taken = getattr(c, self.method)(self.network, False)
                self.samples.setdefault(c.name, []).append(taken)
                if not self.network.is_bare:
                    self.requests[c.name] = taken.requests
        self.tell(able, say)

    def tell(self, able, say):
        say(f"{self.label}, {self.network.label}: " + ", ".join(
            f"{c.name} {seconds(self.seconds(c.name))}" for c in able))

    def seconds(self, name):
        if name not in self.samples:
            return None
        return statistics.median(t.seconds for t in self.samples[name])

    def peak(self, name):
        if name not in self.samples:
            return None
        return max(t.peak_mib or 0 for t in self.samples[name]) or None

    def ratio(self, other, name="ocirfs"):
        mine, theirs = self.seconds(name), self.seconds(other)
        return mine / theirs if mine is not None and theirs else None


def make_rows(content, near, far, narrow):
    size = f"{content.big_size // data.MIB} MiB"
    if content.big_size == 1024 * data.MIB:
        size = "1 GiB"
    blob = f"{size} blob"
    places = f"{data.READ // 1024} KiB at {data.N_PLACES} random places"
    eight = f"8 blobs of {content.part_size // data.MIB} MiB at once"
    tags = f"{content.n_tags:,} tags"
    rows = [Row(f"{blob}, cold", "cold_big", n, True)
            for n in (near, far, narrow)]
    for label, method, judged in (
            (f"{blob}, warm, page cache dropped", "warm_big", (near,)),
            (f"{blob}, from the page cache", "hot_big", ()),
            (f"{places}, cold", "cold_random", (far,)),
            (f"{eight}, cold", "cold_eight", (near,)),
            (f"ls of {tags}, cold", "cold_ls", ()),
            (f"ls of {tags}, warm", "warm_ls", ()),
            (f"ls -l of {tags}, cold", "cold_ls_l", (far,)),
            (f"ls -l of {tags}, warm", "warm_ls_l", (far,))):
        rows += [Row(label, method, n, n in judged) for n in (near, far)]
    return rows


# ---- what must be reached ----

class Measure:
    """`got` must be at most `asked`; both are shown in `form`."""

    def __init__(self, what, asked, got, form):
        self.what, self.asked, self.got, self.form = what, asked, got, form

    @property
    def is_met(self):
        return self.got is not None and self.got <= self.asked

    def line(self):
        got = "-" if self.got is None else self.form.format(self.got)
        return (f"{self.what:<58} {self.form.format(self.asked):>10} {got:>10}"
                f"  {'ok' if self.is_met else 'NO'}")


def find(rows, method, network):
    return next(r for r in rows if (r.method, r.network) == (method, network))


def measures(rows, content, near, far, narrow):
    cold, distant = (find(rows, "cold_big", x) for x in (near, far))
    limited, warm = find(rows, "cold_big", narrow), find(rows, "warm_big", near)
    first, second = (find(rows, m, far) for m in ("cold_ls_l", "warm_ls_l"))
    reads, eight = find(rows, "cold_random", far), find(rows, "cold_eight", near)
    n = len(content.places)
    trips = reads.seconds("ocirfs") / n / (far.rtt_ms / 1000)
    times = "{:.2f} x"
    return [
        Measure("cold blob, to skopeo copy docker: dir:", 0.5,
                cold.ratio("skopeo"), times),
        Measure("cold blob, to curl -o", 1.3, cold.ratio("curl"), times),
        Measure(f"cold blob, {narrow.label}, to curl -o", 0.4,
                limited.ratio("curl"), times),
        Measure(f"cold blob, {far.label}, to curl -o", 1.3,
                distant.ratio("curl"), times),
        Measure("warm blob, page cache dropped, to minfuse", 1.2,
                warm.ratio("minfuse"), times),
        Measure(f"ls -l of {content.n_tags:,} tags, cold, {far.label}", 1.0,
                first.seconds("ocirfs"), "{:.2f} s"),
        Measure("the same again within ttl: requests", 0,
                second.requests["ocirfs"], "{:d}"),
        Measure("a cold 4 KiB read: requests", 1.0,
                reads.requests["ocirfs"] / n, "{:.2f}"),
        # Two would be 2.0; the rest is what a request costs on loopback.
        Measure(f"a cold 4 KiB read, {far.label}: round trips", 1.5, trips,
                "{:.2f}"),
        Measure("peak memory with 8 blobs at once", 64.0, eight.peak("ocirfs"),
                "{:.0f} MiB"),
    ]


# ---- how it looks ----

def seconds(x):
    return "-" if x is None else f"{x:.3f}" if x < 1 else f"{x:.2f}"


def cell(form, x):
    return "-" if x is None else form.format(x)


def line(head, cells):
    return f"{head:<40}" + "".join(f"{c:>10}" for c in cells)


def table(rows, names):
    """Four or five lines for each row; a column for each client."""
    out = [line("", names), "-" * (40 + 10 * len(names))]
    for row in rows:
        others = [row.ratio(x) if x != "ocirfs" else None for x in names]
        out += [
            line(row.label[:40], [""] * len(names)).rstrip(),
            line(f"  {row.network.label:<24} seconds",
                 [seconds(row.seconds(x)) for x in names]),
            line(f"  {'':<24} ratio", [cell("{:.2f}", r) for r in others]),
            line(f"  {'':<24} requests",
                 [cell("{:d}", row.requests.get(x)) for x in names]),
            line(f"  {'':<24} peak MiB",
                 [cell("{:.0f}", row.peak(x)) for x in names]),
        ]
        if row.wire:
            out.append(line(f"  {'':<24} wire MiB", [
                cell("{:.2f}", row.wire.get(x)) for x in names]))
    return "\n".join(out)
