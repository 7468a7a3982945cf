# SPDX-License-Identifier: Apache-2.0
"""The emulator as its users start it: a process that leaves nothing."""
import json
import os
import signal
import subprocess
import threading

import pytest

from .process import CLI, Emulator, Refused
from .signing_client import send

SCRIPT = CLI.parents[2] / "scripts/ocir-emulator"


def is_alive(pid):
    """A zombie that nobody reaps here is not alive."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_gone(pid):
    pause = threading.Event()
    for _ in range(500):
        if not is_alive(pid):
            return True
        pause.wait(0.02)
    return False


def test_a_process_and_its_control(tmp_path):
    with Emulator(tmp_path, "--sample", empty_pages=2) as e:
        pid, registry = e.process.pid, e.registry_pid
        assert e.namespace and e.users["reader"]["profile"] == "READER"
        assert e.set(max_page=5)["empty_pages"] == 2
        with pytest.raises(Refused, match="no setting"):
            e.set(nothing=1)
        c = e.add_compartment("x", "prod")
        e.add_repository("x/y", "prod:x", isImmutable=True)
        assert e.add_images("x/y", "1", "2", same=True)["1"].startswith(
            "sha256:")
        r = e.repository("x/y")
        assert r["compartmentId"] == c and set(r["tags"]) == {"1", "2"}
        assert len(r["images"]) == 1 and r["isImmutable"]
        e.fill(2, 2, 2)
        e.fault(service="registry", status=503, times=0)
        assert send(e.urls["registry"], "GET", "/v2/").status == 503
        e.clear_faults()
        assert send(e.urls["registry"], "GET", "/v2/").status == 401
        assert [r["status"] for r in e.requests("registry")] == [503, 401]
        e.mark()
        assert e.requests() == []
        assert e.errors() == ""
        with pytest.raises(AttributeError):
            assert e.nothing
    assert not is_alive(pid) and wait_gone(registry)


def test_tls(tmp_path):
    with Emulator(tmp_path, "--tls", "--no-registry") as e:
        for name in ("identity", "artifacts", "auth", "objectstorage", "oke"):
            assert e.urls[name].startswith("https:")
            assert send(e.urls[name], "GET", "/", ca=e.ca).status in (
                401, 404)
        assert e.urls["metadata"].startswith("http:")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_registry_ends_with_it(tmp_path, number):
    e = Emulator(tmp_path).start()
    registry = e.registry_pid
    assert is_alive(registry)
    e.process.send_signal(number)
    e.process.wait(20)
    assert wait_gone(registry)
    e.stop()


def test_what_cannot_start_says_why(tmp_path):
    with pytest.raises(RuntimeError, match="there is no setting 'nothing'"):
        Emulator(tmp_path, nothing=1).start()


def test_the_script_for_people():
    process = subprocess.Popen([SCRIPT], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.PIPE)
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith("Faults, settings"):
            break
    config = next(line.partition("=")[2].strip() for line in
                  text.splitlines() if "OCI_CLI_CONFIG_FILE" in line)
    assert os.path.exists(config)
    control = line.split()[-2]
    info = json.loads(send(control, "GET", "/").body)
    assert len(info["users"]) == 3
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0 and errors == ""
    assert not os.path.exists(config) and wait_gone(info["registry_pid"])
