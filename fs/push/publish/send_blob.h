/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SEND_BLOB_H
#define OFS_SEND_BLOB_H

/* A draft becomes a blob of a repository. */

#include "draft.h"
#include "publish.h"

/* Make sure that the registry has the blob: `digest` is that of the draft. */
int ofs_send_blob(struct ofs_publisher *p, struct ofs_call *call,
                  struct ofs_draft *d, const char *repo,
                  const struct ofs_digest *digest,
                  struct ofs_err *err) OFS_MUST_CHECK;

#endif
