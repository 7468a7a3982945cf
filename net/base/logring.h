/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LOGRING_H
#define OFS_LOGRING_H

#include "ocirfs/buf.h"

/*
 * The last lines that somebody may want to read later (/.ocirfs/errors).
 * Thread-safe.
 */

/* `level` as the log writes it: a literal. */
void ofs_logring_add(const char *level, const char *text);
/* Oldest first, a line each.  0, or b->failed. */
int ofs_logring_dump(struct ofs_buf *b);

#endif
