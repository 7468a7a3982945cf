/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_XATTRSET_H
#define OFS_XATTRSET_H

/* Extended attributes, as getfattr shows them. */

#include "ocirfs/str.h"

struct ofs_xattrs {
    struct ofs_strv names, values; /* values without their NUL */
};

void ofs_xattrs_done(struct ofs_xattrs *x);
/* Left out when it cannot be an attribute: too long, odd characters. */
int ofs_xattrs_add(struct ofs_xattrs *x, const char *name,
                   const char *value) OFS_MUST_CHECK;

#endif
