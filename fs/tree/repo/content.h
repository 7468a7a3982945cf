/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CONTENT_H
#define OFS_CONTENT_H

/*
 * Manifests and configurations, by digest.  They never change, so they are in
 * the store once they were asked for.
 */

#include "repo.h"

/* Would a load of this small object ask nobody? */
bool ofs_content_is_here(struct ofs_repos *repos,
                         const struct ofs_digest *digest);

/* The exact bytes, verified; from the store, else from the registry. */
int ofs_manifest_load(struct ofs_repos *repos, struct ofs_call *call,
                      struct ofs_repo *repo, const struct ofs_digest *digest,
                      struct ofs_buf *ret, struct ofs_err *err) OFS_MUST_CHECK;
/* As ofs_manifest_load, of an image configuration. */
int ofs_config_load(struct ofs_repos *repos, struct ofs_call *call,
                    struct ofs_repo *repo, const struct ofs_descriptor *config,
                    struct ofs_buf *ret, struct ofs_err *err) OFS_MUST_CHECK;

/* Load and decode; what the manifest refers to becomes known. */
int ofs_manifest_read(struct ofs_repos *repos, struct ofs_call *call,
                      struct ofs_repo *repo, const struct ofs_digest *digest,
                      struct ofs_manifest *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;

/* A manifest of `size` bytes is in the repository, and what it refers to;
 * `m` may be NULL.  Without memory less is known, nothing else. */
void ofs_repo_learn(struct ofs_repo *repo, const struct ofs_digest *digest,
                    uint64_t size, const struct ofs_manifest *m);

/* May not be in the registry: a layer that its owner gives out himself. */
bool ofs_is_elsewhere(const struct ofs_descriptor *d);
/* Is that one of the manifests of an index?  It may name blobs, too. */
bool ofs_names_manifest(const struct ofs_manifest *m,
                        const struct ofs_descriptor *d);

#endif
