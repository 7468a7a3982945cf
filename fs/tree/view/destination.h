/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DESTINATION_H
#define OFS_DESTINATION_H

/* Where a node is, and what may be written there.  No network. */

#include "overlay.h"
#include "view.h"

/* The number of the directory a node is in; the root is its own. */
uint64_t ofs_ino_above(struct ofs_tree *t, const struct ofs_node *node);

/* What `name` in it means to a writer; the repository it belongs to. */
struct ofs_destination {
    struct ofs_spot spot;
    struct ofs_target target;
    char repo[NAME_MAX + 1];
};
void ofs_destination_of_file(struct ofs_tree *t, const struct ofs_node *dir,
                             const char *name, struct ofs_destination *ret);
void ofs_destination_of_dir(struct ofs_tree *t, const struct ofs_node *dir,
                            const char *name, struct ofs_destination *ret);

/* Tell why a target of OFS_TARGET_NONE may not be.  Its code. */
int ofs_destination_refused(const struct ofs_destination *m,
                            struct ofs_err *err);

/* The same of a file that there is.  -EPERM: it cannot be written. */
int ofs_destination_of_node(struct ofs_tree *t, const struct ofs_node *node,
                            struct ofs_destination *ret,
                            struct ofs_err *err) OFS_MUST_CHECK;

#endif
