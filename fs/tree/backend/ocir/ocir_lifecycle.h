/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OCIR_LIFECYCLE_H
#define OFS_OCIR_LIFECYCLE_H

/*
 * Repositories are made, moved and deleted by the control plane, at once, and
 * in the compartment that the directory belongs to.  As backend.h says.
 */

#include "backend.h"

struct ofs_tenancy;

int ofs_ocir_create(struct ofs_tenancy *n, struct ofs_call *call,
                    const struct ofs_where *at,
                    struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ocir_remove(struct ofs_tenancy *n, struct ofs_call *call,
                    const char *path, struct ofs_err *err) OFS_MUST_CHECK;
/* One after the other; those that went stay there when a later one fails. */
int ofs_ocir_move(struct ofs_tenancy *n, struct ofs_call *call,
                  const struct ofs_where *from, uint64_t to_scope,
                  struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ocir_untag(struct ofs_tenancy *n, struct ofs_call *call,
                   const char *repo, const char *tag,
                   struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ocir_may_move(struct ofs_tenancy *n, struct ofs_call *call,
                      const char *repo, const char *tag,
                      struct ofs_err *err) OFS_MUST_CHECK;

#endif
