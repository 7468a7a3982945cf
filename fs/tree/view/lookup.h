/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LOOKUP_H
#define OFS_LOOKUP_H

/* From a directory's number and a name to what it stands for. */

#include "view.h"

/* The node of a number, in use; *ret_code: 0, -ESTALE, -ENOTDIR. */
struct ofs_node *ofs_dir_use(struct ofs_tree *t, uint64_t ino, int *ret_code);
/* Count the kernel's reference to what was found, and describe it. */
int ofs_enter(struct ofs_tree *t, const struct ofs_found *found,
              struct ofs_entry *ret) OFS_MUST_CHECK;
/* What `name` in a directory stands for.  -ENOENT. */
int ofs_dir_find(struct ofs_tree *t, struct ofs_call *call,
                 const struct ofs_node *dir, const char *name,
                 struct ofs_found *ret, struct ofs_err *err) OFS_MUST_CHECK;

OFS_DEFINE_HOLD(ofs_node_hold, struct ofs_nodes, struct ofs_node, node,
                ofs_nodes_unuse)
/* Have a node that is in use unused at the end of the block; may be NULL. */
#define OFS_NODE_HOLD(name, tree, what)                                        \
    OFS_HOLD(ofs_node_hold, name, &(tree)->nodes, what)

#endif
