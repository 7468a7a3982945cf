/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PACKED_H
#define OFS_PACKED_H

/*
 * The bytes of a layer as its registry has them.  fs/image reads them through
 * this and so knows neither store nor registries; tests give it an array.
 */

#include "ocirfs/call.h"
#include "ocirfs/digest.h"

#include <stddef.h>
#include <stdint.h>

struct ofs_packed {
    /*
     * Up to `len` bytes at `off`; *ret_n is less only at the end.  Blocks as
     * `call` allows; thread-safe.  As ofs_blob_read().
     */
    int (*read)(void *arg, struct ofs_call *call, void *buf, size_t len,
                uint64_t off, size_t *ret_n, struct ofs_err *err);
    void *arg;
    uint64_t size; /* bytes */
};

/* What a layer must be. */
struct ofs_layer_id {
    struct ofs_digest blob; /* packed.size bytes have this digest */
    struct ofs_digest diff; /* of what is unpacked; .alg 0: not known */
};

/* What an index leaves out, for the log. */
struct ofs_layer_skipped {
    uint64_t n;
    char first[200]; /* the first one, and why; "" */
};

#endif
