/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_APP_ORACLE_H
#define OFS_APP_ORACLE_H

/*
 * What a mount of OCIR has beside a registry: a region, a principal that signs,
 * the control plane.  All empty for another registry.
 */

#include "ocirfs/call.h"
#include "ocirfs/cred.h"
#include "ocirfs/options.h"
#include "ocirfs/ora_region.h"
#include "ocirfs/tree.h"

struct ofs_http;
struct ofs_ora;

struct ofs_app_oracle {
    const struct ofs_options *o;
    const struct ofs_env *env;
    bool on; /* the source is OCIR */
    char *registry_url, *registry_host, *regions_file, *namespace_name;
    struct ofs_ora_region region;
    struct ofs_ora_region_cfg regions;
    struct ofs_http *direct; /* never through a proxy */
    struct ofs_ora_auth *auth;
    struct ofs_ora *client;
};

/*
 * What is SOURCE?  Sets `on`, the region and the URL of the registry, OCIR or
 * not.  -EINVAL: neither a region nor a URL; options that contradict it.
 */
int ofs_app_oracle_find(struct ofs_app_oracle *c, const struct ofs_options *o,
                        const struct ofs_env *env,
                        struct ofs_err *err) OFS_MUST_CHECK;

/* Sign in.  0 also when it is not OCIR. */
int ofs_app_oracle_build(struct ofs_app_oracle *c, struct ofs_http *http,
                         struct ofs_err *err) OFS_MUST_CHECK;

/* Do the services take us?  0 also when it is not OCIR. */
int ofs_app_oracle_check(struct ofs_app_oracle *c, struct ofs_call *call,
                         struct ofs_err *err) OFS_MUST_CHECK;

/* "namespace/name", as the registry calls a repository (owned); NULL: no
 * memory.  After a check that went well. */
char *ofs_app_oracle_name(const struct ofs_app_oracle *c, const char *repo);

/* What whoever is denied something may lack: a policy at `place` ("": nobody
 * knows where). */
void ofs_app_oracle_advise(const struct ofs_app_oracle *c, bool writes,
                           const char *place, struct ofs_buf *ret);

/* The principal as a credential for the registry; empty without one. */
struct ofs_cred_source ofs_app_oracle_creds(struct ofs_app_oracle *c);

/* What the tree is told. */
struct ofs_ocir_cfg ofs_app_oracle_tree(const struct ofs_app_oracle *c);

void ofs_app_oracle_stop(struct ofs_app_oracle *c); /* what is under way ends */
void ofs_app_oracle_done(struct ofs_app_oracle *c);

#endif
