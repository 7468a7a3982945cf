/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REGSOURCE_H
#define OFS_REGSOURCE_H

/* A blob of a repository as a source of the store: the registry's ranges. */

#include "ocirfs/registry.h"
#include "ocirfs/source.h"

/*
 * `reg` outlives the store's use.  `use_mirror`: the first attempt may go to
 * the mirror.  NULL: no memory.
 */
struct ofs_source *ofs_regsource_new(struct ofs_registry *reg, const char *repo,
                                     const struct ofs_digest *digest,
                                     uint64_t size, bool use_mirror);

#endif
