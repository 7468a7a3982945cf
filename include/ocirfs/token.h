/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TOKEN_H
#define OFS_TOKEN_H

/*
 * What to put into Authorization for a registry: bearer tokens by (origin,
 * scope) with their life, Basic, or nothing.  One fetch at a time for a key,
 * renewed before it ends.  Thread-safe; memory only.
 *
 * A registry tells how it wants to be asked in the challenge of a 401; it is
 * remembered for the origin, so that later requests carry their token at once.
 *
 * A principal of Oracle's cloud (OFS_CRED_SIGNED) signs the request for a
 * token; it always goes to the registry's own origin, wherever the challenge
 * points.
 *
 * Source: distribution token specification; RFC 6750; RFC 7617.
 */

#include "ocirfs/call.h"
#include "ocirfs/clock.h"
#include "ocirfs/cred.h"
#include "ocirfs/digest.h"
#include "ocirfs/http.h"

struct ofs_tokens_cfg {
    struct ofs_http *http;
    struct ofs_cred_source creds;
    struct ofs_cred_source more_creds; /* where `creds` have nothing, or what
                                          they have is refused; may be empty */
    bool refusal_is_final;             /* but only where `creds` have nothing */
    const struct ofs_clock *clock;
    const char *client_id; /* "ocirfs" */
    bool allow_plain_http; /* realm over http elsewhere than on loopback */
};

struct ofs_tokens;

struct ofs_tokens *ofs_tokens_new(const struct ofs_tokens_cfg *cfg,
                                  struct ofs_err *err);
void ofs_tokens_free(struct ofs_tokens *t); /* wipes */
OFS_DEFINE_AUTO(struct ofs_tokens, ofs_tokens_free)

/*
 * The Authorization value to begin with, for a request to `origin` (as
 * ofs_url_origin writes it) that needs `scope` ("repository:a/b:pull", or ""
 * for none).  Empty secret: send none (no challenge seen yet, or anonymous
 * Basic).  May fetch a token; blocks as `call` allows.  -EACCES: the token
 * server refuses the credentials; else as ofs_http_do.
 */
int ofs_tokens_get(struct ofs_tokens *t, struct ofs_call *call,
                   const char *origin, const char *scope,
                   struct ofs_secret *ret, struct ofs_err *err) OFS_MUST_CHECK;

/*
 * After a 401 for a request that carried `used` (may be empty): learn the
 * challenge and get a value that is not `used`.  -EACCES: there is none (no
 * credentials for Basic, or the renewed one equals `used`); -EPROTO: no
 * challenge we understand; -EBADMSG: a realm we must not talk to.
 */
int ofs_tokens_renew(struct ofs_tokens *t, struct ofs_call *call,
                     const char *origin, const char *scope,
                     const struct ofs_headers *challenge,
                     const struct ofs_secret *used, struct ofs_secret *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;

/*
 * As whom `repo` of `origin` is asked: the same after a renewal and with
 * another password of the same user; anonymous is one, too.  Nothing secret.
 * Asks for credentials as `call` allows; -EAGAIN and their other errors:
 * nobody knows.
 */
int ofs_tokens_who(struct ofs_tokens *t, struct ofs_call *call,
                   const char *origin, const char *repo,
                   struct ofs_digest *ret) OFS_MUST_CHECK;

#endif
