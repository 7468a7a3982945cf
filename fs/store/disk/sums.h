/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SUMS_H
#define OFS_SUMS_H

/*
 * The file <hex>.sums: its existence means that the digest of the whole has
 * matched once; it holds the hash's state at each chunk border, so that each
 * chunk is checked alone from then on.  Stays when the data is removed.
 */

#include "blobfile.h"

/*
 * *ret_states: ofs_sums_len() bytes, to be freed by the caller; never NULL.
 * -ENOENT: none, or torn; -EBADMSG: of a blob of another size.
 */
int ofs_sums_load(const struct ofs_blobdir *dir,
                  const struct ofs_digest *digest, uint64_t size,
                  uint8_t **ret_states) OFS_MUST_CHECK;
/* To ignore a failure is no harm: it will be hashed once more. */
int ofs_sums_save(const struct ofs_blobdir *dir,
                  const struct ofs_digest *digest, uint64_t size,
                  const uint8_t *states);
/* The size it tells.  -ENOENT. */
int ofs_sums_size(const struct ofs_blobdir *dir,
                  const struct ofs_digest *digest,
                  uint64_t *ret_size) OFS_MUST_CHECK;

#endif
