/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BLOBANSWER_H
#define OFS_BLOBANSWER_H

/*
 * What to make of a successful answer to a request for a part of a blob.
 * Pure.  Source: RFC 9110, 14.
 */

#include "ocirfs/httphdr.h"

struct blob_want {
    uint64_t off, len; /* bytes; len > 0, within size */
    uint64_t size;     /* of the whole blob */
    bool ranged;       /* a range was asked for */
};

struct blob_plan {
    uint64_t skip; /* bytes of the body before the first that is wanted */
    uint64_t take; /* bytes to take then, at least 1, at most want.len */
    uint64_t rest; /* bytes that will follow them */
    bool ignored_range;
};

/*
 * 0 and a plan; -ERANGE: not what was asked for, ask for the whole instead;
 * -EBADMSG: it is another blob, of another size.
 */
int ofs_blob_answer(int status, const struct ofs_headers *headers,
                    const struct blob_want *want, struct blob_plan *ret,
                    struct ofs_err *err) OFS_MUST_CHECK;

/*
 * May this status be of the range, so that asking for the whole helps?  There
 * are servers and proxies that know of no ranges and say so in all ways.
 */
bool ofs_blob_refuses_ranges(int status);

/* The total that a 416 tells, if it tells one. */
bool ofs_blob_total(const struct ofs_headers *headers, uint64_t *ret_total);

#endif
