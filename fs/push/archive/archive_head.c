/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_head.h"

#include <string.h>

/* The sum of a tar's header, with its own field as spaces; octal text. */
static bool is_tar_header(const unsigned char *head)
{
    enum { AT = 148, LEN = 8 };
    unsigned sum = 0, said = 0;
    size_t i = AT;

    for (size_t k = 0; k < OFS_ARCHIVE_HEAD; k++)
        sum += k >= AT && k < AT + LEN ? ' ' : head[k];
    while (i < AT + LEN && head[i] == ' ')
        i++;
    for (; i < AT + LEN && head[i] >= '0' && head[i] <= '7'; i++)
        said = said * 8 + (head[i] - '0');
    return sum == said;
}

struct magic {
    enum ofs_head is;
    size_t len;
    unsigned char bytes[6];
};

static const struct magic magics[] = {
    { OFS_HEAD_ARCHIVE, 3, { 0x1f, 0x8b, 8 } },
    { OFS_HEAD_ARCHIVE, 4, { 0x28, 0xb5, 0x2f, 0xfd } },
    { OFS_HEAD_XZ, 6, { 0xfd, '7', 'z', 'X', 'Z', 0 } },
};

/* "BZh", a digit, and pi. */
static bool is_bzip2(const unsigned char *head, size_t len)
{
    return len >= 10 && memcmp(head, "BZh", 3) == 0 &&
           memcmp(head + 4, "1AY&SY", 6) == 0;
}

static enum ofs_head by_magic(const unsigned char *head, size_t len)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (len >= magics[i].len &&
            memcmp(head, magics[i].bytes, magics[i].len) == 0)
            return magics[i].is;
    return is_bzip2(head, len) ? OFS_HEAD_BZIP2 : OFS_HEAD_OTHER;
}

static size_t skip_space(const unsigned char *head, size_t len)
{
    size_t i = 0;

    while (i < len && head[i] && strchr(" \t\n\r", head[i]))
        i++;
    return i;
}

enum ofs_head ofs_head_of(const void *head, size_t len)
{
    const unsigned char *bytes = head;
    size_t i = skip_space(bytes, len);

    if (i < len && bytes[i] == '{')
        return OFS_HEAD_JSON;
    if (len >= OFS_ARCHIVE_HEAD && is_tar_header(bytes))
        return OFS_HEAD_ARCHIVE;
    /* What is shorter may be the name of a tar's first member. */
    if (len < OFS_ARCHIVE_HEAD && by_magic(bytes, len) == OFS_HEAD_OTHER)
        return OFS_HEAD_SHORT;
    return by_magic(bytes, len);
}

bool ofs_archive_is(const void *head, size_t len)
{
    return ofs_head_of(head, len) == OFS_HEAD_ARCHIVE;
}
