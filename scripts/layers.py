#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""layers.py [ROOT]: who may include whom.

Fails on an include that the table of layers forbids, on a foreign library
outside its door, on two modules that include each other in a circle, on two
modules of one name, and on a public header that belongs to nobody.  A public
header belongs to the layer that owns the .c file of its name.  `x_priv.h`, what
a folder keeps to itself, may build on `x.h`.
"""
import collections
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import sources  # noqa: E402

ALLOW = {  # layer: the layers it may include, besides itself
    "net/base": [],
    "net/http": ["net/base"],
    "net/auth": ["net/base", "net/http"],
    "net/oracle": ["net/base", "net/http", "net/auth"],
    "net/registry": ["net/base", "net/http", "net/auth"],
    "fs/store": ["net/base"],
    "fs/image": ["net/base", "fs/store"],
    "fs/push": ["net/base", "net/registry", "fs/store"],
    "fs/tree": ["net/base", "net/oracle", "net/registry", "fs/store", "fs/image",
                "fs/push"],
    "fs/ops": ["net/base", "fs/tree"],
    "fs/app": ["*"],
}
DOOR = {  # foreign header: the only layers that may include it
    "curl/": ["net/http"],
    "fuse": ["fs/ops"],
    "jansson": ["net/base", "net/oracle", "net/registry", "net/auth", "fs/push"],
    "archive": ["fs/push"],
    "openssl/": ["net/base", "net/auth"],
    "zlib": ["fs/image"],
    "zstd": ["fs/image"],
}
HEADER_ONLY = {  # public headers that have no .c file of their name
    "cleanup": "net/base",
    "list": "net/base",
    "vec": "net/base",
    "source": "fs/store",
}
GENERATED = {  # headers that the build makes
    "ora_regions_table.h": "net/auth",
}
PUBLIC = "include/ocirfs"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.M)


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = {layer: self._files(layer) for layer in ALLOW}
        self.public = self._files(PUBLIC)
        self.problems = []
        self.layer_of = {}  # stem: layer
        self.graph = collections.defaultdict(set)

    def _files(self, folder):
        return sorted((self.root / folder).glob("*.[ch]"))

    def bad(self, file, text):
        self.problems.append(f"{file.relative_to(self.root)}: {text}")

    def own(self):
        """Give every stem its layer."""
        for layer, files in self.files.items():
            for f in files:
                if self.layer_of.setdefault(f.stem, layer) != layer:
                    self.bad(f, f"there is a '{f.stem}' in "
                             f"{self.layer_of[f.stem]} already")
        for f in self.public:
            if f.stem not in self.layer_of:
                self.layer_of[f.stem] = HEADER_ONLY.get(f.stem)
            if self.layer_of[f.stem] is None:
                self.bad(f, "belongs to no layer: there is no .c of its name")

    def strangers(self):
        """Folders and files of fs/ and net/ that no layer knows."""
        for f in sorted(self.root.glob("*/**/*.[ch]")):
            folder = f.relative_to(self.root).parent.as_posix()
            if folder.split("/")[0] in ("fs", "net") and folder not in ALLOW:
                self.bad(f, f"{folder} is no layer")

    def check_file(self, f, layer):
        text = f.read_text()
        for quote, inc in INCLUDE.findall(text):
            if quote == "<":
                self.check_foreign(f, layer, inc)
            else:
                self.check_own(f, layer, inc)

    def check_foreign(self, f, layer, inc):
        for prefix, doors in DOOR.items():
            if inc.startswith(prefix) and layer not in doors:
                self.bad(f, f"<{inc}> only enters through {', '.join(doors)}")
        if inc.startswith("ocirfs/"):
            self.bad(f, f'<{inc}> is ours: "{inc}"')

    def check_own(self, f, layer, inc):
        path = pathlib.PurePath(inc)
        if GENERATED.get(inc) == layer:
            return
        if len(path.parts) > 1:
            there = self.root / "include" / inc
        else:
            there = f.parent / inc
        if not there.exists() or ".." in path.parts:
            self.bad(f, f'"{inc}" is neither public nor in this folder')
            return
        to = self.layer_of.get(path.stem)
        may = ALLOW[layer]
        if to and to != layer and to not in may and may != ["*"]:
            self.bad(f, f"{layer} may not include {to} ({inc})")
        if path.stem not in (f.stem, f.stem.removesuffix("_priv")):
            self.graph[f.stem].add(path.stem)

    def check_own_header_first(self, f):
        """A header that needs another one before it shows up here."""
        own = [h.name for h in (self.root / PUBLIC / f"{f.stem}.h",
                                f.with_suffix(".h"),
                                f.with_name(f"{f.stem}_priv.h")) if h.exists()]
        first = INCLUDE.search(f.read_text())
        if f.suffix == ".c" and own and (
                not first or pathlib.PurePath(first[2]).name not in own):
            self.bad(f, f"must include its own header {own[0]} first")

    def check(self):
        self.own()
        self.strangers()
        for layer, files in self.files.items():
            for f in files:
                self.check_file(f, layer)
                self.check_own_header_first(f)
        for f in self.public:
            if self.layer_of[f.stem]:
                self.check_file(f, self.layer_of[f.stem])
        self.problems += ["cycle: " + " -> ".join(c)
                          for c in cycles(self.graph)]
        return self.problems


def cycles(graph):
    """Every circle that a walk along the includes runs into."""
    state, path, found = {}, [], []

    def walk(v):
        state[v] = "on the path"
        path.append(v)
        for w in sorted(graph.get(v, ())):
            if state.get(w) == "on the path":
                found.append(path[path.index(w):] + [w])
            elif w not in state:
                walk(w)
        path.pop()
        state[v] = "done"

    for v in sorted(graph):
        if v not in state:
            walk(v)
    return found


if __name__ == "__main__":
    tree = Tree(sys.argv[1] if len(sys.argv) > 1 else sources.ROOT)
    sys.exit(sources.report("layers", tree.check()))
