# SPDX-License-Identifier: Apache-2.0
"""The instance metadata service, version 2: who this machine is."""
from . import errors, pki
from .service import Service, answer_json, route
from .wire import Answer

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host")


class Instance:
    """A machine of the cloud, and the certificates that it is given."""

    def __init__(self, principal, key, compartment, tenancy):
        self.principal = principal
        self.compartment, self.tenancy = compartment, tenancy
        self.root = pki.authority("instance root")
        self.intermediate = pki.authority("instance intermediate",
                                          issuer=self.root)
        self.leaf = self._previous = None
        self.rotate(key)

    def rotate(self, key=None):
        """A new key; the certificate before it is still good."""
        self._previous = self.leaf
        self.leaf = pki.instance_leaf(
            self.intermediate, key or pki.new_rsa(), self.principal.id,
            self.compartment, self.tenancy)

    def is_current(self, certificate):
        return any(i and i.certificate == certificate
                   for i in (self.leaf, self._previous))


class Metadata(Service):
    name = "metadata"
    signed = False

    def answer(self, request):
        for name in FORWARDED:
            if name in request.fields:
                raise errors.ApiError(400, "InvalidParameter",
                                      f"{name} is not allowed here")
        if request.get("authorization") != "Bearer Oracle":
            raise errors.ApiError(401, "NotAuthenticated",
                                  "no Authorization: Bearer Oracle")
        return super().answer(request)

    @staticmethod
    def _text(text):
        return Answer(200, text.encode(), [("Content-Type", "text/plain")])

    @route("GET", "/opc/v2/instance/region")
    def region(self, _request, _body):
        if self.cloud.settings.region_form == "key":
            return self._text(self.state.region_key)
        return self._text(self.state.region)

    @route("GET", "/opc/v2/instance/regionInfo")
    def region_info(self, _request, _body):
        return answer_json({
            "realmKey": "oc1", "realmDomainComponent": "oraclecloud.com",
            "regionKey": self.state.region_key.upper(),
            "regionIdentifier": self.state.region})

    @route("GET", "/opc/v2/instance/?")
    def instance(self, _request, _body):
        i = self.cloud.instance
        return answer_json({
            "id": i.principal.id, "displayName": i.principal.name,
            "compartmentId": i.compartment, "tenantId": i.tenancy,
            "region": self.state.region_key,
            "canonicalRegionName": self.state.region})

    @route("GET", "/opc/v2/identity/cert.pem")
    def certificate(self, _request, _body):
        return self._text(pki.pem_of(self.cloud.instance.leaf.certificate))

    @route("GET", "/opc/v2/identity/key.pem")
    def key(self, _request, _body):
        return self._text(pki.pem_of_key(self.cloud.instance.leaf.key,
                                         pkcs1=True))

    @route("GET", "/opc/v2/identity/intermediate.pem")
    def intermediate(self, _request, _body):
        return self._text(pki.pem_of(
            self.cloud.instance.intermediate.certificate))
