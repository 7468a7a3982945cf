/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERTREE_H
#define OFS_LAYERTREE_H

/*
 * A layer's tree while its archive is passed over: entries go in, in the
 * archive's order, and the parts of an index come out.  Later entries win,
 * parents that are symbolic links of this layer are followed within it, and
 * whiteouts are of lower layers only.  fs/image/README.md, I7, has the rules.
 */

#include "layerfile.h"
#include "tarpass.h"

#include "ocirfs/packed.h"

struct ofs_layer_tree;

struct ofs_layer_tree *ofs_layer_tree_new(void); /* NULL: no memory */
void ofs_layer_tree_free(struct ofs_layer_tree *t);
OFS_DEFINE_AUTO(struct ofs_layer_tree, ofs_layer_tree_free)

/* 0, or -ENOMEM, -EFBIG; what is left out is counted, not an error. */
int ofs_layer_tree_add(struct ofs_layer_tree *t, const struct ofs_tar_entry *e,
                       struct ofs_err *err) OFS_MUST_CHECK;
/* Note that an entry is left out; `why` lives for ever. */
void ofs_layer_tree_skip(struct ofs_layer_tree *t, const char *path,
                         const char *why);

const struct ofs_layer_skipped *
ofs_layer_tree_skipped(const struct ofs_layer_tree *t);

/* Inodes, dents, texts, attributes and extents; `t` is then used up. */
int ofs_layer_tree_flatten(struct ofs_layer_tree *t,
                           struct ofs_layer_parts *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

#endif
