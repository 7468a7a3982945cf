/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LRU_H
#define OFS_LRU_H

/*
 * Which blobs go first, and how many.  Pure.  A cache may hold more blobs
 * than should be kept in memory, so a scan offers each and only the oldest
 * `room` of them are remembered.
 */

#include "ocirfs/digest.h"

struct ofs_lru_item {
    int64_t used_s; /* last use, seconds since 1970 */
    uint64_t bytes; /* on disk */
    struct ofs_digest digest;
};

struct ofs_lru {
    struct ofs_lru_item *items; /* the caller's, `room` of them */
    size_t room, n;
};

void ofs_lru_offer(struct ofs_lru *l, const struct ofs_lru_item *item);

/* Oldest first; of the same age the larger first.  Offer no more then. */
void ofs_lru_sort(struct ofs_lru *l);

/*
 * Bytes to free now, 0 for none.  `max`: most the blobs may take, 0 for no
 * limit; `disk` and `disk_free`: of the disk; `min_free_pct`: of it to be
 * kept free.  It begins a little before a limit is reached and goes on a
 * little further than it must, so that it need not begin again at once.
 */
uint64_t ofs_lru_excess(uint64_t used, uint64_t max, uint64_t disk,
                        uint64_t disk_free, unsigned min_free_pct);

#endif
