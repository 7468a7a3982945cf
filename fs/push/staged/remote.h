/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REMOTE_H
#define OFS_REMOTE_H

/* Content that the registry has.  Thread-safe. */

#include "ocirfs/registry.h"
#include "ocirfs/store.h"

/* Both outlive whoever uses this. */
struct ofs_remote {
    struct ofs_registry *registry;
    struct ofs_store *store;
};

/* A manifest's exact bytes, appended to `b`; from the store if they are there. */
int ofs_remote_manifest(const struct ofs_remote *remote, struct ofs_call *call,
                        const char *repo, const struct ofs_digest *digest,
                        struct ofs_buf *b, struct ofs_err *err) OFS_MUST_CHECK;
/* Put a manifest into the store, for the next who reads it. */
void ofs_remote_keep(const struct ofs_remote *remote,
                     const struct ofs_digest *digest, const void *bytes,
                     size_t len);
/* A blob to read through the store, which verifies it. */
int ofs_remote_blob(const struct ofs_remote *remote, const char *repo,
                    const struct ofs_digest *digest, uint64_t size,
                    struct ofs_blob **ret, struct ofs_err *err) OFS_MUST_CHECK;

#endif
