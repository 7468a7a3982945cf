#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""banned.py [ROOT]: functions, words and habits that must not occur.

A line of ours that has a good reason is listed in ALLOWED, with the reason.
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import sources  # noqa: E402

UNBOUNDED = "writes beyond its buffer or hides an error; see str.h and buf.h"
FUNCTIONS = {
    **dict.fromkeys(
        ("sprintf", "vsprintf", "strcpy", "strcat", "strncpy", "strncat",
         "strtok", "strtok_r", "gets", "alloca"), UNBOUNDED),
    **dict.fromkeys(
        ("atoi", "atol", "atoll", "atof", "strtol", "strtoll", "strtoul",
         "strtoull", "strtod", "sscanf"), "str.h parses numbers strictly"),
    **dict.fromkeys(("system", "popen"), "no shell"),
    **dict.fromkeys(("rand", "srand", "random"), "not random; use getrandom"),
    **dict.fromkeys(("sleep", "usleep", "nanosleep"),
                    "a long wait is ofs_call_sleep, which can be ended"),
    **dict.fromkeys(("exit", "abort"), "only main ends the program"),
    **dict.fromkeys(("tmpnam", "mktemp", "tempnam"), "a race; use mkostemp"),
    **dict.fromkeys(("realloc", "reallocarray"), "vec.h and buf.h grow"),
    **dict.fromkeys(("dup", "pipe", "accept", "mkstemp", "creat",
                     "epoll_create", "inotify_init"),
                    "a child inherits it; there is one with CLOEXEC"),
    "signal": "sigaction says what it does",
    "getenv": "the environment is read once, by fs/app/env.c",
}
ALLOWED = {  # path: functions, each for the reason at its place
    "fs/app/env.c": {"getenv"},
    "fs/app/main.c": {"exit"},
    "net/base/bindnow.c": {"getenv"},
    "net/base/lock.c": {"abort"},
}
CLOEXEC = {  # function: what one of its arguments must say
    "open": "O_CLOEXEC", "open64": "O_CLOEXEC", "openat": "O_CLOEXEC",
    "pipe2": "O_CLOEXEC", "mkostemp": "O_CLOEXEC", "dup3": "O_CLOEXEC",
    "socket": "SOCK_CLOEXEC", "accept4": "SOCK_CLOEXEC",
    "eventfd": "EFD_CLOEXEC", "epoll_create1": "EPOLL_CLOEXEC",
    "timerfd_create": "TFD_CLOEXEC", "memfd_create": "MFD_CLOEXEC",
}
CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MACHINE = re.compile(r"(?<!\w)/(?:work|root)/")
PRIVATE = re.compile(r"(?<!\w)/(?:tmp|home)/")  # tests may
DEAD_CODE = re.compile(r"^[ \t]*//[^\n]*;[ \t]*$|^[ \t]*#[ \t]*if[ \t]+0\b",
                       re.M)
PAUSE = re.compile(r"\btime\.sleep\(")
PAUSE_HERE = ("tests/system/waiting.py",  # polls a condition, with a deadline
              "tests/bench/ground.py")
SPDX = "SPDX-License-Identifier: Apache-2.0"
NO_SPDX = {"LICENSE", "README.md", "CHANGELOG.md", "SEMANTICS.md"}
TEXT = {".c", ".h", ".py", ".sh", ".txt", ".md", ".cmake", ".yml", ".ini", ""}


def arguments(text, start):
    """The text between the parentheses that open at `start`."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return text[start + 1:i]
    return ""


class Checker:
    def __init__(self, root):
        self.root = root
        self.problems = []

    def bad(self, name, text, position, what):
        line = sources.line_of(text, position)
        self.problems.append(f"{name}:{line}: {what}")

    def check_calls(self, name, text):
        bare = sources.strip_c(text)
        allowed = ALLOWED.get(name, set())
        for m in CALL.finditer(bare):
            function, args = m[1], arguments(bare, m.end() - 1)
            if function in FUNCTIONS and function not in allowed:
                self.bad(name, bare, m.start(),
                         f"{function}: {FUNCTIONS[function]}")
            flag = CLOEXEC.get(function)
            if flag and flag not in args:
                self.bad(name, bare, m.start(), f"{function} without {flag}")
        for m in re.finditer(r'\bfopen\([^;]*?,\s*"([^"]*)"', text):
            if "e" not in m[1]:
                self.bad(name, text, m.start(), 'fopen without "e"')

    def check_waits(self, name, text):
        """A test that sleeps is slow on a fast machine and fails on a slow."""
        bare = sources.strip_c(text)
        for m in CALL.finditer(bare):
            if m[1] in ("sleep", "usleep", "nanosleep"):
                self.bad(name, bare, m.start(), f"{m[1]}: wait for something")

    def check_words(self, name, text, is_test):
        for pattern, what in (
                (UNFINISHED, "unfinished"),
                (MACHINE, "a path of somebody's machine"),
                (DEAD_CODE, "code that is commented out")):
            for m in pattern.finditer(text):
                self.bad(name, text, m.start(), f"{what}: {m[0].strip()}")
        if not is_test:
            for m in PRIVATE.finditer(text):
                self.bad(name, text, m.start(), "a fixed place of files")

    def check_licence(self, name, text):
        lines = text.splitlines()[:2]
        if lines and lines[0].startswith(("#!", "#compdef")):
            lines = lines[1:]
        if not lines or SPDX not in lines[0]:
            self.problems.append(f"{name}:1: the first line must be the "
                                 "licence identifier")

    def check_pauses(self, name, text):
        for m in PAUSE.finditer(text):
            if name not in PAUSE_HERE:
                self.bad(name, text, m.start(),
                         f"wait for something, with {PAUSE_HERE[0]}")

    def check_file(self, f):
        name = f.relative_to(self.root).as_posix()
        top = name.split("/", 1)[0]
        text = f.read_text(errors="replace")
        if f.suffix in (".c", ".h") and top in ("fs", "net", "include"):
            self.check_calls(name, text)
        elif f.suffix in (".c", ".h") and "tests/tools/" not in name:
            self.check_waits(name, text)
        elif f.suffix == ".py" and top == "tests":
            self.check_pauses(name, text)
        self.check_words(name, text, top == "tests")
        if f.name not in NO_SPDX and f.suffix != ".md":
            self.check_licence(name, text)

    def check(self):
        here = pathlib.Path(__file__).name
        for f in sources.tracked(self.root):
            name = f.relative_to(self.root).as_posix()
            if f.suffix not in TEXT or f.name.startswith(".") or \
                    f.name == here or "/corpus/" in name or \
                    "/vectors/" in name or f.name == "LICENSE":
                continue
            self.check_file(f)


def main(root):
    checker = Checker(root)
    checker.check()
    return sources.report("banned", checker.problems)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()
                  if len(sys.argv) > 1 else sources.ROOT))
