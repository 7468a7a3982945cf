/* SPDX-License-Identifier: Apache-2.0 */
#include "image_archive.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_OUT = 64 * 1024 * 1024 }; /* a bomb may swell so far */

/* The blob that is being sent, hashed anew. */
struct check {
    struct ofs_hash *hash;
    uint64_t size, total;
};

static int on_begin(void *arg, const struct ofs_digest *digest, uint64_t size,
                    struct ofs_err *err)
{
    struct check *c = arg;

    (void)size;
    (void)err;
    ofs_hash_free(c->hash);
    c->hash = ofs_hash_new(digest ? digest->alg : OFS_SHA256);
    c->size = 0;
    return 0;
}

static int on_write(void *arg, const void *data, size_t len,
                    struct ofs_err *err)
{
    struct check *c = arg;

    ofs_hash_update(c->hash, data, len);
    c->size += len;
    c->total += len;
    return c->total > MAX_OUT ? ofs_err_set(err, -ENOSPC, "enough") : 0;
}

/* What is called verified has its digest. */
static int on_end(void *arg, const struct ofs_digest *digest, uint64_t size,
                  struct ofs_err *err)
{
    struct check *c = arg;
    struct ofs_digest is;

    (void)err;
    ofs_hash_final(c->hash, &is);
    if (!ofs_digest_eq(&is, digest) || c->size != size)
        abort();
    return 0;
}

static int unpack(int fd, size_t size, struct ofs_call *call,
                  struct ofs_err *err)
{
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    struct check check = { 0 };
    const struct ofs_archive_sink sink = { on_begin, on_write, on_end, &check };
    const struct ofs_archive_manifest *m;
    int r = ofs_archive_open(fd, size, call, "prod/app", "1.5", &a, err);

    if (r == 0)
        r = ofs_archive_unpack(a, call, &sink, err);
    if (r == 0 && ofs_archive_manifests(a, &m) == 0)
        abort();
    ofs_hash_free(check.hash);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOCLOSE int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct ofs_err err = { 0 };
    struct ofs_call call;
    int r;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)ofs_archive_is(data, size);
    ofs_call_init(&call, OFS_NEVER);
    r = unpack(fd, size, &call, &err);
    ofs_call_done(&call);
    if (r > 0 || r != err.code || (r < 0 && !err.text[0]))
        abort();
    return 0;
}
