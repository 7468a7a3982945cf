/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_IMAGE_TEST_H
#define OFS_IMAGE_TEST_H

/*
 * What the tests of fs/image share: packing bytes, and a layer that is an
 * array.  Everything here asserts and returns what is right.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "ocirfs/packed.h"

#include "ocirfs/buf.h"

#include <zlib.h>
#include <zstd.h>

/* A layer in memory; reads hand out at most `step` bytes. */
struct bytes {
    struct ofs_packed packed;
    const uint8_t *data;
    size_t step;
    uint64_t n_read; /* bytes handed out; not exact with threads */
};

static inline int bytes_read(void *arg, struct ofs_call *call, void *buf,
                             size_t len, uint64_t off, size_t *ret_n,
                             struct ofs_err *err)
{
    struct bytes *b = arg;
    size_t n = off < b->packed.size ? (size_t)(b->packed.size - off) : 0;

    (void)call;
    (void)err;
    n = n < len ? n : len;
    n = n < b->step ? n : b->step;
    memcpy(buf, b->data + off, n);
    __atomic_fetch_add(&b->n_read, n, __ATOMIC_RELAXED);
    *ret_n = n;
    return 0;
}

static inline void bytes_init(struct bytes *b, const void *data, size_t len)
{
    *b = (struct bytes){ .data = data, .step = SIZE_MAX };
    b->packed = (struct ofs_packed){ bytes_read, b, len };
}

static inline void pack_gzip(struct ofs_buf *to, const void *data, size_t len)
{
    z_stream z = { 0 };
    size_t room = compressBound((uLong)len) + 64;
    uint8_t *out = malloc(room);

    assert_non_null(out);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(ofs_buf_add(to, out, room - z.avail_out), 0);
    (void)deflateEnd(&z);
    free(out);
}

static inline void pack_zstd(struct ofs_buf *to, const void *data, size_t len)
{
    size_t room = ZSTD_compressBound(len), n;
    uint8_t *out = malloc(room);

    assert_non_null(out);
    n = ZSTD_compress(out, room, data, len, 1);
    assert_false(ZSTD_isError(n));
    assert_int_equal(ofs_buf_add(to, out, n), 0);
    free(out);
}

/* Bytes that pack to about half, the same each time. */
static inline uint8_t *some_bytes(size_t len)
{
    uint8_t *data = malloc(len > 0 ? len : 1);
    uint32_t x = 12345;

    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)("0123456789abcdef"[x >> 28]);
    }
    return data;
}

#endif
