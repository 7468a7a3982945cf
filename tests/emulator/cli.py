#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the emulator as a process of its own.

Prints one line of JSON when it is ready: where everything is.  Ends on SIGTERM,
SIGINT, or, with --until-eof, when its standard input ends; whatever it started
ends with it.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
sys.dont_write_bytecode = True
from emulator import cloud as emulator  # noqa: E402
from emulator import people_text, pki, population  # noqa: E402


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--folder", help="for its files (a temporary one)")
    p.add_argument("--keys", metavar="FOLDER", type=pathlib.Path,
                   help="of RSA keys, kept for the next one")
    p.add_argument("--storage", help="of docker-registry; kept")
    p.add_argument("--tls", action="store_true",
                   help="https for all that has it in the real cloud")
    p.add_argument("--port", action="append", default=[],
                   metavar="SERVICE=N", help="instead of a free one")
    p.add_argument("--set", action="append", default=[],
                   metavar="NAME=VALUE", help="a setting, as JSON")
    p.add_argument("--sample", action="store_true",
                   help="some compartments, repositories and images")
    p.add_argument("--no-registry", action="store_true",
                   help="the control plane alone")
    p.add_argument("--until-eof", action="store_true")
    p.add_argument("--people", action="store_true",
                   help="say what to do in words, not in JSON")
    return p.parse_args(argv)


def value_of(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def wait_for_end(until_eof):
    """Signals wake the main thread; end of input is seen by another."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: done.set())
    if until_eof:
        def watch():
            while os.read(0, 4096):
                pass
            done.set()

        threading.Thread(target=watch, daemon=True).start()
    return done


def main(argv):
    args = parse(argv)
    done = wait_for_end(args.until_eof)
    pki.key_store.folder = args.keys
    folder = args.folder or tempfile.mkdtemp(prefix="ocir-emulator-")
    pairs = [s.partition("=") for s in args.port]
    settings = {n: value_of(v) for n, _, v in (
        s.partition("=") for s in args.set)}
    c = emulator.Cloud(folder, args.tls, args.storage,
                       {n: int(v) for n, _, v in pairs},
                       not args.no_registry, **settings)
    try:
        c.start()
        population.add_people(c)
        if args.sample:
            population.add_sample(c)
        value = population.description(c)
        print(people_text.text(value) if args.people else json.dumps(value),
              flush=True)
        done.wait()
    finally:
        c.stop()
        if not args.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ValueError, OSError, RuntimeError) as e:
        sys.exit(f"ocir-emulator: {e}")
