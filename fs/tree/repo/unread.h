/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_UNREAD_H
#define OFS_UNREAD_H

/*
 * Manifests and configurations of one repository that could not be had lately:
 * the last few, so that what is damaged, blocked or slow in a registry is not
 * asked for again and again by whoever looks at its neighbours.  Knows no
 * network; not thread-safe.
 */

#include "ocirfs/digest.h"

#include <stdbool.h>
#include <stdint.h>

enum { OFS_UNREAD = 32 };

struct ofs_unread_one {
    struct ofs_digest digest; /* alg 0: free */
    int code;                 /* how asking for it ended */
    int64_t at_ms;            /* when */
};

struct ofs_unread {
    struct ofs_unread_one at[OFS_UNREAD];
    unsigned next; /* is overwritten next */
};

/* How asking for it ended less than `for_ms` ago; 0: nobody has. */
int ofs_unread_find(const struct ofs_unread *u, const struct ofs_digest *digest,
                    int64_t now_ms, int64_t for_ms);

/* It could not be had.  False: it was so the last time, too. */
bool ofs_unread_note(struct ofs_unread *u, const struct ofs_digest *digest,
                     int code, int64_t now_ms);

#endif
