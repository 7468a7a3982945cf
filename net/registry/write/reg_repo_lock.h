/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_REPO_LOCK_H
#define OFS_REG_REPO_LOCK_H

/* One at a time for each repository; others wait as their calls allow. */

#include "registry_priv.h"

struct reg_repo_lock {
    struct reg_repo_lock *next; /* guarded by the registry's mutex */
    const char *repo;           /* borrowed; NULL: not taken */
    struct ofs_registry *r;
};

int ofs_reg_repo_lock_take(struct reg_repo_lock *t, struct ofs_registry *r,
                           struct ofs_call *call, const char *repo,
                           struct ofs_err *err) OFS_MUST_CHECK;
void ofs_reg_repo_lock_leave(
    struct reg_repo_lock *t); /* nothing when not taken */

#endif
