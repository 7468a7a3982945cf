/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NODEPATH_H
#define OFS_NODEPATH_H

/* How a node is called. */

#include "view.h"

/* The path below the mount point, "." for the root, added to `b`. */
void ofs_node_path(struct ofs_tree *t, const struct ofs_node *node,
                   struct ofs_buf *b);
/* What it is called in its directory, as its view's path says. */
void ofs_node_name(const struct ofs_node *node, char ret[NAME_MAX + 1]);

#endif
