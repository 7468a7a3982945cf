# SPDX-License-Identifier: Apache-2.0
"""Tokens of OCIR over time: renewed under load, and never shown."""
import concurrent.futures
import os
import pathlib
import random
import shutil
import threading

import pytest

import ocir
import waiting

pytest_plugins = "emulators"

READERS = 8
ASKS = 20  # one in so many reads must ask the registry
TAGS = ("prod/motando-webapp/1.4.1", "build/project01/base/1.2",
        "build/tools/lint/2026.01")


class Reader:
    """Reads what is known, and now and then what must be asked for."""

    def __init__(self, m, seed):
        self.m, self.rng = m, random.Random(seed)
        self.reads, self.failed = 0, []

    def read_once(self, blob, size):
        self.reads += 1
        try:
            if self.reads % ASKS == 0:
                path = self.m / self.rng.choice(TAGS)
                assert path.read_bytes().startswith(b"{")
            else:
                at = self.rng.randrange(size - 4096)
                assert len(os.pread(blob, 4096, at)) == 4096
        except (OSError, AssertionError) as e:
            self.failed.append(f"read {self.reads}: {e}")

    def run(self, is_over):
        folder = self.m / "build/project01/base/blobs/sha256"
        path = max(folder.iterdir(), key=lambda p: p.stat().st_size)
        blob = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(blob).st_size
            while not is_over.is_set():
                self.read_once(blob, size)
        finally:
            os.close(blob)


@pytest.mark.parametrize("kind, reads", [("instance_principal", 10_000),
                                         ("oke_workload_identity", 1000)])
@pytest.mark.semantics("S49")
def test_no_read_is_lost_while_credentials_change(mount, make_oracle, kind,
                                                  reads):
    """A token that lives two seconds stands for one that lives an hour."""
    oracle = make_oracle("--sample", security_token_seconds=2,
                         registry_token_seconds=2)
    m = ocir.mounted(mount, oracle, kind, ttl="50ms")
    oracle.mark()
    service = "auth" if kind == "instance_principal" else "oke"
    readers = [Reader(m, i) for i in range(READERS)]
    is_over = threading.Event()

    def is_enough():
        return (sum(r.reads for r in readers) >= reads / waiting.SLOW
                and len(oracle.requests(service)) >= 2
                and len(oracle.requests("registry", "docker/token")) >= 4)

    with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
        running = [pool.submit(r.run, is_over) for r in readers]
        try:
            waiting.until(is_enough, "enough reads and tokens", 150, 0.5)
        finally:
            is_over.set()
        for r in running:
            r.result()
    failed = sum((r.failed for r in readers), [])
    assert not failed, failed[:5]
    assert {r["status"] for r in oracle.requests(
        "registry", "docker/token")} == {200}
    ocir.no_secret_of(oracle, m.log(), m.status("errors"))


# ---- no secret anywhere ----

@pytest.fixture(scope="module")
def oracle(module_oracle):
    return module_oracle("--sample")


def texts_below(folder):
    return [p.read_text(errors="replace")
            for p in pathlib.Path(folder).rglob("*")
            if p.is_file() and p.stat().st_size < 1 << 20]


@pytest.mark.parametrize("kind", ["api_key", "encrypted", "security_token",
                                  "instance_principal", "instance_obo_user",
                                  "resource_principal",
                                  "oke_workload_identity"])
@pytest.mark.semantics("S37", "S50")
def test_keys_and_tokens_are_nowhere(mount, oracle, kind):
    """Not with debug messages, not after failures, not in the cache."""
    m = ocir.mounted(mount, oracle, kind, ttl="0s", flags=["-d"])
    for name in TAGS:
        assert (m / name).read_bytes()
    if kind != "resource_principal":  # which may only read
        shutil.copyfile(m / TAGS[0], m / f"prod/motando-webapp/{kind}")
    oracle.revoke(registry=True)
    oracle.fault(service="registry", match="tags/list", status=401, times=4)
    oracle.fault(service="artifacts", status=401, times=2)
    with pytest.raises(PermissionError):
        os.listdir(m / "prod/eu/project01/web")
    oracle.clear_faults()
    assert os.listdir(m / "prod/eu/project01/web")
    shown = [m.status(n) for n in ("status", "metrics", "errors", "transfers")]
    shown += [m.log(), pathlib.Path(f"/proc/{m.pid}/cmdline").read_text()]
    ocir.no_secret_of(oracle, *shown, *texts_below(m.cache))


def test_what_docker_has_left_is_not_shown_either(mount, oracle, tmp_path):
    user = oracle.users["reader"]
    path = ocir.docker_file(oracle, tmp_path, user["username"],
                            user["auth_token"] + "wrong")
    m = ocir.mounted(mount, oracle, auth_file=path, bg=True)
    with pytest.raises(OSError):
        os.listdir(m / "prod/motando-webapp")
    waiting.until(lambda: "refused the credentials" in m.status("errors"),
                  "the error", 5)
    ocir.no_secret_of(oracle, m.log(), m.status("errors"))
