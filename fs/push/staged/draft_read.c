/* SPDX-License-Identifier: Apache-2.0 */

/* What is in a draft, wherever its bytes are. */

#include "draft.h"

#include "ocirfs/file.h"
#include "ocirfs/manifest.h"

#include <inttypes.h>

enum { BLOCK = 256 * 1024 };

/* -ENOENT: it is a plain file. */
static int read_origin(struct ofs_draft *d, struct ofs_origin *ret,
                       uint64_t *ret_size)
{
    OFS_GUARD(&d->mtx);
    *ret_size = d->size;
    if (!d->origin.repo)
        return -ENOENT;
    return ofs_origin_copy(&d->origin, ret);
}

int ofs_draft_read(struct ofs_draft *d, struct ofs_call *call, void *buf,
                   size_t len, uint64_t off, size_t *ret_n, struct ofs_err *err)
{
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    OFS_AUTO(ofs_origin_reader_done) struct ofs_origin_reader rd = { 0 };
    uint64_t size = 0;
    int r = read_origin(d, &o, &size);

    if (r == -ENOENT)
        return ofs_draft_pread(d, buf, len, off, ret_n, err);
    if (r < 0)
        return ofs_err_nomem(err, "a copy");
    if (off >= size) {
        *ret_n = 0;
        return 0;
    }
    r = ofs_origin_open(d->all->remote, call, &o, &rd, err);
    if (r < 0)
        return r;
    return ofs_origin_read(&rd, call, buf, len < size - off ? len : size - off,
                           off, ret_n, err);
}

/* ---- to a plain file ---- */

/* 1: it is one. */
static int begin_spool(struct ofs_draft *d, struct ofs_origin *ret,
                       uint64_t *ret_size, struct ofs_err *err)
{
    int r;

    OFS_GUARD(&d->mtx);
    if (!d->origin.repo)
        return 1;
    *ret_size = d->size;
    r = ofs_draft_charge(d, d->size, err);
    if (r < 0)
        return r;
    r = ofs_origin_copy(&d->origin, ret);
    if (r < 0)
        return ofs_err_nomem(err, "a copy");
    d->writers++; /* no range is added to it meanwhile */
    return 0;
}

static int spool(struct ofs_draft *d, struct ofs_call *call,
                 struct ofs_origin_reader *rd, uint64_t size,
                 struct ofs_err *err)
{
    OFS_AUTOFREE char *block = malloc(BLOCK);
    size_t n = 0;

    if (!block)
        return ofs_err_nomem(err, "a copy");
    ofs_hash_reset(d->hash); /* ours while there is an origin */
    for (uint64_t off = 0; off < size; off += n) {
        size_t want = size - off < BLOCK ? (size_t)(size - off) : BLOCK;
        int r = ofs_origin_read(rd, call, block, want, off, &n, err);

        if (r == 0 && n == 0)
            r = ofs_err_set(err, -EBADMSG,
                            "what is copied ended after %" PRIu64 " bytes",
                            off);
        if (r < 0)
            return r;
        r = ofs_pwrite_full(d->fd, block, n, off);
        if (r < 0)
            return ofs_err_errno(err, -r, "the staging area");
        ofs_hash_update(d->hash, block, n);
    }
    return 0;
}

static void end_spool(struct ofs_draft *d, bool is_plain)
{
    OFS_GUARD(&d->mtx);
    d->writers--;
    if (!is_plain)
        return;
    ofs_origin_done(&d->origin);
    d->sequential = true;
}

static int make_plain(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    struct ofs_draft *d = arg;
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    OFS_AUTO(ofs_origin_reader_done) struct ofs_origin_reader rd = { 0 };
    uint64_t size = 0;
    int r = begin_spool(d, &o, &size, err);

    if (r != 0)
        return r < 0 ? r : 0;
    r = ofs_origin_open(d->all->remote, call, &o, &rd, err);
    if (r == 0)
        r = spool(d, call, &rd, size, err);
    end_spool(d, r == 0);
    return r;
}

int ofs_draft_make_plain(struct ofs_draft *d, struct ofs_call *call,
                         struct ofs_err *err)
{
    char key[32];

    if (ofs_draft_is_plain(d))
        return 0;
    (void)snprintf(key, sizeof(key), "draft %" PRIu64, d->number);
    return ofs_flights_run(d->all->flights, key, call, make_plain, d, err);
}

int ofs_draft_load(struct ofs_draft *d, struct ofs_call *call,
                   struct ofs_buf *b, struct ofs_err *err)
{
    OFS_AUTOFREE char *block = malloc(BLOCK);
    uint64_t off = 0;
    size_t n = 0;

    if (!block)
        return ofs_err_nomem(err, "a staged file");
    do {
        int r = ofs_draft_read(d, call, block, BLOCK, off, &n, err);

        if (r < 0)
            return r;
        if (ofs_buf_add(b, block, n) < 0)
            return ofs_err_set(err, b->failed, "a manifest of over %zu bytes",
                               b->limit);
        off += n;
    } while (n > 0);
    return 0;
}

/* ---- its digest ---- */

/* -ENOENT: the file has to be read. */
static int digest_at_hand(struct ofs_draft *d, enum ofs_digest_alg alg,
                          struct ofs_content *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = NULL;

    OFS_GUARD(&d->mtx);
    ret->size = d->size;
    if (!d->sequential || d->writers > 0 || alg != OFS_SHA256)
        return -ENOENT;
    h = ofs_hash_copy(d->hash);
    if (!h)
        return ofs_err_nomem(err, "a digest");
    ofs_hash_final(h, &ret->digest);
    return 0;
}

static int hash_file(struct ofs_draft *d, struct ofs_call *call,
                     struct ofs_hash *h, struct ofs_content *c,
                     struct ofs_err *err)
{
    OFS_AUTOFREE char *block = malloc(BLOCK);
    size_t n = 0;

    if (!block)
        return ofs_err_nomem(err, "a digest");
    for (uint64_t off = 0; off < c->size; off += n) {
        uint64_t left = c->size - off;
        int r = ofs_call_check(call, err);

        if (r == 0)
            r = ofs_draft_pread(d, block, left < BLOCK ? left : BLOCK, off, &n,
                                err);
        if (r == 0 && n == 0)
            r = ofs_err_set(err, -EBUSY, "somebody else has cut the file");
        if (r < 0)
            return r;
        ofs_hash_update(h, block, n);
    }
    return 0;
}

int ofs_draft_content(struct ofs_draft *d, struct ofs_call *call,
                      enum ofs_digest_alg alg, struct ofs_content *ret,
                      struct ofs_err *err)
{
    OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = NULL;
    int r = ofs_draft_make_plain(d, call, err);

    if (r == 0)
        r = digest_at_hand(d, alg, ret, err);
    if (r != -ENOENT)
        return r;
    h = ofs_hash_new(alg);
    if (!h)
        return ofs_err_nomem(err, "a digest");
    r = hash_file(d, call, h, ret, err);
    if (r == 0)
        ofs_hash_final(h, &ret->digest);
    return r;
}
