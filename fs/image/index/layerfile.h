/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERFILE_H
#define OFS_LAYERFILE_H

/*
 * An index as a file: put together from its parts, and believed or not.
 */

#include "layerview.h"

/* The parts of an index, before they are a file. */
struct ofs_layer_parts {
    struct ofs_layer_head head; /* packing, digests and sizes */
    struct ofs_buf sections[OFS_N_SECTIONS];
};
void ofs_layer_parts_init(struct ofs_layer_parts *p);
void ofs_layer_parts_done(struct ofs_layer_parts *p);

/* Append the whole file to `ret`. */
int ofs_layer_encode(struct ofs_layer_parts *p, struct ofs_buf *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Believe a file, which lies on 8 bytes, only if all of it is right: its
 * check, and each number in it.  -EBADMSG, -ENOMEM.
 */
int ofs_layer_decode(const uint8_t *data, size_t len,
                     struct ofs_layer_view *ret) OFS_MUST_CHECK;

#endif
