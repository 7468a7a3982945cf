#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""limits.py [ROOT]: how long, deep and tangled files and functions may be.

Beyond a limit is a failure; beyond an aim is a note.  Needs pmccabe, and code
that clang-format has formatted: the brace that opens a function is alone on
its line and four blanks are one level.
"""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import sources  # noqa: E402

FUNCTION_LINES = 50
TEST_FUNCTION_LINES = 80  # half of them are tables
COMPLEXITY, COMPLEXITY_AIM = 15, 10
PARAMETERS = 6  # beside the call and the error that pass through everything
NESTING = 3
FILE_LINES = {".c": 600, ".h": 250, ".py": 600, "": 400, ".sh": 400}
TEST_LINES = 600

EXCEPTIONS = {
    # ("path", "function or '' for the file"): "why"
    ("fs/ops/ops_write.c", "ofs_op_copy_file_range"): "libfuse's signature",
}

DEFINITION = re.compile(
    r"^[A-Za-z_][^;{}#]*?\b(?P<name>\w+)\s*\((?P<args>[^;{}]*)\)\s*^\{$"
    r"(?P<body>.*?)^\}", re.M | re.S)
CONTROL = re.compile(r"^(?P<indent> *)(if|for|while|switch|do)\b", re.M)
EACH = re.compile(r"^(?P<indent> *)\w+_(each|EACH)\b", re.M)


PASSES_THROUGH = re.compile(r"struct ofs_(call|err) \*\w+$")


def count_parameters(text):
    """All of them, without the ofs_call and the ofs_err."""
    found, depth, start = [], 0, 0
    for i, c in enumerate(text + ","):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            found.append(text[start:i].strip())
            start = i + 1
    return len([p for p in found if p not in ("", "void")
                and not PASSES_THROUGH.search(p)])


def deepest(body):
    """How many control statements are inside each other."""
    found = [len(m["indent"]) // 4
             for r in (CONTROL, EACH) for m in r.finditer(body)]
    return max(found, default=0)


class Checker:
    def __init__(self, root):
        self.root = root
        self.problems, self.notes = [], []

    def bad(self, f, function, text):
        name = f.relative_to(self.root).as_posix()
        if (name, function) not in EXCEPTIONS:
            self.problems.append(f"{name}: {function and function + ': '}{text}")

    def check_shape(self, f):
        text = sources.strip_c(f.read_text())
        for m in DEFINITION.finditer(text):
            n = count_parameters(m["args"])
            if n > PARAMETERS:
                self.bad(f, m["name"], f"{n} parameters, at most {PARAMETERS}")
            n = deepest(m["body"])
            if n > NESTING:
                self.bad(f, m["name"], f"nested {n} deep, at most {NESTING}")

    def check_functions(self, files):
        if not files:
            return
        out = subprocess.run(["pmccabe", *map(str, files)], text=True,
                             capture_output=True, check=True).stdout
        for line in out.splitlines():
            numbers, where = line.rsplit("\t", 1)
            complexity, _, _, _, lines = map(int, numbers.split())
            path, function = re.match(r"(.*)\(\d+\): (\w+)", where).groups()
            self.check_function(pathlib.Path(path), function, complexity, lines)

    def check_function(self, f, function, complexity, lines):
        top = f.relative_to(self.root).parts[0]
        most = TEST_FUNCTION_LINES if top == "tests" else FUNCTION_LINES
        if lines > most:
            self.bad(f, function, f"{lines} lines, at most {most}")
        if complexity > COMPLEXITY:
            self.bad(f, function,
                     f"complexity {complexity}, at most {COMPLEXITY}")
        elif complexity > COMPLEXITY_AIM:
            self.notes.append(f"{f.relative_to(self.root)}: {function}: "
                              f"complexity {complexity}, aim {COMPLEXITY_AIM}")

    def check_length(self, f):
        top = f.relative_to(self.root).parts[0]
        limit = FILE_LINES.get(f.suffix) if top != "tests" else TEST_LINES
        if top not in ("fs", "net", "include", "scripts", "tests") or not limit \
                or f.suffix not in FILE_LINES or "corpus" in f.parts:
            return
        lines = f.read_bytes().count(b"\n")
        if lines > limit:
            self.bad(f, "", f"{lines} lines, at most {limit}")

    def check(self):
        code = sources.c_files(self.root, "fs", "net", "include", "tests")
        self.check_functions([f for f in code if f.suffix == ".c"])
        for f in code:
            self.check_shape(f)
        for f in sources.tracked(self.root):
            self.check_length(f)


def main(root):
    checker = Checker(root)
    checker.check()
    return sources.report("limits", checker.problems, checker.notes)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()
                  if len(sys.argv) > 1 else sources.ROOT))
