/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NEW_REPOS_H
#define OFS_NEW_REPOS_H

/*
 * Repositories that this mount made.  A plain registry has no way to make an
 * empty one, so it is remembered here until its first push; and whoever makes a
 * directory takes it for empty.  GNU cp does not look whether a name is there
 * in a directory that it made itself: it makes it, and EEXIST is its end.  But
 * the first tag that it copies brings all its blobs along, and index.json, and
 * index.json brings tags.  So
 *
 *   - as long as nothing was pushed, nobody sees a name of the layout that
 *     nobody has made;
 *   - a cp that made the directory goes on seeing nothing but what it made;
 *   - whoever takes a file of the layout away, to make it anew (tar), does not
 *     see it until then.
 *
 * Thread-safe.
 */

#include "ocirfs/lock.h"
#include "ocirfs/map.h"
#include "ocirfs/str.h"

enum ofs_new_repo_part {
    OFS_NEW_REPO_BLOBS = 1 << 0,
    OFS_NEW_REPO_SHA256 = 1 << 1,
    OFS_NEW_REPO_SHA512 = 1 << 2,
    OFS_NEW_REPO_INDEX = 1 << 3,
    OFS_NEW_REPO_HEADER = 1 << 4,
};

struct ofs_new_repos {
    struct ofs_mutex mtx; /* rank NODE; guards all below */
    struct ofs_map *map;  /* path -> struct made */
};

int ofs_new_repos_init(struct ofs_new_repos *new_repos);
void ofs_new_repos_done(struct ofs_new_repos *new_repos);

/* The part that is called so; 0: none. */
unsigned ofs_new_repo_part(const char *name);

/* `maker` made it just now.  -EEXIST: it is remembered already. */
int ofs_new_repo_add(struct ofs_new_repos *new_repos, const char *path,
                     int maker) OFS_MUST_CHECK;
/* It was not pushed and is not wanted any more. */
void ofs_new_repo_forget(struct ofs_new_repos *new_repos, const char *path);
/* The registry cannot forget it, so we do, until somebody makes it anew. */
int ofs_new_repo_unmake(struct ofs_new_repos *new_repos,
                        const char *path) OFS_MUST_CHECK;
bool ofs_new_repo_is_unmade(struct ofs_new_repos *new_repos, const char *path);
/* We have set a tag of it. */
void ofs_new_repo_pushed(struct ofs_new_repos *new_repos, const char *path);
/* The registry shows tags of it: somebody else has pushed. */
void ofs_new_repo_listed(struct ofs_new_repos *new_repos, const char *path);

/* Is it remembered as there? */
bool ofs_new_repo_has(struct ofs_new_repos *new_repos, const char *path);
/* Is it remembered, and nothing of it pushed? */
bool ofs_new_repo_is_new(struct ofs_new_repos *new_repos, const char *path);
/* Is there another one below it? */
bool ofs_new_repo_is_parent(struct ofs_new_repos *new_repos, const char *path);
/* The parts that follow `path` in their names, with duplicates. */
int ofs_new_repo_parts(struct ofs_new_repos *new_repos, const char *path,
                       struct ofs_strv *ret) OFS_MUST_CHECK;

/* May `who` (a process) not see that part yet? */
bool ofs_new_repo_hides(struct ofs_new_repos *new_repos, int who,
                        const char *path, unsigned part);
/* May `who` not see what others, or the registry, put there? */
bool ofs_new_repo_hides_all(struct ofs_new_repos *new_repos, int who,
                            const char *path);
/* Was that part made here? */
bool ofs_new_repo_shows(struct ofs_new_repos *new_repos, const char *path,
                        unsigned part);
/* Somebody made that part: it is to be seen from now on. */
int ofs_new_repo_show(struct ofs_new_repos *new_repos, const char *path,
                      unsigned part) OFS_MUST_CHECK;
/* `who` took it away, perhaps to make it anew.  -ENOENT: not remembered. */
int ofs_new_repo_hide(struct ofs_new_repos *new_repos, int who,
                      const char *path, unsigned part) OFS_MUST_CHECK;

#endif
