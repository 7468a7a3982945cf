/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MANAGE_PLAIN_H
#define OFS_MANAGE_PLAIN_H

/* manage.h, of a registry that speaks the distribution specification only. */

#include "view.h"

int ofs_plain_mkdir(struct ofs_tree *t, struct ofs_call *call,
                    const struct ofs_node *dir, const char *name,
                    struct ofs_node_spec *ret,
                    struct ofs_err *err) OFS_MUST_CHECK;
int ofs_plain_rmdir(struct ofs_tree *t, struct ofs_call *call,
                    const struct ofs_node *dir, const char *name,
                    struct ofs_err *err) OFS_MUST_CHECK;

#endif
