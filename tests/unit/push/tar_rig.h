/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TEST_TAR_RIG_H
#define OFS_TEST_TAR_RIG_H

/*
 * Tars made by hand, so that they can be as wrong as a test wants, and packed
 * by libarchive; and a sink that keeps what it is given.
 */

#include "ocirfs/buf.h"
#include "ocirfs/digest.h"
#include "ocirfs/str.h"

#include "image_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { TAR_BLOCK = 512, TAR_LIMIT = 64 * 1024 * 1024, MAX_KEPT = 16 };

#define TAR_INIT OFS_BUF_INIT(TAR_LIMIT)

/* `type`: '0' a file, '1' and '2' hard and symbolic links, '5' a directory. */
static inline void tar_header(struct ofs_buf *b, const char *name, char type,
                              const char *target, size_t size)
{
    char head[TAR_BLOCK] = { 0 };
    unsigned sum = 0;

    assert_true(strlen(name) < 100 && strlen(target) < 100);
    memcpy(head, name, strlen(name));
    memcpy(head + 100, "0000644\0000000000\0000000000", 24);
    (void)snprintf(head + 124, 12, "%011o", (unsigned)size);
    memcpy(head + 136, "00000000000", 12);
    memset(head + 148, ' ', 8);
    head[156] = type;
    memcpy(head + 157, target, strlen(target));
    memcpy(head + 257, "ustar\00000", 8);
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += (unsigned char)head[i];
    (void)snprintf(head + 148, 8, "%06o", sum);
    assert_int_equal(ofs_buf_add(b, head, TAR_BLOCK), 0);
}

static inline void tar_file(struct ofs_buf *b, const char *name,
                            const void *data, size_t len)
{
    static const char zeros[TAR_BLOCK];

    tar_header(b, name, '0', "", len);
    (void)ofs_buf_add(b, data, len);
    assert_int_equal(
        ofs_buf_add(b, zeros, (TAR_BLOCK - len % TAR_BLOCK) % TAR_BLOCK), 0);
}

static inline void tar_text(struct ofs_buf *b, const char *name,
                            const char *text)
{
    tar_file(b, name, text, strlen(text));
}

static inline void tar_end(struct ofs_buf *b)
{
    static const char zeros[2 * TAR_BLOCK];

    assert_int_equal(ofs_buf_add(b, zeros, sizeof(zeros)), 0);
}

/* The bytes as a file; the caller closes it. */
static inline int tar_fd(const struct ofs_buf *b)
{
    int fd = memfd_create("tar", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, b->data, b->len), (ssize_t)b->len);
    return fd;
}

static inline la_ssize_t tar_packed(struct archive *a, void *arg,
                                    const void *data, size_t len)
{
    (void)a;
    return ofs_buf_add(arg, data, len) == 0 ? (la_ssize_t)len : -1;
}

/* `b` compressed with "gzip" or "zstd". */
static inline void tar_pack(const struct ofs_buf *b, const char *filter,
                            struct ofs_buf *ret)
{
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();

    assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
    assert_int_equal(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
    assert_int_equal(archive_write_set_bytes_in_last_block(a, 1), ARCHIVE_OK);
    assert_int_equal(archive_write_open(a, ret, NULL, tar_packed, NULL),
                     ARCHIVE_OK);
    archive_entry_set_filetype(e, AE_IFREG);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, b->data, b->len),
                     (la_ssize_t)b->len);
    archive_entry_free(e);
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

/* "<64 hex>" of the text's SHA-256. */
static inline const char *hex_of(const void *data, size_t len,
                                 char text[OFS_DIGEST_TEXT_MAX])
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_of(OFS_SHA256, data, len, &d), 0);
    (void)ofs_digest_format(&d, text);
    memmove(text, text + 7, strlen(text + 7) + 1);
    return text;
}

/* What a sink was given. */
struct kept {
    struct ofs_buf at[MAX_KEPT];
    struct ofs_digest digest[MAX_KEPT]; /* as told at the end */
    size_t n, n_ended;
    const struct ofs_digest *unwanted; /* NULL: none */
    int fail_write;                    /* 0: no */
};

static inline int kept_begin(void *arg, const struct ofs_digest *digest,
                             uint64_t size, struct ofs_err *err)
{
    struct kept *k = arg;

    (void)size;
    (void)err;
    if (digest && k->unwanted && ofs_digest_eq(digest, k->unwanted))
        return 1;
    assert_true(k->n < MAX_KEPT);
    ofs_buf_init(&k->at[k->n++], TAR_LIMIT);
    return 0;
}

static inline int kept_write(void *arg, const void *data, size_t len,
                             struct ofs_err *err)
{
    struct kept *k = arg;

    if (k->fail_write < 0)
        return ofs_err_set(err, k->fail_write, "the sink is full");
    return ofs_buf_add(&k->at[k->n - 1], data, len);
}

static inline int kept_end(void *arg, const struct ofs_digest *digest,
                           uint64_t size, struct ofs_err *err)
{
    struct kept *k = arg;
    const struct ofs_buf *b = &k->at[k->n - 1];
    struct ofs_digest is;

    (void)err;
    k->digest[k->n - 1] = *digest;
    k->n_ended++;
    if (ofs_digest_of(digest->alg, b->data, b->len, &is) < 0 ||
        !ofs_digest_eq(&is, digest) || size != b->len)
        return ofs_err_set(err, -EUCLEAN, "told what is not so");
    return 0;
}

static inline struct ofs_archive_sink kept_sink(struct kept *k)
{
    return (struct ofs_archive_sink){ kept_begin, kept_write, kept_end, k };
}

static inline void kept_done(struct kept *k)
{
    for (size_t i = 0; i < k->n; i++)
        ofs_buf_done(&k->at[i]);
}

/* Open and unpack; what the first failure says.  *ret may be NULL. */
static inline int unpack(const struct ofs_buf *tar, const char *tag,
                         struct kept *kept, struct ofs_archive **ret,
                         struct ofs_err *err)
{
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    const struct ofs_archive_sink sink = kept_sink(kept);
    OFS_AUTOCLOSE int fd = tar_fd(tar);
    struct ofs_call call;
    int r;

    ofs_call_init(&call, OFS_NEVER);
    r = ofs_archive_open(fd, tar->len, &call, "prod/app", tag, &a, err);
    if (r == 0)
        r = ofs_archive_unpack(a, &call, &sink, err);
    ofs_call_done(&call);
    if (r == 0 && ret)
        *ret = ofs_take(&a);
    return r;
}

#endif
