/* SPDX-License-Identifier: Apache-2.0 */
#include "xattrlist.h"

enum { LENGTHS = 6 };

int ofs_xattr_add(struct ofs_buf *list, const struct ofs_xattr *x)
{
    uint8_t head[LENGTHS];

    for (size_t i = 0; i < 2; i++)
        head[i] = (uint8_t)(x->name_len >> 8 * i);
    for (size_t i = 0; i < 4; i++)
        head[2 + i] = (uint8_t)(x->value_len >> 8 * i);
    (void)ofs_buf_add(list, head, sizeof(head));
    (void)ofs_buf_add(list, x->name, x->name_len);
    return ofs_buf_add(list, x->value, x->value_len);
}

bool ofs_xattr_next(const uint8_t *list, size_t len, size_t *at,
                    struct ofs_xattr *ret)
{
    const uint8_t *head;
    size_t name_len, value_len = 0;

    if (len - *at < LENGTHS)
        return false;
    head = list + *at;
    name_len = (size_t)head[0] | (size_t)head[1] << 8;
    for (size_t i = 4; i-- > 0;)
        value_len = value_len << 8 | head[2 + i];
    if (name_len == 0 || name_len > OFS_XATTR_NAME_MAX ||
        value_len > OFS_XATTR_VALUE_MAX ||
        name_len + value_len > len - *at - LENGTHS)
        return false;
    ret->name = (const char *)head + LENGTHS;
    ret->name_len = name_len;
    ret->value = head + LENGTHS + name_len;
    ret->value_len = value_len;
    *at += LENGTHS + name_len + value_len;
    return true;
}

bool ofs_xattr_find(const uint8_t *list, size_t len, const char *name,
                    size_t name_len, struct ofs_xattr *ret)
{
    size_t at = 0;

    while (ofs_xattr_next(list, len, &at, ret))
        if (ret->name_len == name_len && memcmp(ret->name, name, name_len) == 0)
            return true;
    return false;
}

bool ofs_xattr_is_list(const uint8_t *list, size_t len)
{
    struct ofs_xattr x;
    size_t at = 0;

    while (ofs_xattr_next(list, len, &at, &x))
        continue;
    return at == len;
}
