/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYOUT_FILES_H
#define OFS_LAYOUT_FILES_H

/* The files of an OCI layout that the registry does not have. */

#include "repo.h"

/* One that was so a moment ago: a reference; NULL: it is not remembered. */
struct ofs_bytes *ofs_index_old(struct ofs_repo *repo,
                                const struct ofs_digest *digest);
/* index.json of all tags: a reference to its bytes in ret->bytes, and how
 * long it is good. */
int ofs_index_get(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_index *ret,
                  int64_t *ret_left_ms, struct ofs_err *err) OFS_MUST_CHECK;

extern const char ofs_layout_header[]; /* the bytes of oci-layout */

#endif
