# SPDX-License-Identifier: Apache-2.0
"""What is in the registry, straight from it and without any of our code; and
layouts on local disk for those who push."""
import json
import os
import pathlib
import subprocess

import imagetool
import images

ANY = "application/vnd.oci.image.index.v1+json, " \
    "application/vnd.oci.image.manifest.v1+json, " \
    f"{images.DOCKER_LIST}, {images.DOCKER_MANIFEST}, */*;q=0.1"


def client(registry, **more):
    return registry if isinstance(registry, imagetool.Registry) \
        else imagetool.Registry(registry.url, **more)


def tags(registry, repo):
    c = client(registry)
    answer, data = c.ask("GET", c.path(repo, "tags/list"), good=(200, 404))
    if answer.status == 404:
        return set()
    return set(json.loads(data)["tags"] or ())


def tag_map(registry, repo):
    """tag -> digest of what it names."""
    c = client(registry)
    return {t: images.digest_of(c.get(repo, f"manifests/{t}", ANY))
            for t in tags(c, repo)}


def has_manifest(registry, repo, reference):
    c = client(registry)
    answer, _ = c.ask("HEAD", c.path(repo, f"manifests/{reference}"),
                      headers={"Accept": ANY}, good=(200, 404))
    return answer.status == 200


def has_come(registry, repo, reference):
    """For waiting: docker-registry may answer 500 to one who asks for what is
    being put just now."""
    try:
        return has_manifest(registry, repo, reference)
    except imagetool.RegistryError:
        return False


def pull(registry, repo, reference):
    """(digest, {digest: bytes}) of all that the reference reaches."""
    c = client(registry)
    data = c.get(repo, f"manifests/{reference}", ANY)
    digest = images.digest_of(data)
    found, value = {digest: data}, json.loads(data)
    for child in value.get("manifests", ()):
        found.update(pull(c, repo, child["digest"])[1])
    blobs = [value["config"], *value["layers"]] if "layers" in value else []
    for blob in blobs:
        data = c.get(repo, f"blobs/{blob['digest']}")
        assert images.digest_of(data) == blob["digest"]
        assert len(data) == blob["size"]
        found[blob["digest"]] = data
    return digest, found


def check(registry, repo, tag, manifest):
    """The tag can be pulled, and is this image to the last byte."""
    digest, found = pull(registry, repo, tag)
    assert digest == manifest.digest
    assert found == manifest.contents()


# ---- layouts ----

def hex_of(digest):
    return digest.split(":")[1]


def index_json(tagged, old=None):
    """Of {tag: Manifest}; entries of `old` with other tags are kept."""
    entries = json.loads(old)["manifests"] if old else []
    entries = [e for e in entries if e.get("annotations", {}).get(
        imagetool.REF_NAME) not in tagged]
    entries += [m.descriptor(annotations={imagetool.REF_NAME: tag})
                for tag, m in tagged.items()]
    return json.dumps({"schemaVersion": 2, "mediaType": imagetool.INDEX,
                       "manifests": entries}).encode()


LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


def layout_files(tagged):
    """name -> bytes of the layout of {tag: Manifest}, blobs first."""
    files = {}
    for m in tagged.values():
        for digest, data in m.contents().items():
            files[f"blobs/sha256/{hex_of(digest)}"] = data
    return {**files, "oci-layout": LAYOUT, "index.json": index_json(tagged)}


def write_layout(folder, tagged):
    folder = pathlib.Path(folder)
    for name, data in layout_files(tagged).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


# ---- programs ----

def run(*words, seconds=120, check=True, cwd=None, **env):
    done = subprocess.run([str(w) for w in words], text=True, check=False,
                          capture_output=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "LC_ALL": "C", **env},
                          timeout=seconds, cwd=cwd)
    if check:
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done


def skopeo_pull(registry, repo, tag, folder, *options):
    """By another client than ours: digest -> bytes of what it got."""
    options = options or ("--src-tls-verify=false",)
    run("skopeo", "copy", "-q", "--all", "--insecure-policy", *options,
        f"docker://{registry.address}/{repo}:{tag}", f"dir:{folder}")
    found = [p.read_bytes() for p in pathlib.Path(folder).iterdir()
             if p.name != "version"]
    return {images.digest_of(data): data for data in found}


# ---- the mount ----

def error_of(path):
    """Why the last operation on a path failed; what is not there has its
    directory tell it."""
    if not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.getxattr(path, "user.ocirfs.error").decode()


def pending(mnt):
    """Lines of what waits or could not be pushed."""
    return [line for line in mnt.status("pending").splitlines()
            if line.strip()]
