/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ARCHIVE_PICK_H
#define OFS_ARCHIVE_PICK_H

/* Which image of an archive is meant.  Pure. */

#include "ocirfs/err.h"

#include <stddef.h>

/* An image may have several names, or one that is NULL. */
struct ofs_archive_name {
    const char *name; /* "host/app:1.5", "1.5"; borrowed */
    size_t image;     /* which one it names */
};

/*
 * The image for `repo`:`tag`: the only one there is; else the only one with
 * that tag; else, of several, the only one whose name before the tag ends with
 * the last part of `repo`.  -EINVAL, and the sentence lists the names.
 */
int ofs_archive_pick(const struct ofs_archive_name *names, size_t n,
                     const char *repo, const char *tag, size_t *ret_image,
                     struct ofs_err *err) OFS_MUST_CHECK;

#endif
