/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TAG_ASK_H
#define OFS_TAG_ASK_H

/* What a tag names.  Threads that want the same share one request. */

#include "repo.h"

/* *ret (owned by the caller).  -ENOENT: no such tag. */
int ofs_tag_get(const struct ofs_tag_of *of, struct ofs_call *call,
                struct ofs_tag_seen *ret, struct ofs_err *err) OFS_MUST_CHECK;

#endif
