/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_READPOOL_H
#define OFS_READPOOL_H

/*
 * What is kept between reads of unpacked bytes, for all layers together, so
 * that memory is bounded whatever the images: blocks that were unpacked, and
 * decoders that stand where a reader may go on.  Thread-safe.
 */

#include "decoder.h"

enum { OFS_BLOCK_BYTES = 256 * 1024 };

struct ofs_readpool;

struct ofs_readpool *ofs_readpool_new(void); /* NULL: no memory */
void ofs_readpool_free(struct ofs_readpool *p);
OFS_DEFINE_AUTO(struct ofs_readpool, ofs_readpool_free)

/* Forget what belongs to `owner`, which nobody reads any more. */
void ofs_readpool_drop(struct ofs_readpool *p, const void *owner);

/*
 * Copy up to `len` bytes from `from` on of block `no`.  -ENOENT: not here.
 */
int ofs_readpool_copy(struct ofs_readpool *p, const void *owner, uint64_t no,
                      size_t from, void *buf, size_t len,
                      size_t *ret_n) OFS_MUST_CHECK;
/* Keep a block that was unpacked; `data` (malloc) becomes the pool's. */
void ofs_readpool_keep(struct ofs_readpool *p, const void *owner, uint64_t no,
                       uint8_t *data, size_t len);

struct ofs_cursor {
    const void *owner; /* NULL: the slot is free */
    struct ofs_decoder *d;
    uint64_t at; /* where `d` stood when it was last taken or given */
    uint64_t turn;
    bool busy;
};

/*
 * A decoder of `owner` that stands in [start, want], the nearest to `want`, or
 * a slot for one that the caller opens at `start` (`d` is NULL).  *ret NULL:
 * another thread's was on its way there and has arrived; look at the blocks
 * again.  Waits for that, and for a slot, as `call` allows.
 */
int ofs_readpool_take(struct ofs_readpool *p, const void *owner, uint64_t start,
                      uint64_t want, struct ofs_call *call,
                      struct ofs_cursor **ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* Back, with where it stands; `d` NULL when it failed and is gone. */
void ofs_readpool_give(struct ofs_readpool *p, struct ofs_cursor *c);

#endif
