/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MERGEDIR_H
#define OFS_MERGEDIR_H

/*
 * One directory tree from the layers of an image, directory by directory and
 * never all of it.  Pure: nothing is kept, so nothing is locked.
 *
 * A node is what stands topmost at a path: a layer and an inode of it.  A
 * directory is a stack of those, from the topmost down to where lower layers
 * are hidden.
 */

#include "layerindex.h"

enum { OFS_MERGE_LAYERS = 256 };

struct ofs_merge {
    const struct ofs_layer_view *const *layers; /* the lowest first */
    uint32_t n;                                 /* <= OFS_MERGE_LAYERS */
};

struct ofs_merge_node {
    uint32_t layer, inode;
};

struct ofs_merge_stack {
    struct ofs_merge_node at[OFS_MERGE_LAYERS]; /* whose names are seen */
    uint32_t n;
    struct ofs_merge_node attrs; /* the topmost that has an entry of its own */
};

static inline const struct ofs_inode *
ofs_merge_inode(const struct ofs_merge *m, struct ofs_merge_node node)
{
    return &m->layers[node.layer]->inodes[node.inode];
}

void ofs_merge_root(const struct ofs_merge *m, struct ofs_merge_stack *ret);

/*
 * A name of a directory.  *ret_stack is that of a directory, else empty.
 * -ENOENT.
 */
int ofs_merge_find(const struct ofs_merge *m, const struct ofs_merge_stack *dir,
                   const char *name, size_t len, struct ofs_merge_node *ret,
                   struct ofs_merge_stack *ret_stack) OFS_MUST_CHECK;

/* The stack of a directory's node, from where it is in its layer.  -ENOTDIR,
 * -ENOENT: a layer hides it. */
int ofs_merge_stack_of(const struct ofs_merge *m, struct ofs_merge_node node,
                       struct ofs_merge_stack *ret) OFS_MUST_CHECK;

/* All names of a directory by bytes; stops at the first that `fn` refuses. */
typedef int ofs_merge_name_fn(void *arg, const char *name, size_t len,
                              struct ofs_merge_node node);
int ofs_merge_list(const struct ofs_merge *m, const struct ofs_merge_stack *dir,
                   ofs_merge_name_fn *fn, void *arg) OFS_MUST_CHECK;

#endif
