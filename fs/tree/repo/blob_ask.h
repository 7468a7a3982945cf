/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BLOB_ASK_H
#define OFS_BLOB_ASK_H

/* Whether a blob or manifest is in a repository. */

#include "repo.h"

struct ofs_blob_seen {
    uint64_t size;
    bool manifest;    /* to be had from the manifests endpoint */
    int64_t valid_ms; /* OFS_NEVER, unless nobody could be asked */
};

/* Is it in the repository?  -ENOENT: no. */
int ofs_blob_find(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, const struct ofs_digest *digest,
                  struct ofs_blob_seen *ret,
                  struct ofs_err *err) OFS_MUST_CHECK;

/* The same of a manifest, that is, at the manifests endpoint only. */
int ofs_blob_find_manifest(struct ofs_repos *repos, struct ofs_call *call,
                           struct ofs_repo *repo,
                           const struct ofs_digest *digest,
                           struct ofs_blob_seen *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

#endif
