/* SPDX-License-Identifier: Apache-2.0 */
#include "tarhead.h"

enum { /* where the fields of a header begin, and how long they are */
       NAME_AT = 0,
       NAME_LEN = 100,
       MODE_AT = 100,
       UID_AT = 108,
       GID_AT = 116,
       ID_LEN = 8,
       SIZE_AT = 124,
       MTIME_AT = 136,
       LONG_LEN = 12,
       SUM_AT = 148,
       SUM_LEN = 8,
       TYPE_AT = 156,
       LINK_AT = 157,
       MAGIC_AT = 257,
       MAJOR_AT = 329,
       MINOR_AT = 337,
       PREFIX_AT = 345,
       PREFIX_LEN = 155,
       STAR_PREFIX_LEN = 131,
       STAR_AT = 508,
};

static int base_256(const uint8_t *field, size_t len, int64_t *ret)
{
    bool negative = field[0] & 0x40;
    uint64_t value = negative ? ~UINT64_C(0) : 0;
    uint8_t sign = negative ? 0xff : 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t byte =
            i > 0 ? field[i]
                  : (uint8_t)((field[0] & 0x7f) | (negative ? 0x80 : 0));

        if (len - i > 8 && byte != sign)
            return -EBADMSG;
        value = value << 8 | byte;
    }
    if ((value >> 63 != 0) != negative)
        return -EBADMSG;
    *ret = (int64_t)value;
    return 0;
}

static bool is_filler(uint8_t c)
{
    return c == ' ' || c == '\0';
}

int ofs_tar_number(const uint8_t *field, size_t len, int64_t *ret)
{
    uint64_t value = 0;

    if (field[0] & 0x80)
        return base_256(field, len, ret);
    while (len > 0 && is_filler(*field)) {
        field++;
        len--;
    }
    while (len > 0 && is_filler(field[len - 1]))
        len--;
    for (size_t i = 0; i < len && field[i] != '\0'; i++) {
        if (field[i] < '0' || field[i] > '7' || value >> 60 != 0)
            return -EBADMSG;
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    *ret = (int64_t)value;
    return 0;
}

bool ofs_tar_is_zero(const uint8_t block[OFS_TAR_BLOCK])
{
    static const uint8_t zero[OFS_TAR_BLOCK];

    return memcmp(block, zero, sizeof(zero)) == 0;
}

/* Some writers summed signed bytes. */
static bool is_sum(const uint8_t *block, int64_t sum)
{
    int64_t plain = 0, sign = 0;

    for (size_t i = 0; i < OFS_TAR_BLOCK; i++) {
        uint8_t byte = i >= SUM_AT && i < SUM_AT + SUM_LEN ? ' ' : block[i];

        plain += byte;
        sign += (int8_t)byte;
    }
    return sum == plain || sum == sign;
}

static size_t put_text(char *to, const uint8_t *from, size_t len)
{
    size_t n = strnlen((const char *)from, len);

    memcpy(to, from, n);
    to[n] = '\0';
    return n;
}

/* GNU keeps times and sparse maps where POSIX has the name's beginning. */
static void parse_name(const uint8_t *block, struct ofs_tar_head *ret)
{
    bool star = memcmp(block + STAR_AT, "tar\0", 4) == 0;
    size_t n = 0;

    if (!ret->gnu && memcmp(block + MAGIC_AT, "ustar\0", 6) == 0)
        n = put_text(ret->name, block + PREFIX_AT,
                     star ? STAR_PREFIX_LEN : PREFIX_LEN);
    if (n > 0)
        ret->name[n++] = '/';
    (void)put_text(ret->name + n, block + NAME_AT, NAME_LEN);
    (void)put_text(ret->link, block + LINK_AT, NAME_LEN);
}

int ofs_tar_head_parse(const uint8_t block[OFS_TAR_BLOCK],
                       struct ofs_tar_head *ret)
{
    int64_t sum, mode, size, major = 0, minor = 0;
    bool magic = memcmp(block + MAGIC_AT, "ustar", 5) == 0;

    if (ofs_tar_number(block + SUM_AT, SUM_LEN, &sum) < 0 ||
        !is_sum(block, sum) ||
        ofs_tar_number(block + MODE_AT, ID_LEN, &mode) < 0 ||
        ofs_tar_number(block + UID_AT, ID_LEN, &ret->uid) < 0 ||
        ofs_tar_number(block + GID_AT, ID_LEN, &ret->gid) < 0 ||
        ofs_tar_number(block + SIZE_AT, LONG_LEN, &size) < 0 || size < 0 ||
        ofs_tar_number(block + MTIME_AT, LONG_LEN, &ret->mtime) < 0)
        return -EBADMSG;
    if (magic && (ofs_tar_number(block + MAJOR_AT, ID_LEN, &major) < 0 ||
                  ofs_tar_number(block + MINOR_AT, ID_LEN, &minor) < 0))
        return -EBADMSG;
    ret->type = (char)block[TYPE_AT];
    ret->gnu = memcmp(block + MAGIC_AT, "ustar  ", 8) == 0;
    ret->mode = (uint16_t)(mode & 07777);
    ret->size = (uint64_t)size;
    ret->major = (uint32_t)major;
    ret->minor = (uint32_t)minor;
    parse_name(block, ret);
    return 0;
}
