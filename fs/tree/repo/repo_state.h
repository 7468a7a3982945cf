/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REPO_STATE_H
#define OFS_REPO_STATE_H

/* The repositories in use, and what each was last heard of.  Thread-safe. */

#include "repo.h"

int ofs_repos_init(struct ofs_repos *repos);
void ofs_repos_done(struct ofs_repos *repos);
void ofs_repos_flush(struct ofs_repos *repos); /* notes of all; at the end */

/*
 * The state of a repository, made when there is none (from its note, if there
 * is one).  NULL: no memory.  May read the local disk.
 */
struct ofs_repo *ofs_repo_get(struct ofs_repos *repos, const char *path);
struct ofs_repo *ofs_repo_ref(struct ofs_repos *repos, struct ofs_repo *repo);
void ofs_repo_put(struct ofs_repos *repos, struct ofs_repo *repo);

void ofs_nameless_free(struct ofs_nameless *list);
OFS_DEFINE_AUTO(struct ofs_nameless, ofs_nameless_free)

OFS_DEFINE_HOLD(ofs_repo_hold, struct ofs_repos, struct ofs_repo, repo,
                ofs_repo_put)
/* Hold the repository of `path` until the end of the block; may be NULL. */
#define OFS_REPO_HOLD(name, in, path)                                          \
    OFS_HOLD(ofs_repo_hold, name, in, ofs_repo_get((in), (path)))

/* What a path was last heard of: was its listing refused lately, and how? */
int ofs_repo_refusal(struct ofs_repos *repos, const char *path);

/* Is a list of its tags in memory, however old? */
bool ofs_repo_is_listed(struct ofs_repos *repos, const char *path);

/* When its names were last seen to change; 0: never. */
int64_t ofs_repo_changed(struct ofs_repos *repos, const char *path);

/* Paths of repositories that are known to have that blob or manifest. */
int ofs_repos_with(struct ofs_repos *repos, const struct ofs_digest *digest,
                   struct ofs_strv *ret) OFS_MUST_CHECK;

/* mtime of what nothing else is known of. */
int64_t ofs_repos_base_s(struct ofs_repos *repos);

#endif
