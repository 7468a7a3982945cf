/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TREEWALK_H
#define OFS_TREEWALK_H

/*
 * From a path to a name in a growing tree, through symbolic links of the same
 * layer and never out of its root.
 */

#include "treenodes.h"

enum ofs_walk_how {
    OFS_WALK_FIND, /* only what is there: -ENOENT */
    OFS_WALK_MAKE, /* missing parents are implied; files in the way, too */
    OFS_WALK_HIDE, /* for a whiteout: files in the way are -ENOTDIR */
};

/*
 * The directory that a path's last part is in, and where that part is in
 * `path`, which is clean and not empty.  -ELOOP: more than 40 links, or too
 * deep; -EINVAL: a link leads through a whiteout's name; -ENOMEM.
 */
int ofs_tree_walk(struct ofs_treenodes *t, const char *path, size_t len,
                  enum ofs_walk_how how, uint32_t *ret_dir,
                  const char **ret_name) OFS_MUST_CHECK;

/* The dent of a path, its last part not followed; -ENOENT. */
int ofs_tree_look_up(struct ofs_treenodes *t, const char *path, size_t len,
                     uint32_t *ret_dent) OFS_MUST_CHECK;

#endif
