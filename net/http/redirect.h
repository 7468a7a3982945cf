/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REDIRECT_H
#define OFS_REDIRECT_H

/*
 * One station of a request: where it goes next, with which method, and what
 * may go along.  Pure.  Source: RFC 9110, 15.4; and as all clients do it: a
 * POST becomes a GET after 301 and 302.
 */

#include "ocirfs/url.h"

struct ofs_redirect {
    struct ofs_url url; /* owned */
    const char *method; /* borrowed */
    bool authorize;     /* still on the origin the credentials are for */
    bool body;          /* false: a redirect left the request's body behind */
};

/* 301, 302, 303, 307, 308. */
bool ofs_redirect_is_one(int status);

/*
 * Go on to `location`.  Credentials that were left behind stay behind, also
 * when a later hop leads back: the foreign server chose that URL.  -EBADMSG:
 * `location` is no URL, or no redirect may go there; *hop is untouched.
 */
int ofs_redirect_follow(struct ofs_redirect *hop, int status,
                        const char *location,
                        struct ofs_err *err) OFS_MUST_CHECK;

/* Does this header line of the caller's ("Name: value") go along? */
bool ofs_redirect_takes(const struct ofs_redirect *hop, const char *line);

void ofs_redirect_done(struct ofs_redirect *hop);

#endif
