/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HOP_H
#define OFS_HOP_H

/*
 * One station of a request: where it goes next, with which method, and what
 * may go along.  Pure.  Source: RFC 9110, 15.4; and as all clients do it: a
 * POST becomes a GET after 301 and 302.
 */

#include "ocirfs/url.h"

struct ofs_hop {
    struct ofs_url url; /* owned */
    const char *method; /* borrowed */
    bool authorize;     /* still on the origin the credentials are for */
    bool body;          /* false: a redirect left the request's body behind */
};

/* 301, 302, 303, 307, 308. */
bool ofs_hop_is_redirect(int status);

/*
 * Go on to `location`.  Credentials that were left behind stay behind, also
 * when a later hop leads back: the foreign server chose that URL.  -EBADMSG:
 * `location` is no URL, or no redirect may go there; *hop is untouched.
 */
int ofs_hop_follow(struct ofs_hop *hop, int status, const char *location,
                   struct ofs_err *err) OFS_MUST_CHECK;

/* Does this header line of the caller's ("Name: value") go along? */
bool ofs_hop_takes(const struct ofs_hop *hop, const char *line);

void ofs_hop_done(struct ofs_hop *hop);

#endif
