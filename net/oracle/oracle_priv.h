/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_PRIV_H
#define OFS_ORA_PRIV_H

/* Inside net/oracle: one signed call, and lists that are paged to their end. */

#include "ocirfs/buf.h"
#include "ocirfs/json.h"
#include "ocirfs/oracle.h"
#include "ocirfs/vec.h"

struct ofs_ora {
    struct ofs_http *http;
    struct ofs_ora_auth *auth;
    const struct ofs_clock *clock;
    char *identity, *artifacts, *objectstorage; /* base URLs, owned */
    int max_attempts;
    ofs_ora_place_fn *place; /* NULL: nobody knows */
    void *place_arg;
};

/* What a policy must allow, in its words. */
#define OFS_ORA_READ_REPOS   "read repos"
#define OFS_ORA_MANAGE_REPOS "manage repos"

struct ofs_ora_req {
    const char *method;
    const char *base;        /* one of the base URLs */
    const char *path;        /* with its query, percent-encoded */
    const char *body;        /* JSON; NULL: none */
    const char *if_match;    /* etag; NULL: none */
    const char *retry_token; /* of a POST that changes; NULL: none */
    bool reads;              /* a POST that changes nothing */
    const char *needs;       /* of a policy; NULL: OFS_ORA_READ_REPOS */
    const char *in, *and_in; /* where it must be: OCIDs of a compartment or of
                                what lies in it; NULL: the tenancy, nowhere */
};

struct ofs_ora_resp {
    json_t *doc;     /* NULL when there was no body; owned */
    char *next_page; /* opc-next-page; NULL: this was the last; owned */
    char *etag;      /* NULL: none; owned */
};
void ofs_ora_resp_done(struct ofs_ora_resp *r);
#define OFS_AUTOORARESP OFS_AUTO(ofs_ora_resp_done)

enum { OFS_ORA_RETRY_TOKEN_MAX = 33 };
/* The service remembers it for a day, so that a repeated POST acts once. */
int ofs_ora_retry_token(char ret[OFS_ORA_RETRY_TOKEN_MAX]) OFS_MUST_CHECK;

/* Signed, retried, its error decoded.  0 for any 2xx. */
int ofs_ora_call(struct ofs_ora *o, struct ofs_call *call,
                 const struct ofs_ora_req *req, struct ofs_ora_resp *ret,
                 struct ofs_err *err) OFS_MUST_CHECK;

/* Takes one item of a list; a negative errno ends it. */
typedef int ofs_ora_item_fn(const json_t *item, void *arg, struct ofs_err *err);

struct ofs_ora_lister {
    ofs_ora_item_fn *fn;
    void *arg;
    const char *needs, *in; /* as those of ofs_ora_req */
};

/*
 * GET all pages of a list: a bare array, or an object with `items`.
 * path NULL: there was no memory for it.
 */
int ofs_ora_list(struct ofs_ora *o, struct ofs_call *call, const char *base,
                 const char *path, const struct ofs_ora_lister *lister,
                 struct ofs_err *err) OFS_MUST_CHECK;

/* A path with its query: pairs of name and value, ends with NULL. */
char *ofs_ora_path(const char *path, const char *const *query);
/* "<prefix><one percent-encoded component><suffix>". */
char *ofs_ora_path_of(const char *prefix, const char *id, const char *suffix);

/* ---- retry and errors: pure ---- */

struct ofs_ora_failure {
    int n; /* 1 for the attempt that has just failed */
    int max_attempts;
    int status;       /* 0: no response */
    const char *code; /* the service's word; "" */
    bool repeatable;
    int64_t retry_after_ms; /* -1: no wish */
    double jitter;          /* [0,1) */
};
/* How long to wait before the next attempt; -1: give up. */
int64_t ofs_ora_retry_ms(const struct ofs_ora_failure *f);

int ofs_ora_errno(int status, const char *code);

/* What a user can do, where the service's words do not say. */
struct ofs_ora_hints {
    const char *refused; /* why a signature is not taken (401) */
    const char *policy;  /* the line that allows the call */
    bool changes;        /* somebody wants to change what he has seen */
};

/* Fill err from an error body: {"code":…,"message":…}.  Returns err->code. */
int ofs_ora_fail(int status, const char *body, size_t len,
                 const char *request_id, const struct ofs_ora_hints *hints,
                 struct ofs_err *err);

/* ---- models ---- */

void ofs_ora_compartment_done(struct ofs_ora_compartment *c);
/* 1, with nothing in *ret: it is not ACTIVE. */
int ofs_ora_compartment_decode(const json_t *j, struct ofs_ora_compartment *ret,
                               struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ora_repository_decode(const json_t *j, struct ofs_ora_repository *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ora_image_decode(const json_t *j, struct ofs_ora_image *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
