/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TARWRITER_H
#define OFS_TARWRITER_H

/*
 * Archives for tests, also such as no tar(1) would write.
 */

#include "image_test.h"

#include <inttypes.h>

struct tw {
    const char *name;
    char type; /* 0: '0' */
    const char *data;
    const char *link;
    unsigned mode, uid, gid, mtime, major, minor;
    size_t len;  /* of data; 0: its string's */
    size_t size; /* what the header says, if not that */
    bool raw;    /* type is what it is, '\0' too */
    bool gnu, v7;
};

static inline void tw_octal(uint8_t *field, size_t len, uint64_t value)
{
    for (size_t i = len - 1; i-- > 0; value >>= 3)
        field[i] = (uint8_t)('0' + (value & 7));
}

static inline void tw_sum(uint8_t *block)
{
    unsigned sum = 0;

    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += block[i];
    tw_octal(block + 148, 7, sum);
    block[154] = '\0';
}

static inline void tw_block(uint8_t block[512], const struct tw *e, size_t size)
{
    memset(block, 0, 512);
    memcpy(block, e->name, strnlen(e->name, 100));
    tw_octal(block + 100, 8, e->mode ? e->mode : 0644);
    tw_octal(block + 108, 8, e->uid);
    tw_octal(block + 116, 8, e->gid);
    tw_octal(block + 124, 12, size);
    tw_octal(block + 136, 12, e->mtime);
    block[156] = (uint8_t)(e->type || e->raw ? e->type : '0');
    if (e->link)
        memcpy(block + 157, e->link, strnlen(e->link, 100));
    if (!e->v7)
        memcpy(block + 257,
               e->gnu ? "ustar  \0"
                      : "ustar\0"
                        "00",
               8);
    tw_octal(block + 329, 8, e->major);
    tw_octal(block + 337, 8, e->minor);
    tw_sum(block);
}

static inline void tw_pad(struct ofs_buf *b)
{
    static const char zeros[512];

    if (b->len % 512 > 0)
        assert_int_equal(ofs_buf_add(b, zeros, 512 - b->len % 512), 0);
}

static inline void tw_add(struct ofs_buf *b, const struct tw *e)
{
    size_t len = e->len ? e->len : e->data ? strlen(e->data) : 0;
    uint8_t block[512];

    tw_block(block, e, e->size ? e->size : len);
    assert_int_equal(ofs_buf_add(b, block, sizeof(block)), 0);
    if (len > 0)
        assert_int_equal(ofs_buf_add(b, e->data, len), 0);
    tw_pad(b);
}

/* One record; its length counts itself. */
static inline void tw_record(struct ofs_buf *b, const char *key,
                             const char *value, size_t len)
{
    size_t n = strlen(key) + len + 3, digits = 1;

    for (size_t most = 10; n + digits >= most; most *= 10)
        digits++;
    assert_int_equal(ofs_buf_addf(b, "%zu %s=", n + digits, key), 0);
    assert_int_equal(ofs_buf_add(b, value, len), 0);
    assert_int_equal(ofs_buf_addc(b, '\n'), 0);
}

/* An extended header of "key", "value", ..., NULL. */
static inline void tw_pax(struct ofs_buf *b, ...)
{
    OFS_AUTOBUF struct ofs_buf records = OFS_BUF_INIT(1 << 20);
    const char *key;
    va_list args;

    va_start(args, b);
    while ((key = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);

        tw_record(&records, key, value, strlen(value));
    }
    va_end(args);
    tw_add(b, &(struct tw){ .name = "pax",
                            .type = 'x',
                            .data = records.data,
                            .len = records.len });
}

static inline void tw_end(struct ofs_buf *b)
{
    static const char zeros[1024];

    assert_int_equal(ofs_buf_add(b, zeros, sizeof(zeros)), 0);
}

#endif
