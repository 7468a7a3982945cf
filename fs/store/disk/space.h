/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SPACE_H
#define OFS_SPACE_H

/*
 * May something be kept on disk now?  Counts what the blobs take, watches the
 * disk's free space, and stops caching for a while when a write failed.
 * Estimates: a scan of the evictor corrects them, and other processes that
 * use the cache count for themselves.  Thread-safe without locks.
 */

#include "ocirfs/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of the disk the blobs are on. */
struct ofs_disk {
    uint64_t size, free; /* bytes */
};

struct ofs_space_cfg {
    uint64_t max_bytes;    /* 0: no limit */
    unsigned min_free_pct; /* of the disk */
    int64_t retry_ms;      /* no caching for so long after a failure */
    const struct ofs_clock *clock;
    void (*disk)(void *arg, struct ofs_disk *ret);
    void (*make_room)(void *arg); /* asked for soon; under any lock */
    void *arg;
};

struct ofs_space {
    struct ofs_space_cfg cfg;      /* immutable */
    _Atomic uint64_t used;         /* bytes of disk, by blobs */
    _Atomic uint64_t pending;      /* reserved and not settled */
    _Atomic uint64_t added;        /* since the last scan */
    _Atomic int64_t off_until_ms;  /* no caching before; 0: caching */
    _Atomic int64_t full_until_ms; /* the limit is reached; look again then */
    /* The disk is full, or as full as it may be: make room in any case. */
    atomic_bool pressed;
};

void ofs_space_init(struct ofs_space *sp, const struct ofs_space_cfg *cfg);

/* Ask before writing `len` bytes; true: settle later. */
bool ofs_space_reserve(struct ofs_space *sp, uint64_t len);
/* Of `reserved` bytes so many were kept. */
void ofs_space_settle(struct ofs_space *sp, uint64_t reserved, uint64_t kept);

/* A write failed with this negative errno: no caching for a while. */
void ofs_space_failed(struct ofs_space *sp, int code);
bool ofs_space_is_caching(struct ofs_space *sp);
/* The disk failed, or is nearly full; not so when only the limit is reached,
 * which soon changes. */
bool ofs_space_is_failing(struct ofs_space *sp);

/* Bytes to free now; forgets a full disk. */
uint64_t ofs_space_excess(struct ofs_space *sp, uint64_t used);
/* The evictor counted. */
void ofs_space_counted(struct ofs_space *sp, uint64_t used);

#endif
