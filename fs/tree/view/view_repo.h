/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_VIEW_REPO_H
#define OFS_VIEW_REPO_H

/* What a directory holds because it is a repository. */

#include "view.h"

/* A layout's own name (names.h knows which those are). */
int ofs_repo_find_layout(struct ofs_tree *t, struct ofs_call *call,
                         const char *path, const char *name,
                         struct ofs_found *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* -ENOENT: no such tag, manifest. */
int ofs_repo_find_tag(struct ofs_tree *t, struct ofs_call *call,
                      const char *path, const char *tag, struct ofs_found *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
int ofs_repo_find_digest(struct ofs_tree *t, struct ofs_call *call,
                         const char *path, const struct ofs_digest *digest,
                         struct ofs_found *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* Layout and tags, beside the directory parts, as `who` sees them. */
int ofs_repo_list_into(struct ofs_tree *t, int who, struct ofs_repo *repo,
                       const struct ofs_strv *parts,
                       struct ofs_dir *d) OFS_MUST_CHECK;

#endif
