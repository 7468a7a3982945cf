# SPDX-License-Identifier: Apache-2.0
"""Object Storage: the tenancy's namespace; and, as the place where a registry
that redirects keeps its blobs, files for whoever has a signed URL."""
import hmac
import os

from . import errors
from .service import Service, answer_json, first, route
from .wire import Answer, File

LINK_SECONDS = 300


class ObjectStorage(Service):
    name = "objectstorage"

    @route("GET", "/n/?")
    def namespace(self, request, _body):
        where = first(request.params(), "compartmentId")
        if where not in (None, self.state.tenancy):
            raise errors.ApiError(404, "NamespaceNotFound",
                                  "no namespace of that compartment")
        return answer_json(self.state.namespace)


def parse_range(text, size):
    """(first byte, how many) of "bytes=a-b"; None: not a range for us."""
    kind, _, span = text.partition("=")
    start, dash, end = span.partition("-")
    if kind != "bytes" or not dash or not start.isdigit() or \
            (end and not end.isdigit()):
        return None
    last = min(int(end), size - 1) if end else size - 1
    return int(start), last - int(start) + 1


class Objects(Service):
    """Answers only what it signed itself, and refuses a bearer token: it is
    another host, and a token of the registry has no business there."""
    name = "objects"
    signed = False

    def _mac(self, path, expires):
        return hmac.digest(self.cloud.link_secret, f"{path} {expires}".encode(),
                           "sha256").hex()

    def link(self, digest):
        """A URL that is good for some minutes."""
        expires = int(self.cloud.now()) + LINK_SECONDS
        path = f"/p/{digest}"
        return (f"{self.cloud.urls['objects']}{path}?expires={expires}"
                f"&sig={self._mac(path, expires)}")

    @route("GET", "/p/(sha256:[0-9a-f]{64})")
    def blob(self, request, _body, digest):
        params = request.params()
        expires = first(params, "expires", "0")
        if "authorization" in request.fields:
            raise errors.ApiError(400, "InvalidParameter",
                                  "an Authorization header with a signed URL")
        if not hmac.compare_digest(first(params, "sig", ""),
                                   self._mac(request.path, expires)) or \
                int(expires) < self.cloud.now():
            raise errors.ApiError(403, "NotAuthorized", "a link that ended")
        try:
            file = open(self.cloud.backend.blob_file(digest), "rb",
                        buffering=0)
        except FileNotFoundError:
            raise errors.ApiError(404, "ObjectNotFound", "gone") from None
        return self._file(file, request)

    @staticmethod
    def _file(file, request):
        size = os.fstat(file.fileno()).st_size
        kind = [("Content-Type", "application/octet-stream"),
                ("Accept-Ranges", "bytes")]
        span = parse_range(request.get("range", ""), size)
        if span is None:
            return Answer(200, File(file, size), kind)
        start, length = span
        if start >= size or length <= 0:
            return Answer(416, b"", [("Content-Range", f"bytes */{size}")])
        return Answer(206, File(file, length, start), kind + [
            ("Content-Range", f"bytes {start}-{start + length - 1}/{size}")])
