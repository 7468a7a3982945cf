/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_VIEW_DRAFT_H
#define OFS_VIEW_DRAFT_H

#include "view.h"

/* What exists here only and `node` stands for, with a reference; or NULL. */
struct ofs_scratch *ofs_scratch_of(struct ofs_tree *t,
                                   const struct ofs_node *node);
/* The node that stands for it. */
void ofs_scratch_found(const struct ofs_scratch *s, struct ofs_found *ret);

#endif
