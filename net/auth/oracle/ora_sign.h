/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_SIGN_H
#define OFS_ORA_SIGN_H

/*
 * OCI request signature, version 1 (draft-cavage-http-signatures-08,
 * RSA-SHA256).  Pure but for the key.
 */

#include "ora_key.h"

#include "ocirfs/str.h"

#include <stdbool.h>

struct ofs_ora_request {
    const char *method;    /* "GET" */
    const char *target;    /* path and query as on the wire */
    const char *host;      /* with the port when it is not the default */
    const char *date;      /* ofs_ora_date() */
    bool sign_date;        /* the field is `date`; else `x-date` (federation) */
    const void *body;      /* POST and PUT have one, if only an empty one */
    size_t body_len;       /* bytes */
    const char *obo_token; /* delegation; NULL: none */
};

enum { OFS_ORA_DATE_MAX = 80 }; /* 30 are used; gcc counts with any int */

/* "Mon, 05 Jan 2026 21:31:40 GMT", in no locale but English. */
void ofs_ora_date(int64_t wall_s, char ret[OFS_ORA_DATE_MAX]);

/* The exact bytes that are signed. */
int ofs_ora_signing_string(const struct ofs_ora_request *r,
                           struct ofs_buf *b) OFS_MUST_CHECK;

/* Add the header lines to send to `headers`.  -ENOMEM, -EIO. */
int ofs_ora_sign(const struct ofs_ora_request *r, const char *key_id,
                 const struct ofs_ora_key *key,
                 struct ofs_strv *headers) OFS_MUST_CHECK;

#endif
