/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERREAD_H
#define OFS_LAYERREAD_H

/*
 * Bytes of a file of a layer, holes and all.
 */

#include "layerview.h"
#include "unpacked.h"

struct ofs_layer_reader {
    const struct ofs_layer_view *v;
    const struct ofs_unpacked *u;
};

/* As ofs_unpacked_read(), of a file; `i` is OFS_INODE_REG. */
int ofs_layer_read(const struct ofs_layer_reader *from,
                   const struct ofs_inode *i, struct ofs_call *call, void *buf,
                   size_t len, uint64_t off, size_t *ret_n,
                   struct ofs_err *err) OFS_MUST_CHECK;

#endif
