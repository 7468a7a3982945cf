# SPDX-License-Identifier: Apache-2.0
"""Somebody at the registry's door, for the emulator's own tests."""
import pathlib
import sys

from .signing_client import send

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import imagetool  # noqa: E402

TOKEN = "/20180419/docker/token"
ACCEPT = {"accept": f"{imagetool.MANIFEST}, {imagetool.INDEX}"}


class Door:
    """With a token by signature or, without a name, anonymous."""

    def __init__(self, rig, name="jdoe@example.com"):
        self.rig, self.url = rig, rig.urls["registry"]
        self.api = rig.user(name) if name else None
        self.token = self.get_token().json["token"]
        self.tool = imagetool.Registry(self.url, token=self.token)

    def get_token(self, query="", client=None, headers=None):
        client = client or self.api
        if client is None:
            return send(self.url, "GET", TOKEN + query, headers)
        return client.ask(self.url, "GET", TOKEN + query)

    def ask(self, method, path, body=None, **more):
        headers = {"authorization": f"Bearer {self.token}", **ACCEPT}
        headers |= {k.replace("_", "-"): v for k, v in more.items()}
        return send(self.url, method, path, headers, body)

    def path(self, name, what):
        return f"/v2/{self.rig.namespace}/{name}/{what}"

    def push(self, name, tag, text="x"):
        image = imagetool.make_image(
            [imagetool.make_layer({"file": text.encode()})])
        self.tool.push_image(f"{self.rig.namespace}/{name}", tag, image)
        return image

    def tags(self, name):
        return self.ask("GET", self.path(name, "tags/list")).json["tags"]

    def head(self, name, ref):
        return self.ask("HEAD", self.path(name, f"manifests/{ref}"))

    def artifacts(self, method, path, value=None, **more):
        more = {k.replace("_", "-"): v for k, v in more.items()}
        answer = self.api.ask(self.rig.urls["artifacts"], method,
                              "/20160918/container" + path, value, more=more)
        return answer

    def image(self, name, ref):
        mark = "@" if ":" in ref else ":"
        return self.artifacts("POST", "/images/actions/lookupImageByUri", {
            "imageUri": f"{self.rig.namespace}/{name}{mark}{ref}"})
