/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_URL_H
#define OFS_URL_H

/*
 * URLs as this program needs them: http and https, resolve, compare origins,
 * redirect rules, and a form that may be logged.  Pure; no network.
 * Source: RFC 3986; RFC 9110, 15.4.
 */

#include "ocirfs/buf.h"

#include <stdbool.h>

struct ofs_url {
    char *text;   /* the whole, as sent; owned; the others too */
    char *scheme; /* "http" or "https" */
    char *host;   /* lower case; IPv6 in its brackets */
    int port;     /* explicit or the scheme's default */
    char *target; /* path and query, begins with '/' */
};

/*
 * -EBADMSG: not http(s), no host, user:password@ given, control characters,
 * white space, or longer than 16384 bytes; a fragment is dropped.
 */
int ofs_url_parse(const char *text, struct ofs_url *ret,
                  struct ofs_err *err) OFS_MUST_CHECK;
void ofs_url_done(struct ofs_url *u);
#define OFS_AUTOURL OFS_AUTO(ofs_url_done)

/* Resolve a reference (absolute, "//host/…", "/path", "path", "?q") as a server
 * wrote it: a space becomes "%20". */
int ofs_url_resolve(const struct ofs_url *base, const char *raw,
                    struct ofs_url *ret, struct ofs_err *err) OFS_MUST_CHECK;

/* Scheme, host and port equal: credentials of the one may go to the other. */
bool ofs_url_same_origin(const struct ofs_url *a, const struct ofs_url *b);

/* "https://host" or "https://host:port" when the port is not the default. */
int ofs_url_origin(const struct ofs_url *u, struct ofs_buf *b);

/* 127.0.0.0/8, [::1], localhost. */
bool ofs_url_is_loopback(const struct ofs_url *u);

/*
 * May a request to `from` go on at `to`?  0, or -EBADMSG with the reason:
 * https never falls to http; loopback is never reached from elsewhere.
 */
int ofs_url_may_redirect(const struct ofs_url *from, const struct ofs_url *to,
                         struct ofs_err *err);

/*
 * Append a form for logs: what follows '?' becomes "…" because signed
 * redirect targets carry their signature there.
 */
int ofs_url_redact(struct ofs_buf *b, const char *url);

#endif
