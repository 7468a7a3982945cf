/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_VIEW_DRAFT_H
#define OFS_VIEW_DRAFT_H

#include "view.h"

/* What exists here only and `node` stands for, with a reference; or NULL. */
struct ofs_local *ofs_local_of(struct ofs_tree *t, const struct ofs_node *node);
/* The node that stands for it. */
void ofs_local_found(const struct ofs_local *s, struct ofs_found *ret);

#endif
