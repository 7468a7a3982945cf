/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OCIR_XATTRS_H
#define OFS_OCIR_XATTRS_H

/*
 * user.ocir.*: what the control plane knows of what is shown.  One request,
 * whose answer is kept for the ttl.
 */

#include "backend.h"

struct ofs_tenancy;

int ofs_ocir_dir_xattrs(struct ofs_tenancy *n, struct ofs_call *call,
                        const struct ofs_where *at, struct ofs_xattrs *ret,
                        struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ocir_tag_xattrs(struct ofs_tenancy *n, struct ofs_call *call,
                        const char *repo, const char *tag,
                        struct ofs_xattrs *ret,
                        struct ofs_err *err) OFS_MUST_CHECK;
/*
 * isPublic and isImmutable ("true", "false") and readme of a repository.
 * -EINVAL; -EPERM the others; -ENOTSUP no name of ours.  `value` NULL removes:
 * a readme becomes empty.
 */
int ofs_ocir_set_xattr(struct ofs_tenancy *n, struct ofs_call *call,
                       const char *repo, const char *name,
                       const struct ofs_buf *value,
                       struct ofs_err *err) OFS_MUST_CHECK;

#endif
