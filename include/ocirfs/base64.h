/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BASE64_H
#define OFS_BASE64_H

/* Base64 of RFC 4648: standard alphabet, and URL alphabet for JWTs.  Pure. */

#include "ocirfs/buf.h"

/* Append the standard form, with padding.  0, or b->failed. */
int ofs_base64_encode(struct ofs_buf *b, const void *data, size_t len);

/*
 * Append what `text` (len characters) stands for.  Takes both alphabets, with
 * or without padding; no white space.  0, -EBADMSG, or b->failed.
 */
int ofs_base64_decode(struct ofs_buf *b, const char *text, size_t len);

#endif
