/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_UNPACKED_H
#define OFS_UNPACKED_H

/*
 * Random reads of a layer's unpacked bytes: from blocks that were unpacked
 * before, from a decoder that stands near, else from the nearest checkpoint.
 * A layer without points (zstd in one frame) is read from its beginning.
 * Thread-safe.
 */

#include "points.h"
#include "readpool.h"

struct ofs_unpacked {
    const struct ofs_packed *from;
    struct ofs_readpool *pool;
    struct ofs_points_view points;
    uint64_t size; /* unpacked bytes */
    enum ofs_packing packing;
};

/*
 * Up to `len` bytes at `off`; *ret_n is less only at the end.  -EAGAIN: they
 * are not at hand and the call may not wait; -EBADMSG: not the layer that the
 * points belong to.
 */
int ofs_unpacked_read(const struct ofs_unpacked *u, struct ofs_call *call,
                      void *buf, size_t len, uint64_t off, size_t *ret_n,
                      struct ofs_err *err) OFS_MUST_CHECK;

#endif
