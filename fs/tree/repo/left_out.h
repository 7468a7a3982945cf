/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LEFT_OUT_H
#define OFS_LEFT_OUT_H

/* What cannot be had while others can: remembered for a while, told once. */

#include "ocirfs/clock.h"

#include "repo.h"

/* With repo.mtx held: is the tag of use, as it is or as it was last seen? */
bool ofs_tag_is_shown(const struct ofs_tag *tag);

/* Tell that a name of a repository, or a part of it, is not shown: `what`, as
 * in "'bad' of 'app' has no date", and why. */
void ofs_left_out(struct ofs_repos *repos, struct ofs_repo *repo,
                  const char *name, const char *what,
                  const struct ofs_err *why);
/* Does this failure, of one request of many, mean all of them? */
bool ofs_is_trouble_of_all(struct ofs_repos *repos, int code,
                           const struct ofs_err *err);

/* How asking for that manifest or configuration ended within the ttl; 0. */
int ofs_repo_unread(struct ofs_repos *repos, struct ofs_repo *repo,
                    const struct ofs_digest *digest);
/* It could not be had.  False: it could not the last time, either. */
bool ofs_repo_note_unread(struct ofs_repos *repos, struct ofs_repo *repo,
                          const struct ofs_digest *digest, int code);

/* Of what a call has left, what one of many may take: the others, and what is
 * made of all, want some, too. */
static inline int64_t ofs_share_ms(const struct ofs_call *call)
{
    int64_t left = ofs_call_left_ms(call);

    return left == OFS_NEVER ? OFS_NEVER : left - left / 4;
}

/* A call ends after `ms` at the latest. */
static inline void ofs_call_hurry(struct ofs_call *call, int64_t ms)
{
    if (ms < ofs_call_left_ms(call))
        call->deadline_ms = ofs_mono_ms() + ms;
}

#endif
