# SPDX-License-Identifier: Apache-2.0
"""IAM policies in Oracle's own words, as far as repositories and compartments
need them:

    Allow group builders to read repos in compartment prod
    Allow dynamic-group hosts to manage repos in compartment build
        where all { target.repo.name=/project01*/ }
    Allow any-user to inspect compartments in tenancy

What a README tells its readers to write can thus be tried.
"""
import dataclasses
import fnmatch
import re

REPOS = {
    "inspect": {"REPOSITORY_INSPECT"},
    "read": {"REPOSITORY_INSPECT", "REPOSITORY_READ"},
}
REPOS["use"] = REPOS["read"]
REPOS["manage"] = REPOS["read"] | {
    "REPOSITORY_CREATE", "REPOSITORY_DELETE", "REPOSITORY_UPDATE",
    "REPOSITORY_MANAGE"}
COMPARTMENTS = {verb: {"COMPARTMENT_INSPECT"} for verb in REPOS}
BY_RESOURCE = {
    "repos": REPOS,
    "compartments": COMPARTMENTS,
    "all-resources": {v: REPOS[v] | COMPARTMENTS[v] for v in REPOS},
}

_STATEMENT = re.compile(
    r"allow\s+(?P<who>any-user|(?:dynamic-)?group\s+\S+)\s+to\s+"
    r"(?P<verb>\w+)\s+(?P<what>[\w-]+)\s+in\s+"
    r"(?P<where>tenancy|compartment\s+(?:id\s+)?\S+)"
    r"(?:\s+where\s+(?P<condition>.*))?", re.I | re.S)
_TERM = re.compile(
    r"(?P<name>[\w.]+)\s*=\s*(?:/(?P<pattern>[^/]*(?:/[^/,}]+)*)/"
    r"|'(?P<text>[^']*)')")


class Malformed(ValueError):
    pass


@dataclasses.dataclass
class Statement:
    group: str  # name of a group, or "any-user"
    permissions: frozenset
    compartment: str  # OCID
    match: str  # "all" or "any" of the terms
    terms: tuple  # (variable, pattern)

    def _term_holds(self, variable, pattern, permission, repo):
        value = permission if variable == "request.permission" else repo
        return value is not None and fnmatch.fnmatchcase(value, pattern)

    def allows(self, groups, permission, chain, repo):
        """`chain`: the compartment asked about and all above it; `repo`: a
        repository's name, or None for a question about a compartment."""
        if permission not in self.permissions or \
                self.compartment not in chain or \
                (self.group != "any-user" and self.group not in groups):
            return False
        holds = [self._term_holds(*t, permission, repo) for t in self.terms]
        return any(holds) if self.match == "any" else all(holds)


def _terms(condition):
    if not condition:
        return "all", ()
    m = re.fullmatch(r"(all|any)\s*\{(.*)\}|(.*)", condition.strip(),
                     re.I | re.S)
    text = m[2] if m[2] is not None else m[3]
    terms = []
    for t in _TERM.finditer(text):
        if t["name"] not in ("target.repo.name", "request.permission"):
            raise Malformed(f"unknown variable {t['name']}")
        terms.append((t["name"], t["pattern"] if t["text"] is None
                      else t["text"]))
    if not terms or re.sub(r"[\s,]", "", _TERM.sub("", text)):
        raise Malformed(f"condition {condition!r}")
    return (m[1] or "all").lower(), tuple(terms)


def parse(text, find_compartment):
    """`find_compartment(name or OCID)` gives an OCID, None for no such."""
    m = _STATEMENT.fullmatch(text.strip())
    if not m:
        raise Malformed(f"not a statement: {text!r}")
    verbs = BY_RESOURCE.get(m["what"].lower())
    permissions = verbs and verbs.get(m["verb"].lower())
    if not permissions:
        raise Malformed(f"'{m['verb']} {m['what']}' is not known here")
    where = m["where"].split()[-1]
    compartment = find_compartment(None if where.lower() == "tenancy"
                                   else where)
    if compartment is None:
        raise Malformed(f"no compartment '{where}'")
    return Statement(m["who"].split()[-1], frozenset(permissions), compartment,
                     *_terms(m["condition"]))
