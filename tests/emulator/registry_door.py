# SPDX-License-Identifier: Apache-2.0
"""The registry's door: what OCIR is besides a registry.

Tokens, permissions, tags and the rules of repositories are decided here; a real
docker-registry behind it keeps blobs and manifests.  That one knows neither
tags nor names: a repository is called by its OCID there, so that one deleted
and made again is empty.
"""
import hashlib
import re
import threading

from . import errors, state as model
from .errors import RegistryError
from .registry_token import TokenEndpoint
from .service import Service, answer_json, first
from .upstream import Upstream
from .wire import Answer, Broken

TOKEN_PATH = "/20180419/docker/token"
MAX_MANIFEST = 8 << 20
PASS_ON = ("accept", "content-type", "content-range", "range",
           "if-none-match", "user-agent")
PASS_BACK = ("content-type", "docker-content-digest", "etag", "content-range",
             "accept-ranges", "docker-upload-uuid", "range", "cache-control",
             "docker-distribution-api-version", "oci-chunk-min-length")

_ROUTES = [(kind, re.compile(pattern)) for kind, pattern in (
    ("tags", r"/v2/(.+)/tags/list()"),
    ("manifest", r"/v2/(.+)/manifests/([^/]+)"),
    ("upload", r"/v2/(.+)/blobs/uploads/([^/]*)"),
    ("blob", r"/v2/(.+)/blobs/([^/]+)"),
    ("referrers", r"/v2/(.+)/referrers/([^/]+)"))]


def manifest_unknown(reference):
    return RegistryError(404, "MANIFEST_UNKNOWN", "manifest unknown",
                         {"Tag": reference})


def unsupported():
    return RegistryError(405, "UNSUPPORTED", "The operation is unsupported.")


class Door(Service):
    name = "registry"

    def __init__(self, cloud):
        super().__init__(cloud)
        self.tokens = TokenEndpoint(cloud)
        self.local = threading.local()
        self.lock = threading.Lock()
        self.putting = set()  # repositories with a manifest PUT under way

    def error(self, request, status, code, message):
        if request.path == TOKEN_PATH:
            return errors.ApiError(status, code, message)
        word = "TOOMANYREQUESTS" if code == "TooManyRequests" else code
        return RegistryError(status, word, message)

    def answer(self, request):
        if request.path == TOKEN_PATH:
            return self.tokens.answer(request)
        who = self.tokens.bearer(request)
        if request.path in ("/v2", "/v2/"):
            return answer_json({}, headers=[
                ("Docker-Distribution-Api-Version", "registry/2.0")])
        if request.path == "/v2/_catalog":
            raise errors.denied(status=self.cloud.settings.catalog_status)
        for kind, pattern in _ROUTES:
            m = pattern.fullmatch(request.path)
            if m:
                return getattr(self, "_" + kind)(request, who, *m.groups())
        raise RegistryError(404, "NAME_UNKNOWN", "no such thing")

    # ---- who may do what ----

    def _split(self, name):
        namespace, _, name = name.partition("/")
        if namespace != self.state.namespace or not name:
            raise RegistryError(404, "NAME_UNKNOWN",
                                f"Tenant with name {namespace} not found")
        return name

    def readable(self, who, name):
        """The Repository, if `who` may pull from it."""
        r = self.state.by_name.get(self._split(name))
        if r and (r.is_public or self._may(who, "REPOSITORY_READ", r)):
            return r
        if who.is_anonymous:
            raise errors.denied(errors.ANONYMOUS)
        if r is None:
            raise RegistryError(404, "NAME_UNKNOWN", "repository name not "
                                "known to registry", {"name": name})
        raise errors.denied(status=self.cloud.settings.forbidden_status)

    def _may(self, who, permission, r):
        return self.cloud.directory.allows(who, permission, r.compartment,
                                           r.name)

    def writable(self, who, name):
        """The Repository, if `who` may push to it; made by OCIR's rule when
        it is not there."""
        short = self._split(name)
        if who.is_anonymous:
            raise errors.denied(errors.ANONYMOUS)
        if not model.NAME.fullmatch(name):
            raise RegistryError(400, "NAME_INVALID", "invalid repository name")
        with self.state.lock:
            r = self.state.by_name.get(short) or self._first_push(who, short)
        if self._may(who, "REPOSITORY_READ", r) and \
                self._may(who, "REPOSITORY_UPDATE", r):
            return r
        raise errors.denied(status=self.cloud.settings.forbidden_status)

    def _first_push(self, who, name):
        """In the root compartment, private, when the tenancy says so."""
        root = self.state.tenancy
        if not self.state.create_on_push or not self.cloud.directory.allows(
                who, "REPOSITORY_CREATE", root, name):
            raise errors.denied(errors.ANONYMOUS)
        return self.state.add_repository(name, root, who.id)

    # ---- the registry behind ----

    def connection_ends(self):
        upstream = getattr(self.local, "upstream", None)
        if upstream:
            upstream.close()

    def ask(self, request, target, body=b"", method=None, drop=()):
        """(status, Fields, Body) of the registry behind the door."""
        if getattr(self.local, "upstream", None) is None:
            self.local.upstream = Upstream(*self.cloud.backend.address)
        headers = [("Host", "registry")] + [
            (n, v) for n, v in request.fields.fields
            if n in PASS_ON and n not in drop]
        try:
            return self.local.upstream.ask(method or request.method, target,
                                           headers, body)
        except (OSError, Broken) as e:
            raise RegistryError(502, "UNAVAILABLE", f"registry: {e}") from None

    def relay(self, request, r, reply):
        """The Answer that the client gets of it."""
        status, fields, body = reply
        headers = [(n.title(), v) for n, v in fields.fields if n in PASS_BACK]
        inner = f"/v2/{r.upstream}/"
        name = f"{self.state.namespace}/{r.name}"
        if "location" in fields:
            scheme = "https" if request.secure else "http"
            at = fields.get("location").partition(inner)[2]
            headers.append(("Location",
                            f"{scheme}://{request.host}/v2/{name}/{at}"))
        if request.method == "HEAD":
            return Answer(status, b"", headers,
                          int(fields.get("content-length", "0")))
        if status >= 400 or body.chunked or not body.length:
            body = body.read(MAX_MANIFEST).replace(
                r.upstream.encode(), name.encode())
        return Answer(status, body, headers)

    # ---- operations ----

    def _tags(self, request, who, name, _):
        if request.method != "GET":
            raise unsupported()
        r = self.readable(who, name)
        params = request.params()
        with self.state.lock:
            tags = sorted(r.tags)
        last = first(params, "last")
        if last is not None:
            tags = [t for t in tags if t > last]
        n = first(params, "n", "")
        n = int(n) if n.isdigit() else self.cloud.settings.tags_page or None
        headers = []
        if n and len(tags) > n:
            headers.append(("Link", f'</v2/{name}/tags/list?last={tags[n - 1]}'
                            f'&n={n}>; rel="next"'))
        page = tags if n is None else tags[:n]
        return answer_json({"name": name, "tags": page or None},
                           headers=headers)

    def _referrers(self, _request, who, name, _digest):
        self.readable(who, name)
        raise RegistryError(404, "NOT_FOUND", "no such operation")

    def _blob(self, request, who, name, digest):
        if request.method not in ("GET", "HEAD"):
            raise unsupported()
        settings = self.cloud.settings
        r = self.readable(who, name)
        target = f"/v2/{r.upstream}/blobs/{digest}"
        if settings.redirects and request.method == "GET":
            reply = self.ask(request, target, method="HEAD", drop=("range",))
            if reply[0] == 200:
                return Answer(307, b"", [
                    ("Location", self.cloud.objects.link(digest))])
            return self.relay(request, r, reply)
        answer = self.relay(request, r, self.ask(
            request, target, drop=() if settings.ranges else ("range",)))
        if not settings.ranges:
            answer.headers = [h for h in answer.headers
                              if h[0] != "Accept-Ranges"]
        return answer

    def _upload(self, request, who, name, session):
        r = self.writable(who, name)
        target = f"/v2/{r.upstream}/blobs/uploads/{session}"
        query = request.query
        if request.method == "POST":
            query = self._mount(who, request.params())
        elif not session:
            raise unsupported()
        return self.relay(request, r, self.ask(
            request, target + ("?" + query if query else ""), request.body))

    def _mount(self, who, params):
        """The query for a cross-repository mount, "" for a plain upload."""
        digest, source = first(params, "mount"), first(params, "from")
        if not digest or not source or not self.cloud.settings.mounts:
            return ""
        try:
            other = self.readable(who, source)
        except RegistryError:
            return ""
        return f"mount={digest}&from={other.upstream}"

    # ---- manifests ----

    def _manifest(self, request, who, name, reference):
        if request.method == "PUT":
            return self._put_manifest(request, who, name, reference)
        if request.method == "DELETE":
            return self._delete_manifest(who, name, reference)
        if request.method not in ("GET", "HEAD"):
            raise unsupported()
        r = self.readable(who, name)
        with self.state.lock:
            image = self.state.lookup(r, reference)
        if image is None:
            raise manifest_unknown(reference)
        reply = self.ask(request, f"/v2/{image.upstream}/manifests/"
                         f"{image.digest}")
        if request.method == "GET" and reply[0] == 200:
            self.state.pulled(image)
        return self.relay(request, r, reply)

    def _delete_manifest(self, who, name, reference):
        r = self.writable(who, name)
        with self.state.lock:
            image = self.state.lookup(r, reference)
            if image is None:
                raise manifest_unknown(reference)
            if ":" in reference:
                self.state.delete_image(r, image)
            elif self.cloud.settings.delete_by_tag:
                self.state.remove_version(r, image, reference)
            else:
                raise unsupported()
        return Answer(202, b"")

    def _put_manifest(self, request, who, name, reference):
        r = self.writable(who, name)
        body = request.body.read(MAX_MANIFEST)
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        self._check_put(r, reference, digest)
        with self.lock:
            alone = r.id not in self.putting
            if not alone and self.cloud.settings.manifest_conflicts:
                raise RegistryError(409, "CONFLICT", "another manifest of "
                                    "this repository is being written")
            self.putting.add(r.id)
        try:
            self.cloud.wait(self.cloud.settings.manifest_put_seconds)
            reply = self.ask(
                request, f"/v2/{r.upstream}/manifests/{digest}", body)
            answer = self.relay(request, r, reply)
        finally:
            with self.lock:
                if alone:
                    self.putting.discard(r.id)
        if answer.status == 201:
            self._remember(request, who, r, reference, digest, body)
        return answer

    def _check_put(self, r, reference, digest):
        if ":" in reference:
            if reference != digest:
                raise RegistryError(400, "DIGEST_INVALID",
                                    "provided digest did not match")
            return
        if not model.TAG.fullmatch(reference):
            raise RegistryError(400, "TAG_INVALID", "invalid tag")
        with self.state.lock:
            if r.is_immutable and r.tags.get(reference, digest) != digest:
                raise RegistryError(
                    self.cloud.settings.immutable_status, "DENIED",
                    "The repository is immutable.")

    def _remember(self, request, who, r, reference, digest, body):
        kind = request.get("content-type", "").split(";")[0]
        with self.state.lock:
            if r.id not in self.state.repositories:
                return  # deleted meanwhile
            self._check_put(r, reference, digest)  # or tagged meanwhile
            image = self.state.put_manifest(r, digest, kind, body, who.id)
            if ":" not in reference:
                self.state.set_tag(r, reference, image, who.id)
