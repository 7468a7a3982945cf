/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PENDING_SAVE_H
#define OFS_PENDING_SAVE_H

/*
 * Manifests and configurations on their way to the store.  To write one costs
 * more than to fetch it when a thousand come at once, as they do in `ls -l`,
 * and nobody who waits for their attributes should wait for the disk.  So they
 * rest here, to be read by whoever wants them, until there is time.
 * Thread-safe.
 */

#include "ocirfs/buf.h"
#include "ocirfs/digest.h"
#include "ocirfs/lock.h"

#include <stdint.h>

struct ofs_batches;
struct ofs_map;
struct ofs_store;
struct ofs_unsaved;

struct ofs_pending_save {
    struct ofs_store *store;
    struct ofs_batches *batches;
    struct ofs_mutex mtx;      /* rank NODE; guards all below */
    struct ofs_map *map;       /* digest -> struct ofs_unsaved */
    struct ofs_unsaved *first; /* the oldest */
    struct ofs_unsaved **last;
    size_t bytes;
    unsigned n_busy; /* those who asked that nothing be written now */
    bool saving;     /* a thread writes */
};

int ofs_pending_save_init(struct ofs_pending_save *p, struct ofs_store *store,
                          struct ofs_batches *batches);
void ofs_pending_save_done(struct ofs_pending_save *p);

/* Bytes that have been verified.  Never fails: at worst they are not kept. */
void ofs_pending_save_add(struct ofs_pending_save *p,
                          const struct ofs_digest *digest, const void *data,
                          size_t len);

/* -ENOENT: it is not on its way (but may have arrived). */
int ofs_pending_save_get(struct ofs_pending_save *p,
                         const struct ofs_digest *digest,
                         struct ofs_buf *ret) OFS_MUST_CHECK;

/* Write nothing between these two: much is fetched, and soon over. */
void ofs_pending_save_hold(struct ofs_pending_save *p);
void ofs_pending_save_resume(struct ofs_pending_save *p);

/* Write what there is, but no longer than that; for the end. */
void ofs_pending_save_flush(struct ofs_pending_save *p, int64_t max_ms);

#endif
