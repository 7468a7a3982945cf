#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""layers.py [ROOT]: who may include whom.
layers.py --linked BUILD [ROOT]: who may call whom.

A layer is a folder of .c files; `fs/store` and `fs/store/disk` are two layers
of one family.  The first form fails on an include that the table of layers
forbids, on a foreign library outside its door, on modules that include each
other in a circle, on two modules of one name, and on a public header that
belongs to nobody.  A public header belongs to the layer that owns the .c file
of its name; a private one may be included by its family.  `x_priv.h`, what a
folder keeps to itself, may build on `x.h`.

The second form reads what the object files of a build define and need, since a
declaration can be had without an include.  It fails on modules that call each
other in a circle and on a reference to a layer that the table forbids, and
names the functions.
"""
import collections
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import sources  # noqa: E402

# layer: the layers it may know, besides itself.  The name of another family
# means all of that family; within a family each layer is named.
ALLOW = {
    "net/base": [],
    "net/spec": ["net/base"],
    "net/http": ["net/base"],
    "net/auth/common": ["net/base"],
    "net/auth/docker": ["net/base", "net/auth/common"],
    "net/auth/oracle": ["net/base", "net/http", "net/auth/common"],
    "net/auth/token": ["net/base", "net/http", "net/auth/common",
                       "net/auth/oracle"],
    "net/oracle": ["net/base", "net/http", "net/auth"],
    "net/registry/conn": ["net/base", "net/spec", "net/http", "net/auth"],
    "net/registry/read": ["net/base", "net/spec", "net/http", "net/auth",
                          "net/registry/conn"],
    "net/registry/write": ["net/base", "net/spec", "net/http", "net/auth",
                           "net/registry/conn", "net/registry/read"],
    "fs/store/disk": ["net/base"],
    "fs/store/flow": ["net/base", "fs/store/disk"],
    "fs/image/decode": ["net/base"],
    "fs/image/tarindex": ["net/base"],
    "fs/image/index": ["net/base", "fs/image/decode", "fs/image/tarindex"],
    "fs/image/merge": ["net/base", "fs/image/decode", "fs/image/tarindex",
                       "fs/image/index"],
    "fs/push/staged": ["net/base", "net/spec", "net/registry", "fs/store"],
    "fs/push/archive": ["net/base", "net/spec"],
    "fs/push/publish": ["net/base", "net/spec", "net/registry",
                        "fs/push/staged"],
    "fs/push/jobs": ["net/base", "net/spec", "net/registry", "fs/push/staged",
                     "fs/push/archive", "fs/push/publish"],
    "fs/push": ["net/base", "net/spec", "net/registry", "fs/store",
                "fs/push/staged", "fs/push/archive", "fs/push/publish",
                "fs/push/jobs"],
    "fs/tree/names": ["net/base", "net/spec"],
    "fs/tree/node": ["net/base"],
    "fs/tree/sync": ["net/base", "fs/store"],
    "fs/tree/backend": ["fs/tree/sync", "fs/tree/node", "net/base"],
    "fs/tree/backend/plain": ["fs/tree/backend", "fs/tree/sync",
                              "fs/tree/names", "fs/tree/node", "net/base",
                              "net/spec", "net/registry", "fs/store"],
    "fs/tree/backend/ocir": ["fs/tree/backend", "fs/tree/sync",
                             "fs/tree/names", "fs/tree/node", "net/base",
                             "net/spec", "net/oracle", "fs/store"],
    "fs/tree/overlay": ["net/base", "net/spec", "fs/tree/names",
                        "fs/tree/node", "fs/push"],
    "fs/tree/repo": ["net/base", "net/spec", "net/registry", "fs/store",
                     "fs/push", "fs/tree/node", "fs/tree/sync",
                     "fs/tree/backend", "fs/tree/overlay"],
    "fs/tree/space": ["net/base", "fs/tree/names", "fs/tree/node",
                      "fs/tree/sync", "fs/tree/backend", "fs/tree/overlay",
                      "fs/tree/repo"],
    "fs/tree/view": ["net/base", "net/spec", "fs/store", "fs/push",
                     "fs/tree/names", "fs/tree/node", "fs/tree/sync",
                     "fs/tree/backend", "fs/tree/overlay", "fs/tree/repo",
                     "fs/tree/space"],
    "fs/tree/write": ["net/base", "net/spec", "fs/push", "fs/tree/names",
                      "fs/tree/node", "fs/tree/overlay", "fs/tree/repo",
                      "fs/tree/space", "fs/tree/view"],
    "fs/tree": ["fs/tree/backend/plain", "fs/tree/backend/ocir",
                "fs/tree/backend", "fs/tree/sync", "fs/tree/names",
                "fs/tree/node", "fs/tree/overlay", "fs/tree/repo",
                "fs/tree/space", "fs/tree/view", "fs/tree/write", "net/base",
                "net/spec", "net/registry", "net/oracle", "fs/store",
                "fs/push"],
    "fs/fuse": ["net/base", "fs/tree"],
    "fs/app": ["*"],
}
DOOR = {  # foreign header: the only layers, or families, that may include it
    "curl/": ["net/http"],
    "fuse": ["fs/fuse"],
    "jansson": ["net/base", "net/spec", "net/oracle", "net/registry",
                "net/auth", "fs/push"],
    "archive": ["fs/push"],
    "openssl/": ["net/base", "net/auth"],
    "zlib": ["fs/image/decode"],
    "zstd": ["fs/image/decode"],
}
HEADER_ONLY = {  # public headers that have no .c file of their name
    "cleanup": "net/base",
    "packed": "fs/image/decode",
    "list": "net/base",
    "push": "fs/push/staged",
    "source": "fs/store/flow",
    "tree": "fs/tree/view",
    "vec": "net/base",
}
GENERATED = {  # headers that the build makes
    "ora_regions_table.h": "net/auth/oracle",
}
PUBLIC = "include/ocirfs"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.M)


def family(layer):
    """`fs/store` of `fs/store/disk`."""
    return "/".join(layer.split("/")[:2])


def may_know(layer, other):
    may = ALLOW[layer]
    return (other == layer or may == ["*"] or other in may or
            (family(other) != family(layer) and family(other) in may))


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
            if inc.startswith(prefix) and not {layer, family(layer)} & {*doors}:
                self.bad(f, f"<{inc}> only enters through {', '.join(doors)}")
        if inc.startswith("ocirfs/"):
            self.bad(f, f'<{inc}> is ours: "{inc}"')

    def check_own(self, f, layer, inc):
        path = pathlib.PurePath(inc)
        if GENERATED.get(inc) == layer:
            return
        to = self.layer_of.get(path.stem)
        if len(path.parts) > 1:
            there = self.root / "include" / inc
        elif to and family(to) == family(layer):
            there = self.root / to / inc
        else:
            there = f.parent / inc
        if not there.exists() or ".." in path.parts:
            self.bad(f, f'"{inc}" is neither public nor in this folder')
            return
        if to and not may_know(layer, to):
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


class Linked:
    """What the object files of a build say."""

    def __init__(self, build, root):
        self.build, self.root = pathlib.Path(build), pathlib.Path(root)
        self.problems = []
        self.home = {}                               # symbol: (layer, module)
        self.needs = collections.defaultdict(set)    # (layer, module): symbols

    def objects(self):
        """{object file: (layer, module)} of all that belong to a layer."""
        found = {}
        for f in sorted(self.build.glob("CMakeFiles/ofs_*.dir/**/*.c.o")):
            source = f.relative_to(self.build).parts[2:]
            layer, stem = "/".join(source[:-1]), source[-1].removesuffix(".c.o")
            if layer in ALLOW and (self.root / layer / f"{stem}.c").exists():
                found[str(f)] = (layer, stem)
        return found

    def read(self):
        objects = self.objects()
        if not objects:
            return
        nm = subprocess.run(["nm", "-gAP", *objects], capture_output=True,
                            text=True, check=True)
        for line in nm.stdout.splitlines():
            file, symbol, kind = line.split()[:3]
            module = objects[file.removesuffix(":")]
            if kind == "U":
                self.needs[module].add(symbol)
            else:
                self.home[symbol] = module

    def uses(self):
        """{(module, module): the symbols the first needs of the second}."""
        found = collections.defaultdict(set)
        for user, symbols in self.needs.items():
            for symbol in symbols:
                owner = self.home.get(symbol, user)
                if owner != user:
                    found[user, owner].add(symbol)
        return found

    def check(self):
        self.read()
        if not self.home:
            return [f"{self.build}: no object files: is it built?"]
        graph = collections.defaultdict(set)
        uses = self.uses()
        for (user, owner), symbols in sorted(uses.items()):
            if not may_know(user[0], owner[0]):
                self.problems.append(
                    f"{user[0]}/{user[1]} may not use {owner[0]}/{owner[1]}: "
                    + ", ".join(sorted(symbols)))
            if user[0] == owner[0]:
                graph[user].add(owner)
        for knot in knots(graph):
            self.problems.append(
                f"{knot[0][0]}: {len(knot)} modules call each other in circles: "
                + " ".join(stem for _, stem in knot))
            for (user, owner), symbols in sorted(uses.items()):
                if user in knot and owner in knot:
                    self.problems.append(f"    {user[1]} -> {owner[1]}: "
                                         + ", ".join(sorted(symbols)))
        return self.problems


def knots(graph):
    """Groups of two or more that all reach each other; sorted."""
    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for w in graph.get(todo.pop(), ()):
                if w not in seen:
                    seen.add(w)
                    todo.append(w)
        return seen

    far = {v: reach(v) for v in list(graph)}
    groups = {frozenset(w for w in far[v] if v in far.get(w, ()))
              for v in far if v in far[v]}
    return sorted(sorted(g) for g in groups)


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


def main(args):
    if args[:1] == ["--linked"]:
        judge = Linked(args[1], *(args[2:] or [sources.ROOT]))
    else:
        judge = Tree(*(args or [sources.ROOT]))
    return sources.report("layers", judge.check())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
