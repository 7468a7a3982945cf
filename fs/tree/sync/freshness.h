/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FRESHNESS_H
#define OFS_FRESHNESS_H

/*
 * How long an answer of the registry is good, and what to do when it is not
 * any more.  Pure: time is an argument.  All times in ms of one clock.
 */

#include <stdbool.h>
#include <stdint.h>

/* When something was learnt of which only a note of another day tells. */
#define OFS_LONG_AGO INT64_MIN

enum {
    /* How long a listing that is known is held back for a newer one. */
    OFS_PATIENCE_MS = 1000,
    /* What the kernel may rely on when the registry could not be asked. */
    OFS_STALE_VALID_MS = 1000,
    /* A registry without a catalog is asked for one again. */
    OFS_NO_CATALOG_MS = 60 * 1000,
    /* Tags wanted so long after a listing are wanted because of it ... */
    OFS_LISTED_MS = 30 * 1000,
    /* ... and the second one tells `ls -l` from a single file. */
    OFS_PREFETCH_MISSES = 2,
    /* A prefetch ends when no tag of it was asked for so long. */
    OFS_PREFETCH_IDLE_MS = 5000,
};

/* What is known of a list of names: of a repository's tags, the catalog. */
enum ofs_listing_state {
    OFS_LIST_UNKNOWN,
    OFS_LIST_KNOWN,
    OFS_LIST_REFUSED, /* the last answer was "no such", or "not for you" */
};

enum ofs_fresh_step {
    OFS_FRESH_USE,     /* as it is, without a request */
    OFS_FRESH_ASK,     /* wait for the registry */
    OFS_FRESH_REFRESH, /* ask, but do not wait for long: it is known */
};

/* Milliseconds an answer of `at` is good; 0: ask again. */
int64_t ofs_fresh_left(int64_t at, int64_t now, int64_t ttl);

struct ofs_fresh_view {
    enum ofs_listing_state state;
    int64_t at, now;
    int64_t ttl, negative_ttl;
};
enum ofs_fresh_step ofs_fresh_step(const struct ofs_fresh_view *v);

/* Does the n-th tag asked for since a listing make all be fetched? */
bool ofs_fresh_prefetch(int64_t listed_at, int64_t now, unsigned n_misses);

#endif
