/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OCI_PRIV_H
#define OFS_OCI_PRIV_H

/* Inside net/oci: one signed call, and lists that are paged to their end. */

#include "ocirfs/buf.h"
#include "ocirfs/json.h"
#include "ocirfs/oci.h"

struct ofs_oci {
    struct ofs_http *http;
    struct ofs_oci_auth *auth;
    const struct ofs_clock *clock;
    char *identity, *artifacts, *objectstorage; /* base URLs, owned */
    int max_attempts;
};

/* What a policy must allow, in its words. */
#define OFS_OCI_READ_REPOS   "read repos in tenancy"
#define OFS_OCI_MANAGE_REPOS "manage repos in compartment COMPARTMENT"

struct ofs_oci_req {
    const char *method;
    const char *base;        /* one of the base URLs */
    const char *path;        /* with its query, percent-encoded */
    const char *body;        /* JSON; NULL: none */
    const char *if_match;    /* etag; NULL: none */
    const char *retry_token; /* of a POST that changes; NULL: none */
    bool reads;              /* a POST that changes nothing */
    const char *needs;       /* of a policy; NULL: OFS_OCI_READ_REPOS */
};

struct ofs_oci_resp {
    json_t *doc;     /* NULL when there was no body; owned */
    char *next_page; /* opc-next-page; NULL: this was the last; owned */
    char *etag;      /* NULL: none; owned */
};
void ofs_oci_resp_done(struct ofs_oci_resp *r);
#define OFS_AUTOOCIRESP OFS_AUTO(ofs_oci_resp_done)

enum { OFS_OCI_RETRY_TOKEN_MAX = 33 };
/* The service remembers it for a day, so that a repeated POST acts once. */
int ofs_oci_retry_token(char ret[OFS_OCI_RETRY_TOKEN_MAX]) OFS_MUST_CHECK;

/* Signed, retried, its error decoded.  0 for any 2xx. */
int ofs_oci_call(struct ofs_oci *o, struct ofs_call *call,
                 const struct ofs_oci_req *req, struct ofs_oci_resp *ret,
                 struct ofs_err *err) OFS_MUST_CHECK;

/* Takes one item of a list; a negative errno ends it. */
typedef int ofs_oci_item_fn(const json_t *item, void *arg, struct ofs_err *err);

struct ofs_oci_lister {
    ofs_oci_item_fn *fn;
    void *arg;
    const char *needs; /* as that of ofs_oci_req */
};

/* GET all pages of a list: a bare array, or an object with `items`. */
int ofs_oci_list(struct ofs_oci *o, struct ofs_call *call, const char *base,
                 const char *path, const struct ofs_oci_lister *lister,
                 struct ofs_err *err) OFS_MUST_CHECK;

/* A path with its query: pairs of name and value, ends with NULL. */
char *ofs_oci_path(const char *path, const char *const *query);
/* "<prefix><one percent-encoded component><suffix>". */
char *ofs_oci_path_of(const char *prefix, const char *id, const char *suffix);

/* Make room for one more item of `size` bytes behind `n`.  -ENOMEM. */
int ofs_oci_grow(void **at, size_t n, size_t *room, size_t size) OFS_MUST_CHECK;

/* ---- retry and errors: pure ---- */

struct ofs_oci_failure {
    int n; /* 1 for the attempt that has just failed */
    int max_attempts;
    int status;       /* 0: no response */
    const char *code; /* the service's word; "" */
    bool repeatable;
    int64_t retry_after_ms; /* -1: no wish */
    double jitter;          /* [0,1) */
};
/* How long to wait before the next attempt; -1: give up. */
int64_t ofs_oci_retry_ms(const struct ofs_oci_failure *f);

int ofs_oci_errno(int status, const char *code);

/* What a user can do, where the service's words do not say. */
struct ofs_oci_hints {
    const char *refused; /* why a signature is not taken (401) */
    const char *policy;  /* the line that allows the call */
};

/* Fill err from an error body: {"code":…,"message":…}.  Returns err->code. */
int ofs_oci_fail(int status, const char *body, size_t len,
                 const char *request_id, const struct ofs_oci_hints *hints,
                 struct ofs_err *err);

/* ---- models ---- */

int ofs_oci_compartment_decode(const json_t *j, struct ofs_oci_compartment *ret,
                               bool *ret_active,
                               struct ofs_err *err) OFS_MUST_CHECK;
int ofs_oci_repository_decode(const json_t *j, struct ofs_oci_repository *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;
int ofs_oci_image_decode(const json_t *j, struct ofs_oci_image *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
