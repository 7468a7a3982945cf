/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which chunks of a blob to fetch next.  Decided only when a thread is free
 * to fetch them, so a reader that has moved on or given up leaves no queue of
 * ranges behind that nobody wants any more.
 *
 *   1. what a reader waits for, first come, first served; where its handle
 *      reads in sequence the same request goes on through the window;
 *   2. what lies ahead of the handles;
 *   3. all that is missing, while somebody waits for the verdict.
 */

#include "store_priv.h"

enum {
    AHEAD_FETCHES = 6,             /* of one blob at a time, not waited for */
    AHEAD_BYTES = 2 * 1024 * 1024, /* so much may always be under way */
    JUDGE_MS = 2000,               /* of fetching tell how fast the line is */
    CHUNKS_MEMORY = 4,             /* of one fetch into memory */
    CHUNKS_AHEAD_MEMORY = 8,       /* of the chain, on its way to the verdict */
    CHUNKS_MAX = OFS_RA_PIECE_MAX / OFS_CHUNK_BYTES,
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The first ABSENT one of [i, end); end: none. */
static uint32_t next_absent(const struct ofs_object *o, uint32_t i,
                            uint32_t end)
{
    while (i < end && ofs_object_state(o, i) != OFS_ABSENT)
        i++;
    return i;
}

/* How many from `first` on are ABSENT, at most up to `end`. */
static uint32_t absent_run(const struct ofs_object *o, uint32_t first,
                           uint32_t end)
{
    uint32_t i = first;

    while (i < end && ofs_object_state(o, i) == OFS_ABSENT)
        i++;
    return i - first;
}

static uint32_t chunks_of(uint64_t bytes)
{
    return (uint32_t)((bytes + OFS_CHUNK_BYTES - 1) / OFS_CHUNK_BYTES);
}

/* Fetches of one blob that readers wait for; others must get on as well. */
static unsigned urgent_limit(const struct ofs_object *o)
{
    unsigned half = o->store->cfg.max_transfers / 2;

    return half > AHEAD_FETCHES ? half : AHEAD_FETCHES;
}

/* Who was told of a failure has not woken up yet; what it wants next is for
 * it to say. */
static bool may_fetch(const struct ofs_want *w)
{
    return w->blob && w->blob->source && !w->failed &&
           w->await != OFS_AWAIT_READY;
}

static bool pick_wanted(struct ofs_object *o, uint32_t most,
                        struct ofs_pick *ret)
{
    for (struct ofs_want *w = o->wants; w; w = w->next) {
        const struct ofs_readahead *ra;
        uint32_t end = w->last + 1, limit = most, i;

        if (!may_fetch(w))
            continue;
        i = next_absent(o, w->first, end);
        if (i == end)
            continue;
        ra = &w->blob->ra;
        if (ra->from < ra->to) {
            end = chunks_of(ra->to) > end ? chunks_of(ra->to) : end;
            limit = min_u32(limit, chunks_of(ra->piece));
        }
        ret->first = i;
        ret->n = absent_run(o, i, min_u32(end, i + limit));
        ret->source = w->blob->source;
        return true;
    }
    return false;
}

static bool pick_ahead(struct ofs_object *o, uint32_t most,
                       struct ofs_pick *ret)
{
    for (struct ofs_blob *b = o->blobs; b; b = b->next) {
        uint32_t end = chunks_of(b->ra.to), i;

        if (!b->source || b->ra.from >= b->ra.to)
            continue;
        i = next_absent(o, (uint32_t)(b->ra.from / OFS_CHUNK_BYTES), end);
        if (i == end)
            continue;
        most = min_u32(most, chunks_of(b->ra.piece));
        ret->first = i;
        ret->n = absent_run(o, i, min_u32(end, i + most));
        ret->source = b->source;
        return true;
    }
    return false;
}

static struct ofs_source *any_source(const struct ofs_object *o)
{
    for (const struct ofs_blob *b = o->blobs; b; b = b->next)
        if (b->source)
            return b->source;
    return NULL;
}

static bool pick_demanded(struct ofs_object *o, bool memory, uint32_t most,
                          struct ofs_pick *ret)
{
    uint32_t end = o->n_chunks, i;
    struct ofs_source *source = any_source(o);

    if (!o->demand || !source)
        return false;
    if (memory)
        end = min_u32(end, o->hashed + CHUNKS_AHEAD_MEMORY);
    if (o->demand_at < o->hashed)
        o->demand_at = o->hashed;
    i = o->demand_at = next_absent(o, o->demand_at, end);
    if (i >= end)
        return false;
    ret->first = i;
    ret->n = absent_run(o, i, min_u32(end, i + most));
    ret->source = source;
    return true;
}

/*
 * Fetches share the line, so on a slow one those for later take their part
 * from the one that a reader waits for.  What is under way must not be more
 * than came in the last seconds - once there have been some to judge by.
 */
static bool is_enough(const struct ofs_object *o, int64_t now_ms)
{
    uint64_t under_way = (uint64_t)o->n_coming * OFS_CHUNK_BYTES;

    return o->n_fetches >= AHEAD_FETCHES ||
           (o->n_fetches > 0 && under_way > AHEAD_BYTES &&
            now_ms - o->busy_since_ms > JUDGE_MS &&
            under_way > OFS_RATE_SLOTS * ofs_rate_get(&o->rate, now_ms));
}

void ofs_pick(struct ofs_object *o, bool memory, int64_t now_ms,
              struct ofs_pick *ret)
{
    uint32_t most = memory ? CHUNKS_MEMORY : CHUNKS_MAX;

    *ret = (struct ofs_pick){ 0 };
    if (o->broken || !o->ready || o->n_fetches >= urgent_limit(o))
        return;
    if (pick_wanted(o, most, ret) || is_enough(o, now_ms))
        return;
    if (!pick_ahead(o, most, ret))
        (void)pick_demanded(o, memory, most, ret);
}

bool ofs_pick_any(struct ofs_object *o)
{
    struct ofs_pick pick;

    ofs_pick(o, !ofs_blobfile_is_open(&o->file) || o->file_bad,
             ofs_store_now_ms(o->store), &pick);
    return pick.n > 0;
}
