/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DOCKER_CONFIG_H
#define OFS_DOCKER_CONFIG_H

/*
 * What one credential file says of one host.  Pure: text in, answer out; runs
 * no helper, opens no file.  Not thread-safe.
 *
 * Source: docker CLI, cli/config; containers-auth.json(5).
 */

#include "ocirfs/cred.h"
#include "ocirfs/json.h"

enum ofs_docker_flavour {
    OFS_DOCKER_CONTAINERS, /* auth.json: keys may have a path; no credsStore */
    OFS_DOCKER_CONFIG,     /* config.json */
    OFS_DOCKER_LEGACY,     /* .dockercfg: the whole is the map `auths` */
    OFS_DOCKER_ENV,        /* DOCKER_AUTH_CONFIG: auths with auth, no more */
};

struct ofs_docker_config {
    enum ofs_docker_flavour flavour;
    json_t *doc;           /* owned; NULL: an empty file */
    const json_t *auths;   /* part of doc; NULL: none; the others too */
    const json_t *helpers; /* host -> suffix */
    const char *store;     /* suffix for all hosts; NULL: none */
};

/* -EBADMSG with what is wrong, -ENOMEM. */
int ofs_docker_config_parse(const char *text, size_t len,
                            enum ofs_docker_flavour flavour,
                            struct ofs_docker_config *ret,
                            struct ofs_err *err) OFS_MUST_CHECK;
void ofs_docker_config_done(struct ofs_docker_config *c);
#define OFS_AUTODOCKERCONFIG OFS_AUTO(ofs_docker_config_done)

/*
 * The suffix of the helper that keeps the credential of `host`: *ret is
 * borrowed from `c`, or NULL.  -EBADMSG: no name that a program can have.
 */
int ofs_docker_config_helper(const struct ofs_docker_config *c,
                             const char *host, const char **ret,
                             struct ofs_err *err) OFS_MUST_CHECK;

/*
 * The credential that the file itself holds for `host` and `repo` (NULL or "":
 * none), with `origin` as its origin; kind NONE when it has none.  -EBADMSG
 * an entry that applies is malformed; -ENOMEM.  `ret` was empty before.
 */
int ofs_docker_config_cred(const struct ofs_docker_config *c, const char *host,
                           const char *repo, const char *origin,
                           struct ofs_cred *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

#endif
