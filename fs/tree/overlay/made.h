/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MADE_H
#define OFS_MADE_H

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

enum ofs_made_part {
    OFS_MADE_BLOBS = 1 << 0,
    OFS_MADE_SHA256 = 1 << 1,
    OFS_MADE_SHA512 = 1 << 2,
    OFS_MADE_INDEX = 1 << 3,
    OFS_MADE_HEADER = 1 << 4,
};

struct ofs_mades {
    struct ofs_mutex mtx; /* rank NODE; guards all below */
    struct ofs_map *map;  /* path -> struct made */
};

int ofs_mades_init(struct ofs_mades *mades);
void ofs_mades_done(struct ofs_mades *mades);

/* The part that is called so; 0: none. */
unsigned ofs_made_part(const char *name);

/* `maker` made it just now.  -EEXIST: it is remembered already. */
int ofs_made_add(struct ofs_mades *mades, const char *path,
                 int maker) OFS_MUST_CHECK;
/* It was not pushed and is not wanted any more. */
void ofs_made_forget(struct ofs_mades *mades, const char *path);
/* The registry cannot forget it, so we do, until somebody makes it anew. */
int ofs_made_unmake(struct ofs_mades *mades, const char *path) OFS_MUST_CHECK;
bool ofs_made_is_unmade(struct ofs_mades *mades, const char *path);
/* We have set a tag of it. */
void ofs_made_pushed(struct ofs_mades *mades, const char *path);
/* The registry shows tags of it: somebody else has pushed. */
void ofs_made_listed(struct ofs_mades *mades, const char *path);

/* Is it remembered as there? */
bool ofs_made_has(struct ofs_mades *mades, const char *path);
/* Is it remembered, and nothing of it pushed? */
bool ofs_made_is_new(struct ofs_mades *mades, const char *path);
/* Is there another one below it? */
bool ofs_made_is_parent(struct ofs_mades *mades, const char *path);
/* The parts that follow `path` in their names, with duplicates. */
int ofs_made_parts(struct ofs_mades *mades, const char *path,
                   struct ofs_strv *ret) OFS_MUST_CHECK;

/* May `who` (a process) not see that part yet? */
bool ofs_made_hides(struct ofs_mades *mades, int who, const char *path,
                    unsigned part);
/* May `who` not see what others, or the registry, put there? */
bool ofs_made_hides_all(struct ofs_mades *mades, int who, const char *path);
/* Was that part made here? */
bool ofs_made_shows(struct ofs_mades *mades, const char *path, unsigned part);
/* Somebody made that part: it is to be seen from now on. */
int ofs_made_show(struct ofs_mades *mades, const char *path,
                  unsigned part) OFS_MUST_CHECK;
/* `who` took it away, perhaps to make it anew.  -ENOENT: not remembered. */
int ofs_made_hide(struct ofs_mades *mades, int who, const char *path,
                  unsigned part) OFS_MUST_CHECK;

#endif
