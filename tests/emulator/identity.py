# SPDX-License-Identifier: Apache-2.0
"""Identity: compartments, the tenancy, its regions, auth tokens of users."""
from . import errors, paging
from .service import (Service, answer_json, as_bool, first, needed,
                      parse_object, route)
from .state import timestamp

INSPECT = "COMPARTMENT_INSPECT"
MAX_AUTH_TOKENS = 2


def as_json(c):
    return {"id": c.id, "compartmentId": c.parent, "name": c.name,
            "description": c.description or c.name,
            "timeCreated": timestamp(c.created), "lifecycleState": c.state,
            "inactiveStatus": None, "isAccessible": True,
            "freeformTags": {}, "definedTags": {}}


def as_indirect(c):
    """Of one that is only on the way to others."""
    return {k: v for k, v in as_json(c).items()
            if k not in ("description", "freeformTags", "definedTags")}


def in_order(items, params, keys, default):
    """Sorted as `sortBy` and `sortOrder` ask; `keys`: word -> (function, the
    order when none is given)."""
    word = first(params, "sortBy", default)
    order = first(params, "sortOrder")
    if word not in keys or order not in (None, "ASC", "DESC"):
        raise errors.invalid("sortBy or sortOrder")
    key, usual = keys[word]
    return sorted(items, key=key, reverse=(order or usual) == "DESC")


class Identity(Service):
    name = "identity"

    @route("GET", "/20160918/compartments/?")
    def list_compartments(self, request, _body):
        params = request.params()
        parent = needed(params, "compartmentId")
        subtree = as_bool(params, "compartmentIdInSubtree", False)
        level = first(params, "accessLevel", "ANY")
        if level not in ("ANY", "ACCESSIBLE"):
            raise errors.invalid("accessLevel")
        if subtree and parent != self.state.tenancy:
            raise errors.invalid("compartmentIdInSubtree needs the tenancy")
        with self.state.lock:
            found = self._visible(request.principal, parent, subtree, level)
            found = self._filtered(found, params)
            found = in_order(found, params, {
                "TIMECREATED": (lambda p: (p[0].created, p[0].id), "DESC"),
                "NAME": (lambda p: p[0].name, "ASC")}, "TIMECREATED")
            items, page, _ = paging.page_of(found, params, self.cloud.settings)
            value = [as_json(c) if direct else as_indirect(c)
                     for c, direct in items]
        return answer_json(value, headers=[("opc-next-page", page)]
                           if page else ())

    def _visible(self, who, parent, subtree, level):
        """(Compartment, may it be inspected itself?) of those to be listed.

        Without any right to inspect compartments the whole call is a 404.
        """
        directory = self.cloud.directory
        if not directory.allowed_below(who, INSPECT, parent):
            raise errors.not_found(f"{who.name} lacks {INSPECT}")
        below = [c for c in self.state.compartments.values() if c.parent and (
            subtree or c.parent == parent)]
        marked = [(c, directory.allows(who, INSPECT, c.id)) for c in below]
        if level == "ANY":
            return [(c, True) for c, _ in marked]
        return [(c, direct) for c, direct in marked
                if direct or directory.allowed_below(who, INSPECT, c.id)]

    @staticmethod
    def _filtered(found, params):
        name, state = first(params, "name"), first(params, "lifecycleState")
        return [(c, d) for c, d in found if name in (None, c.name)
                and (state is None or state.upper() == c.state)]

    @route("GET", "/20160918/compartments/([^/]+)")
    def get_compartment(self, request, _body, ocid):
        c = self.state.compartments.get(ocid)
        if c is None:
            raise errors.not_found("no such compartment")
        self.cloud.directory.require(request.principal, INSPECT, ocid)
        return answer_json(as_json(c), etag=c.id[-12:])

    @route("GET", "/20160918/tenancies/([^/]+)")
    def get_tenancy(self, _request, _body, ocid):
        self._check_tenancy(ocid)
        return answer_json({
            "id": ocid, "name": self.state.tenancy_name,
            "description": self.state.tenancy_name,
            "homeRegionKey": self.state.region_key.upper(),
            "upiIdcsCompatibilityLayerEndpoint": None,
            "freeformTags": {}, "definedTags": {}})

    @route("GET", "/20160918/tenancies/([^/]+)/regionSubscriptions")
    def list_region_subscriptions(self, _request, _body, ocid):
        self._check_tenancy(ocid)
        return answer_json([{
            "regionKey": self.state.region_key.upper(),
            "regionName": self.state.region, "status": "READY",
            "isHomeRegion": True}])

    def _check_tenancy(self, ocid):
        if ocid != self.state.tenancy:
            raise errors.not_found("another tenancy")

    @route("GET", "/20160918/regions")
    def list_regions(self, _request, _body):
        return answer_json([{"key": self.state.region_key.upper(),
                             "name": self.state.region}])

    @route("POST", "/20160918/users/([^/]+)/authTokens/?")
    def create_auth_token(self, request, body, ocid):
        description = parse_object(body).get("description")
        if not description:
            raise errors.missing("description")
        user = self.cloud.directory.users.get(ocid)
        if user is None or request.principal.id != ocid:
            raise errors.not_found("not the user himself")
        if len(user.auth_tokens) >= MAX_AUTH_TOKENS:
            raise errors.ApiError(400, "LimitExceeded",
                                  "A user has at most two auth tokens.")
        token_id, token = self.cloud.directory.grant_auth_token(user)
        return answer_json({
            "id": token_id, "token": token, "userId": ocid,
            "timeCreated": timestamp(self.cloud.now()),
            "lifecycleState": "ACTIVE", "description": description})
