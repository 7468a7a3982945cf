/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/harmless.h"

/* How many bytes a UTF-8 sequence that begins so has; 0: none begins so. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

bool ofs_utf8_at(const char *text, uint32_t *ret, size_t *ret_len)
{
    const unsigned char *p = (const unsigned char *)text;
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = length_of(*p);
    uint32_t c = len > 1 ? *p & (0x7fu >> len) : *p;

    if (len == 0)
        return false;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) /* the text's end, too */
            return false;
        c = c << 6 | (p[i] & 0x3fu);
    }
    *ret = c;
    *ret_len = len;
    return c >= least[len] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/*
 * Controls, among them U+009B, which terminals take for ESC [; what turns the
 * direction of writing, so that a name looks like another; line separators.
 */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e ||
           c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

void ofs_harmless(char *text)
{
    unsigned char *p = (unsigned char *)text;
    size_t len;
    uint32_t c;

    for (; *p; p += len) {
        bool valid = ofs_utf8_at((const char *)p, &c, &len);

        if (!valid)
            len = 1;
        for (size_t i = 0; i < len && (!valid || is_control(c)); i++)
            p[i] = '?';
    }
}
