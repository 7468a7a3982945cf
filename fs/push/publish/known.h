/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_KNOWN_H
#define OFS_KNOWN_H

/*
 * What this mount has seen to be in which repository, so that it need not ask
 * for each part of each manifest.  A hint: a registry may have cleared up
 * since, and then refuses the manifest.  Bounded; not thread-safe.
 */

#include "ocirfs/digest.h"
#include "ocirfs/map.h"

#include <stdbool.h>

struct ofs_known {
    struct ofs_map *map;
};

int ofs_known_init(struct ofs_known *k) OFS_MUST_CHECK; /* -ENOMEM */
void ofs_known_done(struct ofs_known *k);
/* No memory: it is not remembered. */
void ofs_known_add(struct ofs_known *k, const char *repo,
                   const struct ofs_digest *digest, bool is_manifest);
bool ofs_known_has(const struct ofs_known *k, const char *repo,
                   const struct ofs_digest *digest, bool is_manifest);
void ofs_known_forget(struct ofs_known *k); /* all of it */

#endif
