/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_PRINCIPAL_H
#define OFS_ORA_PRINCIPAL_H

/*
 * One way to be somebody in Oracle's cloud.  Each kind is one file with one
 * struct of these functions; ora_auth.c keeps what they fetch, renews it in
 * time and signs with it.
 */

#include "ora_key.h"

#include "ocirfs/call.h"
#include "ocirfs/secret.h"

#include <stdatomic.h>

/* What a request is signed with; shared by the requests under way. */
struct ofs_ora_credential {
    atomic_uint refs;
    struct ofs_secret key_id; /* "ST$<token>" is as good as a password */
    struct ofs_ora_key *key;
    struct ofs_secret obo_token; /* text NULL: none */
    int64_t issued_s, expires_s; /* wall clock; expires 0: does not end */
};

struct ofs_ora_credential *ofs_ora_credential_new(void); /* NULL: no memory */
struct ofs_ora_credential *ofs_ora_credential_ref(struct ofs_ora_credential *c);
void ofs_ora_credential_unref(struct ofs_ora_credential *c);
OFS_DEFINE_AUTO(struct ofs_ora_credential, ofs_ora_credential_unref)

/* key_id = "ST$" + token; times from its claims.  -ENOMEM. */
int ofs_ora_credential_set_token(struct ofs_ora_credential *c,
                                 const char *token, size_t len) OFS_MUST_CHECK;

struct ofs_ora_auth_cfg;
struct ofs_ora_principal;

struct ofs_ora_principal_ops {
    const char *kind;
    const char *grantee; /* whom a policy names: "group GROUP" */
    const char *advice; /* when its signature is not taken, at most 100 bytes */
    size_t
        bytes; /* of its struct, which begins with struct ofs_ora_principal */
    /*
     * Is there such a principal here?  Fills the struct, which is zeroed, as
     * far as it comes.  -ENOENT: no sign of one (`auto` goes on); else what is
     * wrong with it.
     */
    int (*open)(struct ofs_ora_principal *p, const struct ofs_ora_auth_cfg *cfg,
                struct ofs_call *call, struct ofs_err *err);
    /* A new credential.  Blocks; one call at a time. */
    int (*fetch)(struct ofs_ora_principal *p, struct ofs_call *call,
                 struct ofs_ora_credential **ret, struct ofs_err *err);
    /* Has its file changed?  NULL: never.  Touches no network. */
    bool (*has_changed)(const struct ofs_ora_principal *p);
    void (*done)(struct ofs_ora_principal *p); /* what its struct owns */
};

struct ofs_ora_principal {
    const struct ofs_ora_principal_ops *ops;
    char *tenancy; /* owned; set by open or the first fetch */
    char *region;  /* owned; NULL: it does not say */
};

/* As `open` made it.  A principal that is none (-ENOENT) is not left in *ret. */
int ofs_ora_principal_open(const struct ofs_ora_principal_ops *ops,
                           const struct ofs_ora_auth_cfg *cfg,
                           struct ofs_call *call,
                           struct ofs_ora_principal **ret,
                           struct ofs_err *err) OFS_MUST_CHECK;
void ofs_ora_principal_free(struct ofs_ora_principal *p);
OFS_DEFINE_AUTO(struct ofs_ora_principal, ofs_ora_principal_free)

/* Copies; region NULL: it does not say.  -ENOMEM. */
int ofs_ora_principal_locate(struct ofs_ora_principal *p, const char *tenancy,
                             const char *region,
                             struct ofs_err *err) OFS_MUST_CHECK;

/* A token's file, without white space at its end, appended to `b`. */
int ofs_ora_token_read(const char *path, struct ofs_buf *b,
                       struct ofs_err *err) OFS_MUST_CHECK;

extern const struct ofs_ora_principal_ops ofs_ora_api_key_ops;
extern const struct ofs_ora_principal_ops ofs_ora_session_ops;
extern const struct ofs_ora_principal_ops ofs_ora_instance_ops;
extern const struct ofs_ora_principal_ops ofs_ora_delegation_ops;
extern const struct ofs_ora_principal_ops ofs_ora_resource_ops;
extern const struct ofs_ora_principal_ops ofs_ora_oke_ops;

#endif
