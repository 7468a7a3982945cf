/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DOCKER_AUTH_H
#define OFS_DOCKER_AUTH_H

/*
 * Credentials of a registry from the files and helpers of docker, podman,
 * skopeo and buildah.  Files are read anew at each look-up (they change when
 * the user logs in).  Runs helpers as child processes, with a time and an
 * output limit; never through a shell; what one answered serves all
 * repositories of the host for half a minute.  Thread-safe.
 *
 * Source: docker CLI, cli/config; docker-credential-helpers;
 * containers-auth.json(5).
 */

#include "ocirfs/call.h"
#include "ocirfs/cred.h"

/* The environment as values, so that tests own it; NULL: not set. */
struct ofs_docker_auth_cfg {
    const char *auth_file;          /* option; alone when given */
    const char *registry_auth_file; /* $REGISTRY_AUTH_FILE; likewise */
    const char *docker_auth_config; /* $DOCKER_AUTH_CONFIG: JSON text */
    const char *docker_config;      /* $DOCKER_CONFIG: a directory */
    const char *xdg_runtime_dir, *xdg_config_home, *home, *path;
    int64_t helper_timeout_ms; /* 0: 30 s */
};

struct ofs_docker_auth; /* copies of the above */

struct ofs_docker_auth *
ofs_docker_auth_new(const struct ofs_docker_auth_cfg *cfg, struct ofs_err *err);
void ofs_docker_auth_free(struct ofs_docker_auth *a);
OFS_DEFINE_AUTO(struct ofs_docker_auth, ofs_docker_auth_free)

/*
 * The credential for `host` ("host" or "host:port") and repository (may be
 * "" or NULL).  0 also when there is none (kind NONE).  -EBADMSG a file or a
 * helper's answer is malformed, -ENOENT an explicit file is missing, -EIO a
 * helper failed; err says which file or helper, never a secret.  Blocks while
 * a helper runs, as `call` allows (-EINTR, -ETIMEDOUT, -EAGAIN).  `ret` was
 * empty before.
 */
int ofs_docker_auth_find(struct ofs_docker_auth *a, struct ofs_call *call,
                         const char *host, const char *repo,
                         struct ofs_cred *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;

/* What helpers answered for `host` did not do: ask them anew next time. */
void ofs_docker_auth_forget(struct ofs_docker_auth *a, const char *host);

#endif
