/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Makes room: counts what the blobs take, and removes those that were used
 * longest ago until enough is free.  Whole blobs go, but not their sums.  What
 * is open in any process is refused by its lock and stays.
 *
 * The first count is made in the background after the start; nothing waits
 * for it.
 */

#include "cachedir.h"
#include "lru.h"

#include "ocirfs/log.h"
#include "ocirfs/metrics.h"
#include "ocirfs/str.h"

enum {
    REMEMBERED = 1024, /* oldest blobs of one scan */
    REST_MS = 1000,    /* between two rounds that found nothing to free */
    ROUND_MS = 10 * 60 * 1000, /* at least so often, for the tidying */
};

static struct ofs_metric evicted_bytes = OFS_COUNTER(
    "ocirfs_store_evicted_bytes_total", "Bytes of disk freed for others.");

/* Bytes freed of `want`. */
static uint64_t remove_oldest(struct ofs_cachedir *c, const struct ofs_lru *lru,
                              uint64_t want)
{
    uint64_t freed = 0, one;
    unsigned n = 0;

    for (size_t i = 0; i < lru->n && freed < want; i++) {
        if (ofs_thread_is_stopping(&c->evictor))
            break;
        if (ofs_blobfile_remove(&c->files, &lru->items[i].digest, &one) < 0)
            continue;
        freed += one;
        n++;
    }
    if (n > 0)
        ofs_log(OFS_DEBUG, "store: evicted %u blobs (%s)", n,
                ofs_str_human(freed, (char[16]){ 0 }));
    ofs_metric_add(&evicted_bytes, (int64_t)freed);
    return freed;
}

enum outcome { ENOUGH, MORE, STUCK };

/* One scan and what follows from it. */
static enum outcome make_room(struct ofs_cachedir *c,
                              struct ofs_lru_item *items)
{
    struct ofs_lru lru = { .items = items, .room = REMEMBERED };
    uint64_t used, excess, freed = 0;

    used = ofs_sweep_small(c) + ofs_sweep_blobs(c, &lru);
    excess = ofs_space_excess(&c->space, used);
    if (excess > 0) {
        ofs_lru_sort(&lru);
        freed = remove_oldest(c, &lru, excess);
    }
    ofs_space_counted(&c->space, used > freed ? used - freed : 0);
    if (freed >= excess)
        return ENOUGH;
    return freed > 0 ? MORE : STUCK;
}

static int64_t rest_ms(const struct ofs_cachedir *c)
{
    return c->cfg.retry_ms < REST_MS ? c->cfg.retry_ms : REST_MS;
}

void *ofs_evictor_run(void *cachedir)
{
    struct ofs_cachedir *c = cachedir;
    OFS_AUTOFREE struct ofs_lru_item *items =
        calloc(REMEMBERED, sizeof(*items));

    while (items && !ofs_thread_is_stopping(&c->evictor)) {
        enum outcome outcome = make_room(c, items);

        if (outcome == MORE)
            continue;
        ofs_sweep_notes(c);
        atomic_fetch_add(&c->n_rounds, 1);
        /* All that is left is open: do not scan for each fetch. */
        if (outcome == STUCK)
            ofs_thread_rest(&c->evictor, rest_ms(c));
        if (!ofs_thread_sleep(&c->evictor, ROUND_MS))
            break;
    }
    return NULL;
}
