/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_XATTRS_H
#define OFS_XATTRS_H

/* What getfattr shows. */

#include "view.h"

int ofs_xattrs_add_digest(struct ofs_xattrs *x,
                          const struct ofs_digest *digest) OFS_MUST_CHECK;
/* Digest, type and annotations of the manifest that `node` is. */
int ofs_xattrs_of_manifest(struct ofs_tree *t, struct ofs_call *call,
                           const struct ofs_node *node, struct ofs_xattrs *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

#endif
