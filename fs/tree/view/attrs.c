/* SPDX-License-Identifier: Apache-2.0 */
#include "attrs.h"

#include <sys/stat.h>

enum {
    DIR_MODE = 0555,
    FILE_MODE = 0444,
    /* "Not known": a count of 2 would say that there are no directories. */
    DIR_NLINK = 1,
};

void ofs_attr_of(struct ofs_tree *t, const struct ofs_node *node,
                 struct ofs_attr *ret)
{
    const struct ofs_view *view = node->view;
    bool dir = S_ISDIR(view->type);
    mode_t mode = (dir ? DIR_MODE : FILE_MODE) |
                  (t->push && !view->fixed ? OFS_OWNER_WRITES : 0);

    *ret = (struct ofs_attr){
        .ino = node->ino,
        .shown_ino = node->ino,
        .mode = view->type | (mode & ~t->umask),
        .nlink = dir ? DIR_NLINK : 1,
        .uid = t->uid,
        .gid = t->gid,
        .size = node->size,
        .mtime_s = node->mtime_s > 0 ? node->mtime_s : OFS_NO_TIME_S,
        .valid_ms = OFS_NEVER,
    };
    if (view->attr)
        view->attr(t, node, ret);
}
