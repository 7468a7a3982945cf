/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SYNC_H
#define OFS_SYNC_H

/*
 * What everything that keeps answers of a server needs: the time, how long an
 * answer is good, one request for all who want the same, and threads for
 * requests that nobody waits for.
 */

#include "ocirfs/clock.h"
#include "ocirfs/flight.h"

#include "freshness.h"

#include <stdatomic.h>

struct ofs_batches;

struct ofs_sync_cfg {
    const struct ofs_clock *clock; /* NULL: the system's */
    int64_t ttl_ms;                /* of an answer */
    int64_t negative_ttl_ms;       /* of "there is no such" */
    unsigned max_parallel;         /* requests of batches; 0: a default */
};

struct ofs_sync {
    const struct ofs_clock *clock;
    int64_t ttl_ms, negative_ttl_ms;
    struct ofs_flights *flights;
    struct ofs_batches *batches;
    atomic_bool suspect; /* the registry kept somebody waiting too long */
};

int ofs_sync_init(struct ofs_sync *s,
                  const struct ofs_sync_cfg *cfg) OFS_MUST_CHECK;
/* Ends what runs in the background; blocks until then. */
void ofs_sync_stop(struct ofs_sync *s);
void ofs_sync_done(struct ofs_sync *s);

static inline int64_t ofs_sync_now(const struct ofs_sync *s)
{
    return s->clock->mono_ms(s->clock);
}

/* What the kernel may rely on for an answer that is good for `left` more. */
static inline int64_t ofs_sync_valid(const struct ofs_sync *s, int64_t left)
{
    int64_t stale =
        s->ttl_ms < OFS_STALE_VALID_MS ? s->ttl_ms : OFS_STALE_VALID_MS;

    return left > 0 ? left : stale;
}

#endif
