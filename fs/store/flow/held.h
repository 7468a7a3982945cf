/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HELD_H
#define OFS_HELD_H

/*
 * Chunks in memory, for blobs that cannot be kept on disk.  One pool for the
 * whole store with a budget: beyond it the least recently used chunk that
 * nobody has pinned is dropped.  Pinned ones may exceed it; they are bounded
 * by the readers that wait and the fetches under way.  Thread-safe; takes
 * OFS_RANK_INFLIGHT.
 */

#include "ocirfs/lock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofs_held {
    struct ofs_held *next, *prev; /* guarded by the pool, as pins */
    const void *owner;            /* an identity only */
    uint32_t chunk;
    unsigned pins;
    int attempt;    /* of the source that gave it; the owner's */
    bool vouched;   /* guarded by the owner's mutex */
    uint8_t data[]; /* written by who made it until it is published */
};

struct ofs_held_pool {
    struct ofs_mutex mtx;
    struct ofs_held *first, *last; /* most recently used first */
    size_t n, budget;              /* chunks */
};

void ofs_held_init(struct ofs_held_pool *p, size_t budget);
void ofs_held_done(struct ofs_held_pool *p);

/* Room for a chunk, pinned, found by nobody yet.  NULL: no memory. */
struct ofs_held *ofs_held_new(struct ofs_held_pool *p, const void *owner,
                              uint32_t chunk);
/* From now on it is found. */
void ofs_held_publish(struct ofs_held_pool *p, struct ofs_held *h);

/* Pinned, or NULL when it is not there any more. */
struct ofs_held *ofs_held_get(struct ofs_held_pool *p, const void *owner,
                              uint32_t chunk);
void ofs_held_pin(struct ofs_held_pool *p, struct ofs_held *h);
void ofs_held_unpin(struct ofs_held_pool *p, struct ofs_held *h); /* or NULL */

/* It has been read to its end: the first to go.  What was fetched ahead has
 * not been used for longer, but will be. */
void ofs_held_use_up(struct ofs_held_pool *p, struct ofs_held *h);

/* Not to be found again; who has pinned it keeps it. */
void ofs_held_drop(struct ofs_held_pool *p, struct ofs_held *h);
void ofs_held_drop_all(struct ofs_held_pool *p, const void *owner);

#endif
