# SPDX-License-Identifier: Apache-2.0
"""Artifacts: container images and their versions (tags)."""
import fnmatch

from . import errors, state as model
from .identity import in_order
from .service import (answer_json, as_bool, first, parse_object, route)
from .state import timestamp

IMAGES = "/20160918/container/images"
RESTORABLE = 48 * 3600  # seconds after a deletion


def display_name(r, image, version):
    if version:
        return f"{r.name}:{version}"
    return f"{r.name}:{image.last_version or 'unknown'}@{image.digest}"


def summary(r, image, version=None):
    version = version or image.latest()
    value = {
        "id": image.id, "compartmentId": r.compartment, "digest": image.digest,
        "displayName": display_name(r, image, version),
        "lifecycleState": image.state, "repositoryId": r.id,
        "repositoryName": r.name, "timeCreated": timestamp(image.created),
        "freeformTags": image.freeform, "definedTags": {}, "systemTags": {}}
    if version:
        value["version"] = version
    return value


def full(r, image):
    value = {
        **summary(r, image), "createdBy": image.created_by,
        "layers": [{"digest": d, "sizeInBytes": n,
                    "timeCreated": timestamp(image.created)}
                   for d, n in image.layers],
        "layersSizeInBytes": sum(n for _, n in image.layers),
        "manifestSizeInBytes": image.size, "pullCount": image.pulls,
        "versions": [{"version": tag, "createdBy": v.created_by,
                      "timeCreated": timestamp(v.created)}
                     for tag, v in image.versions.items()]}
    if image.pulled:
        value["timeLastPulled"] = timestamp(image.pulled)
    return value


def pattern_holds(pattern, text):
    """`foo` or `foo*`."""
    if pattern is None:
        return True
    return text is not None and fnmatch.fnmatchcase(text, pattern)


class ImageRoutes:
    """For Artifacts, whose helpers it uses."""

    def _image(self, request, ocid, permission):
        r, image = self.state.images.get(ocid, (None, None))
        if image is None:
            raise errors.not_found("no such image")
        self.require(request, permission, r)
        return r, image

    def _rows(self, r):
        """(image, version or None) of each row that a list has."""
        for image in r.images.values():
            if self.cloud.settings.image_rows == "version" and image.versions:
                yield from ((image, tag) for tag in image.versions)
            else:
                yield image, image.latest()

    @staticmethod
    def _row_is_wanted(r, image, version, params):
        versioned = as_bool(params, "isVersioned")
        return (
            versioned in (None, bool(image.versions))
            and first(params, "imageId") in (None, image.id)
            and first(params, "imageDigest") in (None, image.digest)
            and first(params, "lifecycleState") in (None, image.state)
            and first(params, "displayName") in (
                None, display_name(r, image, version))
            and pattern_holds(first(params, "version"), version))

    @route("GET", IMAGES)
    def list_images(self, request, _body):
        params = request.params()
        where = self.listed(request, params)
        wanted = first(params, "repositoryId")
        found = [(r, i, v) for r in self.state.repositories.values()
                 if r.compartment in where and wanted in (None, r.id)
                 and pattern_holds(first(params, "repositoryName"), r.name)
                 for i, v in self._rows(r)
                 if self._row_is_wanted(r, i, v, params)]
        found = in_order(found, params, {
            "TIMECREATED": (lambda x: (x[1].created, x[1].id), "DESC"),
            "DISPLAYNAME": (lambda x: display_name(*x), "ASC")}, "TIMECREATED")
        return self.collection(found, params, lambda x: summary(*x))

    @route("GET", IMAGES + "/([^/]+)")
    def get_image(self, request, _body, ocid):
        r, image = self._image(request, ocid, "REPOSITORY_READ")
        return answer_json(full(r, image), etag=image.etag)

    @route("PUT", IMAGES + "/([^/]+)")
    def update_image(self, request, body, ocid):
        details = parse_object(body)
        r, image = self._image(request, ocid, "REPOSITORY_UPDATE")
        self.check_etag(request, image.etag)
        image.freeform = details.get("freeformTags") or image.freeform
        image.changed()
        return answer_json(full(r, image), etag=image.etag)

    @route("DELETE", IMAGES + "/([^/]+)")
    def delete_image(self, request, _body, ocid):
        r, image = self._image(request, ocid, "REPOSITORY_UPDATE")
        self.check_etag(request, image.etag)
        if image.state == model.DELETED:
            raise errors.not_found("deleted already")
        self.state.delete_image(r, image)
        return answer_json(None, 204)

    @route("POST", IMAGES + "/actions/lookupImageByUri")
    def look_up(self, request, body):
        uri = parse_object(body).get("imageUri")
        if not uri or not isinstance(uri, str):
            raise errors.missing("imageUri")
        name, reference = self._split(uri)
        namespace, _, name = name.partition("/")
        r = self.state.by_name.get(name)
        if namespace != self.state.namespace or r is None:
            raise errors.not_found("no such repository")
        self.require(request, "REPOSITORY_READ", r)
        image = self.state.lookup(r, reference)
        if image is None:
            raise errors.not_found("no such image")
        return answer_json(full(r, image), etag=image.etag)

    @staticmethod
    def _split(uri):
        name, at, digest = uri.partition("@")
        if at and model.DIGEST.fullmatch(digest):
            return name, digest
        name, colon, tag = uri.rpartition(":")
        if at or not colon or not model.TAG.fullmatch(tag):
            raise errors.invalid("imageUri")
        return name, tag

    @route("POST", IMAGES + "/([^/]+)/actions/removeVersion")
    def remove_version(self, request, body, ocid):
        version = parse_object(body).get("version")
        if not version:
            raise errors.missing("version")
        r, image = self._image(request, ocid, "REPOSITORY_UPDATE")
        self.check_etag(request, image.etag)
        if image.state == model.DELETED:
            raise errors.not_found("deleted")
        try:
            self.state.remove_version(r, image, version)
        except model.Clash as e:
            raise errors.not_found(str(e)) from None
        return answer_json(full(r, image), etag=image.etag)

    @route("POST", IMAGES + "/([^/]+)/actions/restore")
    def restore(self, request, body, ocid):
        version = parse_object(body).get("version")
        r, image = self._image(request, ocid, "REPOSITORY_UPDATE")
        self.check_etag(request, image.etag)
        if image.state != model.DELETED:
            raise errors.conflict("The image is not deleted.")
        if self.cloud.now() - image.deleted > RESTORABLE:
            raise errors.not_found("deleted too long ago")
        self.state.restore_image(r, image, version)
        return answer_json(full(r, image), etag=image.etag)
