/* SPDX-License-Identifier: Apache-2.0 */
#include "xattrset.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>

void ofs_xattrs_done(struct ofs_xattrs *x)
{
    ofs_strv_done(&x->names);
    ofs_strv_done(&x->values);
}

int ofs_xattrs_add(struct ofs_xattrs *x, const char *name, const char *value)
{
    if (strlen(name) > XATTR_NAME_MAX || strlen(value) > XATTR_SIZE_MAX)
        return 0;
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            return 0;
    /* Whichever fails, the lists may differ in length by one at the end,
     * where nobody looks. */
    if (ofs_strv_add(&x->values, value) < 0 ||
        ofs_strv_add(&x->names, name) < 0)
        return -ENOMEM;
    return 0;
}
