/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PLACE_H
#define OFS_PLACE_H

/* Where a node is, and what may be written there.  No network. */

#include "scratch.h"
#include "view.h"

/* The number of the directory a node is in; the root is its own. */
uint64_t ofs_ino_above(struct ofs_tree *t, const struct ofs_node *node);

/* What `name` in it means to a writer; the repository it belongs to. */
struct ofs_meaning {
    struct ofs_spot spot;
    struct ofs_target target;
    char repo[NAME_MAX + 1];
};
void ofs_place_file(struct ofs_tree *t, const struct ofs_node *dir,
                    const char *name, struct ofs_meaning *ret);
void ofs_place_dir(struct ofs_tree *t, const struct ofs_node *dir,
                   const char *name, struct ofs_meaning *ret);

/* Tell why a target of OFS_TARGET_NONE may not be.  Its code. */
int ofs_place_refused(const struct ofs_meaning *m, struct ofs_err *err);

/* The same of a file that there is.  -EPERM: it cannot be written. */
int ofs_place_node(struct ofs_tree *t, const struct ofs_node *node,
                   struct ofs_meaning *ret, struct ofs_err *err) OFS_MUST_CHECK;

#endif
