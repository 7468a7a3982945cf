/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TOKEN_FETCH_H
#define OFS_TOKEN_FETCH_H

/*
 * One Authorization value, made anew: credentials, then a token server where
 * the challenge names one.  Remembers nothing.  Thread-safe.
 *
 * Source: distribution token specification.
 */

#include "challenge.h"

#include "ocirfs/call.h"
#include "ocirfs/cred.h"
#include "ocirfs/http.h"

struct ofs_token_ask {
    struct ofs_http *http;
    const struct ofs_cred_source *creds, *more_creds; /* as in token.h */
    bool refusal_is_final;
    const char *client_id;
    bool allow_plain_http;
    const char *origin, *scopes; /* scopes: a list with spaces, or "" */
    const struct ofs_challenge *challenge;
    const struct ofs_secret *refused; /* a value that did not do; NULL: none */
};

struct ofs_token_value {
    struct ofs_secret authorization; /* "Bearer ..", "Basic ..", or empty */
    int64_t life_ms;                 /* from now; OFS_NEVER: no end known */
};

void ofs_token_value_done(struct ofs_token_value *v);
#define OFS_AUTOTOKENVALUE OFS_AUTO(ofs_token_value_done)

/*
 * Blocks as `call` allows.  Credentials that are refused, or that give what
 * was refused, are looked up anew once.  An empty value is what Basic without
 * credentials gives, unless something was refused.
 *
 * -EACCES refused, or nothing better to be had; -EBADMSG a realm that must not
 * be talked to, or an answer that is none; -EBUSY, -ETIMEDOUT, -EIO the token
 * server's trouble; else as ofs_http_do and the credential source.
 */
int ofs_token_fetch(const struct ofs_token_ask *ask, struct ofs_call *call,
                    struct ofs_token_value *ret,
                    struct ofs_err *err) OFS_MUST_CHECK;

#endif
