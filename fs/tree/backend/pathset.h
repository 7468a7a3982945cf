/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PATHSET_H
#define OFS_PATHSET_H

/*
 * A sorted list of repository names, seen as a tree: which directories they
 * make.  Pure.
 */

#include "ocirfs/str.h"

/* Does a name begin with `path` and a slash?  "": is there any name? */
bool ofs_paths_below(const struct ofs_strv *names, const char *path);

/* The parts that follow `path` in the names below it, sorted, each once. */
int ofs_paths_parts(const struct ofs_strv *names, const char *path,
                    struct ofs_strv *ret) OFS_MUST_CHECK;

/* Put a name in its place (0 also when it is there), or take it away. */
int ofs_paths_add(struct ofs_strv *names, const char *name) OFS_MUST_CHECK;
void ofs_paths_remove(struct ofs_strv *names, const char *name);

/* Do both hold the same names? */
bool ofs_paths_equal(const struct ofs_strv *a, const struct ofs_strv *b);

#endif
