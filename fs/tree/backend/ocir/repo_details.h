/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REPO_DETAILS_H
#define OFS_REPO_DETAILS_H

/*
 * What the control plane tells of one repository when it is asked for it: more
 * than lists do.  In tenancy.repo_details, by path.
 */

#include "ocirfs/oracle.h"

#include "ttlcache.h"

extern const struct ofs_ttlcache_ops ofs_repo_details_ops;

static inline const struct ofs_ora_repository *
ofs_repo_details(const struct ofs_ttlvalue *v)
{
    return v->value;
}

/* Is it known that its tags cannot be moved? */
struct ofs_tenancy;
bool ofs_repo_details_immutable(struct ofs_tenancy *n, const char *path);

#endif
