/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_VIEW_LAYOUT_H
#define OFS_VIEW_LAYOUT_H

#include "view.h"

/* How long a name of the layout may be believed that is good for `ms`: its
 * maker may not see it yet. */
int64_t ofs_layout_valid(struct ofs_tree *t, const char *path, int64_t ms);

/*
 * Somebody takes away what is there because the tags are.  With allow_delete
 * that is as good as done, so that `rm -r` of a repository comes to its end: it
 * is gone when they are.  Else -EPERM.
 */
int ofs_layout_leave(const struct ofs_tree *t, const char *name,
                     struct ofs_err *err) OFS_MUST_CHECK;

#endif
