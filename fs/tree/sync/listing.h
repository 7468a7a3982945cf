/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LISTING_H
#define OFS_LISTING_H

/*
 * A list of names that the registry gives: when it was asked last, and what
 * came of it.  The names themselves are the owner's; refresh.h asks again.
 */

#include "freshness.h"

struct ofs_batch;

/* Guarded by the owner's mutex. */
struct ofs_listing {
    enum ofs_listing_state state;
    int code;      /* of REFUSED: -ENOENT or -EACCES */
    int64_t at_ms; /* when asked; OFS_LONG_AGO: known from a note */
    int64_t ttl_ms;
    struct ofs_batch *refresh; /* under way in the background; or NULL */
};

/*
 * With the owner's mutex held: the answer to a question asked at `asked_ms`:
 * 0, -ENOENT or -EACCES.
 */
static inline void ofs_listing_said(struct ofs_listing *l, int64_t asked_ms,
                                    int code)
{
    l->state = code < 0 ? OFS_LIST_REFUSED : OFS_LIST_KNOWN;
    l->code = code;
    l->at_ms = asked_ms;
}

#endif
