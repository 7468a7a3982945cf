/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_UNZSTD_H
#define OFS_UNZSTD_H

/*
 * zstd for small things of our own: windows of checkpoints.
 */

#include "ocirfs/buf.h"

#include <stdint.h>

/* Append `len` bytes, packed, to `b`.  b->failed, -ENOMEM. */
int ofs_zstd_pack(struct ofs_buf *b, const void *data,
                  size_t len) OFS_MUST_CHECK;
/* Exactly `len` bytes, else -EBADMSG. */
int ofs_zstd_unpack(const void *packed, size_t packed_len, void *out,
                    size_t len) OFS_MUST_CHECK;

#endif
