/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HANDLE_H
#define OFS_HANDLE_H

/* Open files, and open directories: snapshots of names. */

#include "view.h"

/* The directory that is listed. */
const struct ofs_node *ofs_dir_node(const struct ofs_dir *d);
size_t ofs_dir_count(const struct ofs_dir *d); /* entries so far */
/* Add what `spec` stands for under `name`. */
int ofs_dir_add(struct ofs_dir *d, const char *name,
                const struct ofs_node_spec *spec) OFS_MUST_CHECK;
/* Add what exists here only, but for what is to be pushed: that appears when
 * it is true. */
int ofs_dir_add_scratch(struct ofs_dir *d) OFS_MUST_CHECK;
int ofs_dir_new(struct ofs_tree *t, struct ofs_node *node, struct ofs_dir **ret,
                struct ofs_err *err) OFS_MUST_CHECK;

/* Takes over the use of `node`, also when it fails.  NULL: no memory. */
struct ofs_file *ofs_file_new(struct ofs_tree *t, struct ofs_node *node);

#endif
