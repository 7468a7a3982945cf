/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAILURES_H
#define OFS_FAILURES_H

/*
 * Why the last operation on a name failed, for user.ocirfs.error.  By name,
 * since what a failed write leaves behind is a name whose old content has come
 * back.  The last few are kept.  Thread-safe.
 */

#include "nodes.h"
#include "overlay.h"

enum { OFS_FAILURES = 64 };
struct ofs_failure;

struct ofs_failures {
    struct ofs_nodes *nodes; /* borrowed */
    struct ofs_mutex mtx;    /* rank NODE; guards all below */
    struct ofs_failure *at[OFS_FAILURES];
    size_t next; /* is overwritten next */
};

int ofs_failures_init(struct ofs_failures *all, struct ofs_nodes *nodes);
void ofs_failures_done(struct ofs_failures *all);

/* It failed; its directory tells so, too. */
void ofs_failure_note(struct ofs_failures *all, const struct ofs_spot *spot,
                      const struct ofs_err *err);
/* It went well. */
void ofs_failure_clear(struct ofs_failures *all, const struct ofs_spot *spot);
/* A copy, or NULL. */
char *ofs_failure_get(struct ofs_failures *all, const struct ofs_spot *spot);

#endif
