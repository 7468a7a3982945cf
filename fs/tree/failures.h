/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAILURES_H
#define OFS_FAILURES_H

/*
 * Why the last operation on a name failed, for user.ocirfs.error.  By name,
 * since what a failed write leaves behind is a name whose old content has come
 * back.  The last few are kept.  Thread-safe.
 */

#include "scratch.h"

int ofs_failures_init(struct ofs_tree *t);
void ofs_failures_done(struct ofs_tree *t);

/* It failed; its directory tells so, too. */
void ofs_failure_note(struct ofs_tree *t, const struct ofs_spot *spot,
                      const struct ofs_err *err);
/* It went well. */
void ofs_failure_clear(struct ofs_tree *t, const struct ofs_spot *spot);
/* A copy, or NULL. */
char *ofs_failure_get(struct ofs_tree *t, const struct ofs_spot *spot);

#endif
