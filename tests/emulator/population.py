# SPDX-License-Identifier: Apache-2.0
"""People, machines, files for their ways to sign in, and things to look at."""
import pathlib

from . import pki, samples
from .state import ACTIVE

PASS_PHRASE = "correct-horse"
POLICIES = """
Allow group builders to manage repos in tenancy
Allow group builders to inspect compartments in tenancy
Allow group readers to read repos in tenancy
Allow group readers to inspect compartments in tenancy
Allow dynamic-group build-hosts to manage repos in tenancy
Allow dynamic-group build-hosts to inspect compartments in tenancy
Allow dynamic-group functions to read repos in tenancy
Allow dynamic-group functions to inspect compartments in tenancy
Allow dynamic-group pods to manage repos in tenancy
Allow dynamic-group pods to inspect compartments in tenancy
""".strip().splitlines()


# ---- ways to sign in ----

def _add_profile(cloud, name, **values):
    path = cloud.folder / "oci/config"
    old = path.read_text() if path.exists() else ""
    lines = [f"[{name}]"] + [f"{k}={v}" for k, v in values.items()
                             if v is not None]
    cloud.write("oci/config", old + "\n".join(lines) + "\n\n")


def add_user(cloud, name, groups=(), profile=None, key=None):
    """A user with an API key and an auth token, and a profile for them."""
    user = cloud.directory.add_user(name, groups)
    key = key or pki.new_rsa()
    mark = pki.fingerprint(key.public_key())
    user.keys[mark] = key.public_key()
    profile = profile or name.partition("@")[0].upper()
    stem = profile.lower()
    key_file = cloud.write(f"oci/{stem}.pem", pki.pem_of_key(key))
    locked = cloud.write(f"oci/{stem}-encrypted.pem",
                         pki.pem_of_key(key, PASS_PHRASE))
    common = {"tenancy": cloud.state.tenancy, "region": cloud.state.region,
              "user": user.id, "fingerprint": mark}
    _add_profile(cloud, profile, **common, key_file=key_file)
    _add_profile(cloud, f"{profile}_ENCRYPTED", **common, key_file=locked,
                 pass_phrase=PASS_PHRASE)
    _, token = cloud.directory.grant_auth_token(user)
    return {**common, "name": name, "profile": profile,
            "key_file": str(key_file), "auth_token": token,
            "username": f"{cloud.state.namespace}/{name}"}


def _principal(cloud, who):
    """By OCID or by name."""
    directory = cloud.directory
    found = directory.principal(who)
    if found is None:
        user = directory.user_named(who)
        found = user.principal() if user else next(
            p for p in directory.others.values() if p.name == who)
    return found


def make_token(cloud, kind, who, seconds=None, public=None):
    """A token of this kind for somebody, bound to the key that is in the
    answer, or to `public` (base64 of its DER)."""
    if kind not in ("login", "obo", "resource"):
        raise ValueError(f"no kind of token '{kind}'")
    key = None if public else cloud.session_key
    half = key.public_key() if key else pki.load_public(public)
    token = cloud.directory.make_token(
        _principal(cloud, who), half,
        seconds or cloud.settings.security_token_seconds, ttype=kind,
        res_compartment=cloud.state.tenancy)
    value = {"token": token}
    if key:
        value["key"] = pki.pem_of_key(key)
    return value


FILES = {  # what: kind of its token, whose, file of the token, of the key
    "session": ("login", "jdoe@example.com", "oci/session.token",
                "oci/session.pem"),
    "resource": ("resource", "function", "resource/rpst", "resource/key.pem"),
}


def renew(cloud, what, seconds=None):
    """A new token in the file of the session or of the resource, as Oracle's
    CLI and the function's host put it there."""
    kind, who, token_file, key_file = FILES[what]
    made = make_token(cloud, kind, who, seconds)
    return {"token_file": str(cloud.write(token_file, made["token"])),
            "key_file": str(cloud.write(key_file, made["key"]))}


def _add_session(cloud, user):
    files = renew(cloud, "session")
    _add_profile(
        cloud, "SESSION", tenancy=cloud.state.tenancy,
        region=cloud.state.region, fingerprint=user["fingerprint"],
        key_file=files["key_file"], security_token_file=files["token_file"])


def _add_delegation(cloud, user):
    """As in Oracle's Cloud Shell: the machine signs for a user."""
    token = make_token(cloud, "obo", user["user"])["token"]
    _add_profile(
        cloud, "CLOUD_SHELL", tenancy=cloud.state.tenancy,
        region=cloud.state.region, authentication_type="instance_principal",
        delegation_token_file=cloud.write("oci/delegation.token", token))


def _add_resource(cloud):
    cloud.directory.add_other("resource", "function", ("functions",))
    renew(cloud, "resource")


def _add_pod(cloud):
    pod = cloud.directory.add_other("workload", "pod", ("pods",))
    token = "k8s-" + pod.id[-40:]
    cloud.service_accounts[token] = pod
    cloud.write("k8s/token", token)
    cloud.write("k8s/ca.crt", (cloud.folder / "ca.pem").read_text())


def add_people(cloud):
    """One of each kind of principal, with its files."""
    key = pki.throwaway_rsa()
    users = {name: add_user(cloud, name, groups, profile, key)
             for name, groups, profile in (
                 ("jdoe@example.com", ("builders",), "DEFAULT"),
                 ("reader", ("readers",), None), ("stranger", (), None))}
    _add_session(cloud, users["jdoe@example.com"])
    _add_delegation(cloud, users["jdoe@example.com"])
    _add_resource(cloud)
    _add_pod(cloud)
    cloud.directory.set_policies(POLICIES)
    cloud.people = users


# ---- what a client must be told ----

def environments(cloud):
    """What to set in the environment for each way to sign in."""
    folder = cloud.folder
    host, _, port = cloud.listeners["oke"].address.partition(":")
    user = cloud.people["jdoe@example.com"]
    return {
        "api_key": {"OCI_CLI_CONFIG_FILE": str(folder / "oci/config")},
        "cli": {"OCI_CLI_USER": user["user"],
                "OCI_CLI_TENANCY": cloud.state.tenancy,
                "OCI_CLI_FINGERPRINT": user["fingerprint"],
                "OCI_CLI_KEY_FILE": user["key_file"],
                "OCI_CLI_REGION": cloud.state.region},
        "instance_principal": {
            "OCI_METADATA_BASE_URL": cloud.urls["metadata"] + "/opc/v2/"},
        "resource_principal": {
            "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2",
            "OCI_RESOURCE_PRINCIPAL_RPST": str(folder / "resource/rpst"),
            "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM":
                str(folder / "resource/key.pem"),
            "OCI_RESOURCE_PRINCIPAL_REGION": cloud.state.region},
        "oke_workload_identity": {
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT_PROXYMUX": port},
    }


def description(cloud):
    return {
        "urls": cloud.urls, "folder": str(cloud.folder),
        "ca": str(cloud.folder / "ca.pem"),
        "region": cloud.state.region, "region_key": cloud.state.region_key,
        "tenancy": cloud.state.tenancy, "namespace": cloud.state.namespace,
        "users": cloud.people, "environment": environments(cloud),
        "config": str(cloud.folder / "oci/config"),
        "service_account": str(cloud.folder / "k8s"),
        "instance": cloud.instance.principal.id,
        "storage": str(cloud.backend.storage) if cloud.backend else None,
        "registry_pid": cloud.backend.process.pid if cloud.backend else None}


# ---- things to look at ----

class Shelf:
    """Puts an image into repositories, straight into the registry's files."""

    def __init__(self, cloud, image):
        self.cloud, self.image = cloud, image
        self.blobs = [cloud.backend.store(data)
                      for data in (image.layer, image.config)]
        self.stored = {}  # annotations: (digest, manifest)

    def _manifest(self, version):
        if version not in self.stored:
            more = {"version": version} if version else {}
            body = self.image.manifest(**more)
            self.stored[version] = (self.cloud.backend.store(body), body)
        return self.stored[version]

    def put(self, r, tags, same=False):
        """{tag: digest}; `same`: one manifest for all of them."""
        backend, state = self.cloud.backend, self.cloud.state
        for digest in self.blobs:
            backend.link_blob(r.upstream, digest)
        found = {}
        for tag in tags:
            digest, body = self._manifest("" if same else tag)
            backend.link_manifest(r.upstream, digest)
            image = state.put_manifest(r, digest, samples.MANIFEST, body,
                                       "emulator")
            state.set_tag(r, tag, image, "emulator")
            found[tag] = digest
        return found


def add_images(cloud, repository, tags, size=1000, same=False):
    """{tag: digest}; `same`: one image with all the tags."""
    shelf = Shelf(cloud, samples.Image(repository, size))
    return shelf.put(cloud.state.by_name[repository], tags, same)


def fill(cloud, compartments, repositories, tags, prefix="team"):
    """So many of each in each; images are shared, their tags are not."""
    shelf = Shelf(cloud, samples.Image("filling"))
    for i in range(compartments):
        c = cloud.state.add_compartment(f"{prefix}{i:03}")
        for j in range(repositories):
            r = cloud.state.add_repository(f"{c.name}/app{j}", c.id,
                                           "emulator")
            shelf.put(r, [f"1.{k}" for k in range(tags)])
    return {"repositories": compartments * repositories,
            "tags": compartments * repositories * tags}


SAMPLE = (  # compartment, repository, tags, bytes of the layer
    ("prod", "motando-webapp", ("1.4.1", "1.4.2", "latest"), 2 << 20),
    ("prod:eu", "project01/web", ("2.0", "2.1"), 1 << 20),
    ("build", "project01/base", ("1.2", "1.3-rc1"), 5 << 20),
    ("build", "tools/lint", ("2026.01",), 100_000),
    (None, "scratch", (), 0),
)


def add_sample(cloud):
    for name, parent, state in (
            ("prod", None, ACTIVE), ("eu", "prod", ACTIVE),
            ("build", None, ACTIVE), ("old", None, "DELETED")):
        cloud.state.add_compartment(
            name, cloud.state.find_compartment(parent), state)
    for compartment, name, tags, size in SAMPLE:
        cloud.state.add_repository(
            name, cloud.state.find_compartment(compartment), "emulator")
        if tags:
            add_images(cloud, name, tags, size)
    return pathlib.PurePath("prod/motando-webapp/latest")
