#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""limits.py [ROOT]: how long, deep and tangled files and functions may be.

A limit holds for each function, a habit for nine of ten: one function may need
eight parameters, but not every tenth.  Needs pmccabe, and code that
clang-format has formatted: the brace that opens a function is alone on its
line and four blanks are one level.
"""
import collections
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import sources  # noqa: E402

FUNCTION_LINES = 50
TEST_FUNCTION_LINES = 80  # half of them are tables
COMPLEXITY = 15
PARAMETERS = 8  # all of them, so that no struct is made only to stay below it
NESTING = 3
HABITS = {"lines": 25, "complexity": 7, "parameters": 5}
ENOUGH = 100  # functions, for a habit to mean something
NAME_FILES = 3  # a backtrace that says ask -> look -> ask tells nobody anything
FILE_LINES = {".c": 600, ".h": 250, ".py": 600, "": 400, ".sh": 400}
TEST_LINES = 600

EXCEPTIONS = {
    # ("path", "function or '' for the file"): "why"
    ("fs/fuse/ops_write.c", "ofs_op_copy_file_range"): "libfuse's signature",
}

REUSED = {  # name: files that have it; may only shrink
    "add": 11, "add_names": 4, "ask": 7, "attempt": 4, "begin": 7,
    "collect": 4, "compare": 7, "count": 4, "decode": 5, "describe": 5,
    "explain": 4, "fetch": 4, "fill": 4, "find": 9, "finish": 4, "fly": 6,
    "get": 4, "grow": 5, "is_absent": 4, "load": 6, "look": 6, "make_room": 6,
    "nothing": 5, "now_ms": 4, "place_of": 4, "post": 4, "put": 6, "send": 5,
    "take": 6, "wait_for": 6,
}

DEFINITION = re.compile(
    r"^[A-Za-z_][^;{}#]*?\b(?P<name>\w+)\s*\((?P<args>[^;{}]*)\)\s*^\{$"
    r"(?P<body>.*?)^\}", re.M | re.S)
STATIC = re.compile(r"static\b")
CONTROL = re.compile(r"^(?P<indent> *)(if|for|while|switch|do)\b", re.M)


def count_parameters(text):
    found, depth, start = [], 0, 0
    for i, c in enumerate(text + ","):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            found.append(text[start:i].strip())
            start = i + 1
    return len([p for p in found if p not in ("", "void")])


def deepest(body):
    """How many control statements are inside each other."""
    found = [len(m["indent"]) // 4
             for m in CONTROL.finditer(body)]
    return max(found, default=0)


class Checker:
    def __init__(self, root):
        self.root = root
        self.problems = []
        self.measured = collections.defaultdict(list)  # habit: its figures
        self.statics = collections.defaultdict(set)  # name: files

    def bad(self, f, function, text):
        name = f.relative_to(self.root).as_posix()
        if (name, function) not in EXCEPTIONS:
            self.problems.append(f"{name}: {function and function + ': '}{text}")

    def is_product(self, f):
        return f.relative_to(self.root).parts[0] != "tests"

    def check_shape(self, f):
        text = sources.strip_c(f.read_text())
        for m in DEFINITION.finditer(text):
            n = count_parameters(m["args"])
            if self.is_product(f):
                self.measured["parameters"].append(n)
                if STATIC.match(m[0]):
                    self.statics[m["name"]].add(f)
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
        if self.is_product(f):
            self.measured["lines"].append(lines)
            self.measured["complexity"].append(complexity)
        most = FUNCTION_LINES if self.is_product(f) else TEST_FUNCTION_LINES
        if lines > most:
            self.bad(f, function, f"{lines} lines, at most {most}")
        if complexity > COMPLEXITY:
            self.bad(f, function,
                     f"complexity {complexity}, at most {COMPLEXITY}")

    def check_habits(self):
        for habit, most in HABITS.items():
            figures = sorted(self.measured[habit])
            at = figures[len(figures) * 9 // 10] if figures else 0
            if len(figures) >= ENOUGH and at > most:
                self.problems.append(f"a tenth of all functions has {at} "
                                     f"{habit} or more, at most {most}")

    def check_names(self):
        for name, files in sorted(self.statics.items()):
            most = REUSED.get(name, NAME_FILES)
            if len(files) > most:
                where = ", ".join(sorted(f.name for f in files))
                self.problems.append(f"static {name} is in {len(files)} files, "
                                     f"at most {most}: {where}")

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
        self.check_habits()
        self.check_names()


def main(root):
    checker = Checker(root)
    checker.check()
    return sources.report("limits", checker.problems)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()
                  if len(sys.argv) > 1 else sources.ROOT))
