/* SPDX-License-Identifier: Apache-2.0 */
#include "freshness.h"

#include <errno.h>

int64_t ofs_fresh_left(int64_t at, int64_t now, int64_t ttl)
{
    if (at == OFS_LONG_AGO)
        return 0;
    /* Answers carry the time of their question, which may be a thread's
     * that looked at the clock after us. */
    if (now <= at)
        return ttl;
    return now - at < ttl ? ttl - (now - at) : 0;
}

enum ofs_fresh_step ofs_fresh_step(const struct ofs_fresh_view *v)
{
    if (v->state == OFS_LIST_UNKNOWN)
        return OFS_FRESH_ASK;
    if (v->state == OFS_LIST_REFUSED)
        return ofs_fresh_left(v->at, v->now, v->negative_ttl) > 0
                   ? OFS_FRESH_USE
                   : OFS_FRESH_ASK;
    if (ofs_fresh_left(v->at, v->now, v->ttl) > 0)
        return OFS_FRESH_USE;
    return v->at == OFS_LONG_AGO ? OFS_FRESH_ASK : OFS_FRESH_REFRESH;
}

bool ofs_fresh_prefetch(int64_t listed_at, int64_t now, unsigned n_misses)
{
    return n_misses >= OFS_PREFETCH_MISSES &&
           ofs_fresh_left(listed_at, now, OFS_LISTED_MS) > 0;
}
