/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CRED_H
#define OFS_CRED_H

/*
 * A credential for a registry, wherever it came from.  A value, wiped when it
 * goes; not thread-safe.  Knows nothing of files, helpers or the network.
 */

#include "ocirfs/secret.h"

#include <stdbool.h>

struct ofs_ora_auth;

enum ofs_cred_kind {
    OFS_CRED_NONE,     /* anonymous */
    OFS_CRED_BASIC,    /* user and password */
    OFS_CRED_IDENTITY, /* secret is an OAuth refresh token */
    OFS_CRED_BEARER,   /* secret is a bearer token for the registry itself */
    OFS_CRED_SIGNED,   /* no secret: a principal signs the token's request */
};

struct ofs_cred {
    enum ofs_cred_kind kind;
    char *user; /* owned; NULL unless BASIC */
    struct ofs_secret secret;
    struct ofs_ora_auth *principal; /* borrowed; NULL unless SIGNED */
    char *origin; /* owned; where it came from, for messages; NULL: nowhere */
};

void ofs_cred_done(struct ofs_cred *c); /* wipes, leaves NONE */
#define OFS_AUTOCRED OFS_AUTO(ofs_cred_done)

/*
 * Copies of all.  A BASIC user "<token>" makes it an IDENTITY, as helpers mean
 * it.  -EBADMSG: a colon in the user name, a NUL or control character in
 * either, or a BEARER that cannot stand in a header; -ENOMEM.  The sentence
 * tells what is wrong, never what it was.  `ret` was empty before.
 */
int ofs_cred_make(enum ofs_cred_kind kind, const char *user,
                  const struct ofs_secret *secret, const char *origin,
                  struct ofs_cred *ret, struct ofs_err *err) OFS_MUST_CHECK;

/* Of a principal of Oracle's cloud, which must outlive it.  -ENOMEM. */
int ofs_cred_sign(struct ofs_ora_auth *principal, const char *origin,
                  struct ofs_cred *ret) OFS_MUST_CHECK;

/* `ret` was empty before.  -ENOMEM. */
int ofs_cred_copy(const struct ofs_cred *from,
                  struct ofs_cred *ret) OFS_MUST_CHECK;

/* Same kind, user and secret; where they came from does not matter. */
bool ofs_cred_equal(const struct ofs_cred *a, const struct ofs_cred *b);

/* "Basic ..." of user (NULL: empty) and secret.  -ENOMEM. */
int ofs_cred_basic(const struct ofs_cred *c,
                   struct ofs_secret *ret) OFS_MUST_CHECK;

/* Can it be sent as a bearer token: visible ASCII, not empty? */
bool ofs_cred_is_token(const char *text, size_t len);

/* Where credentials come from: docker's files, cloud principals. */
struct ofs_call;
struct ofs_cred_source {
    /* Kind NONE when there is none.  `ret` is empty before.  May block. */
    int (*find)(void *arg, struct ofs_call *call, const char *host,
                const char *repo, struct ofs_cred *ret, struct ofs_err *err);
    /* What was found for `host` was refused: look anew.  NULL: no memory. */
    void (*forget)(void *arg, const char *host);
    void *arg;
};

#endif
