/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TARNAME_H
#define OFS_TARNAME_H

/*
 * Names in a tar, in one form: "a/b", without "./", doubled or trailing
 * slashes.  Pure.  Nothing is ever unpacked under such a name, so a hostile one
 * cannot hurt; but no honest archive has one, and so it is refused.
 */

#include "ocirfs/buf.h"

enum { OFS_TARNAME_MAX = 1024 }; /* bytes */

/*
 * Add `path` to the empty buffer `ret`; nothing is added for the archive's own
 * root.  `from` NULL: it is a name as a member has it, and ".." is refused;
 * else the target of the symbolic link `from` (in the one form), which may
 * climb as long as it stays inside.  -EINVAL absolute or outside; -EFBIG.
 */
int ofs_tarname(const char *from, const char *path, struct ofs_buf *ret,
                struct ofs_err *err) OFS_MUST_CHECK;

#endif
