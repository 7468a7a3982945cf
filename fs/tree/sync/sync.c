/* SPDX-License-Identifier: Apache-2.0 */
#include "sync.h"

#include "batch.h"

int ofs_sync_init(struct ofs_sync *s, const struct ofs_sync_cfg *cfg)
{
    *s = (struct ofs_sync){
        .clock = cfg->clock ? cfg->clock : &ofs_system_clock,
        .ttl_ms = cfg->ttl_ms,
        .negative_ttl_ms = cfg->negative_ttl_ms,
        .flights = ofs_flights_new(),
        .batches = ofs_batches_new(cfg->max_parallel),
    };
    return s->flights && s->batches ? 0 : -ENOMEM;
}

void ofs_sync_stop(struct ofs_sync *s)
{
    if (s->batches)
        ofs_batches_stop(s->batches);
}

void ofs_sync_done(struct ofs_sync *s)
{
    ofs_batches_free(s->batches);
    ofs_flights_free(s->flights);
}
