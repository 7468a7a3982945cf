/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TOKEN_REQUEST_H
#define OFS_TOKEN_REQUEST_H

/*
 * Where a token is asked for and with which words: realm, scopes, the query of
 * a GET and the form of a POST.  Pure.
 *
 * Source: distribution token specification and its OAuth2 form.
 */

#include "ocirfs/buf.h"
#include "ocirfs/secret.h"
#include "ocirfs/url.h"

/*
 * May credentials of the registry at `origin` go to `realm`?
 *
 * To any https host: the registry could ask for them itself, they are its own,
 * and it was TLS that said who it is.  Over http only on this machine, to a
 * registry that is on it too, or with the user's leave.  Never from elsewhere
 * to a service of this machine.
 *
 * 0 and the parsed realm, or -EBADMSG with the reason.
 */
int ofs_token_realm(const char *realm, const char *origin,
                    bool allow_plain_http, struct ofs_url *ret,
                    struct ofs_err *err) OFS_MUST_CHECK;

/* "registry.example:5000" of an origin; borrowed. */
const char *ofs_token_host(const char *origin);

/* The name in the first "repository:NAME:actions" of a list of scopes; NULL:
 * there is none, or no memory.  Owned by the caller. */
char *ofs_token_repo(const char *scopes);

/* Is each scope of the list `wanted` in the list `asked`?  Names with other
 * actions are others. */
bool ofs_token_covers(const char *asked, const char *wanted);

/* Append `more` to the list in `b`, without those that are there already. */
int ofs_token_add_scopes(struct ofs_buf *b, const char *more);

/* "<realm>?service=..&scope=..&scope=..".  `service` may be NULL. */
int ofs_token_get_url(struct ofs_buf *b, const char *realm, const char *service,
                      const char *scopes);

/* The form that turns a refresh token into a bearer token. */
struct ofs_token_form {
    const char *service, *client_id, *scopes; /* service may be NULL */
    const struct ofs_secret *refresh;
};
int ofs_token_post_form(struct ofs_buf *b, const struct ofs_token_form *form);

#endif
