/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CREATED_H
#define OFS_CREATED_H

#include "repo.h"

/*
 * When the image was created, seconds; 0 when nobody says.  Depends on nothing
 * but the manifest's content, so it is the same whoever asks and when.
 */
int ofs_created_of(struct ofs_repos *repos, struct ofs_call *call,
                   struct ofs_repo *repo, const struct ofs_manifest *m,
                   int64_t *ret_s, struct ofs_err *err) OFS_MUST_CHECK;

#endif
