# SPDX-License-Identifier: Apache-2.0
"""The tests' way in: settings, faults, the log, and what the cloud has.

Not signed and not part of what is emulated; on a port of its own.
"""
import re

from . import errors, identity, pki, policy, population, state as model
from .artifacts import full
from .service import (Service, answer_json, first, parse_object, route)


class Control(Service):
    name = "control"
    signed = False

    def answer(self, request):
        try:
            return super().answer(request)
        except (policy.Malformed, model.Clash, ValueError, TypeError, KeyError,
                re.error) as e:
            raise errors.invalid(f"{type(e).__name__}: {e}") from None

    @route("GET", "/")
    def describe(self, _request, _body):
        return answer_json(population.description(self.cloud))

    # ---- what it does ----

    @route("GET", "/settings")
    def get_settings(self, _request, _body):
        return answer_json(self.cloud.settings.as_dict())

    @route("PATCH", "/settings")
    def change_settings(self, _request, body):
        self.cloud.settings.change(parse_object(body))
        return answer_json(self.cloud.settings.as_dict())

    @route("GET", "/faults")
    def get_faults(self, _request, _body):
        return answer_json([f.as_dict() for f in self.cloud.faults.all])

    @route("POST", "/faults")
    def add_fault(self, _request, body):
        self.cloud.faults.add(parse_object(body))
        return answer_json({})

    @route("DELETE", "/faults")
    def clear_faults(self, _request, _body):
        self.cloud.faults.clear()
        return answer_json({})

    # ---- what was asked of it ----

    @route("GET", "/requests")
    def get_requests(self, request, _body):
        params = request.params()
        return answer_json([
            e for e in self.cloud.log.read(first(params, "service"),
                                           first(params, "match", ""))
            if e["service"] != self.name])

    @route("GET", "/counters")
    def get_counters(self, _request, _body):
        return answer_json({
            **self.cloud.log.counters(),
            "session_keys": len(self.cloud.session_keys),
            "session_keys_used_again": sum(
                n > 1 for n in self.cloud.session_keys.values()),
            "security_tokens": len(self.cloud.directory.security.issued),
            "registry_tokens": len(self.cloud.registry_tokens.issued)})

    @route("DELETE", "/requests")
    def clear_requests(self, _request, _body):
        self.cloud.log.clear()
        return answer_json({})

    @route("GET", "/secrets")
    def get_secrets(self, _request, _body):
        """Whatever must never turn up in a log or a file of a client."""
        cloud = self.cloud
        return answer_json([
            *cloud.directory.security.issued, *cloud.registry_tokens.issued,
            *cloud.service_accounts,
            *(t for u in cloud.directory.users.values()
              for t in u.auth_tokens.values())])

    # ---- who there is ----

    @route("GET", "/policies")
    def get_policies(self, _request, _body):
        return answer_json(self.cloud.directory.texts)

    @route("PUT", "/policies")
    def set_policies(self, _request, body):
        self.cloud.directory.set_policies(parse_object(body)["statements"])
        return answer_json(self.cloud.directory.texts)

    @route("POST", "/users")
    def add_user(self, _request, body):
        """{"name", "groups"} -> profile, paths and secrets of that user."""
        details = parse_object(body)
        return answer_json(population.add_user(
            self.cloud, details["name"], details.get("groups", ())))

    @route("POST", "/tokens")
    def make_token(self, _request, body):
        """{"kind": "login"|"obo"|"resource", "who", "seconds"} -> a token
        and, unless `public` has one, its private key."""
        return answer_json(population.make_token(self.cloud,
                                                 **parse_object(body)))

    @route("POST", "/renew")
    def renew(self, _request, body):
        """{"what": "session"|"resource", "seconds"}: a new token in its
        file."""
        return answer_json(population.renew(self.cloud, **parse_object(body)))

    @route("POST", "/revoke")
    def revoke(self, _request, body):
        """{"registry": true, "security": true}: end tokens made so far."""
        which = parse_object(body)
        if which.get("registry"):
            self.cloud.registry_tokens.revoke_all()
        if which.get("security"):
            self.cloud.directory.security.revoke_all()
        return answer_json({})

    @route("POST", "/instance/rotate")
    def rotate(self, _request, _body):
        self.cloud.instance.rotate()
        return answer_json({"fingerprint": pki.certificate_fingerprint(
            self.cloud.instance.leaf.certificate)})

    # ---- what it has ----

    @route("POST", "/compartments")
    def add_compartment(self, _request, body):
        details = parse_object(body)
        parent = self.state.find_compartment(details.get("parent"))
        c = self.state.add_compartment(details["name"], parent,
                                       details.get("state", model.ACTIVE))
        return answer_json(identity.as_json(c))

    @route("PATCH", "/compartments/([^/]+)")
    def change_compartment(self, _request, body, name):
        c = self.state.compartments[self.state.find_compartment(name)]
        details = parse_object(body)
        c.state = details.get("state", c.state)
        c.name = details.get("name", c.name)
        return answer_json(identity.as_json(c))

    @route("POST", "/repositories")
    def add_repository(self, _request, body):
        details = parse_object(body)
        where = self.state.find_compartment(details.get("compartment"))
        r = self.state.add_repository(details["name"], where, "emulator")
        r.is_public = details.get("isPublic", False)
        r.is_immutable = details.get("isImmutable", False)
        return answer_json(full(r, self.state.namespace))

    @route("POST", "/images")
    def add_images(self, _request, body):
        """{"repository", "tags": […], "size", "same"}: real images, without
        a push."""
        return answer_json(population.add_images(self.cloud,
                                                 **parse_object(body)))

    @route("POST", "/fill")
    def fill(self, _request, body):
        """{"compartments", "repositories", "tags"}: so many in each."""
        return answer_json(population.fill(self.cloud, **parse_object(body)))

    @route("GET", "/state")
    def get_state(self, _request, _body):
        with self.state.lock:
            return answer_json({
                "compartments": [identity.as_json(c) for c in
                                 self.state.compartments.values()],
                "repositories": [
                    {**full(r, self.state.namespace), "tags": r.tags,
                     "upstream": r.upstream, "images": {
                         d: {"id": i.id, "state": i.state, "pulls": i.pulls}
                         for d, i in r.images.items()}}
                    for r in self.state.repositories.values()],
                "isRepositoryCreatedOnFirstPush": self.state.create_on_push})

    @route("PATCH", "/configuration")
    def change_configuration(self, _request, body):
        self.state.create_on_push = bool(
            parse_object(body)["isRepositoryCreatedOnFirstPush"])
        return answer_json({})
