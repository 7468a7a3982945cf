# SPDX-License-Identifier: Apache-2.0
"""Artifacts: container repositories and the tenancy's configuration.  Images
are in artifact_images.py."""
import hashlib

from . import errors, paging, state as model
from .artifact_images import ImageRoutes
from .identity import in_order
from .service import (Service, answer_json, as_bool, first, needed,
                      parse_object, route)
from .state import timestamp
from .wire import Answer

REPOSITORIES = "/20160918/container/repositories"
FORMATS = ("TEXT_MARKDOWN", "TEXT_PLAIN")


def gigabytes(size):
    return -(-size // 10**9)


def summary(r, namespace):
    layers = r.layers()
    size = sum(layers.values())
    return {
        "id": r.id, "compartmentId": r.compartment, "displayName": r.name,
        "namespace": namespace, "isPublic": r.is_public,
        "imageCount": len(r.available()), "layerCount": len(layers),
        "layersSizeInBytes": size, "billableSizeInGBs": gigabytes(size),
        "lifecycleState": model.AVAILABLE, "timeCreated": timestamp(r.created),
        "freeformTags": r.freeform, "definedTags": {}, "systemTags": {}}


def full(r, namespace):
    value = {**summary(r, namespace), "createdBy": r.created_by,
             "isImmutable": r.is_immutable}
    if r.readme:
        value["readme"] = r.readme
    if r.pushed:
        value["timeLastPushed"] = timestamp(r.pushed)
    return value


def check_details(details, allowed):
    """The kinds of what a create or update may say."""
    kinds = {"isPublic": bool, "isImmutable": bool, "readme": dict,
             "freeformTags": dict, "definedTags": dict, "displayName": str,
             "compartmentId": str}
    for name, value in details.items():
        if name not in allowed:
            raise errors.invalid(f"unknown field {name}")
        if value is not None and not isinstance(value, kinds[name]):
            raise errors.invalid(f"{name} has the wrong type")
    readme = details.get("readme")
    if readme and (readme.get("format") not in FORMATS or
                   not isinstance(readme.get("content"), str)):
        raise errors.invalid("readme")


def check_immutable(details, settings):
    """What the real service says to everybody who tries."""
    if details.get("isImmutable") and settings.immutable == "refused":
        raise errors.ApiError(400, "BAD_REQUEST", "Setting isImmutable is not "
                              "currently supported")


def apply(r, details):
    for field, name in (("isPublic", "is_public"), ("readme", "readme"),
                        ("isImmutable", "is_immutable"),
                        ("freeformTags", "freeform")):
        if details.get(field) is not None:
            setattr(r, name, details[field])
    r.changed()


CHANGEABLE = {"isPublic", "isImmutable", "readme", "freeformTags",
              "definedTags"}


class Artifacts(ImageRoutes, Service):
    name = "artifacts"

    def __init__(self, cloud):
        super().__init__(cloud)
        self.retries = {}  # (who, token): (digest of the request, answer)

    def answer(self, request):
        handler, words = self.find(request)
        body = request.body.read(1 << 20)
        self.cloud.directory.authenticate(request, body)
        if self.cloud.settings.free_tier:
            raise errors.ApiError(
                403, "FREE_TIER_NOT_SUPPORTED", "This operation is not "
                "supported in free tier tenancies.")
        with self.state.lock:
            return self._once(request, body, handler, words)

    def _once(self, request, body, handler, words):
        """The same create said again with its retry token is done once."""
        token = request.get("opc-retry-token")
        if not token or request.method != "POST":
            return handler(request, body, *words)
        key = (request.principal.id, token)
        digest = hashlib.sha256(request.target.encode() + b"\0" + body).digest()
        if key in self.retries:
            known, status, data, headers = self.retries[key]
            if known != digest:
                raise errors.conflict("This retry token was used for another "
                                      "request.", "InvalidatedRetryToken")
            return Answer(status, data, headers)
        answer = handler(request, body, *words)
        self.retries[key] = (digest, answer.status, answer.body,
                             tuple(answer.headers))
        return answer

    # ---- helpers ----

    def repository(self, request, ocid, permission):
        r = self.state.repositories.get(ocid)
        if r is None:
            raise errors.not_found("no such repository")
        self.require(request, permission, r)
        return r

    def require(self, request, permission, r):
        self.cloud.directory.require(request.principal, permission,
                                     r.compartment, r.name)

    def compartment(self, ocid):
        c = self.state.compartments.get(ocid)
        if c is None or c.state != model.ACTIVE:
            raise errors.not_found("no such compartment")
        return ocid

    @staticmethod
    def check_etag(request, etag):
        given = request.get("if-match")
        if given not in (None, "*") and given.strip('"') != etag:
            raise errors.etag_mismatch()

    def listed(self, request, params):
        """OCIDs of the compartments that a list is about."""
        asked = needed(params, "compartmentId")
        subtree = as_bool(params, "compartmentIdInSubtree", False)
        if subtree and asked != self.state.tenancy:
            raise errors.invalid("compartmentIdInSubtree needs the tenancy")
        self.compartment(asked)
        directory, who = self.cloud.directory, request.principal
        if subtree and self.cloud.settings.subtree == "filtered":
            found = {c for c in self.state.compartments
                     if directory.allows(who, "REPOSITORY_INSPECT", c)}
            if found:
                return found
        directory.require(who, "REPOSITORY_INSPECT", asked)
        return set(self.state.compartments) if subtree else {asked}

    def collection(self, items, params, one, **more):
        items, page, left = paging.page_of(items, params, self.cloud.settings)
        return answer_json(
            {**more, "items": [one(x) for x in items],
             "remainingItemsCount": left},
            headers=[("opc-next-page", page)] if page else ())

    # ---- repositories ----

    @route("GET", REPOSITORIES)
    def list_repositories(self, request, _body):
        params = request.params()
        where = self.listed(request, params)
        public = as_bool(params, "isPublic")
        wanted = {name: first(params, name) for name in (
            "repositoryId", "displayName", "lifecycleState")}
        found = [r for r in self.state.repositories.values()
                 if r.compartment in where
                 and wanted["repositoryId"] in (None, r.id)
                 and wanted["displayName"] in (None, r.name)
                 and wanted["lifecycleState"] in (None, model.AVAILABLE)
                 and public in (None, r.is_public)]
        found = in_order(found, params, {
            "TIMECREATED": (lambda r: (r.created, r.id), "DESC"),
            "DISPLAYNAME": (lambda r: r.name, "ASC")}, "TIMECREATED")
        layers = {(r.id, d): n for r in found for d, n in r.layers().items()}
        return self.collection(
            found, params, lambda r: summary(r, self.state.namespace),
            repositoryCount=len(found), layerCount=len(layers),
            layersSizeInBytes=sum(layers.values()),
            imageCount=sum(len(r.available()) for r in found))

    @route("POST", REPOSITORIES)
    def create_repository(self, request, body):
        details = parse_object(body)
        check_details(details, CHANGEABLE | {"compartmentId", "displayName"})
        for field in ("compartmentId", "displayName"):
            if not details.get(field):
                raise errors.missing(field)
        name, where = details["displayName"], details["compartmentId"]
        if not model.NAME.fullmatch(name) or len(name) > 255:
            raise errors.invalid("displayName is not a repository name")
        self.compartment(where)
        self.cloud.directory.require(request.principal, "REPOSITORY_CREATE",
                                     where, name)
        check_immutable(details, self.cloud.settings)
        if len(self.state.repositories) >= self.cloud.settings.repository_limit:
            raise errors.ApiError(400, "LimitExceeded",
                                  "The limit of repositories is reached.")
        try:
            r = self.state.add_repository(name, where, request.principal.id)
        except model.Clash as e:
            raise errors.conflict(
                str(e), self.cloud.settings.name_taken_code) from None
        apply(r, details)
        return answer_json(full(r, self.state.namespace), etag=r.etag)

    @route("GET", REPOSITORIES + "/([^/]+)")
    def get_repository(self, request, _body, ocid):
        r = self.repository(request, ocid, "REPOSITORY_READ")
        return answer_json(full(r, self.state.namespace), etag=r.etag)

    @route("PUT", REPOSITORIES + "/([^/]+)")
    def update_repository(self, request, body, ocid):
        details = parse_object(body)
        check_details(details, CHANGEABLE)
        r = self.repository(request, ocid, "REPOSITORY_MANAGE")
        check_immutable(details, self.cloud.settings)
        self.check_etag(request, r.etag)
        apply(r, details)
        return answer_json(full(r, self.state.namespace), etag=r.etag)

    @route("DELETE", REPOSITORIES + "/([^/]+)")
    def delete_repository(self, request, _body, ocid):
        r = self.repository(request, ocid, "REPOSITORY_DELETE")
        self.check_etag(request, r.etag)
        self.state.remove_repository(r)
        return answer_json(None, 204)

    @route("POST", REPOSITORIES + "/([^/]+)/actions/changeCompartment")
    def change_compartment(self, request, body, ocid):
        where = parse_object(body).get("compartmentId")
        if not where:
            raise errors.missing("compartmentId")
        r = self.repository(request, ocid, "REPOSITORY_MANAGE")
        self.check_etag(request, r.etag)
        self.cloud.directory.require(request.principal, "REPOSITORY_MANAGE",
                                     self.compartment(where), r.name)
        r.compartment = where
        r.changed()
        return Answer(200)  # Oracle's SDK looks for no etag here

    # ---- configuration ----

    @route("GET", "/20160918/container/configuration")
    def get_configuration(self, request, _body):
        self._tenancy(request, "REPOSITORY_INSPECT")
        return self._configuration()

    @route("PUT", "/20160918/container/configuration")
    def update_configuration(self, request, body):
        value = parse_object(body).get("isRepositoryCreatedOnFirstPush")
        self._tenancy(request, "REPOSITORY_MANAGE")
        if not isinstance(value, bool):
            raise errors.missing("isRepositoryCreatedOnFirstPush")
        self.check_etag(request, self.state.configuration_etag)
        self.state.create_on_push = value
        self.state.configuration_etag = model.new_etag()
        return self._configuration()

    def _tenancy(self, request, permission):
        where = needed(request.params(), "compartmentId")
        if where != self.state.tenancy:
            raise errors.not_found("not the tenancy")
        self.cloud.directory.require(request.principal, permission, where)

    def _configuration(self):
        return answer_json(
            {"isRepositoryCreatedOnFirstPush": self.state.create_on_push,
             "namespace": self.state.namespace},
            etag=self.state.configuration_etag)
