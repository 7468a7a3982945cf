/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BATCH_H
#define OFS_BATCH_H

/*
 * Many small requests side by side on worker threads: all tags of a
 * repository, all manifests of an index, or one listing that nobody waits
 * long for.  Thread-safe.
 *
 * A worker that did an item goes to the end of the queue when others wait, so
 * two batches share the workers whatever their sizes.
 */

#include "ocirfs/call.h"

#include <stdbool.h>
#include <stddef.h>

struct ofs_batches; /* the workers and what they do */
struct ofs_batch;

struct ofs_batch_ops {
    /*
     * Do the i-th item; on a worker's thread, with a call of its own.  A
     * failure of which `is_end` holds ends the batch: items that have not
     * begun are left out.
     */
    int (*item)(void *arg, size_t i, struct ofs_call *call,
                struct ofs_err *err);
    bool (*is_end)(int code);
    /* Is it of use although nobody waits for it?  NULL: always. */
    bool (*is_wanted)(void *arg);
    void (*ended)(void *arg); /* no item runs any more; may be NULL */
    void (*free)(void *arg);  /* the last reference to the batch is gone */
};

/* NULL: no memory.  Makes no thread before the first batch. */
struct ofs_batches *ofs_batches_new(unsigned max_parallel);
/* Ends what runs with -EINTR, joins the threads; blocks until then. */
void ofs_batches_stop(struct ofs_batches *p);
void ofs_batches_free(struct ofs_batches *p);

/*
 * A batch of items 0 ... n - 1, n > 0, that has not begun.  `arg` belongs to
 * it; on failure it is freed at once.  NULL: no memory.
 */
struct ofs_batch *ofs_batch_new(struct ofs_batches *p,
                                const struct ofs_batch_ops *ops, void *arg,
                                size_t n);
/* Begin.  -EBUSY, and it has ended so: no worker may be had. */
int ofs_batch_go(struct ofs_batch *b, struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_batch *ofs_batch_ref(struct ofs_batch *b);
void ofs_batch_unref(struct ofs_batch *b);
OFS_DEFINE_AUTO(struct ofs_batch, ofs_batch_unref)

/*
 * Wait until it has ended, but at most max_ms (OFS_NEVER: as long as `call`
 * allows).  0: no item is at work any more (some may have been left out when nobody
 * wanted them); or what ended it.  With *ret_ended false it is still under
 * way: -EINTR, -EAGAIN, -ETIMEDOUT.
 */
int ofs_batch_wait(struct ofs_batch *b, struct ofs_call *call, int64_t max_ms,
                   bool *ret_ended, struct ofs_err *err) OFS_MUST_CHECK;

#endif
