/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FLUSH_H
#define OFS_FLUSH_H

/*
 * From a file that is being written to what the registry has: what close(),
 * fsync() and rename() do.  `err` is never NULL here.
 */

#include "destination.h"
#include "lookup.h"

/* -EROFS on a mount that writes nothing. */
int ofs_need_writable(const struct ofs_tree *t,
                      struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Push what it is now, under the name it has, unless that was done already:
 * then that result again.  Nothing written is nothing to push.
 */
int ofs_flush(struct ofs_tree *t, struct ofs_call *call, struct ofs_local *s,
              struct ofs_err *err) OFS_MUST_CHECK;

/* The same, but what is no manifest, archive or blob is 0: it may become one,
 * and is looked at again. */
int ofs_commit_early(struct ofs_tree *t, struct ofs_call *call,
                     struct ofs_local *s, struct ofs_err *err) OFS_MUST_CHECK;

/* Push it under another name, which it has from then on; on failure it keeps
 * the one it had. */
int ofs_flush_as(struct ofs_tree *t, struct ofs_call *call, struct ofs_local *s,
                 const struct ofs_destination *to,
                 struct ofs_err *err) OFS_MUST_CHECK;

/* Push it under another name as well. */
int ofs_flush_copy(struct ofs_tree *t, struct ofs_call *call,
                   struct ofs_local *s, const struct ofs_destination *to,
                   struct ofs_err *err) OFS_MUST_CHECK;

#endif
