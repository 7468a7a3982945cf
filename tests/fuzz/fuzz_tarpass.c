/* SPDX-License-Identifier: Apache-2.0 */
#include "tarhead.h"
#include "tarpass.h"
#include "xattrlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tar {
    const uint8_t *data;
    size_t at, len;
};

static void must(bool what)
{
    if (!what)
        abort();
}

static int feed(void *arg, void *buf, size_t len, size_t *ret_n,
                struct ofs_err *err)
{
    struct tar *t = arg;
    size_t n = t->len - t->at < len ? t->len - t->at : len;

    (void)err;
    memcpy(buf, t->data + t->at, n);
    t->at += n;
    *ret_n = n;
    return 0;
}

/* What is said of an entry is such that an index can believe it. */
static int see(void *arg, const struct ofs_tar_entry *e, struct ofs_err *err)
{
    const struct tar *t = arg;
    uint64_t end = 0, stored = 0;

    (void)err;
    must(strlen(e->path) == e->path_len);
    must(e->data <= t->len || e->type != OFS_TAR_REG);
    must(e->mode <= 07777 && e->mtime_ns < 1000000000);
    must(e->uid != UINT32_MAX && e->gid != UINT32_MAX);
    must(ofs_xattr_is_list(e->xattrs, e->xattrs_len));
    for (size_t i = 0; i < e->n_extents; i++) {
        must(e->extents[i].off >= end);
        end = e->extents[i].off + e->extents[i].len;
        stored += e->extents[i].len;
    }
    must(end <= e->size && (e->n_extents == 0 || stored <= e->size));
    return 0;
}

static void skipped(void *arg, const char *path, const char *why)
{
    (void)arg;
    must(strlen(path) < SIZE_MAX && why[0] != '\0');
}

static void pass(const uint8_t *data, size_t size)
{
    struct tar t = { .data = data, .len = size };
    struct ofs_tar_in in = { feed, see, skipped, &t };
    struct ofs_err err = { 0 };
    uint64_t n = 0;
    int r = ofs_tar_pass(&in, &n, &err);

    must(r == 0 ? n == size : err.text[0] != '\0');
}

/* No fuzzer finds a checksum: make those of all blocks right. */
static void mend(uint8_t *data, size_t size)
{
    for (; size >= OFS_TAR_BLOCK; size -= OFS_TAR_BLOCK) {
        unsigned sum = 0;

        if (!ofs_tar_is_zero(data)) {
            memset(data + 148, ' ', 8);
            for (size_t i = 0; i < OFS_TAR_BLOCK; i++)
                sum += data[i];
            (void)snprintf((char *)data + 148, 8, "%06o", sum);
        }
        data += OFS_TAR_BLOCK;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE uint8_t *copy = malloc(size + 1);

    pass(data, size);
    must(copy != NULL);
    memcpy(copy, data, size);
    mend(copy, size);
    pass(copy, size);
    return 0;
}
