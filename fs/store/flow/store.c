/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/store.h"

#include "store_priv.h"

enum {
    MAX_TRANSFERS = 16,
    READ_TIMEOUT_MS = 30 * 1000,
    HELD_CHUNKS = 96, /* 24 MiB: eight blobs, each read ahead by 3 MiB */
    RETRY_MS = 10 * 1000,
    PATIENCE_MS = 2000,
    MAX_QUARANTINED = 4,
    SUMS_DAYS = 30,
};
#define MAX_QUARANTINE_BYTES ((uint64_t)1 << 30)

static void fill_in(struct ofs_store_cfg *c, struct ofs_store_tweaks *t)
{
    if (c->max_transfers == 0)
        c->max_transfers = MAX_TRANSFERS;
    if (c->read_timeout_ms == 0)
        c->read_timeout_ms = READ_TIMEOUT_MS;
    if (!c->clock)
        c->clock = &ofs_system_clock;
    if (t->held_chunks == 0)
        t->held_chunks = HELD_CHUNKS;
    if (t->retry_ms == 0)
        t->retry_ms = RETRY_MS;
    if (t->patience_ms == 0)
        t->patience_ms = PATIENCE_MS;
    if (t->max_quarantined == 0)
        t->max_quarantined = MAX_QUARANTINED;
    if (t->max_quarantine_bytes == 0)
        t->max_quarantine_bytes = MAX_QUARANTINE_BYTES;
    if (t->sums_days == 0)
        t->sums_days = SUMS_DAYS;
}

/* Those below tell these above: store_priv.h. */
static const struct ofs_flow_events events = {
    .arrived = ofs_hasher_kick,
    .wants = ofs_sched_kick,
    .abandoned = ofs_sched_abandon,
};

static struct ofs_store *store_new(const struct ofs_store_cfg *cfg,
                                   const struct ofs_store_tweaks *tweaks)
{
    struct ofs_store *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->cfg = *cfg;
    if (tweaks)
        s->tweaks = *tweaks;
    fill_in(&s->cfg, &s->tweaks);
    s->events = &events;
    ofs_mutex_init(&s->mtx, OFS_RANK_STORE);
    ofs_damaged_init(&s->damaged);
    ofs_sched_init(s);
    ofs_hasher_init(s);
    ofs_held_init(&s->held, s->tweaks.held_chunks);
    ofs_thread_init(&s->watcher);
    return s;
}

static struct ofs_cachedir_cfg disk_cfg(const struct ofs_store *s)
{
    return (struct ofs_cachedir_cfg){
        .dir = s->cfg.dir,
        .boot_id = s->tweaks.boot_id,
        .max_bytes = s->cfg.max_bytes,
        .min_free_pct = s->cfg.min_free_pct,
        .retry_ms = s->tweaks.retry_ms,
        .max_quarantined = s->tweaks.max_quarantined,
        .max_quarantine_bytes = s->tweaks.max_quarantine_bytes,
        .sums_days = s->tweaks.sums_days,
        .clock = s->cfg.clock,
        .disk = s->tweaks.disk,
        .write = s->tweaks.write,
        .arg = s->tweaks.arg,
    };
}

int ofs_store_open_tweaked(const struct ofs_store_cfg *cfg,
                           const struct ofs_store_tweaks *tweaks,
                           struct ofs_store **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_store_freep) struct ofs_store *s = store_new(cfg, tweaks);
    struct ofs_cachedir_cfg disk;
    int r;

    if (!s)
        return ofs_err_nomem(err, "the cache");
    disk = disk_cfg(s);
    r = ofs_cachedir_open(&s->disk, &disk, err);
    s->cfg.dir = s->disk.dir;
    if (r == 0)
        *ret = ofs_take(&s);
    return r;
}

int ofs_store_open(const struct ofs_store_cfg *cfg, struct ofs_store **ret,
                   struct ofs_err *err)
{
    return ofs_store_open_tweaked(cfg, NULL, ret, err);
}

int ofs_store_start(struct ofs_store *s, struct ofs_err *err)
{
    int r = ofs_hasher_start(s);

    if (r == 0)
        r = ofs_thread_start(&s->watcher, "ofs-watch", ofs_watcher_run, s);
    if (r == 0)
        r = ofs_cachedir_start(&s->disk);
    if (r == 0)
        r = ofs_sched_start(s);
    if (r < 0) {
        ofs_store_stop(s);
        return ofs_err_errno(err, -r, "the cache's threads");
    }
    return 0;
}

void ofs_store_stop(struct ofs_store *s)
{
    ofs_sched_stop(s);
    ofs_hasher_stop(s);
    ofs_cachedir_stop(&s->disk);
    ofs_thread_stop(&s->watcher);
}

void ofs_store_free(struct ofs_store *s)
{
    if (!s)
        return;
    ofs_store_stop(s);
    assert(s->n_objects == 0); /* blobs hold on to the store */
    ofs_sched_done(s);
    ofs_hasher_done(s);
    ofs_thread_done(&s->watcher);
    ofs_held_done(&s->held);
    ofs_damaged_done(&s->damaged);
    ofs_cachedir_done(&s->disk);
    ofs_mutex_done(&s->mtx);
    free(s);
}

/* ---- small objects and notes: fs/store/disk ---- */

int ofs_store_put(struct ofs_store *s, const struct ofs_digest *digest,
                  const void *data, size_t len, struct ofs_err *err)
{
    return ofs_small_put(&s->disk, digest, data, len, err);
}

int ofs_store_get(struct ofs_store *s, const struct ofs_digest *digest,
                  size_t limit, struct ofs_buf *ret, struct ofs_err *err)
{
    return ofs_small_get(&s->disk, digest, limit, ret, err);
}

int ofs_store_size(struct ofs_store *s, const struct ofs_digest *digest,
                   uint64_t *ret_size)
{
    return ofs_small_size(&s->disk, digest, ret_size);
}

int ofs_store_note_put(struct ofs_store *s, const char *key, const void *data,
                       size_t len)
{
    return ofs_note_put(&s->disk, key, data, len);
}

int ofs_store_note_get(struct ofs_store *s, const char *key,
                       struct ofs_buf *ret, int64_t *ret_age_s)
{
    return ofs_note_get(&s->disk, key, ret, ret_age_s);
}

/* ---- what it tells of itself ---- */

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

void ofs_store_stat(struct ofs_store *s, struct ofs_store_stat *ret)
{
    struct ofs_disk disk;
    uint64_t used = atomic_load(&s->disk.space.used), room;

    ofs_cachedir_disk(&s->disk, &disk);
    room = minus(disk.free, disk.size / 100 * s->cfg.min_free_pct);
    if (s->cfg.max_bytes > 0 && minus(s->cfg.max_bytes, used) < room)
        room = minus(s->cfg.max_bytes, used);
    *ret = (struct ofs_store_stat){
        .used_bytes = used,
        .max_bytes = s->cfg.max_bytes,
        .disk_bytes = disk.size,
        .free_bytes = room,
        .n_quarantined = atomic_load(&s->disk.n_quarantined),
        .caching = ofs_space_is_caching(&s->disk.space),
    };
    OFS_GUARD(&s->mtx);
    ret->n_open = s->n_objects;
}

/* The bytes of the chunks that are here: all are long but the last. */
static uint64_t bytes_here(const struct ofs_object *o)
{
    uint64_t n = (uint64_t)o->n_present * OFS_CHUNK_BYTES;

    return n < o->size ? n : o->size;
}

static bool describe(struct ofs_object *o, struct ofs_transfer *ret)
{
    const char *name = "";

    OFS_GUARD(&o->mtx);
    if (o->n_fetches == 0)
        return false;
    for (const struct ofs_blob *b = o->blobs; b && !*name; b = b->next)
        name = b->source ? b->source->name : "";
    *ret = (struct ofs_transfer){
        .digest = o->digest,
        .size = o->size,
        .done = bytes_here(o),
        .rate_bytes = ofs_rate_get(&o->rate, ofs_store_now_ms(o->store)),
        .n_ranges = o->n_fetches,
    };
    (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
    return true;
}

size_t ofs_store_transfers(struct ofs_store *s, struct ofs_transfer *ret,
                           size_t max)
{
    size_t n = 0;

    OFS_GUARD(&s->mtx);
    for (size_t i = 0; i < OFS_BUCKETS; i++)
        for (struct ofs_object *o = s->table[i]; o && n < max; o = o->next)
            if (describe(o, &ret[n]))
                n++;
    return n;
}
