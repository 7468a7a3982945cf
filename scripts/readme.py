#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""readme.py PROGRAM: README.md shows `PROGRAM --help` as it is, and begins
with the commands for the demo and the tests, which exist."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
import sources  # noqa: E402


def options(text):
    """The lines of --help that describe an option, without their place."""
    return [" ".join(line.split()) for line in text.splitlines()
            if re.match(r"\s+-|\s{2,}[a-z]\S*(\s|=)", line)]


def main(program):
    readme = sources.ROOT / "README.md"
    if not readme.exists():
        return sources.report("readme", ["there is no README.md"])
    text = readme.read_text()
    # How wide a terminal is must not matter here.
    env = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    shown = subprocess.run([program, "--help"], text=True, check=True,
                           capture_output=True, env=env).stdout
    have = {" ".join(line.split()) for line in text.splitlines()}
    problems = [f"README.md lacks this line of --help: {line}"
                for line in options(shown) if line not in have]
    problems += [f"README.md begins without 'scripts/{name}'"
                 for name in ("demo", "test")
                 if f"scripts/{name}" not in "\n".join(
                     text.splitlines()[:15])]
    problems += [f"README.md names '{name}', which is not there"
                 for name in sorted(set(re.findall(r"\bscripts/[\w.]*\w", text)))
                 if not (sources.ROOT / name).exists()]
    return sources.report("readme", problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
