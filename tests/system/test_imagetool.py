# SPDX-License-Identifier: Apache-2.0
"""What imagetool makes is what others read: skopeo and umoci are the judges."""
import hashlib
import json
import subprocess

import imagetool


def skopeo(*words):
    return subprocess.run(["skopeo", *words], check=True, text=True,
                          capture_output=True).stdout


def make():
    return imagetool.make_image([
        imagetool.make_layer({"etc/motd": b"Hello\n"}),
        imagetool.Seeded(7, 3_000_001), b"bytes"])


def test_the_same_seed_makes_the_same_bytes():
    a, b = imagetool.Seeded(7, 3_000_001), imagetool.make_blob(7, 3_000_001)
    assert b"".join(a.pieces()) == b and len(b) == 3_000_001
    assert a.digest == "sha256:" + hashlib.sha256(b).hexdigest()
    assert imagetool.make_blob(7, 100) == b[:100]
    assert imagetool.make_blob(8, 100) != b[:100]


def test_a_layout_is_read_by_skopeo_and_umoci(tmp_path):
    image = make()
    imagetool.write_layout(tmp_path / "layout", {"v1": image, "v2": image})
    source = f"oci:{tmp_path}/layout:v2"
    assert skopeo("inspect", "--raw", source).encode() == image.manifest.data
    assert json.loads(skopeo("inspect", source))["Layers"] == [
        b.digest for b in image.layers]
    subprocess.run(["umoci", "stat", "--image", f"{tmp_path}/layout:v1"],
                   check=True, capture_output=True)


def test_a_push_is_read_by_skopeo(registry, tmp_path):
    manifest, _, blobs = image = make()
    assert imagetool.push_image(registry.url, "a/b", "v1", image) == \
        manifest.digest
    skopeo("copy", "--insecure-policy", "--src-tls-verify=false",
           f"docker://{registry.address}/a/b:v1", f"dir:{tmp_path}/out")
    assert (tmp_path / "out/manifest.json").read_bytes() == manifest.data
    for blob in blobs:
        copy = (tmp_path / "out" / blob.digest.split(":")[1]).read_bytes()
        assert imagetool.digest_of([copy]) == blob.digest


def test_many_tags_are_pushed_apart_or_together(registry):
    client = imagetool.Registry(registry.url)
    assert len(set(imagetool.many_tags(client, "apart", 20))) == 20
    assert len(set(imagetool.many_tags(client, "same", 20, distinct=False))) == 1
    for repo in ("apart", "same"):
        tags = json.loads(client.get(repo, "tags/list"))["tags"]
        assert sorted(tags) == [f"tag{i:05}" for i in range(20)]


def test_credentials_are_used_over_tls(make_registry, tls, ca, htpasswd):
    registry = make_registry(tls=tls, auth=htpasswd("me", "secret"))
    client = imagetool.Registry(registry.url, "me", "secret",
                                ca_file=ca.certificate)
    assert client.push_blob("r", b"x") == imagetool.digest_of([b"x"])
    assert client.has_blob("r", imagetool.digest_of([b"x"]))


def test_tokens_are_fetched(make_registry, make_tokens):
    tokens = make_tokens({"me": "secret"})
    registry = make_registry(auth=tokens.registry_auth())
    client = imagetool.Registry(registry.url, "me", "secret")
    digest = client.push_image("r", "v1", make())
    assert imagetool.digest_of([client.get("r", "manifests/v1")]) == digest
