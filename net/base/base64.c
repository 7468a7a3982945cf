/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/base64.h"

#include <stdbool.h>
#include <stdint.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes into four characters. */
static void encode_group(const unsigned char *in, size_t n, char out[4])
{
    unsigned bits = (unsigned)in[0] << 16;

    if (n > 1)
        bits |= (unsigned)in[1] << 8;
    if (n > 2)
        bits |= in[2];
    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[bits >> 12 & 63];
    out[2] = '=';
    out[3] = '=';
    if (n > 1)
        out[2] = alphabet[bits >> 6 & 63];
    if (n > 2)
        out[3] = alphabet[bits & 63];
}

int ofs_base64_encode(struct ofs_buf *b, const void *data, size_t len)
{
    const unsigned char *in = data;

    while (len > 0) {
        size_t n = len < 3 ? len : 3;
        char out[4];

        encode_group(in, n, out);
        (void)ofs_buf_add(b, out, sizeof(out));
        in += n;
        len -= n;
    }
    return b->failed;
}

/* Six bits, or -1. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

/* Two to four characters into one to three bytes. */
static size_t decode_group(const char *in, size_t n, unsigned char out[3])
{
    unsigned bits = 0;

    for (size_t i = 0; i < 4; i++)
        bits = bits << 6 | (i < n ? (unsigned)value_of(in[i]) : 0);
    out[0] = (unsigned char)(bits >> 16);
    out[1] = (unsigned char)(bits >> 8 & 255);
    out[2] = (unsigned char)(bits & 255);
    return n - 1;
}

/* The length without padding; SIZE_MAX when the padding is wrong. */
static size_t unpadded(const char *text, size_t len)
{
    size_t pads = 0;

    while (pads < len && pads < 3 && text[len - 1 - pads] == '=')
        pads++;
    if (pads > 2 || (pads > 0 && len % 4 != 0))
        return SIZE_MAX;
    return len - pads;
}

static bool is_base64(const char *text, size_t len)
{
    if (len % 4 == 1)
        return false;
    for (size_t i = 0; i < len; i++)
        if (value_of(text[i]) < 0)
            return false;
    return true;
}

/* Bits beyond the last byte may be set: Go, which wrote most of what is read
 * here, does not look at them either. */
int ofs_base64_decode(struct ofs_buf *b, const char *text, size_t len)
{
    unsigned char out[3];

    len = unpadded(text, len);
    if (len == SIZE_MAX || !is_base64(text, len))
        return -EBADMSG;
    while (len > 0) {
        size_t n = len < 4 ? len : 4;

        (void)ofs_buf_add(b, out, decode_group(text, n, out));
        text += n;
        len -= n;
    }
    return b->failed;
}
