# SPDX-License-Identifier: Apache-2.0
"""Writers and readers on a line that is bad all the time: connections that end
after each answer, resets, 5xx, 429, stalls, cut bodies, lost answers.  What was
read is right or failed; what close() acknowledged is in the registry.

By hand: OCIRFS_CHAOS_SECONDS=600 says for how long, OCIRFS_CHAOS_SEED which
sequence.  A name that fails is shown with all that happened to it.
"""
import contextlib
import os
import random
import threading
import time

import pytest

import images
import pushed
import pushproxy
import waiting
import writers

SEED = int(os.environ.get("OCIRFS_CHAOS_SEED", "1"))
SECONDS = float(os.environ.get("OCIRFS_CHAOS_SECONDS", "0"))
REPOS = ("app", "team/web", "team/db")
SIZES = (0, 1, 3000, 9000, 100_000, 900_000, 5_000_000)  # large ones stream
FAULTS = ("429", "500", "503", "reset", "reset-body", "lost", "cut", "stall")
TAGS = 4  # of each writer in each repository


class Relay(pushproxy.PushProxy.handler):
    """Half of the connections end after an answer, which does not say so."""

    def send_answer(self, request, answer, is_cut):
        super().send_answer(request, answer, is_cut)
        self.close_connection = self.close_connection or self.owner.is_short()


class Line(pushproxy.PushProxy):
    """A share of the requests meets a fault."""

    handler = Relay

    def __init__(self, to, seed, share=0.3):
        self.share, self.dice = share, random.Random(seed)
        self.timers = []
        super().__init__(to)

    def next_rule(self):
        if self.dice.random() >= self.share:
            return None
        act = self.dice.choice(FAULTS)
        if act == "stall":
            rule = pushproxy.Rule("hold-answer")
            self.timers.append(threading.Timer(self.dice.uniform(0.05, 1.5),
                                               rule.release))
            self.timers[-1].start()
            return rule
        return pushproxy.Rule(act, after=self.dice.randrange(1 << 20))

    def is_short(self):
        with self.lock:
            return self.dice.random() < 0.5

    def meet(self, method, path):
        request, _ = super().meet(method, path)
        with self.lock:
            return request, self.next_rule()

    def stop(self):
        for timer in self.timers:
            timer.cancel()
        super().stop()


class Book:
    """What may be under each tag: the last image that was acknowledged, or one
    whose push was tried after that and failed, since it may have arrived."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged, self.tried = {}, {}
        self.history = []  # of all: when, whose, what became of which image
        self.n_acknowledged = self.n_failed = self.n_read = 0
        self.wrong = []

    def note(self, name, what, data):
        self.history.append((time.strftime("%T"), *name, what,
                             images.digest_of(data)[7:19]))

    def write(self, name, image, push):
        with self.lock:
            self.tried.setdefault(name, []).append(image)
            self.note(name, "tried", image.data)
        try:
            push()
        except OSError as e:
            with self.lock:
                self.n_failed += 1
                self.note(name, str(e), image.data)
            return
        with self.lock:
            self.note(name, "acknowledged", image.data)
            self.acknowledged[name] = image
            self.tried[name] = [image]
            self.n_acknowledged += 1

    def may_be(self, name):
        with self.lock:
            return list(self.tried.get(name, ()))

    def some_name(self, dice):
        with self.lock:
            names = sorted(self.acknowledged)
        return dice.choice(names) if names else None


def new_image(dice):
    sizes = [dice.choice(SIZES) for _ in range(dice.randint(1, 3))]
    layers = [images.layer({f"f{i}": dice.randbytes(size)}, False)
              for i, size in enumerate(sizes)]
    return images.image(layers, annotations={"n": str(dice.random())})


def push_parts(folder, image):
    writers.make_layout(folder)
    for blob in image.blobs:
        writers.write_file(folder / "blobs/sha256" / pushed.hex_of(blob.digest),
                           blob.data)


def push_by_tag(folder, tag, image):
    push_parts(folder, image)
    writers.write_file(folder / tag, image.data)


def push_by_index(folder, tag, image):
    """As tools do: what is there, and this one."""
    push_parts(folder, image)
    writers.write_file(
        folder / "blobs/sha256" / pushed.hex_of(image.digest), image.data)
    path = folder / "index.json"
    writers.write_file(path, pushed.index_json({tag: image},
                                               writers.read_file(path)))


def push_by_rename(folder, tag, image):
    push_parts(folder, image)
    beside = folder / f".{tag}.new"
    writers.write_file(beside, image.data)
    try:
        os.rename(beside, folder / tag)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def write_on(mnt, book, number, end):
    dice = random.Random(f"{SEED}/{number}")
    while time.monotonic() < end:
        repo, tag = dice.choice(REPOS), f"w{number}-{dice.randrange(TAGS)}"
        push = dice.choice((push_by_tag, push_by_index, push_by_rename))
        image = new_image(dice)
        book.write((repo, tag), image,
                   lambda: push(mnt / repo, tag, image))


def read_or_none(path):
    try:
        return writers.read_file(path)
    except OSError:
        return None


def check_read(mnt, book, name, dice):
    repo, tag = name
    before = book.may_be(name)
    data = read_or_none(mnt / repo / tag)
    allowed = before + book.may_be(name)
    if data is None:
        return
    found = [m for m in allowed if m.data == data]
    if not found:
        book.note(name, "read", data)
        book.wrong += [h for h in book.history if h[1:3] == name]
        return
    blob = dice.choice(found[0].blobs)
    data = read_or_none(mnt / repo / "blobs/sha256" /
                        pushed.hex_of(blob.digest))
    if data is not None and data != blob.data:
        book.wrong.append((name, blob.digest))
    book.n_read += 1


def read_on(mnt, book, number, end):
    dice = random.Random(f"reader {SEED}/{number}")
    while time.monotonic() < end:
        name = book.some_name(dice)
        if name:
            check_read(mnt, book, name, dice)
        else:
            read_or_none(mnt / ".ocirfs/status")


def run_all(mnt, book):
    end = time.monotonic() + SECONDS
    threads = [threading.Thread(target=work, args=(mnt, book, i, end))
               for work, n in ((write_on, 6), (read_on, 2)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def lost(registry, book):
    """Names that are not what they may be, to the last byte."""
    found = []
    for name in book.acknowledged:
        _, content = pushed.pull(registry, *name)
        if content not in [m.contents() for m in book.may_be(name)]:
            book.note(name, "in the registry", list(content.values())[0])
            found += [h for h in book.history if h[1:3] == name]
    return found


@pytest.mark.skipif(not SECONDS, reason="by hand: OCIRFS_CHAOS_SECONDS")
@pytest.mark.semantics("S57", "S17", "S90")
def test_nothing_acknowledged_is_lost_on_a_bad_line(mount, make_registry):
    registry, book = make_registry(), Book()
    line = Line(registry.address, SEED)
    mnt = mount(line, bg=True, timeout="10s", ttl="200ms")
    try:
        waiting.until(lambda: read_or_none(mnt / ".ocirfs/status"), "the mount")
        run_all(mnt, book)
        line.share = 0
        waiting.until(lambda: not pushed.pending(mnt), "what is pending", 120)
        print(f"{book.n_acknowledged} pushes acknowledged, {book.n_failed} "
              f"failed, {book.n_read} reads, {len(line.requests)} requests")
        assert not book.wrong
        assert not lost(registry, book)
        assert book.n_acknowledged
    finally:
        line.stop()
