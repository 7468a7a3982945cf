# SPDX-License-Identifier: Apache-2.0
"""The registry's door: tokens, pulling and pushing, permission."""
import base64
import json
import urllib.parse

import pytest

from . import population, tokens
from .door_client import TOKEN, Door, imagetool
from .signing_client import Client, send


def claims(token):
    value = json.loads(tokens.decode(token.split(".")[1]))
    return value, json.loads(value["sub"])


# ---- tokens ----

def test_the_challenge(whole):
    host = whole.urls["registry"].partition("//")[2]
    for path in ("/v2/", f"/v2/{whole.namespace}/x/tags/list"):
        answer = send(whole.urls["registry"], "GET", path)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == (
            f'Bearer realm="http://{host}{TOKEN}",service="{host}",scope=""')


def test_a_signature_gets_a_token(whole, door):
    scope = f"repository:{whole.namespace}/a/b:pull,push"
    answer = door.get_token("?" + urllib.parse.urlencode(
        {"service": "x", "scope": scope})).json
    assert answer["token"] == answer["access_token"]
    assert answer["scope"] == scope and answer["expires_in"] == 3600
    value, subject = claims(answer["token"])
    assert subject["userId"] == whole.cloud.people["jdoe@example.com"]["user"]
    assert subject["tenantId"] == whole.tenancy
    assert value["aud"] == whole.urls["registry"].partition("//")[2]
    assert value["exp"] - value["iat"] in (3600, 3601)
    assert door.ask("GET", "/v2/").status == 200


@pytest.mark.parametrize("kind", ["none", "skew", "key", "user"])
def test_a_bad_signature_gets_an_anonymous_token(whole, door, kind):
    other = {
        "none": None, "skew": whole.user(skew=900),
        "key": Client(whole.cloud.session_key, door.api.key_id),
        "user": Client(door.api.key, door.api.key_id.replace(
            "ocid1.user.oc1..", "ocid1.user.oc1..b"))}[kind]
    answer = door.get_token(client=other) if other else send(
        door.url, "GET", TOKEN)
    assert answer.status == 200
    assert claims(answer.json["token"])[1]["userId"].startswith("anon-")
    note = whole.cloud.log.read("registry")[-1]["note"]
    assert note.startswith("anonymous, because") is (kind != "none")


@pytest.mark.parametrize("scope, status", [
    ("repository:ns/a:pull", 200), ("", 200), ("::", 400), ("x", 400),
    ("repository:ns/a:pull,push,delete", 400), ("registry:catalog:*", 400)])
def test_scopes(door, scope, status):
    query = "?scope=" + urllib.parse.quote(scope, safe="")
    assert door.get_token(query).status == status


def basic(user, password):
    plain = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"authorization": f"Basic {plain}"}


def test_passwords(whole, door):
    u = whole.cloud.people["jdoe@example.com"]
    for name in (u["username"], u["username"].replace(
            "/", "/oracleidentitycloudservice/")):
        answer = send(door.url, "GET", TOKEN, basic(name, u["auth_token"]))
        assert claims(answer.json["token"])[1]["userId"] == u["user"]
    for name, password in ((u["username"], "x"), ("x/jdoe", u["auth_token"]),
                           ("", "")):
        assert send(door.url, "GET", TOKEN, basic(name, password)
                    ).status == 401
    again = send(door.url, "GET", TOKEN, basic("BEARER_TOKEN", door.token))
    assert claims(again.json["token"])[1]["userId"] == u["user"]


def test_tokens_end(whole, door, repo):
    door.push(repo, "1")
    path = door.path(repo, "tags/list")
    whole.cloud.registry_tokens.revoke_all()
    assert door.ask("GET", path).status == 401
    door.token = door.get_token().json["token"]
    assert door.ask("GET", path).status == 200
    whole.cloud.settings.change({"clock_offset": 3602})
    answer = door.ask("GET", path)
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert "www-authenticate" in answer.headers
    for token in ("x", "a.b.c", door.token + "x"):
        door.token = token
        assert door.ask("GET", path).status == 401


def test_a_token_is_for_one_host(whole, door):
    port = whole.urls["registry"].rpartition(":")[2]
    assert door.ask("GET", "/v2/", host=f"localhost:{port}").status == 401


# ---- pulling and pushing ----

def test_push_and_pull(door, repo):
    image = door.push(repo, "1.0")
    door.push(repo, "2.0", "y")
    answer = door.ask("GET", door.path(repo, "manifests/1.0"))
    assert answer.body == image.manifest.data
    assert answer.headers["docker-content-digest"] == image.manifest.digest
    head = door.head(repo, image.manifest.digest)
    assert head.headers["content-length"] == str(image.manifest.size)
    assert head.headers["content-type"] == imagetool.MANIFEST
    blob = door.path(repo, f"blobs/{image.layers[0].digest}")
    assert door.ask("GET", blob).body == image.layers[0].data
    part = door.ask("GET", blob, range="bytes=3-9")
    assert (part.status, part.body) == (206, image.layers[0].data[3:10])
    assert door.tags(repo) == ["1.0", "2.0"]
    assert door.head(repo, "3.0").status == 404
    assert door.ask("GET", door.path(repo, "manifests/3.0")).code == \
        "MANIFEST_UNKNOWN"


def test_a_large_layer_passes(door, repo):
    blob = imagetool.Seeded(1, 30 << 20)
    name = f"{door.rig.namespace}/{repo}"
    door.tool.push_blob(name, blob)
    assert imagetool.digest_of([door.tool.get(
        name, f"blobs/{blob.digest}")]) == blob.digest


def test_chunked_uploads_are_passed_on(whole, door, repo):
    """As docker and skopeo send them."""
    start = door.ask("POST", door.path(repo, "blobs/uploads/"))
    assert start.headers["location"].startswith(door.url + "/v2/")
    assert start.headers["location"].partition("?")[0].startswith(
        door.url + door.path(repo, "blobs/uploads/"))
    where = start.headers["location"].removeprefix(door.url)
    data = [b"a" * 100_000, b"b", b"c" * 70_000]
    patched = door.ask("PATCH", where, iter(data),
                       content_type="application/octet-stream")
    assert patched.status == 202 and patched.headers["range"] == "0-170000"
    digest = imagetool.digest_of(data)
    where = patched.headers["location"].removeprefix(door.url)
    done = door.ask("PUT", f"{where}&digest={urllib.parse.quote(digest)}")
    assert done.status == 201
    assert done.headers["docker-content-digest"] == digest
    assert done.headers["location"] == \
        door.url + door.path(repo, f"blobs/{digest}")


def test_errors_do_not_tell_what_is_behind(door, repo):
    upstream = door.rig.state.by_name[repo].upstream
    answer = door.ask("GET", door.path(repo, "blobs/sha256:" + "0" * 64))
    assert answer.status == 404 and upstream not in answer.body.decode()
    answer = door.ask("PUT", door.path(repo, "manifests/x"),
                      imagetool.make_image().manifest.data,
                      content_type=imagetool.MANIFEST)
    assert answer.code == "MANIFEST_BLOB_UNKNOWN"


def test_tags_page_by_page(whole, door, repo):
    for tag in ("b", "a", "d", "c", "e"):
        door.push(repo, tag)
    path = door.path(repo, "tags/list")
    assert door.ask("GET", path + "?n=0").json["tags"] is None
    page = door.ask("GET", path + "?n=2&last=a")
    assert page.json["tags"] == ["b", "c"]
    assert page.headers["link"] == f'<{path}?last=c&n=2>; rel="next"'
    assert "link" not in door.ask("GET", path + "?n=2&last=c").headers
    whole.cloud.settings.change({"tags_page": 4})
    assert len(door.tags(repo)) == 4


def test_mounts_across_repositories(whole, door, repo):
    other = whole.new_name()
    whole.state.add_repository(other, whole.tenancy, "x")
    layer = door.push(repo, "1").layers[0]
    path = door.path(other, "blobs/uploads/") + (
        f"?mount={urllib.parse.quote(layer.digest, safe='')}"
        f"&from={whole.namespace}%2F{repo}")
    whole.cloud.settings.change({"mounts": False})
    assert door.ask("POST", path).status == 202
    whole.cloud.settings.change({"mounts": True})
    mounted = door.ask("POST", path)
    assert mounted.status == 201
    assert door.ask("HEAD", door.path(
        other, f"blobs/{layer.digest}")).status == 200


def test_what_ocir_may_not_offer(whole, door, repo):
    digest = door.push(repo, "1").manifest.digest
    assert door.ask("GET", "/v2/_catalog").status == 403
    assert door.ask("GET", door.path(repo, f"referrers/{digest}")
                    ).status == 404
    assert door.ask("DELETE", door.path(repo, "manifests/1")).status == 405
    assert door.ask("DELETE", door.path(repo, f"blobs/{digest}")
                    ).status == 405


def test_ranges_may_be_ignored(whole, door, repo):
    layer = door.push(repo, "1").layers[0]
    whole.cloud.settings.change({"ranges": False})
    answer = door.ask("GET", door.path(repo, f"blobs/{layer.digest}"),
                      range="bytes=0-1")
    assert (answer.status, answer.body) == (200, layer.data)
    assert "accept-ranges" not in answer.headers


def test_blobs_may_be_elsewhere(whole, door, repo):
    layer = door.push(repo, "1").layers[0]
    whole.cloud.settings.change({"redirects": True})
    path = door.path(repo, f"blobs/{layer.digest}")
    assert door.ask("HEAD", path).status == 200
    answer = door.ask("GET", path)
    assert answer.status == 307
    url = urllib.parse.urlsplit(answer.headers["location"])
    base, target = f"{url.scheme}://{url.netloc}", f"{url.path}?{url.query}"
    assert base == whole.urls["objects"]
    assert send(base, "GET", target).body == layer.data
    part = send(base, "GET", target, {"range": "bytes=5-"})
    assert (part.status, part.body) == (206, layer.data[5:])
    assert send(base, "GET", target, {
        "authorization": f"Bearer {door.token}"}).status == 400
    assert send(base, "GET", target + "0").status == 403
    assert send(base, "HEAD", target).status == 405
    whole.cloud.settings.change({"clock_offset": 400})
    assert send(base, "GET", target).status == 403
    missing = door.path(repo, "blobs/sha256:" + "0" * 64)
    whole.cloud.settings.change({"clock_offset": 0})
    assert door.ask("GET", missing).status == 404


# ---- permission ----

def test_anonymous_reads_what_is_public(whole, door, repo):
    door.push(repo, "1")
    nobody = Door(whole, None)
    for name in (repo, "nothing"):
        answer = nobody.ask("GET", nobody.path(name, "tags/list"))
        assert (answer.status, answer.code) == (403, "DENIED")
        assert "Anonymous users" in answer.body.decode()
    whole.state.by_name[repo].is_public = True
    assert nobody.tags(repo) == ["1"]
    assert nobody.head(repo, "1").status == 200
    assert nobody.ask("POST", nobody.path(repo, "blobs/uploads/")
                      ).status == 403


def test_rights_are_checked_at_the_door(whole, door, repo):
    door.push(repo, "1")
    reader, stranger = Door(whole, "reader"), Door(whole, "stranger")
    assert reader.tags(repo) == ["1"]
    assert reader.ask("POST", reader.path(repo, "blobs/uploads/")
                      ).status == 403
    for status in (403, 404):
        whole.cloud.settings.change({"forbidden_status": status})
        assert stranger.head(repo, "1").status == status
    answer = door.ask("GET", "/v2/wrong/x/tags/list")
    assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")
    assert "Tenant with name wrong not found" in answer.body.decode()


def test_a_push_makes_a_repository_by_ocirs_rule(whole, door):
    name, other = whole.new_name("made/by/push"), whole.new_name()
    with pytest.raises(imagetool.RegistryError, match="DENIED"):
        door.push(name, "1")
    whole.state.create_on_push = True
    door.push(name, "1")
    r = whole.state.by_name[name]
    assert r.compartment == whole.tenancy and not r.is_public
    with pytest.raises(imagetool.RegistryError, match="DENIED"):
        Door(whole, "reader").push(other, "1")
    part = whole.state.add_compartment(whole.new_name("c"))
    whole.cloud.directory.set_policies([
        f"Allow group builders to manage repos in compartment {part.name}"])
    with pytest.raises(imagetool.RegistryError, match="DENIED"):
        door.push(other, "1")
    assert other not in whole.state.by_name


def test_faults_at_the_door_have_the_registrys_form(whole, door, repo):
    whole.cloud.faults.add({"service": "registry", "match": "/v2/",
                            "status": 429})
    answer = door.ask("GET", door.path(repo, "tags/list"))
    assert (answer.status, answer.code) == (429, "TOOMANYREQUESTS")


def test_images_without_a_push_are_real(whole, door):
    name = whole.new_name("filled")
    population.fill(whole.cloud, 2, 2, 3, name)
    r = next(r for r in whole.state.repositories.values()
             if r.name.startswith(name))
    assert door.tags(r.name) == ["1.0", "1.1", "1.2"]
    manifest = door.ask("GET", door.path(r.name, "manifests/1.1")).json
    for d in (manifest["config"], *manifest["layers"]):
        got = door.ask("GET", door.path(r.name, f"blobs/{d['digest']}")).body
        assert imagetool.digest_of([got]) == d["digest"]
        assert len(got) == d["size"]
