/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DOCKER_HELPER_H
#define OFS_DOCKER_HELPER_H

/*
 * Ask a credential helper, docker-credential-<suffix>, for one host.  Starts a
 * process each time; remembers nothing.  Thread-safe.
 *
 * Source: docker-credential-helpers, README "Development".
 */

#include "ocirfs/call.h"
#include "ocirfs/cred.h"

struct ofs_docker_helper_cfg {
    const char *path;   /* $PATH; NULL: the usual directories */
    int64_t timeout_ms; /* 0: 30 s */
};

/*
 * Kind NONE when the helper has none for `host`.  Blocks until it has ended,
 * as `call` allows (-EINTR, -ETIMEDOUT, -EAGAIN).  -EIO it is not in PATH,
 * cannot be started, fails or takes too long; -EBADMSG its answer is not what
 * it should be.  The sentence names it and its complaint, never an answer.
 */
int ofs_docker_helper_get(const struct ofs_docker_helper_cfg *cfg,
                          struct ofs_call *call, const char *suffix,
                          const char *host, struct ofs_cred *ret,
                          struct ofs_err *err) OFS_MUST_CHECK;

#endif
