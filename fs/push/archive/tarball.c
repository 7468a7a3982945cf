/* SPDX-License-Identifier: Apache-2.0 */
#include "tarball.h"

#include "ocirfs/file.h"

#include <archive.h>
#include <archive_entry.h>

enum { BLOCK_BYTES = 256 * 1024 };

/* What a bomb may swell to: as much as the largest blob the store takes. */
#define MAX_PLAIN_BYTES (1024ll * 1024 * 1024 * 1024)

struct ofs_tarball {
    struct archive *a;
    struct ofs_call *call; /* borrowed */
    int fd;
    uint64_t at, size;     /* bytes of the file */
    struct ofs_err failed; /* of read_block(); code 0: nothing */
    char block[BLOCK_BYTES];
};

static la_ssize_t read_block(struct archive *a, void *arg, const void **ret)
{
    struct ofs_tarball *t = arg;
    uint64_t left = t->size - t->at;
    size_t n = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
    int r = ofs_call_check(t->call, &t->failed);

    if (r == 0) {
        r = ofs_pread_full(t->fd, t->block, n, t->at);
        if (r < 0)
            (void)ofs_err_errno(&t->failed, -r, "reading the archive");
    }
    if (r < 0) {
        archive_set_error(a, -r, "%s", t->failed.text);
        return ARCHIVE_FATAL;
    }
    t->at += n;
    *ret = t->block;
    return (la_ssize_t)n;
}

static la_int64_t skip_bytes(struct archive *a, void *arg, la_int64_t wish)
{
    struct ofs_tarball *t = arg;
    uint64_t left = t->size - t->at;
    uint64_t n = (uint64_t)wish < left ? (uint64_t)wish : left;

    (void)a;
    t->at += n;
    return (la_int64_t)n;
}

static int explain(struct ofs_tarball *t, struct ofs_err *err)
{
    const char *why = archive_error_string(t->a);

    if (t->failed.code < 0) {
        if (err)
            *err = t->failed;
        return t->failed.code;
    }
    return ofs_err_set(err, -EINVAL, "the archive is damaged: %s",
                       why ? why : "no reason given");
}

/* Where libarchive lacks a library it would run a program: not for us. */
static int set_up(struct archive *a)
{
    int r = archive_read_support_format_tar(a);

    if (r == ARCHIVE_OK)
        r = archive_read_support_filter_gzip(a);
    if (r == ARCHIVE_OK && archive_libzstd_version())
        r = archive_read_support_filter_zstd(a);
    return r;
}

int ofs_tarball_open(int fd, uint64_t size, struct ofs_call *call,
                     struct ofs_tarball **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_tarball_closep)
    struct ofs_tarball *t = calloc(1, sizeof(*t));

    if (t)
        t->a = archive_read_new();
    if (!t || !t->a)
        return ofs_err_nomem(err, "an archive");
    t->call = call;
    t->fd = fd;
    t->size = size;
    if (set_up(t->a) != ARCHIVE_OK ||
        archive_read_open2(t->a, t, NULL, read_block, skip_bytes, NULL) !=
            ARCHIVE_OK)
        return explain(t, err);
    *ret = ofs_take(&t);
    return 0;
}

void ofs_tarball_close(struct ofs_tarball *t)
{
    if (!t)
        return;
    (void)archive_read_free(t->a);
    free(t);
}

/* A warning is about what means nothing to us: an owner, a time. */
static bool is_good(int r)
{
    return r == ARCHIVE_OK || r == ARCHIVE_WARN;
}

static int check_swelling(struct ofs_tarball *t, struct ofs_err *err)
{
    if (archive_filter_bytes(t->a, 0) <= MAX_PLAIN_BYTES)
        return 0;
    return ofs_err_set(err, -EFBIG, "the archive is larger than 1 TiB");
}

static void describe(struct archive_entry *e, struct ofs_tar_member *ret)
{
    const char *hard = archive_entry_hardlink(e);
    const char *soft = archive_entry_symlink(e);

    *ret = (struct ofs_tar_member){
        /* NULL: not to be had in this locale; no name that we look for */
        .name = archive_entry_pathname(e),
        .target = hard ? hard : soft,
        .kind = hard                                    ? OFS_TAR_HARDLINK
                : soft                                  ? OFS_TAR_SYMLINK
                : archive_entry_filetype(e) == AE_IFREG ? OFS_TAR_FILE
                                                        : OFS_TAR_OTHER,
    };
    if (!ret->name)
        ret->name = "";
    if (ret->kind == OFS_TAR_FILE && archive_entry_size(e) > 0)
        ret->size = (uint64_t)archive_entry_size(e);
}

int ofs_tarball_next(struct ofs_tarball *t, struct ofs_tar_member *ret,
                     struct ofs_err *err)
{
    struct archive_entry *e;
    int r = archive_read_next_header(t->a, &e);

    if (r == ARCHIVE_EOF)
        return 0;
    if (!is_good(r))
        return explain(t, err);
    /* A few bytes that claim to be an exabyte of zeros. */
    if (archive_entry_sparse_count(e) > 0)
        return ofs_err_set(err, -EINVAL,
                           "the archive has sparse members; make it without "
                           "--sparse");
    describe(e, ret);
    r = check_swelling(t, err);
    return r < 0 ? r : 1;
}

int ofs_tarball_read(struct ofs_tarball *t, void *buf, size_t len,
                     size_t *ret_n, struct ofs_err *err)
{
    la_ssize_t n = archive_read_data(t->a, buf, len);

    if (n < 0)
        return explain(t, err);
    *ret_n = (size_t)n;
    return check_swelling(t, err);
}
