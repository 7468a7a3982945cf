/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SAFEDIR_H
#define OFS_SAFEDIR_H

#include "ocirfs/err.h"

/*
 * Open the directory `path`, which the caller closes; what is missing on the
 * way is made with mode 0700.
 *
 * When root asks, nobody else may be able to lead it elsewhere: every directory
 * and symbolic link on the way has to be root's, and a directory that others
 * may write has to be sticky, as /tmp is.  -EACCES, with a text that names what
 * is not; -ENOTDIR, -ELOOP, -ENAMETOOLONG, or the disk's errno.
 */
int ofs_safe_dir(const char *path, struct ofs_err *err) OFS_MUST_CHECK;

#endif
