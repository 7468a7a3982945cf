/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_ERROR_H
#define OFS_REG_ERROR_H

/* What a registry says when it refuses.  Pure; takes foreign bytes. */

#include "ocirfs/http.h"

/* The registry's own words, harmless for a terminal; "" when it said none. */
struct reg_words {
    char id[48];    /* "MANIFEST_UNKNOWN" */
    char text[160]; /* "manifest unknown" */
};

/*
 * From an error body: {"errors":[{"code","message","detail"}]}, an object
 * with code and message, {"error":"..."}, or one line of plain text.
 */
void ofs_reg_words(const char *body, size_t len, const char *content_type,
                   struct reg_words *ret);

/*
 * Status and words -> negative errno, for any status but 2xx.  -EDQUOT and
 * -EPERM (immutable) have no status of their own: registries say them in words.
 */
int ofs_reg_errno(int status, const struct reg_words *words);

/*
 * Record a refusal: "<host>: <what>: <words> (<code>, <status>)", with the
 * registry's id of the request.  Returns the errno.
 */
int ofs_reg_refused(const char *host, const char *what,
                    const struct ofs_http_resp *resp, struct ofs_err *err);

/* Is that a word for what a push needs, and the registry had? */
bool ofs_reg_is_lost(const char *id);

/*
 * What a push that failed with `r` is to its user: -EBADMSG says that the bytes
 * do not have their digest, -ENOENT that there is no such repository; where a
 * registry breaks the protocol or loses what it had, it is -EIO instead.
 */
int ofs_reg_push_errno(int r, struct ofs_err *err);

#endif
