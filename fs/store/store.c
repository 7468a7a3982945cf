/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/store.h"

#include "store_priv.h"

#include "ocirfs/file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

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

int64_t ofs_store_now_ms(const struct ofs_store *s)
{
    return s->cfg.clock->mono_ms(s->cfg.clock);
}

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

/* Without the kernel's word nothing of before is believed. */
static int find_boot_id(struct ofs_store *s)
{
    struct ofs_buf text OFS_AUTOBUF = OFS_BUF_INIT(64);

    if (s->tweaks.boot_id)
        (void)ofs_buf_adds(&text, s->tweaks.boot_id);
    else if (ofs_file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text) <
             0)
        ofs_buf_reset(&text);
    if (ofs_boot_id_parse(ofs_buf_str(&text), s->files.boot_id) < 0 &&
        getrandom(s->files.boot_id, OFS_BOOT_ID_LEN, 0) != OFS_BOOT_ID_LEN)
        return -EIO;
    return 0;
}

static int open_dirs(struct ofs_store *s, struct ofs_err *err)
{
    OFS_AUTOCLOSE int top = -1;
    int r = ofs_mkdirs(s->dir);

    if (r < 0)
        return ofs_err_errno(err, -r, s->dir);
    top = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return ofs_err_errno(err, errno, s->dir);
    s->root_fd = ofs_private_dir(top, "v1", err);
    if (s->root_fd >= 0)
        s->files.blobs_fd = ofs_private_dir(s->root_fd, "blobs", err);
    if (s->files.blobs_fd >= 0)
        s->notes_fd = ofs_private_dir(s->root_fd, "notes", err);
    if (s->notes_fd >= 0)
        s->small.fd = ofs_private_dir(s->root_fd, "small", err);
    if (s->small.fd >= 0)
        s->files.quarantine_fd = ofs_private_dir(s->root_fd, "quarantine", err);
    if (s->files.quarantine_fd < 0)
        return ofs_err_wrap(err, err && err->code ? err->code : -EIO, s->dir);
    return 0;
}

void ofs_store_disk(struct ofs_store *s, struct ofs_disk *ret)
{
    struct statvfs v;

    *ret = (struct ofs_disk){ 0 };
    if (s->tweaks.disk) {
        s->tweaks.disk(s->tweaks.arg, ret);
    } else if (fstatvfs(s->files.blobs_fd, &v) == 0) {
        ret->size = (uint64_t)v.f_blocks * v.f_frsize;
        ret->free = (uint64_t)v.f_bavail * v.f_frsize;
    }
}

static void look_at_disk(void *arg, struct ofs_disk *ret)
{
    ofs_store_disk(arg, ret);
}

static void make_room(void *arg)
{
    ofs_evictor_kick(arg);
}

static void init_space(struct ofs_store *s)
{
    struct ofs_space_cfg cfg = {
        .max_bytes = s->cfg.max_bytes,
        .min_free_pct = s->cfg.min_free_pct,
        .retry_ms = s->tweaks.retry_ms,
        .clock = s->cfg.clock,
        .disk = look_at_disk,
        .make_room = make_room,
        .arg = s,
    };

    ofs_space_init(&s->space, &cfg);
}

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
    s->root_fd = s->notes_fd = s->small.fd = -1;
    s->files.blobs_fd = s->files.quarantine_fd = -1;
    ofs_mutex_init(&s->mtx, OFS_RANK_STORE);
    init_space(s);
    ofs_sched_init(s);
    ofs_hasher_init(s);
    ofs_held_init(&s->held, s->tweaks.held_chunks);
    ofs_thread_init(&s->evictor);
    ofs_thread_init(&s->watcher);
    ofs_small_init(s);
    return s;
}

int ofs_store_open_tweaked(const struct ofs_store_cfg *cfg,
                           const struct ofs_store_tweaks *tweaks,
                           struct ofs_store **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_store_freep) struct ofs_store *s = store_new(cfg, tweaks);
    struct ofs_err why = { 0 };
    int r;

    if (s)
        s->dir = strdup(cfg->dir);
    if (!s || !s->dir || !s->small.queued)
        return ofs_err_nomem(err, "the cache");
    s->cfg.dir = s->dir;
    r = find_boot_id(s);
    if (r < 0)
        return ofs_err_set(err, r, "the system has no random numbers");
    r = open_dirs(s, &why);
    if (r < 0) {
        if (err)
            *err = why;
        return r;
    }
    atomic_store(&s->n_quarantined, ofs_quarantine_trim(s));
    *ret = ofs_take(&s);
    return 0;
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
        r = ofs_thread_start(&s->evictor, "ofs-evict", ofs_evictor_run, s);
    if (r == 0)
        r = ofs_small_start(s);
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
    ofs_small_stop(s);
    ofs_thread_stop(&s->evictor);
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
    ofs_small_done(s);
    ofs_thread_done(&s->evictor);
    ofs_thread_done(&s->watcher);
    ofs_held_done(&s->held);
    ofs_closep(&s->root_fd);
    ofs_closep(&s->files.blobs_fd);
    ofs_closep(&s->notes_fd);
    ofs_closep(&s->small.fd);
    ofs_closep(&s->files.quarantine_fd);
    ofs_mutex_done(&s->mtx);
    free(s->dir);
    free(s);
}

/* ---- what it tells of itself ---- */

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

void ofs_store_stat(struct ofs_store *s, struct ofs_store_stat *ret)
{
    struct ofs_disk disk;
    uint64_t used = atomic_load(&s->space.used), room;

    ofs_store_disk(s, &disk);
    room = minus(disk.free, disk.size / 100 * s->cfg.min_free_pct);
    if (s->cfg.max_bytes > 0 && minus(s->cfg.max_bytes, used) < room)
        room = minus(s->cfg.max_bytes, used);
    *ret = (struct ofs_store_stat){
        .used_bytes = used,
        .max_bytes = s->cfg.max_bytes,
        .disk_bytes = disk.size,
        .free_bytes = room,
        .n_quarantined = atomic_load(&s->n_quarantined),
        .caching = ofs_space_is_caching(&s->space),
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
