/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERINDEX_H
#define OFS_LAYERINDEX_H

/*
 * The index of a layer, mapped from its file.  Immutable, so thread-safe.
 */

#include "layerview.h"

#include "ocirfs/packed.h"

struct ofs_layer_index {
    struct ofs_layer_view v;
    void *map; /* owned; unmapped by ofs_layer_index_free() */
    size_t len;
};

/*
 * -ENOENT: not there, or wrong in any way and therefore removed: build it.
 * Else -ENOMEM or what the disk says.
 */
int ofs_layer_index_open(int dirfd, const char *name,
                         const struct ofs_layer_id *id, uint64_t packed_size,
                         struct ofs_layer_index **ret,
                         struct ofs_err *err) OFS_MUST_CHECK;
void ofs_layer_index_free(struct ofs_layer_index *x);
OFS_DEFINE_AUTO(struct ofs_layer_index, ofs_layer_index_free)

/* A name of a directory; NULL: not in it. */
const struct ofs_dent *ofs_layer_find(const struct ofs_layer_view *v,
                                      const struct ofs_inode *dir,
                                      const char *name, size_t len);
/* Names as strcmp() orders them. */
int ofs_layer_name_cmp(const struct ofs_layer_view *v, const struct ofs_dent *d,
                       const char *name, size_t len);
/* The list of an inode's attributes (xattrlist.h); *ret_len 0: none. */
const uint8_t *ofs_layer_xattrs(const struct ofs_layer_view *v,
                                const struct ofs_inode *i, size_t *ret_len);

#endif
