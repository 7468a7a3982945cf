# SPDX-License-Identifier: Apache-2.0
"""Identity, Artifacts, Object Storage over HTTP, by a client that signs."""
import http.client
import socket
import urllib.parse
import uuid

import pytest

from . import gate, population
from .signing_client import send

COMPARTMENTS = "/20160918/compartments"
REPOSITORIES = "/20160918/container/repositories"
IMAGES = "/20160918/container/images"
CONFIGURATION = "/20160918/container/configuration"


class Api:
    """One user's view."""

    def __init__(self, rig, name="jdoe@example.com", **more):
        self.rig, self.client = rig, rig.user(name, **more)
        self.urls = rig.urls

    def identity(self, path=COMPARTMENTS, **query):
        return self.client.get(self.urls["identity"], path, **query)

    def artifacts(self, path=REPOSITORIES, **query):
        return self.client.get(self.urls["artifacts"], path, **query)

    def send(self, method, path, value=None, **more):
        more = {k.replace("_", "-"): v for k, v in more.items()}
        return self.client.ask(self.urls["artifacts"], method, path, value,
                               more=more)

    def create(self, name=None, where=None, **more):
        answer = self.send("POST", REPOSITORIES, {
            "compartmentId": where or self.rig.tenancy,
            "displayName": name or self.rig.new_name(), **more})
        assert answer.status == 200, answer.body
        return answer


@pytest.fixture
def api(plane):
    return Api(plane)


# ---- who ----

@pytest.mark.parametrize("skew, status", [
    (0, 200), (290, 200), (-290, 200), (310, 401), (-600, 401)])
def test_the_clock_must_be_right(plane, skew, status):
    answer = Api(plane, skew=skew).identity(compartmentId=plane.tenancy)
    assert answer.status == status
    assert "date" in answer.headers, "a client can see the difference"
    if status == 401:
        assert answer.code == "NotAuthenticated"


def test_the_cloud_may_be_the_one_whose_clock_is_wrong(plane, api):
    plane.cloud.settings.change({"clock_offset": 600})
    assert api.identity(compartmentId=plane.tenancy).status == 401
    assert Api(plane, skew=600).identity(
        compartmentId=plane.tenancy).status == 200


@pytest.mark.parametrize("service, path", [
    ("identity", COMPARTMENTS), ("artifacts", REPOSITORIES),
    ("objectstorage", "/n"), ("artifacts", IMAGES)])
def test_nothing_goes_without_a_signature(plane, service, path):
    answer = send(plane.urls[service], "GET", path + "?compartmentId=x")
    assert (answer.status, answer.code) == (401, "NotAuthenticated")


def test_an_answer_repeats_the_request_id(plane, api):
    answer = api.client.ask(plane.urls["identity"], "GET", COMPARTMENTS,
                            more={"opc-request-id": "ABC"})
    first, *rest = answer.headers["opc-request-id"].split("/")
    assert first == "ABC" and len(rest) == 2
    assert (answer.status, answer.code) == (400, "MissingParameter")


def test_unknown_operations(plane, api):
    assert api.identity("/20160918/nothing").code == "NotFound"
    answer = api.send("DELETE", REPOSITORIES)
    assert (answer.status, answer.code) == (405, "MethodNotAllowed")
    answer = api.client.ask(plane.urls["artifacts"], "POST", REPOSITORIES,
                            body=b"{")
    assert (answer.status, answer.code) == (400, "CannotParseRequest")


def test_the_namespace(plane, api):
    for path in ("/n", "/n/"):
        answer = api.client.get(plane.urls["objectstorage"], path)
        assert answer.json == plane.namespace


# ---- compartments ----

def names(answer):
    return {c["name"] for c in answer.json}


def test_compartments(plane, api):
    top, child = plane.new_name("c"), plane.new_name("c")
    a = plane.state.add_compartment(top)
    plane.state.add_compartment(child, a.id)
    assert names(api.identity(compartmentId=plane.tenancy)) >= {top}
    assert child not in names(api.identity(compartmentId=plane.tenancy))
    assert names(api.identity(compartmentId=a.id)) == {child}
    whole = api.identity(compartmentId=plane.tenancy, accessLevel="ANY",
                         compartmentIdInSubtree="true")
    assert names(whole) >= {top, child}
    assert plane.tenancy not in {c["id"] for c in whole.json}
    assert names(api.identity(compartmentId=plane.tenancy, name=top)) == {top}
    assert api.identity(compartmentId=a.id, compartmentIdInSubtree="true"
                        ).code == "InvalidParameter"
    assert api.identity(f"{COMPARTMENTS}/{a.id}").json["name"] == top


def test_compartments_page_by_page(plane, api):
    made = {plane.state.add_compartment(plane.new_name("p")).id
            for _ in range(7)}
    plane.cloud.settings.change({"empty_pages": 1})
    pages = api.client.pages(plane.urls["identity"], COMPARTMENTS,
                             compartmentId=plane.tenancy, limit=2,
                             compartmentIdInSubtree="true")
    assert [] in pages and all(len(p) <= 2 for p in pages)
    found = [c["id"] for p in pages for c in p]
    assert made <= set(found) and len(found) == len(set(found))


def test_deleted_compartments_stay_in_the_list(plane, api):
    c = plane.state.add_compartment(plane.new_name("old"), state="DELETED")
    by_state = {x["name"]: x["lifecycleState"] for x in api.identity(
        compartmentId=plane.tenancy, limit=1000).json}
    assert by_state[c.name] == "DELETED"
    assert c.name not in names(api.identity(
        compartmentId=plane.tenancy, lifecycleState="active"))


def test_who_may_not_list_compartments_gets_a_404(plane):
    answer = Api(plane, "stranger").identity(compartmentId=plane.tenancy)
    assert (answer.status, answer.code) == (404, "NotAuthorizedOrNotFound")


def test_accessible_compartments(plane):
    top, below, other = (plane.new_name("a") for _ in range(3))
    c = plane.state.add_compartment(top)
    plane.state.add_compartment(below, c.id)
    plane.state.add_compartment(other)
    plane.cloud.directory.set_policies([
        f"Allow group readers to inspect compartments in compartment {below}"])
    answer = Api(plane, "reader").identity(
        compartmentId=plane.tenancy, accessLevel="ACCESSIBLE",
        compartmentIdInSubtree="true")
    assert names(answer) == {top, below}
    by_name = {c["name"]: c for c in answer.json}
    assert "description" in by_name[below]
    assert "description" not in by_name[top], "fewer fields on the way"


def test_auth_tokens_are_two_at_most(plane, api):
    me = plane.cloud.people["jdoe@example.com"]["user"]
    path = f"/20160918/users/{me}/authTokens"
    answers = [api.client.ask(plane.urls["identity"], "POST", path,
                              {"description": "x"}) for _ in range(2)]
    assert answers[0].json["token"]
    assert answers[1].code == "LimitExceeded"


# ---- repositories ----

def test_a_repository_lives(plane, api):
    where = plane.state.add_compartment(plane.new_name("c")).id
    name = f"project/{plane.new_name()}"
    made = api.create(name, where, isPublic=True, readme={
        "content": "hällo", "format": "TEXT_PLAIN"})
    r = made.json
    assert (r["displayName"], r["namespace"], r["compartmentId"]) == (
        name, plane.namespace, where)
    assert r["isPublic"] and not r["isImmutable"]
    path = f"{REPOSITORIES}/{r['id']}"
    got = api.artifacts(path)
    assert got.json == r and got.headers["etag"] == made.headers["etag"]
    plane.cloud.settings.change({"immutable": "taken"})
    changed = api.send("PUT", path, {"isImmutable": True, "isPublic": False},
                       if_match=got.headers["etag"])
    assert changed.json["isImmutable"] and not changed.json["isPublic"]
    assert changed.json["readme"]["content"] == "hällo"
    moved = api.send("POST", f"{path}/actions/changeCompartment",
                     {"compartmentId": plane.tenancy})
    assert moved.status == 200 and moved.body == b""
    assert api.artifacts(path).json["compartmentId"] == plane.tenancy
    assert api.send("DELETE", path).status == 204
    assert api.artifacts(path).code == "NotAuthorizedOrNotFound"
    assert api.send("DELETE", path).status == 404


def test_nothing_is_made_immutable(plane, api):
    """So says the real service, though it documents the field."""
    name = plane.new_name()
    refused = api.send("POST", REPOSITORIES, {
        "compartmentId": plane.tenancy, "displayName": name,
        "isImmutable": True})
    assert (refused.status, refused.code) == (400, "BAD_REQUEST")
    assert refused.json["message"] == \
        "Setting isImmutable is not currently supported"
    made = api.create(name, isImmutable=False).json
    path = f"{REPOSITORIES}/{made['id']}"
    assert api.send("PUT", path, {"isImmutable": True}).code == "BAD_REQUEST"
    assert api.send("PUT", path, {"isImmutable": False}).status == 200


def test_etags_guard_changes(plane, api):
    made = api.create()
    path = f"{REPOSITORIES}/{made.json['id']}"
    api.send("PUT", path, {"isPublic": True})
    for method, sub, value in (
            ("PUT", "", {"isPublic": False}), ("DELETE", "", None),
            ("POST", "/actions/changeCompartment",
             {"compartmentId": plane.tenancy})):
        answer = api.send(method, path + sub, value,
                          if_match=made.headers["etag"])
        assert (answer.status, answer.code) == (412, "NoEtagMatch")
    assert api.artifacts(path).json["isPublic"]


def test_a_name_is_taken_in_all_compartments(plane, api):
    name = plane.new_name()
    other = plane.state.add_compartment(plane.new_name("c")).id
    api.create(name)
    answer = api.send("POST", REPOSITORIES, {
        "compartmentId": other, "displayName": name})
    assert answer.status == 409
    api.create(f"{name}/below")


@pytest.mark.parametrize("details, code", [
    ({"displayName": "a"}, "MissingParameter"),
    ({"compartmentId": "TENANCY"}, "MissingParameter"),
    ({"displayName": "A", "compartmentId": "TENANCY"}, "InvalidParameter"),
    ({"displayName": "a//b", "compartmentId": "TENANCY"}, "InvalidParameter"),
    ({"displayName": "a", "compartmentId": "TENANCY", "isPublic": "yes"},
     "InvalidParameter"),
    ({"displayName": "a", "compartmentId": "TENANCY", "x": 1},
     "InvalidParameter"),
    ({"displayName": "a", "compartmentId": "TENANCY",
      "readme": {"content": "x"}}, "InvalidParameter"),
    ({"displayName": "a", "compartmentId": "ocid1.compartment.oc1..x"},
     "NotAuthorizedOrNotFound")])
def test_what_cannot_be_created(plane, api, details, code):
    details = {k: plane.tenancy if v == "TENANCY" else v
               for k, v in details.items()}
    assert api.send("POST", REPOSITORIES, details).code == code


def test_a_retry_token_makes_one_repository(plane, api):
    token, name = str(uuid.uuid4()), plane.new_name()
    details = {"compartmentId": plane.tenancy, "displayName": name}
    first, again = (api.send("POST", REPOSITORIES, details,
                             opc_retry_token=token) for _ in range(2))
    assert first.json == again.json
    assert first.headers["etag"] == again.headers["etag"]
    other = api.send("POST", REPOSITORIES,
                     {**details, "displayName": name + "x"},
                     opc_retry_token=token)
    assert (other.status, other.code) == (409, "InvalidatedRetryToken")


def test_lists_of_repositories(plane, api):
    where = plane.state.add_compartment(plane.new_name("c")).id
    made = [api.create(where=where, isPublic=i % 2 == 0).json
            for i in range(5)]
    ids = {r["id"] for r in made}

    def listed(**query):
        found = [r for p in api.client.pages(
            plane.urls["artifacts"], REPOSITORIES, limit=2, **query)
            for r in p["items"]]
        assert "isImmutable" not in found[0]
        return found

    assert {r["id"] for r in listed(compartmentId=where)} == ids
    assert ids < {r["id"] for r in listed(compartmentId=plane.tenancy,
                                          compartmentIdInSubtree="true")}
    assert len(listed(compartmentId=where, isPublic="true")) == 3
    one = made[3]
    assert [r["id"] for r in listed(compartmentId=where, displayName=one[
        "displayName"])] == [one["id"]]
    by_name = [r["displayName"] for r in listed(
        compartmentId=where, sortBy="DISPLAYNAME", sortOrder="DESC")]
    assert by_name == sorted(by_name, reverse=True)
    whole = api.artifacts(compartmentId=where, limit=2).json
    assert (whole["repositoryCount"], whole["remainingItemsCount"]) == (5, 3)


@pytest.mark.parametrize("mode, status", [("refused", 404), ("filtered", 200)])
def test_the_whole_tenancy_for_somebody_with_rights_in_a_part(plane, mode,
                                                              status):
    part = plane.state.add_compartment(plane.new_name("part"))
    mine, other = plane.new_name(), plane.new_name()
    plane.state.add_repository(mine, part.id, "x")
    plane.state.add_repository(other, plane.tenancy, "x")
    plane.cloud.directory.set_policies([
        f"Allow group readers to read repos in compartment {part.name}"])
    plane.cloud.settings.change({"subtree": mode})
    reader = Api(plane, "reader")
    answer = reader.artifacts(compartmentId=plane.tenancy,
                              compartmentIdInSubtree="true")
    assert answer.status == status
    if status == 200:
        assert [r["displayName"] for r in answer.json["items"]] == [mine]
    assert reader.artifacts(compartmentId=part.id).status == 200
    assert reader.artifacts(compartmentId=plane.tenancy).status == 404


def test_each_operation_has_its_permission(plane, api):
    r = api.create().json
    path = f"{REPOSITORIES}/{r['id']}"
    wanted = {
        "REPOSITORY_READ": ("GET", path, None),
        "REPOSITORY_MANAGE": ("PUT", path, {"isPublic": False}),
        "REPOSITORY_CREATE": ("POST", REPOSITORIES, {
            "compartmentId": plane.tenancy, "displayName": plane.new_name()}),
        "REPOSITORY_DELETE": ("DELETE", path, None)}
    reader = Api(plane, "reader")
    for permission, (method, target, value) in wanted.items():
        for given in wanted:
            if given == permission:
                continue
            plane.cloud.directory.set_policies([
                "Allow group readers to manage repos in tenancy where "
                f"request.permission='{given}'"])
            answer = reader.send(method, target, value)
            assert answer.code == "NotAuthorizedOrNotFound", permission
        plane.cloud.directory.set_policies([
            "Allow group readers to manage repos in tenancy where "
            f"request.permission='{permission}'"])
        assert reader.send(method, target, value).status in (200, 204)


def test_the_free_tier_has_no_artifacts(plane, api):
    plane.cloud.settings.change({"free_tier": True})
    answer = api.artifacts(compartmentId=plane.tenancy)
    assert (answer.status, answer.code) == (403, "FREE_TIER_NOT_SUPPORTED")
    assert api.identity(compartmentId=plane.tenancy).status == 200


def test_the_limit_of_repositories(plane, api):
    plane.cloud.settings.change(
        {"repository_limit": len(plane.state.repositories)})
    answer = api.send("POST", REPOSITORIES, {
        "compartmentId": plane.tenancy, "displayName": plane.new_name()})
    assert (answer.status, answer.code) == (400, "LimitExceeded")


def test_the_configuration(plane, api):
    def get():
        return api.artifacts(CONFIGURATION, compartmentId=plane.tenancy)

    assert get().json == {"isRepositoryCreatedOnFirstPush": False,
                          "namespace": plane.namespace}
    path = f"{CONFIGURATION}?compartmentId={plane.tenancy}"
    answer = api.send("PUT", path, {"isRepositoryCreatedOnFirstPush": True},
                      if_match=get().headers["etag"])
    assert answer.json["isRepositoryCreatedOnFirstPush"]
    assert api.send("PUT", path, {"isRepositoryCreatedOnFirstPush": True},
                    if_match="old").status == 412
    assert Api(plane, "reader").send("PUT", path, {
        "isRepositoryCreatedOnFirstPush": True}).status == 404


# ---- faults ----

def test_a_fault_comes_as_often_as_it_was_told(plane, api):
    plane.cloud.faults.add({
        "service": "identity", "match": "GET /20160918/comp", "skip": 1,
        "times": 2, "status": 429, "headers": {"retry-after": "1"}})
    answers = [api.identity(compartmentId=plane.tenancy) for _ in range(4)]
    assert [a.status for a in answers] == [200, 429, 429, 200]
    assert answers[1].code == "TooManyRequests"
    assert answers[1].headers["retry-after"] == "1"


def test_other_faults(plane, api):
    plane.cloud.faults.add({"status": 503, "text": "<html>"})
    assert api.identity(compartmentId=plane.tenancy).body == b"<html>"
    plane.cloud.faults.add({"drop": True})
    with pytest.raises(OSError):
        api.identity(compartmentId=plane.tenancy)
    plane.cloud.faults.add({"drop_after": 5})
    with pytest.raises(http.client.IncompleteRead):
        api.identity(compartmentId=plane.tenancy)
    assert api.identity(compartmentId=plane.tenancy).status == 200


def test_the_log_tells_who_asked_what_and_why_not(plane, api):
    api.identity(compartmentId=plane.tenancy)
    Api(plane, skew=900).identity(compartmentId=plane.tenancy)
    good, bad = plane.cloud.log.read("identity")
    assert good["who"] == "jdoe@example.com" and good["status"] == 200
    assert good["target"].startswith(COMPARTMENTS + "?")
    assert "s from the cloud's clock" in bad["note"]
    assert plane.cloud.log.counters()["requests"] == {"identity": 2}


def test_the_way_in_for_tests(plane):
    url = plane.urls["control"]

    def ask(method, path, body=None):
        return send(url, method, path, body=body)

    assert ask("GET", "/").json["tenancy"] == plane.tenancy
    assert ask("PATCH", "/settings", b'{"max_page": 7}').json["max_page"] == 7
    assert plane.cloud.settings.max_page == 7
    for method, path, body in (
            ("PATCH", "/settings", b'{"max_page": "x"}'),
            ("PATCH", "/settings", b"x"), ("POST", "/faults", b'{"x": 1}'),
            ("POST", "/faults", b'{"match": "("}'),
            ("PUT", "/policies", b'{"statements": ["x"]}'),
            ("POST", "/compartments", b"{}"), ("POST", "/tokens", b"{}")):
        assert ask(method, path, body).status == 400, (path, body)
    assert population.POLICIES == ask("GET", "/policies").json
    user = ask("POST", "/users", b'{"name": "new", "groups": ["readers"]}')
    plane.cloud.people["new"] = user.json
    assert Api(plane, "new").artifacts(
        compartmentId=plane.tenancy).status == 200
    assert f"[{user.json['profile']}]" in (
        plane.cloud.folder / "oci/config").read_text()
    assert len(ask("GET", "/secrets").json) > 3


# ---- one port for all ----

@pytest.mark.parametrize("host, path, service", [
    ("identity.us-ashburn-1.oci.oraclecloud.com", "/x", "identity"),
    ("iad.ocir.io", "/20160918/container/x", "registry"),
    ("ocir.us-ashburn-1.oci.oraclecloud.com", "/", "registry"),
    ("auth.us-ashburn-1.oraclecloud.com", "/v1/x509", "auth"),
    ("127.0.0.1:1", "/v2/", "registry"), ("127.0.0.1:1", "/n", "objectstorage"),
    ("127.0.0.1:1", "/20160918/container/images", "artifacts"),
    ("127.0.0.1:1", "/20160918/compartments", "identity"),
    ("127.0.0.1:1", "/opc/v2/instance/region", "metadata")])
def test_the_gate_chooses(host, path, service):
    assert gate.choose(host, path) == service


def test_all_services_on_one_port(plane, api):
    url = plane.urls["all"]
    ask = {"compartmentId": plane.tenancy}
    assert api.client.get(url, COMPARTMENTS, **ask).status == 200
    assert api.client.get(url, REPOSITORIES, **ask).status == 200
    assert api.client.get(url, "/n").json == plane.namespace
    assert send(url, "GET", "/opc/v2/instance/region").status == 401
    assert set(plane.cloud.log.counters()["requests"]) == {
        "identity", "artifacts", "objectstorage", "metadata"}


def test_what_is_not_http_is_hung_up_on(plane):
    """A client that tries TLS first must not wait for a time-out."""
    at = urllib.parse.urlsplit(plane.urls["identity"])
    for data in (b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nx\r\n\r\n",
                 b"GET /\r\n\r\n"):
        with socket.create_connection((at.hostname, at.port), 5) as s:
            s.sendall(data)
            assert s.recv(100) == b""
