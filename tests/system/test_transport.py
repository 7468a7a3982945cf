# SPDX-License-Identifier: Apache-2.0
"""Certificates, redirects, proxies, mirrors."""
import base64
import errno
import json
import os
import pathlib
import subprocess

import pytest

import certificates
import fileserver
import images
import waiting
from mounts import sha256_file

USER, PASSWORD = "carrier", "Zq7-secret-of-the-carrier"


@pytest.fixture(scope="module")
def image():
    return images.big_image(900_000)


@pytest.fixture(scope="module")
def plain(module_registry, image):
    r = module_registry()
    images.push(r, "app", image, "1.0")
    return r


@pytest.fixture
def storage(plain):
    return plain.storage


def check(mnt, image):
    assert (mnt / "app/1.0").read_bytes() == image.data
    for blob in image.blobs:
        path = mnt / "app/blobs/sha256" / blob.digest[7:]
        assert sha256_file(path) == blob.digest


@pytest.fixture
def serve():
    """serve(Server subclass, ...): ended with the test."""
    started = []

    def make(kind, *args, **more):
        started.append(kind(*args, **more))
        return started[-1]

    yield make
    for s in started:
        s.stop()


# ---- TLS ----

@pytest.mark.semantics("S38")
def test_a_certificate_of_ca_file(mount, make_registry, storage, tls, ca,
                                  image):
    registry = make_registry(storage=storage, tls=tls)
    check(mount(registry, ca_file=ca.certificate), image)


@pytest.mark.semantics("S38", "S35")
def test_names_of_files_may_be_relative(
        run_ocirfs, make_registry, storage, tls, ca, htpasswd, tmp_path,
        image, monkeypatch):
    """Also for what is opened again after we went to the background."""
    registry = make_registry(storage=storage, tls=tls,
                             auth=htpasswd(USER, PASSWORD))
    (tmp_path / "ca.pem").write_bytes(ca.certificate.read_bytes())
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {
        registry.address: {"auth": base64.b64encode(
            f"{USER}:{PASSWORD}".encode()).decode()}}}))
    mnt = tmp_path / "mnt"
    mnt.mkdir()
    monkeypatch.chdir(tmp_path)
    done = run_ocirfs(registry.url, "mnt", "-o",
                      "ca_file=ca.pem,auth_file=auth.json,cache=c,ttl=0")
    assert (done.returncode, done.stderr) == (0, "")
    try:
        registry.kill()
        registry.start()
        check(mnt, image)
        status = (mnt / ".ocirfs/status").read_text()
        assert str(tmp_path / "c") in status
        assert not pathlib.Path("/c").exists()
    finally:
        subprocess.run(["umount", mnt], check=True)


@pytest.fixture
def refused(run_ocirfs, tmp_path):
    """The one sentence with which a mount is refused."""
    def run(registry, **options):
        mnt = tmp_path / "refused"
        mnt.mkdir()
        words = [f"cache={tmp_path}/cache", "timeout=5s"]
        words += [f"{k}={v}" for k, v in options.items()]
        done = run_ocirfs(registry.url, mnt, "-o", ",".join(words))
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "certificate" in done.stderr.lower()
        assert "127.0.0.1" in done.stderr
        assert not os.path.ismount(mnt)
        return done.stderr

    return run


@pytest.mark.semantics("S38", "S41")
def test_a_certificate_of_nobody_we_know(make_registry, storage, tls,
                                         refused):
    refused(make_registry(storage=storage, tls=tls))


@pytest.mark.semantics("S38", "S41")
def test_a_certificate_of_another_authority(make_registry, storage, tls,
                                            refused, tmp_path):
    other = certificates.authority(tmp_path, "another")
    refused(make_registry(storage=storage, tls=tls),
            ca_file=other.certificate)


@pytest.mark.semantics("S38", "S41")
def test_a_certificate_for_another_name(make_registry, storage, ca, refused,
                                        tmp_path):
    pair = certificates.server(tmp_path, ca, host="registry.example")
    refused(make_registry(storage=storage, tls=pair), ca_file=ca.certificate)


@pytest.mark.semantics("S38", "S41")
def test_a_certificate_that_has_ended(make_registry, storage, ca, refused,
                                      tmp_path):
    pair = certificates.server(tmp_path, ca, end=-certificates.DAY)
    refused(make_registry(storage=storage, tls=pair), ca_file=ca.certificate)


@pytest.mark.semantics("S38", "S34")
def test_a_certificate_that_changes_under_the_mount(
        mount, make_registry, storage, tls, ca, image, tmp_path):
    """An impostor gets nothing; the true one is taken again."""
    registry = make_registry(storage=storage, tls=tls)
    mnt = mount(registry, ca_file=ca.certificate, ttl=0, timeout="3s")
    check(mnt, image)
    registry.kill()
    impostor = certificates.authority(tmp_path, "impostor")
    registry.tls = certificates.server(tmp_path, impostor)
    registry.start()
    with pytest.raises(OSError) as e:
        os.stat(mnt / "app/never-seen")
    assert e.value.errno != errno.ENOENT
    registry.kill()
    registry.tls = tls
    registry.start()
    waiting.until(lambda: "answers" in mnt.status(), "the registry", 15)
    check(mnt, image)


# ---- redirects ----

def redirecting(make_registry, storage, store, **more):
    return make_registry(storage=storage, middleware={"storage": [{
        "name": "redirect", "options": {"baseurl": store.url}}]}, **more)


@pytest.mark.semantics("S36", "S17")
def test_blobs_come_from_where_they_are_redirected_to(
        mount, make_registry, storage, serve, image, htpasswd, tmp_path):
    """And the password does not go there."""
    store = serve(fileserver.FileServer, storage)
    registry = redirecting(make_registry, storage, store,
                           auth=htpasswd(USER, PASSWORD))
    path = tmp_path / "auth.json"
    path.write_text(json.dumps({"auths": {registry.address: {
        "auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}}))
    mnt = mount(registry, auth_file=path)
    check(mnt, image)
    blobs = [s for s in store.seen if s[1].endswith("/data")]
    assert blobs
    for _, _, headers in store.seen:
        assert not {"authorization", "cookie"} & {h.lower() for h in headers}
    for text in (mnt.log(), mnt.status("errors")):
        assert PASSWORD not in text


@pytest.mark.semantics("S36", "S38")
def test_a_redirect_from_https_to_http_is_not_followed(
        mount, make_registry, storage, serve, tls, ca, image):
    store = serve(fileserver.FileServer, storage)
    registry = redirecting(make_registry, storage, store, tls=tls)
    mnt = mount(registry, ca_file=ca.certificate, timeout="5s")
    assert (mnt / "app/1.0").read_bytes() == image.data
    with pytest.raises(OSError):
        sha256_file(mnt / "app/blobs/sha256" / image.blobs[1].digest[7:])
    assert not store.seen


@pytest.mark.semantics("S36", "S38")
def test_a_redirect_to_another_host_with_tls(
        mount, make_registry, storage, serve, tls, ca, image):
    store = serve(fileserver.FileServer, storage, tls=tls)
    registry = redirecting(make_registry, storage, store, tls=tls)
    check(mount(registry, ca_file=ca.certificate), image)
    assert store.seen


@pytest.mark.semantics("S38")
def test_a_redirect_to_a_host_with_a_bad_certificate_is_an_error(
        mount, make_registry, storage, serve, tls, ca, image, tmp_path):
    bad = certificates.server(tmp_path, certificates.authority(
        tmp_path, "other"), name="store")
    store = serve(fileserver.FileServer, storage, tls=bad)
    registry = redirecting(make_registry, storage, store, tls=tls)
    mnt = mount(registry, ca_file=ca.certificate, timeout="5s")
    with pytest.raises(OSError):
        sha256_file(mnt / "app/blobs/sha256" / image.blobs[1].digest[7:])
    assert not store.seen
    assert "certificate" in mnt.status("errors").lower()


# ---- proxies ----

@pytest.mark.semantics("S39", "S45")
@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
def test_a_proxy_of_the_environment(mount, plain, serve, image, name):
    proxy = serve(fileserver.ForwardProxy, {"registry.test": plain.address})
    mnt = mount("http://registry.test", plain_http=True,
                env={name: proxy.url})
    check(mnt, image)
    assert all(path.startswith("http://registry.test/")
               for _, path, _ in proxy.seen)


@pytest.mark.semantics("S39")
def test_no_proxy_is_heard(mount, plain, serve, image):
    proxy = serve(fileserver.ForwardProxy, {})
    mnt = mount(plain, env={"http_proxy": proxy.url,
                            "no_proxy": "127.0.0.1"})
    check(mnt, image)
    assert not proxy.seen


# ---- mirror ----

def blob_requests(registry):
    return [r for r in registry.requests() if "/blobs/" in r[1]]


@pytest.mark.semantics("S40")
def test_the_mirror_is_asked_first(mount, make_registry, plain, image):
    mirror = make_registry(proxy=plain.url)
    mnt = mount(plain, mirror=mirror.url)
    check(mnt, image)
    for blob in image.blobs:  # it stores what it passes on in its own time
        waiting.until(mirror.blob_file(blob.digest).exists, "the mirror")
    mirror.mark()
    plain.mark()
    again = mount(plain, mirror=mirror.url)
    check(again, image)
    assert blob_requests(mirror)
    assert not blob_requests(plain)


@pytest.mark.semantics("S40", "S17")
def test_a_mirror_that_lacks_it_or_is_dead_is_passed_over(
        mount, make_registry, plain, image):
    empty = make_registry()
    mnt = mount(plain, mirror=empty.url)
    check(mnt, image)
    assert empty.requests()
    empty.kill()
    again = mount(plain, mirror=empty.url, timeout="10s")
    with waiting.Stopwatch() as w:
        check(again, image)
    assert w.seconds < 8 * waiting.SLOW


@pytest.mark.semantics("S40", "S17", "S18")
def test_a_mirror_with_wrong_bytes_is_passed_over(
        mount, make_registry, plain, image):
    """What arrives is checked, whoever sends it."""
    bad = make_registry()
    images.push(bad, "app", image, "1.0")
    blob = max(image.blobs, key=lambda b: b.size)
    with open(bad.blob_file(blob.digest), "r+b") as f:
        f.write(b"wrong")
    mnt = mount(plain, mirror=bad.url)
    path = mnt / "app/blobs/sha256" / blob.digest[7:]

    def is_right():
        try:
            return sha256_file(path) == blob.digest
        except OSError:
            return False

    waiting.until(is_right, "the right bytes", 10)
    check(mnt, image)
