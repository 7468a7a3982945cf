# SPDX-License-Identifier: Apache-2.0
"""All services on one port, told apart by the name in the Host header, as in
the real cloud, or else by the path."""
import re

BY_HOST = (  # first match of the Host header
    (r"identity\.", "identity"), (r"artifacts\.", "artifacts"),
    (r"objectstorage\.", "objectstorage"), (r"auth\.", "auth"),
    (r"ocir\.|[a-z0-9-]+\.ocir\.io", "registry"),
    (r"169\.254\.169\.254", "metadata"))
BY_PATH = (
    (r"/20160918/container/", "artifacts"), (r"/20160918/", "identity"),
    (r"/v1/", "auth"), (r"/opc/", "metadata"), (r"/n/?$", "objectstorage"),
    (r"/p/", "objects"), (r"/v2\b|/20180419/", "registry"),
    (r"/resourcePrincipalSessionTokens", "oke"))


def choose(host, path):
    for table, text in ((BY_HOST, host), (BY_PATH, path)):
        for pattern, name in table:
            if re.match(pattern, text):
                return name
    return "identity"


class Gate:
    name = "all"

    def __init__(self, services):
        self.services = {s.name: s for s in services if s.name != "control"}

    def handle(self, request):
        name = choose(request.host, request.path)
        return self.services.get(
            name, self.services["identity"]).handle(request)

    def connection_ends(self):
        for service in self.services.values():
            service.connection_ends()
