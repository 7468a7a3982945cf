# SPDX-License-Identifier: Apache-2.0
"""Oracle's own SDK (the npm packages) as a client, for tests in Python."""
import functools
import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
INSTALL = HERE.parents[1] / "scripts/lib/oracle-sdk"


class SdkError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['status']} {error['code']}: "
                         f"{error['message'][:500]}")
        self.status, self.code = error["status"], error["code"]
        self.request_id = error.get("request_id", "")


@functools.lru_cache
def installed():
    """The folder with node_modules; installs what is missing."""
    done = subprocess.run([INSTALL], text=True, capture_output=True,
                          check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


class OracleSdk:
    """`sdk.artifacts.listContainerImages(compartmentId=…)` calls that
    operation; the result is the SDK's response as JSON."""

    def __init__(self, emulator, kind="api_key", profile="DEFAULT", **more):
        self.emulator = emulator
        auth = {"kind": kind, "config": emulator.config, "profile": profile,
                "metadata": emulator.urls["metadata"] + "/opc/v2/",
                "federation": emulator.urls["auth"], **more}
        urls = {n: emulator.urls[n] for n in ("identity", "artifacts",
                                              "registry")}
        self.process = self._start({"auth": auth, "urls": urls}, kind)
        self._read()

    def _start(self, options, kind):
        names = {"resource": "resource_principal",
                 "workload": "oke_workload_identity"}
        env = {k: v for k, v in os.environ.items()
               if not k.upper().endswith("_PROXY")
               and not k.startswith(("OCI_", "KUBERNETES_"))}
        env |= self.emulator.environment.get(names.get(kind), {})
        env |= {"NODE_PATH": installed() + "/node_modules",
                "NODE_EXTRA_CA_CERTS": self.emulator.ca}
        with open(self.emulator.folder / "sdk.log", "ab") as log:
            return subprocess.Popen(
                ["node", HERE / "sdk_driver.js", json.dumps(options)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=env, text=True)

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            log = self.emulator.folder / "sdk.log"
            raise AssertionError("the SDK ended: " + log.read_text()[-2000:])
        value = json.loads(line)
        if "error" in value:
            raise SdkError(value["error"])
        return value.get("response")

    def call(self, client, operation, **request):
        print(json.dumps({"client": client, "operation": operation,
                          "request": request}),
              file=self.process.stdin, flush=True)
        return self._read()

    def __getattr__(self, client):
        if client not in ("identity", "artifacts", "registry", "provider"):
            raise AttributeError(client)
        return _Client(self, client)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class _Client:
    def __init__(self, sdk, name):
        self.sdk, self.name = sdk, name

    def __getattr__(self, operation):
        return functools.partial(self.sdk.call, self.name, operation)
