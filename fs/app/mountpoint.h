/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MOUNTPOINT_H
#define OFS_MOUNTPOINT_H

#include "ocirfs/err.h"

/*
 * Can something be mounted on `path`?  Its absolute form (owned), or -EINVAL
 * with one sentence: missing, no directory, not empty, a dead mount, FUSE not
 * available.
 */
int ofs_mountpoint_check(const char *path, char **ret,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
