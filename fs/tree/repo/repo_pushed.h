/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REPO_PUSHED_H
#define OFS_REPO_PUSHED_H

/* What our own pushes change in a repository, and ask of it. */

#include "repo.h"

/* We have put that blob there. */
void ofs_repo_fed(struct ofs_repo *repo, const struct ofs_digest *digest,
                  uint64_t size);
/* We have set that tag, taken it away. */
void ofs_repo_tagged(struct ofs_repo *repo, const char *name);
void ofs_repo_untagged(struct ofs_repos *repos, const char *path,
                       const char *tag);
/* How often we set or took away a tag of it. */
uint64_t ofs_repo_written(struct ofs_repo *repo);
/* What a tag names, without asking.  -ENOENT; -EAGAIN: only its name is known. */
int ofs_repo_tag_names(struct ofs_repo *repo, const char *tag,
                       struct ofs_digest *ret) OFS_MUST_CHECK;

#endif
