# SPDX-License-Identifier: Apache-2.0
"""What the control plane and the registry's door know of each other's tags
and images."""
import concurrent.futures

import pytest

from .door_client import imagetool


def test_immutable_tags_stay(whole, door, repo):
    image = door.push(repo, "1")
    whole.state.by_name[repo].is_immutable = True
    door.push(repo, "1")
    door.push(repo, "2", "y")
    for status in (409, 403, 400):
        whole.cloud.settings.change({"immutable_status": status})
        with pytest.raises(imagetool.RegistryError, match=str(status)):
            door.push(repo, "1", "z")
    assert door.head(repo, "1").headers["docker-content-digest"] == \
        image.manifest.digest


def test_manifests_side_by_side_may_conflict(whole, door, repo):
    image = door.push(repo, "1")
    whole.cloud.settings.change({"manifest_conflicts": True,
                                 "manifest_put_seconds": 0.3})

    def put(tag):
        return door.ask("PUT", door.path(repo, f"manifests/{tag}"),
                        image.manifest.data,
                        content_type=imagetool.MANIFEST).status

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = sorted(pool.map(put, "abcd"))
    assert found[0] == 201 and found[-1] == 409
    assert put("e") == 201


def test_the_control_plane_sees_a_push(whole, door, repo):
    image = door.push(repo, "1.0")
    door.push(repo, "latest")
    seen = door.image(repo, "1.0").json
    assert seen["digest"] == image.manifest.digest
    assert seen["manifestSizeInBytes"] == image.manifest.size
    assert seen["layersSizeInBytes"] == image.layers[0].size
    assert [v["version"] for v in seen["versions"]] == ["1.0", "latest"]
    assert seen["version"] == "latest"
    assert (seen["pullCount"], "timeLastPulled" in seen) == (0, False)
    door.head(repo, "1.0")
    door.ask("GET", door.path(repo, "manifests/1.0"))
    seen = door.image(repo, image.manifest.digest).json
    assert seen["pullCount"] == 1 and seen["timeLastPulled"]
    r = whole.state.by_name[repo]
    r = door.artifacts("GET", f"/repositories/{r.id}").json
    assert (r["imageCount"], r["layerCount"]) == (1, 1)
    assert r["timeLastPushed"]


def rows(door, repo, **query):
    r = door.rig.state.by_name[repo]
    return [row for page in door.api.pages(
        door.rig.urls["artifacts"], "/20160918/container/images",
        compartmentId=r.compartment, repositoryId=r.id, **query)
        for row in page["items"]]


def test_lists_of_images(whole, door, repo):
    first = door.push(repo, "1.0")
    door.push(repo, "1.1")
    second = door.push(repo, "2.0", "y")
    door.push(repo, "2.0", "z")  # the second one has no tag any more
    found = rows(door, repo)
    assert len(found) == 3 and "layers" not in found[0]
    by_digest = {r["digest"]: r for r in found}
    assert by_digest[first.manifest.digest]["version"] == "1.1"
    lost = by_digest[second.manifest.digest]
    assert "version" not in lost
    assert lost["displayName"] == f"{repo}:2.0@{second.manifest.digest}"
    assert len(rows(door, repo, isVersioned="true")) == 2
    assert len(rows(door, repo, version="1.*")) == 1
    assert len(rows(door, repo, repositoryName=repo[:2] + "*")) == 3
    assert len(rows(door, repo, imageDigest=first.manifest.digest)) == 1
    whole.cloud.settings.change({"image_rows": "version", "empty_pages": 1})
    assert [r["version"] for r in rows(
        door, repo, isVersioned="true", sortBy="DISPLAYNAME", limit=1)] == [
        "1.0", "1.1", "2.0"]


def test_removing_a_version_leaves_the_others(door, repo):
    image = door.push(repo, "1.0")
    door.push(repo, "latest")
    found = door.image(repo, "1.0")
    path = f"/images/{found.json['id']}/actions/removeVersion"
    assert door.artifacts("POST", path, {"version": "1.0"},
                          if_match="old").status == 412
    answer = door.artifacts("POST", path, {"version": "1.0"},
                            if_match=found.headers["etag"])
    assert [v["version"] for v in answer.json["versions"]] == ["latest"]
    assert door.tags(repo) == ["latest"]
    assert door.head(repo, "1.0").status == 404
    assert door.head(repo, "latest").status == 200
    door.artifacts("POST", path, {"version": "latest"})
    assert door.tags(repo) is None
    assert door.head(repo, image.manifest.digest).status == 200
    assert door.artifacts("POST", path, {"version": "x"}).status == 404
    assert door.artifacts("POST", path, {}).code == "MissingParameter"


def test_deleted_images_can_be_restored(whole, door, repo):
    image = door.push(repo, "1.0")
    door.push(repo, "latest")
    ocid = door.image(repo, "1.0").json["id"]
    path = f"/images/{ocid}"
    restore = path + "/actions/restore"
    assert door.artifacts("POST", restore).status == 409
    assert door.artifacts("DELETE", path).status == 204
    assert door.artifacts("DELETE", path).status == 404
    for ref in ("1.0", "latest", image.manifest.digest):
        assert door.head(repo, ref).status == 404
    assert door.image(repo, "1.0").status == 404
    assert [r["lifecycleState"] for r in rows(door, repo)] == ["DELETED"]
    assert rows(door, repo, lifecycleState="AVAILABLE") == []
    assert door.artifacts("POST", restore).status == 200
    assert door.tags(repo) == ["1.0", "latest"]
    door.artifacts("DELETE", path)
    other = door.push(repo, "latest", "y").manifest.digest
    assert door.artifacts("POST", restore).json["version"] == "1.0"
    assert door.head(repo, "latest").headers["docker-content-digest"] == other
    door.artifacts("DELETE", path)
    assert door.artifacts("POST", restore, {"version": "back"}
                          ).json["version"] == "back"
    door.artifacts("DELETE", path)
    whole.cloud.settings.change({"clock_offset": 49 * 3600})
    door.api.skew = 49 * 3600
    assert door.artifacts("POST", restore).status == 404


def test_deleting_a_manifest_at_the_door_takes_all_its_tags(door, repo):
    image = door.push(repo, "1.0")
    door.push(repo, "latest")
    answer = door.ask("DELETE", door.path(
        repo, f"manifests/{image.manifest.digest}"))
    assert answer.status == 202 and door.tags(repo) is None


def test_a_repository_made_again_is_empty(whole, door, repo):
    image = door.push(repo, "1.0")
    r = whole.state.by_name[repo]
    assert door.artifacts("DELETE", f"/repositories/{r.id}").status == 204
    assert door.head(repo, "1.0").status == 404
    whole.state.add_repository(repo, whole.tenancy, "x")
    assert door.ask("HEAD", door.path(
        repo, f"blobs/{image.config.digest}")).status == 404
