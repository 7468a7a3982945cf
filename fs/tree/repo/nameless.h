/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NAMELESS_H
#define OFS_NAMELESS_H

/*
 * Manifests that an index.json named without a tag.  A registry has no list of
 * such, so this mount remembers them and shows them in its index.json: whoever
 * wrote the entry finds his image there again.  Thread-safe.
 */

#include "repo_state.h"

/* It is to be shown, and people are told how to name it. */
void ofs_nameless_add(struct ofs_repos *repos, const char *path,
                      const struct ofs_descriptor *d);
/* It is not to be any more, or has a tag now; NULL: none of that repository. */
void ofs_nameless_drop(struct ofs_repos *repos, const char *path,
                       const struct ofs_digest *digest);

#endif
