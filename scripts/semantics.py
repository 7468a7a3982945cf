#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""semantics.py [ROOT]: every promise has a test, every test a promise.

fs/SEMANTICS.md numbers its promises, each at the start of a line: `**S7.**`.
A system test names those it proves: @pytest.mark.semantics("S7", "S8").  A
test in C does it in a comment: /* proves S7, S8 */.  Numbers rise, and may
leave gaps: the number of a dropped promise is not used again.
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import sources  # noqa: E402

PROMISE = re.compile(r"^\*\*S(\d+)\.\*\* +(\S.*)", re.M)
MARKS = (re.compile(r"\bmark\.semantics\(([^)]*)\)"),
         re.compile(r"/\*[^*/]*\bproves ([^*]*)\*/"))
NUMBER = re.compile(r"\bS(\d+)\b")


def promises(text, problems):
    numbers = [int(m[1]) for m in PROMISE.finditer(text)]
    problems += [f"fs/SEMANTICS.md: S{n} after S{before}: numbers must rise"
                 for before, n in zip(numbers, numbers[1:]) if n <= before]
    return set(numbers)


def proofs(root):
    """Number: the tests that name it."""
    found = {}
    for f in sources.tracked(root):
        name = f.relative_to(root).as_posix()
        if not name.startswith("tests/") or f.suffix not in (".py", ".c") \
                or name.startswith("tests/scripts/"):
            continue
        text = f.read_text(errors="replace")
        for mark in MARKS:
            for m in mark.finditer(text):
                for n in NUMBER.findall(m[1]):
                    found.setdefault(int(n), []).append(
                        f"{name}:{sources.line_of(text, m.start())}")
    return found


def main(root):
    problems = []
    document = root / "fs" / "SEMANTICS.md"
    if not document.exists():
        return sources.report("semantics", ["there is no fs/SEMANTICS.md"])
    known = promises(document.read_text(), problems)
    found = proofs(root)
    problems += [f"fs/SEMANTICS.md: no test names S{n}"
                 for n in sorted(known - found.keys())]
    problems += [f"{where}: there is no S{n}"
                 for n in sorted(found.keys() - known) for where in found[n]]
    return sources.report("semantics", problems)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()
                  if len(sys.argv) > 1 else sources.ROOT))
