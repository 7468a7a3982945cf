/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CREATED_H
#define OFS_CREATED_H

#include "repo.h"

struct ofs_date {
    int64_t s;    /* seconds; 0 when nobody says */
    bool undated; /* who would say could not be asked */
};

/*
 * When the image was created.  Depends on nothing but the manifest's content,
 * so it is the same whoever asks and when.  A configuration that cannot be had
 * is told as that of `name`, once.  Fails for the caller's own reasons only.
 */
int ofs_created_of(struct ofs_repos *repos, struct ofs_call *call,
                   struct ofs_repo *repo, const char *name,
                   const struct ofs_manifest *m, struct ofs_date *ret,
                   struct ofs_err *err) OFS_MUST_CHECK;

#endif
