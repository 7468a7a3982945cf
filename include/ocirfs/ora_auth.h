/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_AUTH_H
#define OFS_ORA_AUTH_H

/*
 * Who we are to Oracle's cloud: a principal that signs requests (signature
 * version 1).  One kind of principal, one file; `auto` tries them in order.
 * Keys and tokens stay in memory and are wiped; they are renewed before they
 * end, one renewal at a time, without holding up requests whose credential is
 * still good.  Thread-safe.
 *
 * Source: OCI documentation, "Request Signatures" and "SDK Authentication
 * Methods"; the vectors in tests/vectors.
 */

#include "ocirfs/call.h"
#include "ocirfs/clock.h"
#include "ocirfs/digest.h"
#include "ocirfs/ora_region.h"
#include "ocirfs/str.h"

#include <stdbool.h>

struct ofs_http;
struct ofs_ora_auth;

/* The environment as values, so that tests own it; NULL: not set. */
struct ofs_ora_env {
    const char *home;
    const char *cli_user, *cli_tenancy, *cli_fingerprint; /* OCI_CLI_* */
    const char *cli_key_content, *cli_key_file, *cli_region;
    const char *cli_passphrase, *cli_security_token_file;
    const char *cli_config_file, *cli_profile, *cli_auth;
    const char *config_file, *config_profile;          /* OCI_CONFIG_* */
    const char *region;                                /* OCI_REGION */
    const char *rp_version, *rp_rpst, *rp_private_pem; /* OCI_RESOURCE_... */
    const char *rp_passphrase, *rp_region;
    const char *kubernetes_host, *kubernetes_port; /* KUBERNETES_SERVICE_* */
    const char *metadata_url;                      /* OCI_METADATA_BASE_URL */
};

struct ofs_ora_auth_cfg {
    /*
     * "auto" (OCI_CLI_AUTH decides, else what is there first), "api_key",
     * "security_token", "instance_principal", "resource_principal",
     * "oke_workload_identity", "instance_obo_user".
     */
    const char *kind;
    const char *config_file, *profile; /* options; NULL: as the CLI looks */
    const char *auth_endpoint;         /* instead of the region's; NULL: none */
    const char *service_account_dir;   /* of the pod; NULL: the usual one */
    struct ofs_ora_env env;
    const struct ofs_ora_region_cfg *regions;
    const char *region;    /* asked for by the user; NULL: from the principal */
    struct ofs_http *http; /* proxies as usual */
    struct ofs_http *http_direct; /* never a proxy: the metadata service */
    const struct ofs_clock *clock;
    bool may_be_offline; /* a first credential may come later */
};

/* One of the words of ofs_ora_auth_cfg.kind? */
bool ofs_ora_auth_is_kind(const char *kind);

/*
 * Find out who we are.  Blocks as `call` allows (metadata is given 1 s in
 * `auto`).  -EINVAL the configuration is wrong, -ENOENT nothing to sign in
 * with, -EACCES refused; one sentence that names cause and next step.
 */
int ofs_ora_auth_open(const struct ofs_ora_auth_cfg *cfg, struct ofs_call *call,
                      struct ofs_ora_auth **ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
void ofs_ora_auth_free(struct ofs_ora_auth *a); /* wipes */
OFS_DEFINE_AUTO(struct ofs_ora_auth, ofs_ora_auth_free)

/* "api_key", ...; the tenancy's OCID; borrowed. */
const char *ofs_ora_auth_kind(const struct ofs_ora_auth *a);
const char *ofs_ora_auth_tenancy(const struct ofs_ora_auth *a);
/* The region the principal itself names, or NULL. */
const char *ofs_ora_auth_region(const struct ofs_ora_auth *a);

/*
 * The header lines to send with a request, the date and the Authorization
 * among them ("Name: value"); made anew for each attempt.  `url` is sent as it
 * is.  `body` NULL with GET, HEAD and DELETE.  May renew a credential that is
 * about to end: blocks as `call` allows.
 */
int ofs_ora_auth_sign(struct ofs_ora_auth *a, struct ofs_call *call,
                      const char *method, const char *url, const void *body,
                      size_t len, struct ofs_strv *ret_headers,
                      struct ofs_err *err) OFS_MUST_CHECK;

/*
 * After a 401: get a new credential (token, file) if there is one to be had.
 * 0, also when another request did so just now: sign again, once.  -EACCES:
 * this kind cannot be renewed.
 */
int ofs_ora_auth_renew(struct ofs_ora_auth *a, struct ofs_call *call,
                       struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Who we are, as long as that is the same one: the same after a renewal, with
 * another key of the same user, at the next mount; nobody else's.  Nothing
 * secret.  False: not known yet.
 */
bool ofs_ora_auth_who(struct ofs_ora_auth *a, struct ofs_digest *ret);

enum { OFS_ORA_WHY_MAX = 160 };

/*
 * Why a signature was not taken in an answer with this Date (NULL: none), as
 * far as that shows on our side, and what to do: a part of a sentence.
 */
void ofs_ora_auth_why(struct ofs_ora_auth *a, const char *date,
                      char text[OFS_ORA_WHY_MAX]);

/* "group GROUP", "dynamic-group GROUP", ...: whom a policy would allow. */
const char *ofs_ora_auth_grantee(const struct ofs_ora_auth *a);

#endif
