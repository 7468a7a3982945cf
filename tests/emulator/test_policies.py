# SPDX-License-Identifier: Apache-2.0
"""Policies in Oracle's words mean what Oracle says they mean; pages come to
an end and lose nothing."""
import pytest

from . import paging, policy
from .errors import ApiError
from .settings import Settings

TREE = {"root": None, "prod": "root", "eu": "prod", "build": "root"}


def find(name):
    return "root" if name is None else name if name in TREE else None


def chain(compartment):
    found = []
    while compartment:
        found.append(compartment)
        compartment = TREE[compartment]
    return found


R, U, C, I = ("REPOSITORY_READ", "REPOSITORY_UPDATE", "REPOSITORY_CREATE",
              "REPOSITORY_INSPECT")
CASES = [  # statement, group, permission, compartment, repository, allowed
    ("Allow group a to read repos in tenancy", "a", R, "eu", "x", True),
    ("Allow group a to read repos in tenancy", "b", R, "eu", "x", False),
    ("Allow group a to read repos in tenancy", "a", U, "eu", "x", False),
    ("allow GROUP a to READ repos IN TENANCY", "a", R, "root", "x", True),
    ("Allow group a to inspect repos in tenancy", "a", R, "eu", "x", False),
    ("Allow group a to inspect repos in tenancy", "a", I, "eu", None, True),
    ("Allow group a to use repos in tenancy", "a", U, "eu", "x", False),
    ("Allow any-user to read repos in compartment prod", "z", R, "eu", "x",
     True),
    ("Allow any-user to read repos in compartment prod", "z", R, "build",
     "x", False),
    ("Allow any-user to read repos in compartment id prod", "z", R, "root",
     "x", False),
    ("Allow dynamic-group h to manage repos in compartment build where all "
     "{ target.repo.name=/project01*/ }", "h", C, "build", "project01/x",
     True),
    ("Allow dynamic-group h to manage repos in compartment build where all "
     "{ target.repo.name=/project01*/ }", "h", C, "build", "project02", False),
    ("Allow dynamic-group h to manage repos in compartment build where all "
     "{ target.repo.name=/project01*/ }", "h", I, "build", None, False),
    ("Allow group a to manage repos in tenancy where target.repo.name = 'x'",
     "a", U, "eu", "x", True),
    ("Allow group a to manage repos in tenancy where ANY "
     "{request.permission = 'REPOSITORY_READ', "
     "request.permission = 'REPOSITORY_UPDATE'}", "a", U, "eu", "x", True),
    ("Allow group a to manage repos in tenancy where ANY "
     "{request.permission = 'REPOSITORY_READ', "
     "request.permission = 'REPOSITORY_UPDATE'}", "a", C, "eu", "x", False),
    ("Allow group a to inspect compartments in tenancy", "a",
     "COMPARTMENT_INSPECT", "eu", None, True),
    ("Allow group a to inspect compartments in tenancy", "a", I, "eu", None,
     False),
    ("Allow group a to inspect all-resources in tenancy", "a", I, "eu", None,
     True),
]


@pytest.mark.parametrize("text, group, permission, where, repo, allowed",
                         CASES)
def test_statements(text, group, permission, where, repo, allowed):
    s = policy.parse(text, find)
    assert s.allows((group,), permission, chain(where), repo) is allowed


@pytest.mark.parametrize("text", [
    "", "Allow a to read repos in tenancy", "Deny group a to read repos",
    "Allow group a to eat repos in tenancy",
    "Allow group a to read buckets in tenancy",
    "Allow group a to read repos in compartment nowhere",
    "Allow group a to read repos in tenancy where",
    "Allow group a to read repos in tenancy where x.y='z'",
    "Allow group a to read repos in tenancy where all {target.repo.name}"])
def test_what_is_no_statement(text):
    with pytest.raises(policy.Malformed):
        policy.parse(text, find)


def walk(items, settings, **params):
    params = {k: [str(v)] for k, v in params.items()}
    found, lengths = [], []
    while True:
        page, token, left = paging.page_of(items, params, settings)
        found += page
        lengths.append(len(page))
        assert left == len(items) - len(found)
        if token is None:
            return found, lengths
        params["page"] = [token]


@pytest.mark.parametrize("settings, limit, lengths", [
    ({}, 4, [4, 4, 2]), ({}, 10, [10]), ({}, 5, [5, 5]), ({}, 1000, [10]),
    ({"max_page": 3}, 1000, [3, 3, 3, 1]),
    ({"empty_pages": 2}, 5, [0, 0, 5, 0, 0, 5])])
def test_pages(settings, limit, lengths):
    items = list(range(10))
    assert walk(items, Settings(**settings), limit=limit) == (items, lengths)
    assert walk([], Settings(**settings), limit=limit)[0] == []


def test_a_page_token_needs_encoding():
    """So that a client that does not encode it is found out."""
    token = paging.page_of([1, 2], {"limit": ["1"]}, Settings())[1]
    assert set("+/=") <= set(token)


@pytest.mark.parametrize("params", [
    {"limit": ["0"]}, {"limit": ["1001"]}, {"limit": ["x"]},
    {"limit": ["-1"]}, {"page": ["AAAA"]}, {"page": ["AAAA+/W10="]},
    {"page": [""]}])
def test_wrong_pages_are_refused(params):
    with pytest.raises(ApiError, match="InvalidParameter"):
        paging.page_of([1], params, Settings())


@pytest.mark.parametrize("values", [
    {"nothing": 1}, {"free_tier": 1}, {"max_page": "x"}, {"max_page": True}])
def test_settings_are_checked(values):
    settings = Settings()
    with pytest.raises(ValueError):
        settings.change({"empty_pages": 7, **values})
    assert settings == Settings()
    settings.change({"clock_offset": 3, "free_tier": True})
    assert settings.clock_offset == 3.0
