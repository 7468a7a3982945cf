/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PREFETCH_H
#define OFS_PREFETCH_H

/* All tags of a repository, side by side. */

#include "repo.h"

/* A directory was listed: tags asked for from here on are asked because of
 * it. */
void ofs_prefetch_listed(struct ofs_repos *repos, struct ofs_repo *repo);
/* A tag is asked for that is not known: perhaps all will be. */
void ofs_prefetch_missed(struct ofs_repos *repos, struct ofs_call *call,
                         struct ofs_repo *repo);

/* Ask for this one behind everybody's back, unless something is asked. */
void ofs_prefetch_one(struct ofs_repos *repos, struct ofs_repo *repo,
                      const char *tag);

/*
 * Have all tags known and fresh, or as fresh as can be had.  0 also when the
 * registry does not answer but what was seen last is there.
 */
int ofs_tags_want(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_err *err) OFS_MUST_CHECK;

#endif
