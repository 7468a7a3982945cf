# SPDX-License-Identifier: Apache-2.0
"""What a person needs to try the emulator."""
import shlex

OPTIONS = ("identity", "artifacts", "objectstorage", "registry")


def exports(values):
    return "\n".join(f"    export {k}={shlex.quote(v)}"
                     for k, v in values.items())


def text(d):
    urls, env = d["urls"], d["environment"]
    user = d["users"]["jdoe@example.com"]
    password = shlex.quote(user["auth_token"])
    host = urls.get("registry", "").partition("//")[2]
    options = ",".join(f"{n}={urls[n]}" for n in OPTIONS if n in urls)
    services = "\n".join(f"    {n:14} {u}" for n, u in sorted(urls.items()))
    return f"""\
Oracle's cloud as far as ocirfs needs it: region {d['region']}, tenancy
namespace {d['namespace']}. Everything is thrown away when this ends (Ctrl-C).

Services:
{services}

With an API key (profiles DEFAULT, READER, STRANGER, SESSION, CLOUD_SHELL):
{exports(env['api_key'])}
    ocirfs {d['region']} /mnt/ocir -o {options}

As an instance of the cloud:
{exports(env['instance_principal'])}
    ocirfs {d['region']} /mnt/ocir -o auth=instance_principal,\
federation={urls['auth']},{options}

As a function (resource principal):
{exports(env['resource_principal'])}
    ocirfs {d['region']} /mnt/ocir -o {options}

As a pod (workload identity):
{exports(env['oke_workload_identity'])}
    ocirfs {d['region']} /mnt/ocir -o service_account={d['service_account']},\
{options}

Certification authority of whatever is https here: {d['ca']}

With an auth token, as skopeo, podman and docker do (--tls-verify=false):
    skopeo login {host} -u {user['username']} -p {password}
    skopeo list-tags docker://{host}/{d['namespace']}/motando-webapp

Faults, settings, what was asked: {urls['control']} (tests/emulator/README.md)
"""
