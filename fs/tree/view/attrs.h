/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ATTRS_H
#define OFS_ATTRS_H

/* What stat() shows. */

#include "view.h"

enum { OFS_OWNER_WRITES = 0200 }; /* modes tell the truth, as far as they can */

void ofs_attr_of(struct ofs_tree *t, const struct ofs_node *node,
                 struct ofs_attr *ret);

#endif
