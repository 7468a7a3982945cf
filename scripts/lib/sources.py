# SPDX-License-Identifier: Apache-2.0
"""The project's files, and C text without its comments and strings."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def _blank(match):
    text = match.group(0)
    if text[0] in "\"'":
        return text[0] + text[0]
    return "\n" * text.count("\n") or " "


def strip_c(text):
    """Without comments and the inside of strings; lines keep their numbers."""
    return _TOKEN.sub(_blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def tracked(root=ROOT):
    """Every file that is, or would be, in the repository; sorted."""
    git = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
        capture_output=True, text=True, check=False)
    if git.returncode == 0:
        names = (root / line for line in git.stdout.splitlines())
    else:
        names = root.rglob("*")
    return sorted(p for p in set(names) if p.is_file())


def c_files(root=ROOT, *folders):
    """The .c and .h files below these folders."""
    return [p for p in tracked(root) if p.suffix in (".c", ".h")
            and p.relative_to(root).parts[0] in folders]


def report(name, problems, notes=()):
    """Print; the exit status."""
    for text in notes:
        print(f"note: {text}")
    for text in problems:
        print(text)
    print(f"{name}: {len(problems)} problems" if problems else f"{name}: ok")
    return 1 if problems else 0
