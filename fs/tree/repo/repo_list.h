/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REPO_LIST_H
#define OFS_REPO_LIST_H

#include "repo.h"

/* Names of the tags: fresh, or as last seen; as ofs_listing_want. */
int ofs_repo_list(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_err *err) OFS_MUST_CHECK;

#endif
