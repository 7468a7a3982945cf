/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TOKEN_WHO_H
#define OFS_TOKEN_WHO_H

/* As whom a registry is asked. */

#include "ocirfs/buf.h"
#include "ocirfs/call.h"
#include "ocirfs/cred.h"
#include "ocirfs/digest.h"

/* Add what one source says of us; as ofs_tokens_who. */
int ofs_token_add_who(const struct ofs_cred_source *from, struct ofs_call *call,
                      const char *host, const char *repo,
                      struct ofs_buf *b) OFS_MUST_CHECK;

#endif
