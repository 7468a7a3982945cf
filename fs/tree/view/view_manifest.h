/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_VIEW_MANIFEST_H
#define OFS_VIEW_MANIFEST_H

#include "view.h"

/* Open the manifest `f` stands for: its bytes, verified. */
int ofs_manifest_open(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_file *f, struct ofs_err *err) OFS_MUST_CHECK;
/* Take away a manifest, or a blob: possible while it waits to be pushed. */
int ofs_content_remove(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_named *what,
                       struct ofs_err *err) OFS_MUST_CHECK;

#endif
