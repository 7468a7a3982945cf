/* SPDX-License-Identifier: Apache-2.0 */
#include "space.h"

#include "lru.h"

#include "ocirfs/log.h"
#include "ocirfs/metrics.h"

enum {
    FULL_MS = 1000,    /* how long "the limit is reached" is believed */
    RESCAN_PART = 32,  /* of max_bytes: count anew when so much was added */
    NEAR_PCT = 95,     /* of max_bytes: have room made in time */
    PRESSED_PART = 10, /* of all: to be freed when the disk was full */
};

static struct ofs_metric used_bytes = OFS_GAUGE(
    "ocirfs_store_used_bytes", "Bytes of disk that cached blobs take.");

void ofs_space_init(struct ofs_space *sp, const struct ofs_space_cfg *cfg)
{
    *sp = (struct ofs_space){ .cfg = *cfg };
}

static int64_t now_ms(const struct ofs_space *sp)
{
    return sp->cfg.clock->mono_ms(sp->cfg.clock);
}

static void go_off(struct ofs_space *sp)
{
    atomic_store(&sp->off_until_ms, now_ms(sp) + sp->cfg.retry_ms);
    sp->cfg.make_room(sp->cfg.arg);
}

void ofs_space_failed(struct ofs_space *sp, int code)
{
    ofs_log(OFS_DEBUG, "store: not caching for %lld ms: %s",
            (long long)sp->cfg.retry_ms, strerror(-code));
    if (code == -ENOSPC || code == -EDQUOT)
        atomic_store(&sp->pressed, true);
    go_off(sp);
}

/*
 * Would `len` more take of what is to stay free?  Asked for each range, not now
 * and then: whoever writes last is followed by nobody who would look.  One
 * statvfs costs a microsecond, a range a thousand times that.
 */
static bool disk_is_low(struct ofs_space *sp, uint64_t len)
{
    struct ofs_disk disk;
    uint64_t stays;

    if (sp->cfg.min_free_pct == 0)
        return false;
    sp->cfg.disk(sp->cfg.arg, &disk);
    stays = disk.size / 100 * sp->cfg.min_free_pct;
    return disk.free < stays ||
           disk.free - stays < atomic_load(&sp->pending) + len;
}

static bool may_try(struct ofs_space *sp, int64_t now)
{
    int64_t until = atomic_load(&sp->off_until_ms);

    if (until == 0)
        return true;
    if (now < until)
        return false;
    atomic_store(&sp->off_until_ms, 0);
    return true;
}

bool ofs_space_reserve(struct ofs_space *sp, uint64_t len)
{
    uint64_t max = sp->cfg.max_bytes, total;
    int64_t now = now_ms(sp);

    if (!may_try(sp, now))
        return false;
    if (disk_is_low(sp, len)) {
        atomic_store(&sp->pressed, true);
        go_off(sp);
        return false;
    }
    total = atomic_fetch_add(&sp->pending, len) + len + atomic_load(&sp->used);
    if (max > 0 && total > max / 100 * NEAR_PCT)
        sp->cfg.make_room(sp->cfg.arg);
    if (max > 0 && total > max) {
        (void)atomic_fetch_sub(&sp->pending, len);
        atomic_store(&sp->full_until_ms, now + FULL_MS);
        return false;
    }
    return true;
}

void ofs_space_settle(struct ofs_space *sp, uint64_t reserved, uint64_t kept)
{
    uint64_t part = sp->cfg.max_bytes / RESCAN_PART, added;

    (void)atomic_fetch_sub(&sp->pending, reserved);
    added = atomic_fetch_add(&sp->used, kept) + kept;
    ofs_metric_set(&used_bytes, (int64_t)added);
    added = atomic_fetch_add(&sp->added, kept) + kept;
    if (part > 0 && added > part)
        sp->cfg.make_room(sp->cfg.arg);
}

/* The pause is over when somebody comes, not before: who asks is about to
 * try, or wants to know what would happen if he did. */
bool ofs_space_is_failing(struct ofs_space *sp)
{
    int64_t until = atomic_load(&sp->off_until_ms);

    return until != 0 && now_ms(sp) < until;
}

bool ofs_space_is_caching(struct ofs_space *sp)
{
    uint64_t max = sp->cfg.max_bytes;

    return !ofs_space_is_failing(sp) &&
           (max == 0 || (atomic_load(&sp->used) < max &&
                         now_ms(sp) >= atomic_load(&sp->full_until_ms)));
}

uint64_t ofs_space_excess(struct ofs_space *sp, uint64_t used)
{
    struct ofs_disk disk;
    uint64_t excess, least = 0;

    sp->cfg.disk(sp->cfg.arg, &disk);
    excess = ofs_lru_excess(used, sp->cfg.max_bytes, disk.size, disk.free,
                            sp->cfg.min_free_pct);
    if (atomic_exchange(&sp->pressed, false))
        least = used / PRESSED_PART;
    return excess > least ? excess : least;
}

void ofs_space_counted(struct ofs_space *sp, uint64_t used)
{
    atomic_store(&sp->used, used);
    atomic_store(&sp->added, 0);
    ofs_metric_set(&used_bytes, (int64_t)used);
}
