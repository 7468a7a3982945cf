/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REACH_H
#define OFS_REACH_H

#include "repo.h"

/* Every blob and manifest the tags reach: *ret (owned, sorted) and how many. */
int ofs_reach_get(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_digest **ret, size_t *ret_n,
                  struct ofs_err *err) OFS_MUST_CHECK;

#endif
