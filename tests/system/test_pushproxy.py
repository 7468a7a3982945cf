# SPDX-License-Identifier: Apache-2.0
"""The proxy that pushes are tested with does what its rules say; and the
writers make layouts that tools can read."""
import http.client
import json
import threading

import pytest

import images
import pushed
import pushproxy
import writers


@pytest.fixture
def proxy(registry):
    p = pushproxy.PushProxy(registry.address)
    yield p
    p.stop()


@pytest.fixture
def image():
    return images.big_image(300_000)


def test_a_push_and_a_pull_are_passed_on_and_counted(proxy, registry, image):
    images.push(proxy, "app", image, "1.0")
    pushed.check(proxy, "app", "1.0", image)
    pushed.check(registry, "app", "1.0", image)
    size = sum(b.size for b in image.blobs)
    assert proxy.uploaded() == proxy.downloaded() == size
    assert [r.kind for r in proxy.asked()][:4] == [
        "blob-head", "upload-start", "upload-end", "blob-head"]


def test_a_chunked_upload_is_passed_on(proxy, registry):
    c = pushed.client(proxy)
    answer, _ = c.ask("POST", c.path("app", "blobs/uploads/"),
                      headers={"Content-Length": "0"}, good=(202,))
    at = answer.getheader("Location").split(proxy.address)[1]
    pieces = [images.noise(70_000, i) for i in range(3)]
    answer, _ = c.ask("PATCH", at, iter(pieces), good=(202,))
    digest = images.digest_of(b"".join(pieces))
    at = answer.getheader("Location").split(proxy.address)[1]
    c.ask("PUT", f"{at}&digest={digest}", good=(201,))
    assert pushed.client(registry).has_blob("app", digest)
    assert proxy.uploaded() == 210_000


@pytest.mark.parametrize("act", ["reset", "reset-body", "lost", "503"])
def test_faults(proxy, registry, image, act):
    data = image.blobs[-1].data
    rule = proxy.rule(act, "upload-end", after=100_000)
    with pytest.raises((OSError, pushed.imagetool.RegistryError)):
        pushed.client(proxy).push_blob("app", data)
    assert rule.met == 1
    has = pushed.client(registry).has_blob("app", images.digest_of(data))
    assert has == (act == "lost")
    pushed.client(proxy).push_blob("app", data)
    assert pushed.client(registry).has_blob("app", images.digest_of(data))


@pytest.mark.parametrize("act, arrived", [
    ("hold", False), ("hold-body", False), ("hold-answer", True)])
def test_a_request_is_held_until_it_is_released(proxy, registry, act, arrived):
    data = images.noise(300_000)
    rule = proxy.rule(act, "upload-end", after=100_000)
    thread = threading.Thread(
        target=pushed.client(proxy).push_blob, args=("app", data))
    thread.start()
    rule.wait()
    has = pushed.client(registry).has_blob("app", images.digest_of(data))
    rule.release()
    thread.join()
    assert has == arrived
    assert pushed.client(registry).has_blob("app", images.digest_of(data))


def test_an_answer_that_is_cut(proxy, registry, image):
    images.push(registry, "app", image, "1.0")
    proxy.rule("cut", "manifest-get")
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        pushed.client(proxy).get("app", "manifests/1.0")
    pushed.check(proxy, "app", "1.0", image)


@pytest.mark.parametrize("writer", writers.ALL, ids=lambda w: w.__name__)
def test_a_writer_makes_a_layout(tmp_path, writer):
    """On a disk, where nothing but the writer can be wrong."""
    first = images.small_image("first")
    m = images.index({"amd64": images.small_image("a"),
                      "arm64": images.small_image("b")})
    folder = tmp_path / "layout"
    if writer is writers.Umoci:
        pushed.write_layout(folder, {"first": first})
    writer(folder, m, "1.0").write()
    entries = json.loads((folder / "index.json").read_text())["manifests"]
    assert entries[-1]["digest"] == m.digest
    for digest, data in m.contents().items():
        path = folder / "blobs/sha256" / pushed.hex_of(digest)
        assert path.read_bytes() == data
    left = {p.name for p in folder.iterdir()} - {"ingest"}
    assert left == {"blobs", "index.json", "oci-layout"}
