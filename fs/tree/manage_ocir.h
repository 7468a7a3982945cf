/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MANAGE_OCIR_H
#define OFS_MANAGE_OCIR_H

/*
 * manage.h, of OCIR: repositories are made, moved and deleted by the control
 * plane, at once, and in the compartment that the directory belongs to.
 */

#include "view.h"

int ofs_ocir_mkdir(struct ofs_tree *t, struct ofs_call *call,
                   const struct ofs_node *dir, const char *name,
                   struct ofs_node_spec *ret,
                   struct ofs_err *err) OFS_MUST_CHECK;
/* Only when it holds no image, and nobody pushes one meanwhile. */
int ofs_ocir_rmdir(struct ofs_tree *t, struct ofs_call *call,
                   const struct ofs_node *dir, const char *name,
                   struct ofs_err *err) OFS_MUST_CHECK;
/*
 * All repositories at and below the directory go to the other compartment, one
 * after the other; those that went stay there when a later one fails.  -EINVAL:
 * that would be another name, and a repository cannot be renamed.
 */
int ofs_ocir_move(struct ofs_tree *t, struct ofs_call *call,
                  const struct ofs_node *dir, const char *name,
                  const struct ofs_node *to_dir, const char *to_name,
                  struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ocir_untag(struct ofs_tree *t, struct ofs_call *call, const char *repo,
                   const char *tag, struct ofs_err *err) OFS_MUST_CHECK;
/* -EPERM: the repository is immutable, and the tag names something else. */
int ofs_ocir_may_move(struct ofs_tree *t, struct ofs_call *call,
                      const char *repo, const char *tag,
                      const struct ofs_digest *old,
                      struct ofs_err *err) OFS_MUST_CHECK;

#endif
