# SPDX-License-Identifier: Apache-2.0
"""Who we are: docker's and podman's files and helpers, Basic and bearer."""
import base64
import errno
import json
import os
import pathlib
import subprocess
import time

import pytest

import images
import waiting
from mounts import sha256_file

USER, PASSWORD = "some.user@example.com", "pass:word-Zq7-never-shown"


@pytest.fixture(scope="module")
def image():
    return images.big_image(1_500_000)


@pytest.fixture(scope="module")
def storage(module_registry, image):
    """Filled through a registry that asks nobody's name."""
    r = module_registry()
    images.push(r, "team/app", image, "1.0")
    images.push(r, "open/tool", images.small_image(), "x")
    return r.storage


@pytest.fixture
def tokens(make_tokens):
    return make_tokens({USER: PASSWORD}, private={"team/app"})


@pytest.fixture
def bearer(make_registry, storage, tokens):
    return make_registry(storage=storage, auth=tokens.registry_auth())


@pytest.fixture
def basic(make_registry, storage, htpasswd):
    return make_registry(storage=storage, auth=htpasswd(USER, PASSWORD))


def encoded(password=PASSWORD, user=USER):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def auths(registry, **entry):
    entry = entry or {"auth": encoded()}
    return json.dumps({"auths": {registry.address: entry}})


@pytest.fixture
def auth_file(tmp_path):
    def make(text, name="auth.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    return make


def check(mnt, image):
    assert (mnt / "team/app/1.0").read_bytes() == image.data
    for blob in image.blobs:
        path = mnt / "team/app/blobs/sha256" / blob.digest[7:]
        assert sha256_file(path) == blob.digest


def all_texts(mnt):
    """Everything that somebody else might read."""
    texts = [mnt.log(), (pathlib.Path("/proc") / str(mnt.pid) / "cmdline"
                         ).read_bytes().decode()]
    texts += [mnt.status(n) for n in ("status", "metrics", "errors",
                                      "transfers")]
    texts += [p.read_bytes().decode("latin-1")
              for p in mnt.cache.rglob("*") if p.is_file()]
    return texts


def check_no_secret(mnt, *secrets):
    for text in all_texts(mnt):
        for secret in secrets:
            assert secret not in text


@pytest.mark.semantics("S35")
@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_user_and_password(mount, request, kind, auth_file, image):
    registry = request.getfixturevalue(kind)
    mnt = mount(registry, auth_file=auth_file(auths(registry)))
    check(mnt, image)


@pytest.mark.semantics("S35")
def test_anonymous_where_that_is_enough(mount, bearer):
    mnt = mount(bearer)
    assert (mnt / "open/tool/x").read_bytes() == images.small_image().data


@pytest.mark.semantics("S29", "S35")
def test_what_is_not_ours_to_see_is_eacces(mount, bearer):
    mnt = mount(bearer)
    with pytest.raises(PermissionError):
        (mnt / "team/app/1.0").read_bytes()
    with pytest.raises(PermissionError):
        os.listdir(mnt / "team/app")
    assert (mnt / "open/tool/x").read_bytes() == images.small_image().data


PLACES = {
    "REGISTRY_AUTH_FILE": lambda home, text: (
        "elsewhere/a.json", text, {"REGISTRY_AUTH_FILE": "elsewhere/a.json"}),
    "XDG_RUNTIME_DIR": lambda home, text: (
        "run/containers/auth.json", text, {"XDG_RUNTIME_DIR": "run"}),
    "XDG_CONFIG_HOME": lambda home, text: (
        "conf/containers/auth.json", text, {"XDG_CONFIG_HOME": "conf"}),
    "~/.config": lambda home, text: (
        "home/.config/containers/auth.json", text, {}),
    "DOCKER_CONFIG": lambda home, text: (
        "docker/config.json", text, {"DOCKER_CONFIG": "docker"}),
    "~/.docker": lambda home, text: ("home/.docker/config.json", text, {}),
}


@pytest.mark.semantics("S35")
@pytest.mark.parametrize("place", PLACES)
def test_files_are_found_where_podman_and_docker_leave_them(
        mount, basic, image, tmp_path, place):
    name, text, env = PLACES[place](tmp_path, auths(basic))
    mnt = mount(basic, start=False, name="m")
    for key, value in env.items():
        mnt.env[key] = str(mnt.folder / value)
    path = mnt.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    mnt.start()
    check(mnt, image)


@pytest.mark.semantics("S35")
def test_docker_auth_config_in_the_environment(mount, basic, image):
    mnt = mount(basic, env={"DOCKER_AUTH_CONFIG": auths(basic)})
    check(mnt, image)


HELPER = """#!/bin/sh
# Says what docker-credential-helpers say.
[ "$1" = get ] || exit 1
read -r server
echo "$server" >> "$HELPER_LOG"
[ "$server" = "$HELPER_FOR" ] || {
    echo "credentials not found in native keychain"
    exit 1
}
cat "$HELPER_ANSWER"
"""


@pytest.fixture
def helper(tmp_path):
    """A credential helper `tests` in a folder for PATH, and its environment."""
    folder = tmp_path / "helpers"
    folder.mkdir()
    program = folder / "docker-credential-tests"
    program.write_text(HELPER)
    program.chmod(0o755)

    def env(registry, user=USER, secret=PASSWORD):
        answer = folder / "answer.json"
        answer.write_text(json.dumps({
            "ServerURL": registry.address, "Username": user,
            "Secret": secret}))
        return {"PATH": f"{folder}:{os.environ['PATH']}",
                "HELPER_LOG": str(folder / "log"),
                "HELPER_ANSWER": str(answer),
                "HELPER_FOR": registry.address}

    return env


@pytest.mark.semantics("S35")
@pytest.mark.parametrize("setting", ["credHelpers", "credsStore"])
def test_helpers(mount, bearer, image, helper, tmp_path, setting):
    value = "tests" if setting == "credsStore" else {bearer.address: "tests"}
    env = helper(bearer)
    docker = tmp_path / "docker"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps({setting: value}))
    mnt = mount(bearer, env={**env, "DOCKER_CONFIG": str(docker)})
    check(mnt, image)
    asked = pathlib.Path(env["HELPER_LOG"]).read_text().split()
    assert set(asked) == {bearer.address}
    check_no_secret(mnt, PASSWORD, encoded())


@pytest.mark.semantics("S35")
def test_one_token_serves_many_readers(mount, bearer, tokens, image,
                                       auth_file):
    mnt = mount(bearer, auth_file=auth_file(auths(bearer)))
    check(mnt, image)
    scopes = [tuple(s) for _, s in tokens.asked
              if any("team/app" in x for x in s)]
    assert 1 <= len(scopes) <= 2
    assert {u for u, _ in tokens.asked} == {USER}


@pytest.mark.semantics("S35", "S17")
def test_a_token_that_is_no_longer_taken_is_replaced(
        mount, bearer, tokens, image, auth_file):
    """The registry now trusts tokens of another issuer only."""
    mnt = mount(bearer, auth_file=auth_file(auths(bearer)), ttl="100ms")
    assert (mnt / "team/app/1.0").read_bytes() == image.data
    before = len(tokens.asked)
    bearer.stop()
    tokens.issuer = "somebody else"
    bearer.auth = tokens.registry_auth()
    bearer.start()
    waiting.until(lambda: "answers" in mnt.status(), "the registry", 15)
    check(mnt, image)
    assert len(tokens.asked) > before


@pytest.mark.semantics("S35", "S17")
def test_a_token_that_ends_while_reading(mount, make_tokens, make_registry,
                                         storage, image, auth_file):
    """Tokens of two seconds; reading takes longer."""
    tokens = make_tokens({USER: PASSWORD}, private={"team/app"}, life=2)
    registry = make_registry(storage=storage, auth=tokens.registry_auth())
    mnt = mount(registry, auth_file=auth_file(auths(registry)), ttl=0)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert (mnt / "team/app/1.0").read_bytes() == image.data
    check(mnt, image)
    assert len(tokens.asked) >= 2


@pytest.mark.semantics("S35")
def test_a_new_login_needs_no_remount(mount, basic, image, auth_file):
    path = auth_file(auths(basic))
    mnt = mount(basic, auth_file=path, ttl="100ms")
    check(mnt, image)
    basic.stop()
    htpasswd = pathlib.Path(basic.auth["htpasswd"]["path"])
    htpasswd.write_text(subprocess.run(
        ["htpasswd", "-niB", "-C", "5", USER], input="new-password",
        text=True, check=True, capture_output=True).stdout.strip() + "\n")
    basic.start()

    def is_refused():
        try:
            (mnt / "team/app/1.0").read_bytes()
            os.listdir(mnt / "open/tool")
            return False
        except PermissionError:
            return True
        except OSError:
            return False

    waiting.until(is_refused, "a refusal", 15)
    for _ in range(10):  # and nothing that a tag is not
        assert is_refused()
    path.write_text(auths(basic, auth=encoded("new-password")))

    def is_let_in():
        try:
            return (mnt / "team/app/1.0").read_bytes() == image.data
        except OSError:
            return False

    waiting.until(is_let_in, "entrance", 15)
    check(mnt, image)


@pytest.mark.semantics("S37")
@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_no_secret_is_told_to_anybody(mount, request, kind, auth_file, image):
    """With everything that -d logs, and after errors."""
    registry = request.getfixturevalue(kind)
    mnt = mount(registry, auth_file=auth_file(auths(registry)), flags=["-d"],
                timeout="2s", ttl="100ms")
    check(mnt, image)
    for bad in ("nothing", "team/app/nothing", "team/nothing/x"):
        with pytest.raises(OSError):
            os.stat(mnt / bad)
    registry.kill()
    with pytest.raises(OSError) as e:
        os.stat(mnt / "team/app/absent")
    assert e.value.errno != errno.ENOENT
    secrets = [PASSWORD, encoded()]
    if kind == "bearer":
        issued = request.getfixturevalue("tokens").issued
        assert issued
        secrets += issued + [t.split(".")[2] for t in issued]
    check_no_secret(mnt, *secrets)


@pytest.mark.semantics("S37")
@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_a_refusal_does_not_quote_the_password(
        run_ocirfs, request, kind, auth_file, tmp_path):
    registry = request.getfixturevalue(kind)
    wrong = "Wrong-Zq7-pass"
    path = auth_file(auths(registry, auth=encoded(wrong)))
    mnt = tmp_path / "mnt"
    mnt.mkdir()
    done = run_ocirfs(registry.url, mnt, "-f", "-d", "-o",
                      f"auth_file={path},cache={tmp_path}/cache,"
                      "repos=team/app")
    assert done.returncode == 1
    for secret in (wrong, encoded(wrong)):
        assert secret not in done.stdout + done.stderr


@pytest.mark.semantics("S37")
def test_a_core_file_is_out_of_reach(mount, registry):
    """Neither dumped nor read by another user: not dumpable, no core size."""
    images.push(registry, "app", images.small_image(), "1")
    mnt = mount(registry)
    limits = pathlib.Path(f"/proc/{mnt.pid}/limits").read_text()
    core = [x for x in limits.splitlines() if x.startswith("Max core file")]
    assert core[0].split()[4:6] == ["0", "0"]
    assert os.stat(f"/proc/{mnt.pid}/environ").st_uid == 0
