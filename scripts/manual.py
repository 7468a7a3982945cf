#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""manual.py [--check] PROGRAM: write docs/man/* and docs/completion/* from their
templates (*.in) and from what `PROGRAM --help` says, so that an option is
described in one place.  --check only compares, and fails for what is old.
"""
import argparse
import csv
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
import sources  # noqa: E402

DOCS = sources.ROOT / "docs"
MARK = r"@([A-Z_]+)@"
REGIONS = sources.ROOT / "net/auth/oracle/oracle-regions.csv"


def run(program, flag):
    # How wide a terminal is must not matter here.
    env = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    return subprocess.run([program, flag], text=True, check=True,
                          capture_output=True, env=env).stdout


def sections(text):
    """Heading of --help -> [(what to type, what it means)]."""
    found, rows = {}, None
    for line in text.splitlines():
        if match := re.fullmatch(r"(\S.*):", line):
            rows = found.setdefault(match[1], [])
        elif rows is not None and (match := re.fullmatch(
                r"  (\S.*?)(?: {2,}|(?<=\.io) {2,})(\S.*)", line)):
            rows.append((match[1].removeprefix("-o "), match[2]))
        elif line and not line.startswith(" "):
            rows = None
    return found


def troff(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


def paragraphs(rows):
    """Rows as tagged paragraphs: names bold, values as they are."""
    lines = []
    for name, meaning in rows:
        lines += [".TP", '.B "' + troff(name) + '"', troff(meaning)]
    return "\n".join(lines)


def names_of(rows):
    """Names as they are typed; those that take a value end with '='."""
    return [re.match(r"[\w-]+=?", name)[0] for name, _ in rows]


def one_of(rows, option):
    """What stands behind "option=" in --help, as words."""
    return next(name.split("=")[1] for name, _ in rows
                if name.startswith(option + "=")).replace("|", " ")


def zsh_options(rows):
    """Each as _values(1) of zsh wants it: name[meaning]:value:action."""
    actions = {"DIR": "_directories", "FILE": "_files"}
    lines = []
    for name, meaning in rows:
        name, _, value = name.partition("=")
        action = {"profile": "_ocirfs_profiles", "verify": "({})",
                  "auth": "(@AUTH_KINDS@)", "region": "_ocirfs_regions",
                  "log": "(error warn info debug)"}.get(
                      name, actions.get(value, " "))
        action = action.replace("{}", value.replace("|", " "))
        meaning = re.sub(r"([\[\]:])", r"\\\1", meaning.replace("'", "'\\''"))
        end = f":{value.split('[')[0].split('|')[0]}:{action}" if value else ""
        lines.append(f"        '{name}[{meaning}]{end}'")
    return " \\\n".join(lines)


def values(program):
    shown = sections(run(program, "--help"))
    ours, ocir = shown["options"], shown["options for OCIR"]
    help_text = run(program, "--help")
    kinds = re.search(r"KIND: ([^.]*)\.", help_text)[1].replace("\n", " ")
    kernel = re.search(r"FUSE: ([^.]*nofail)", help_text)[1].replace("\n", " ")
    with open(REGIONS, newline="") as f:
        rows = [r for r in csv.reader(f) if r and not r[0].startswith("#")]
    return {
        "VERSION": run(program, "--version").split()[1],
        "SOURCES": paragraphs(shown["SOURCE"]),
        "FLAGS": paragraphs(shown["flags"]),
        "OPTIONS": paragraphs(ours),
        "OCIR_OPTIONS": paragraphs(ocir),
        "OPTION_NAMES": " ".join(names_of(ours + ocir)
                                 + kernel.replace(",", " ").split()),
        "VERIFY_VALUES": one_of(ours, "verify"),
        "ZSH_OPTIONS": zsh_options(ours + ocir),
        "AUTH_KINDS": " ".join(kinds.replace(",", " ").split()),
        "REGIONS": " ".join(sorted({r[1] for r in rows[1:]})),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("program")
    args = parser.parse_args()
    known, old = values(args.program), []
    for template in sorted(DOCS.rglob("*.in")):
        text = template.read_text()
        while re.search(MARK, text):  # what stands for a mark may have marks
            text = re.sub(MARK, lambda m: known[m[1]], text)
        made = template.with_suffix("")
        if made.exists() and made.read_text() == text:
            continue
        if args.check:
            old.append(f"{made.relative_to(sources.ROOT)} is not what "
                       f"scripts/manual.py {args.program} would write")
        else:
            made.write_text(text)
    return sources.report("manual", old)


if __name__ == "__main__":
    sys.exit(main())
