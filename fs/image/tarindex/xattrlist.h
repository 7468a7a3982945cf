/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_XATTRLIST_H
#define OFS_XATTRLIST_H

/*
 * Extended attributes of one entry as bytes, in an archive's pass and in the
 * index file: for each its name's length (2 bytes) and its value's (4 bytes),
 * little-endian, then both.  Pure.
 */

#include "ocirfs/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    OFS_XATTR_NAME_MAX = 255, /* as the kernel has it */
    OFS_XATTR_VALUE_MAX = 65536,
};

struct ofs_xattr {
    const char *name; /* not terminated */
    size_t name_len;
    const uint8_t *value;
    size_t value_len;
};

int ofs_xattr_add(struct ofs_buf *list, const struct ofs_xattr *x);
/* The next one at *at, which moves on; false: no more, or not a list. */
bool ofs_xattr_next(const uint8_t *list, size_t len, size_t *at,
                    struct ofs_xattr *ret);
bool ofs_xattr_find(const uint8_t *list, size_t len, const char *name,
                    size_t name_len, struct ofs_xattr *ret);
bool ofs_xattr_is_list(const uint8_t *list, size_t len);

#endif
