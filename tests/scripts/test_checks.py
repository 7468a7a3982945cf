# SPDX-License-Identifier: Apache-2.0
"""The checks of scripts/ must be able to fail: each meets a wrong tree."""
import pathlib
import subprocess

import pytest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def tree(tmp_path):
    """Writes files, runs one of the scripts on them; its lines."""
    class Tree:
        def write(self, **files):
            for name, text in files.items():
                self.put(name, text)

        def put(self, name, text):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

        def compile(self, name, text):
            """The object file that CMake would make of it."""
            self.put(name, text)
            there = tmp_path / "build/CMakeFiles/ofs_x.dir" / f"{name}.o"
            there.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cc", "-w", "-c", "-o", there, tmp_path / name],
                           check=True)

        def linked(self):
            return self.run("layers.py", "--linked", tmp_path / "build")

        def run(self, script, *args):
            done = subprocess.run([SCRIPTS / script, *args, tmp_path],
                                  text=True, capture_output=True, check=False)
            assert done.stderr == ""
            lines = done.stdout.splitlines()
            assert (done.returncode == 0) == lines[-1].endswith(": ok")
            return lines

    return Tree()


def put_base(tree):
    tree.put("include/ocirfs/err.h", '#include <errno.h>\n')
    tree.put("net/base/err.c", '#include "ocirfs/err.h"\n')
    tree.put("include/ocirfs/http.h", '#include "ocirfs/err.h"\n')
    tree.put("net/http/http.c", '#include "ocirfs/http.h"\n'
             '#include "http_priv.h"\n#include <curl/curl.h>\n')
    tree.put("net/http/http_priv.h", '#include "ocirfs/http.h"\n')


def test_a_right_tree_passes_the_layer_check(tree):
    put_base(tree)
    assert tree.run("layers.py") == ["layers: ok"]


@pytest.mark.parametrize("name, text, complaint", [
    ("fs/store/flow/store.c", '#include "ocirfs/http.h"\n',
     "fs/store/flow/store.c: fs/store/flow may not include net/http "
     "(ocirfs/http.h)"),
    ("fs/fuse/ops.c", "#include <curl/curl.h>\n",
     "fs/fuse/ops.c: <curl/curl.h> only enters through net/http"),
    ("fs/tree/tree.c", "#include <fuse_lowlevel.h>\n",
     "fs/tree/tree.c: <fuse_lowlevel.h> only enters through fs/fuse"),
    ("include/ocirfs/nobody.h", "",
     "include/ocirfs/nobody.h: belongs to no layer: "
     "there is no .c of its name"),
    ("include/ocirfs/err.h", '#include "ocirfs/http.h"\n',
     "include/ocirfs/err.h: net/base may not include net/http "
     "(ocirfs/http.h)"),
    ("fs/fuse/err.c", "",
     "fs/fuse/err.c: there is a 'err' in net/base already"),
    ("fs/fuse/ops.c", '#include "http_priv.h"\n',
     'fs/fuse/ops.c: "http_priv.h" is neither public nor in this folder'),
    ("fs/fuse/ops.c", '#include "../../net/http/http_priv.h"\n',
     'fs/fuse/ops.c: "../../net/http/http_priv.h" is neither public nor in '
     'this folder'),
    ("fs/odd/odd.c", "", "fs/odd/odd.c: fs/odd is no layer"),
    ("net/base/err.c", '#include <errno.h>\n#include "ocirfs/err.h"\n',
     None),
    ("net/base/err.c", '#include "ocirfs/log.h"\n#include "ocirfs/err.h"\n',
     "net/base/err.c: must include its own header err.h first"),
])
def test_a_wrong_include_fails(tree, name, text, complaint):
    put_base(tree)
    tree.put("include/ocirfs/log.h", "")
    tree.put("net/base/log.c", "")
    tree.put(name, text)
    lines = tree.run("layers.py")
    if complaint is None:
        complaint = "net/base/err.c: must include its own header err.h first"
    assert complaint in lines


def test_an_include_cycle_fails(tree):
    tree.put("net/base/a.h", '#include "b.h"\n')
    tree.put("net/base/a.c", '#include "a.h"\n')
    tree.put("net/base/b.h", "")
    tree.put("net/base/b.c", '#include "b.h"\n#include "c.h"\n')
    tree.put("net/base/c.h", '#include "a.h"\n')
    tree.put("net/base/c.c", '#include "c.h"\n')
    assert "cycle: a -> b -> c -> a" in tree.run("layers.py")


def test_calls_that_go_down_pass(tree):
    tree.compile("net/base/a.c", "void b(void); void a(void) { b(); }")
    tree.compile("net/base/b.c", "void b(void) { }")
    tree.compile("net/http/c.c", "void a(void); void c(void) { a(); }")
    assert tree.linked() == ["layers: ok"]


def test_a_call_upwards_fails_without_an_include(tree):
    tree.compile("net/base/a.c", "void c(void); void a(void) { c(); }")
    tree.compile("net/http/c.c", "void c(void) { }")
    assert ("net/base/a may not use net/http/c: c") in tree.linked()


def test_a_circle_of_calls_fails_and_is_named(tree):
    tree.compile("net/base/a.c", "void b(void); void a(void) { b(); }")
    tree.compile("net/base/b.c", "extern int row; void b(void) { row = 1; }")
    tree.compile("net/base/c.c", "void a(void); int row; void c(void) { a(); }")
    lines = tree.linked()
    assert "net/base: 3 modules call each other in circles: a b c" in lines
    assert "    b -> c: row" in lines


def test_an_unbuilt_tree_is_not_a_right_one(tree):
    assert "is it built?" in tree.linked()[0]


def function(name, lines, args="void"):
    body = "".join(f"    {line}\n" for line in lines)
    return f"int {name}({args})\n{{\n{body}}}\n"


def test_functions_within_the_limits_pass(tree):
    tree.put("net/base/a.c", function("fine", ["return 0;"],
                                      "int a, int (*b)(int, int), int c, "
                                      "struct ofs_call *call, int d, "
                                      "int *ret, struct ofs_err *err"))
    tree.put("tests/unit/base/test_a.c",
             function("a_table", ["{ 1, 2 },"] * 60))
    assert tree.run("limits.py") == ["limits: ok"]


@pytest.mark.parametrize("text, complaint", [
    (function("long_one", ["x++;"] * 60), "long_one: 63 lines, at most 50"),
    (function("knot", [f"if (x == {i}) x = 0;" for i in range(20)]),
     "knot: complexity 21, at most 15"),
    (function("greedy", ["return 0;"],
              "int a, int b,\n    int c, int d, int e, int f, int g, "
              "struct ofs_call *call, struct ofs_err *err"),
     "greedy: 9 parameters, at most 8"),
    (function("deep", ["if (a)", "    for (;;)", "        while (b)",
                       "            if (c)", "                return 1;"]),
     "deep: nested 4 deep, at most 3"),
    ("int x;\n" * 601, "601 lines, at most 600"),
])
def test_beyond_a_limit_fails(tree, text, complaint):
    tree.put("net/base/a.c", text)
    assert f"net/base/a.c: {complaint}" in tree.run("limits.py")


@pytest.mark.parametrize("lines, args, habit", [
    (["x++;"] * 25, "void", "28 lines"),
    ([f"if (x == {i}) x = 0;" for i in range(7)], "void", "8 complexity"),
    (["return 0;"], "int a, int b, int c, int d, int e, int f",
     "6 parameters"),
])
def test_a_bad_habit_fails(tree, lines, args, habit):
    tree.put("net/base/a.c", "".join(
        function(f"f{i}", lines if i < 11 else [], args if i < 11 else "void")
        for i in range(100)))
    assert tree.run("limits.py")[0].startswith(
        f"a tenth of all functions has {habit} or more")


def test_a_static_name_in_many_files_fails(tree):
    for f in "abc":
        tree.put(f"net/base/{f}.c", "static " + function("work", []))
    tree.put("net/base/d.c", function("work", []))
    assert tree.run("limits.py") == ["limits: ok"]
    tree.put("fs/app/e.c", "static " + function("work", []))
    assert tree.run("limits.py")[0] == \
        "static work is in 4 files, at most 3: a.c, b.c, c.c, e.c"


LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"


def test_a_clean_file_passes_the_banned_check(tree):
    tree.put("net/base/a.c", LICENCE + '/* not sleep() */\n'
             'int x = my_sleep(1, "system(1)");\n'
             "int fd = open(p, O_RDONLY |\n    O_CLOEXEC);\n"
             "pthread_cond_signal(&c);\n")
    assert tree.run("banned.py") == ["banned: ok"]


@pytest.mark.parametrize("text, complaint", [
    ("x = strcpy(a, b);", "strcpy: writes beyond"),
    ("usleep(1);", "usleep: a long wait is"),
    ("fd = open(p,\n  O_RDONLY);", "open without O_CLOEXEC"),
    ("fd = socket(AF_INET, SOCK_STREAM, 0);", "socket without SOCK_CLOEXEC"),
    ('f = fopen(p, "r");', 'fopen without "e"'),
    ("p = realloc(p, 2);", "realloc: vec.h and buf.h grow"),
    ("/* " "TO" "DO: later */", "unfinished: " "TO" "DO"),
    ("// x = 1;", "code that is commented out: // x = 1;"),
    ('char *p = "/' 'root/x";', "a path of somebody's machine"),
    ('char *p = "/tmp/x";', "a fixed place of files"),
])
def test_a_banned_thing_fails(tree, text, complaint):
    tree.put("fs/app/a.c", LICENCE + text + "\n")
    lines = tree.run("banned.py")
    assert lines[0].startswith("fs/app/a.c:2: " + complaint)
    assert len(lines) == 2


def test_a_file_without_a_licence_fails(tree):
    tree.put("fs/app/a.c", "int x;\n")
    tree.put("scripts/b", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n")
    assert tree.run("banned.py")[0].startswith("fs/app/a.c:1: the first line")


def test_a_pause_in_a_test_fails(tree):
    tree.put("tests/unit/base/test_a.c", LICENCE + "void f(void) { sleep(1); }")
    tree.put("tests/system/test_a.py", "# " + LICENCE + "time." "sleep(1)\n")
    lines = tree.run("banned.py")
    assert "tests/unit/base/test_a.c:2: sleep: wait for something" in lines
    assert any(x.startswith("tests/system/test_a.py:2: wait") for x in lines)


def test_promises_and_their_proofs_match(tree):
    tree.put("fs/SEMANTICS.md", "**S1.** One.\n**S2.** Two.\n")
    tree.put("tests/system/test_a.py", '@pytest.mark.semantics("S1")\n')
    tree.put("tests/component/test_b.c", "/* proves S2 */\n")
    assert tree.run("semantics.py") == ["semantics: ok"]


def test_a_promise_without_proof_and_a_proof_without_promise_fail(tree):
    tree.put("fs/SEMANTICS.md", "**S1.** One.\n**S2.** Two.\n")
    tree.put("tests/system/test_a.py",
             '@pytest.mark.semantics(\n    "S1",\n    "S3")\n')
    assert tree.run("semantics.py") == [
        "fs/SEMANTICS.md: no test names S2",
        "tests/system/test_a.py:1: there is no S3",
        "semantics: 2 problems"]


def test_a_dropped_promise_leaves_a_gap(tree):
    tree.put("fs/SEMANTICS.md", "**S1.** One.\n**S3.** Three.\n")
    tree.put("tests/component/test_b.c", "/* proves S1, S3 */\n")
    assert tree.run("semantics.py") == ["semantics: ok"]


def test_a_proof_of_a_dropped_promise_fails(tree):
    tree.put("fs/SEMANTICS.md", "**S1.** One.\n**S3.** Three.\n")
    tree.put("tests/component/test_b.c", "/* proves S1, S2, S3 */\n")
    assert "tests/component/test_b.c:1: there is no S2" in \
        tree.run("semantics.py")


@pytest.mark.parametrize("second", [1, 2])
def test_numbers_that_do_not_rise_fail(tree, second):
    tree.put("fs/SEMANTICS.md", f"**S2.** Two.\n**S{second}.** Other.\n")
    assert tree.run("semantics.py")[0] == \
        f"fs/SEMANTICS.md: S{second} after S2: numbers must rise"
