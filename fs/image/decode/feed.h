/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FEED_H
#define OFS_FEED_H

/*
 * Packed bytes in order, a buffer at a time.  Belongs to one decoder.
 */

#include "ocirfs/packed.h"

struct ofs_feed {
    const struct ofs_packed *from;
    struct ofs_call *call; /* of the read under way */
    uint8_t *buf;          /* owned */
    const uint8_t *at;     /* what is in the buffer and not used yet */
    size_t left;           /* bytes there */
    uint64_t off;          /* where in the layer `at` is */
};

int ofs_feed_init(struct ofs_feed *f, const struct ofs_packed *from,
                  uint64_t off, struct ofs_err *err) OFS_MUST_CHECK;
void ofs_feed_done(struct ofs_feed *f);

/* Have `n` bytes at `at`, or all there are before the end; n <= 4096. */
int ofs_feed_need(struct ofs_feed *f, size_t n,
                  struct ofs_err *err) OFS_MUST_CHECK;
void ofs_feed_use(struct ofs_feed *f, size_t n); /* n <= left */

#endif
