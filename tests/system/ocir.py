# SPDX-License-Identifier: Apache-2.0
"""Mounts of OCIR, with the emulator in its place:

    m = ocir.mounted(mount, oracle, "instance_principal", ttl=0)
    m = ocir.mounted(mount, oracle, profile="READER")
"""
import base64
import json
import os

# Nobody answers there, so that `auto` does not find this machine's own cloud.
NO_METADATA = {"OCI_METADATA_BASE_URL": "http://127.0.0.1:1/opc/v2/"}
SERVICES = ("identity", "artifacts", "registry", "objectstorage")

# How each kind of principal is shown to the program: which variables of the
# emulator, and which options.
KINDS = {
    "api_key": (("api_key",), {}),
    "encrypted": (("api_key",), {"profile": "DEFAULT_ENCRYPTED"}),
    "cli": (("cli",), {}),
    "security_token": (("api_key",), {"profile": "SESSION"}),
    "instance_principal": (("instance_principal",), {}),
    "resource_principal": (("resource_principal",), {}),
    "oke_workload_identity": (("oke_workload_identity",), {}),
    "instance_obo_user": (("api_key", "instance_principal"),
                          {"profile": "CLOUD_SHELL"}),
}


# For a URL as SOURCE without region=, beside which OCIR's options are refused.
PLAIN = dict.fromkeys((*SERVICES, "federation", "service_account"))


def environment(oracle, kind="api_key", **more):
    env = dict(NO_METADATA)
    for name in KINDS[kind][0]:
        env |= oracle.environment[name]
    return env | more


def options(oracle, kind="api_key", **more):
    words = {name: oracle.urls[name] for name in SERVICES}
    words |= {"federation": oracle.urls["auth"],
              "service_account": oracle.service_account}
    words |= KINDS[kind][1] | more
    return {k: v for k, v in words.items() if v is not None}


def mounted(mount, oracle, kind="api_key", source=None, env=None, **more):
    return mount(source or oracle.region,
                 env=environment(oracle, kind, **(env or {})),
                 **options(oracle, kind, **more))


def refused(run_ocirfs, oracle, folder, kind="api_key", source=None, env=None,
            **more):
    """The one sentence with which such a mount does not come to be."""
    point = folder / "mnt"
    point.mkdir(exist_ok=True)
    words = options(oracle, kind, cache=folder / "cache", **more)
    text = ",".join(k if v is True else f"{k}={v}"
                    for k, v in words.items())
    done = run_ocirfs(source or oracle.region, point, "-o", text,
                      **environment(oracle, kind, **(env or {})))
    assert done.returncode == 1, done
    assert not os.path.ismount(point)
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("ocirfs: "), done.stderr
    return lines[0]


def host_of(oracle):
    return oracle.urls["registry"].partition("//")[2]


def docker_file(oracle, folder, user, password):
    path = folder / "auth.json"
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    path.write_text(json.dumps({"auths": {host_of(oracle): {"auth": pair}}}))
    return path


def no_secret_of(oracle, *texts):
    """Neither tokens nor keys nor passphrases are in any of these."""
    secrets = oracle.secrets()
    for text in texts:
        assert not [s for s in secrets if s in text]
        assert "PRIVATE KEY" not in text and "correct-horse" not in text
