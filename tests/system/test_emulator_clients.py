# SPDX-License-Identifier: Apache-2.0
"""Ordinary registry clients at the emulator's door."""
import json
import subprocess

import pytest

import imagetool

pytest_plugins = "emulators"


@pytest.fixture
def skopeo(oracle, tmp_path):
    """skopeo(…) with the credentials of jdoe; what it printed."""
    user = oracle.users["jdoe@example.com"]
    host = oracle.urls["registry"].partition("//")[2]
    auth = tmp_path / "auth.json"

    def run(*words, name=user["username"], password=user["auth_token"]):
        subprocess.run(
            ["skopeo", "login", "--tls-verify=false", "--authfile", auth,
             "-u", name, "--password-stdin", host], input=password, text=True,
            check=True, capture_output=True, timeout=60)
        done = subprocess.run(
            ["skopeo", *words, "--authfile", auth], text=True, timeout=120,
            capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.place = lambda repo: f"docker://{host}/{oracle.namespace}/{repo}"
    return run


def test_skopeo_pushes_lists_and_pulls(oracle, skopeo, tmp_path):
    layout = tmp_path / "in"
    image = imagetool.make_image([imagetool.make_layer(
        {"noise": imagetool.make_blob(3, 3_000_000)})])
    imagetool.write_layout(layout, {"a": image})
    oracle.add_repository("by/skopeo", "prod")
    there = skopeo.place("by/skopeo")
    skopeo("copy", "--dest-tls-verify=false", f"oci:{layout}:a", f"{there}:1")
    assert json.loads(skopeo("list-tags", "--tls-verify=false", there)
                      )["Tags"] == ["1"]
    skopeo("copy", "--src-tls-verify=false", f"{there}:1",
           f"oci:{tmp_path}/out:a")
    index = json.loads((tmp_path / "out/index.json").read_text())
    assert index["manifests"][0]["digest"] == image.manifest.digest
    r = oracle.repository("by/skopeo")
    assert r["tags"] == {"1": image.manifest.digest}
    assert r["images"][image.manifest.digest]["pulls"] == 1


def test_a_token_goes_for_a_password(oracle, skopeo):
    """As build scripts log in: docker login -u BEARER_TOKEN."""
    user = oracle.users["jdoe@example.com"]
    client = imagetool.Registry(oracle.urls["registry"], user["username"],
                                user["auth_token"])
    client.ask("GET", "/v2/")
    text = skopeo("inspect", "--tls-verify=false",
                  skopeo.place("motando-webapp:latest"), name="BEARER_TOKEN",
                  password=client.token)
    assert set(json.loads(text)["RepoTags"]) == {"1.4.1", "1.4.2", "latest"}
