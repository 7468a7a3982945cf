/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERBUILD_H
#define OFS_LAYERBUILD_H

/*
 * Once over a layer: unpacked, hashed, read as an archive, and what an index
 * holds of it.
 */

#include "layerindex.h"
#include "layertree.h"

#include "ocirfs/buf.h"

struct ofs_layer_pass {
    const struct ofs_packed *from;
    struct ofs_layer_id id;
    uint64_t max_size; /* unpacked bytes; 0: 1 TiB */
    /* Packed bytes that were used, now and then; may be NULL. */
    void (*progress)(void *arg, uint64_t packed);
    void *progress_arg;
};

/*
 * The index as a file's bytes.  Blocks as long as the layer takes; ends early
 * by `call`.  -EBADMSG: damaged, cut short, or not of its diff_id; -EFBIG: more
 * than `max_size`, or than an index can hold; else what `from` said.
 */
int ofs_layer_build(const struct ofs_layer_pass *pass, struct ofs_call *call,
                    struct ofs_buf *ret, struct ofs_layer_skipped *ret_skipped,
                    struct ofs_err *err) OFS_MUST_CHECK;

#endif
