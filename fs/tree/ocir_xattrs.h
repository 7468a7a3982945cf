/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OCIR_XATTRS_H
#define OFS_OCIR_XATTRS_H

/* user.ocir.*: what the control plane knows of what is shown. */

#include "view.h"

#define OFS_OCIR_XATTR "user.ocir."

/*
 * Those of a compartment or a repository, of a tag.  One request, whose answer
 * is kept for the ttl; nothing of a plain registry.
 */
int ofs_ocir_dir_xattrs(struct ofs_tree *t, struct ofs_call *call,
                        const struct ofs_node *node, struct ofs_xattrs *ret,
                        struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ocir_tag_xattrs(struct ofs_tree *t, struct ofs_call *call,
                        const struct ofs_node *node, struct ofs_xattrs *ret,
                        struct ofs_err *err) OFS_MUST_CHECK;

/*
 * isPublic and isImmutable ("true", "false") and readme of a repository.
 * -EINVAL; -EPERM the others; -ENOTSUP no name of ours.  `value` NULL removes:
 * a readme becomes empty.
 */
int ofs_ocir_set_xattr(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_node *node, const char *name,
                       const struct ofs_buf *value,
                       struct ofs_err *err) OFS_MUST_CHECK;

#endif
