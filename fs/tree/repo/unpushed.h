/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_AWAITING_H
#define OFS_AWAITING_H

/* Manifests that were accepted here and wait for their parts. */

#include "blob_ask.h"

/* Its bytes are found by ofs_manifest_load from then on.  -ENOENT. */
int ofs_unpushed_find(struct ofs_repos *repos, struct ofs_call *call,
                      const char *path, const struct ofs_digest *digest,
                      struct ofs_blob_seen *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* Is there any?  On a mount that writes. */
bool ofs_unpushed_any(struct ofs_repos *repos, const char *path);
/* Add them to a sorted list, which is the caller's; sorted again. */
int ofs_unpushed_add(struct ofs_repos *repos, const char *path,
                     struct ofs_digest **at, size_t *n) OFS_MUST_CHECK;

#endif
