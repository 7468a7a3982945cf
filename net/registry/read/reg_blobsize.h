/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_BLOBSIZE_H
#define OFS_REG_BLOBSIZE_H

#include "registry_priv.h"

/* How long is it (bytes)?  By a GET for one byte, wherever that leads. */
int ofs_reg_blob_size(struct reg_end *end, struct ofs_call *call,
                      const char *repo, const struct ofs_digest *digest,
                      const char *what, uint64_t *ret_size,
                      struct ofs_err *err) OFS_MUST_CHECK;

#endif
