/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A draft is a file in the staging area.  Nearly all of them are written from
 * the beginning to the end in one go, and for these the digest is known the
 * moment the last byte is: `straight` says that it was so, and `hash` follows.
 * Anything else (a hole, a second writer at the same time, an overwritten
 * byte) makes it bent until it is empty again: it is hashed from the file when
 * it is committed, and not sent before.  To tell which bytes of a bent file
 * are still good would be more code than the case is worth.
 */

#include "draft.h"

#include "push_priv.h"

#include "ocirfs/file.h"
#include "ocirfs/log.h"

#include <sys/stat.h>

enum {
    STREAM_MIN_BYTES = 4 * 1024 * 1024, /* less is sent at once by commit */
    BLOCK = 256 * 1024,
};

/* ---- life ---- */

static void draft_free(struct ofs_draft *d)
{
    if (!d)
        return;
    if (d->fd >= 0 && atomic_load(&d->n_records) == 0)
        ofs_stage_remove(&d->push->stage, d->number);
    ofs_closep(&d->fd);
    ofs_stage_discharge(&d->push->stage, d->charged);
    atomic_fetch_sub(&d->push->n_drafts, 1);
    ofs_origin_done(&d->origin);
    ofs_hash_free(d->hash);
    ofs_mutex_done(&d->mtx);
    free(d->repo);
    free(d);
}
OFS_DEFINE_AUTO(struct ofs_draft, draft_free)

static struct ofs_draft *draft_new(struct ofs_push *p, const char *repo)
{
    struct ofs_draft *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->push = p;
    d->fd = -1;
    d->straight = true;
    d->repo = strdup(repo);
    d->hash = ofs_hash_new(OFS_SHA256);
    atomic_init(&d->refs, 1);
    ofs_mutex_init(&d->mtx, OFS_RANK_DRAFT);
    atomic_fetch_add(&p->n_drafts, 1);
    return d;
}

int ofs_draft_new(struct ofs_push *p, const char *repo, struct ofs_draft **ret,
                  struct ofs_err *err)
{
    OFS_AUTO(draft_freep) struct ofs_draft *d = draft_new(p, repo);

    if (!d || !d->repo || !d->hash)
        return ofs_err_nomem(err, "a new file");
    d->number = ofs_stage_number(&p->stage);
    d->fd = ofs_stage_create(&p->stage, d->number);
    if (d->fd < 0)
        return ofs_err_errno(err, -d->fd, "a new file in the staging area");
    *ret = ofs_take(&d);
    return 0;
}

int ofs_draft_adopt(struct ofs_push *p, const char *repo, uint64_t number,
                    struct ofs_draft **ret, struct ofs_err *err)
{
    OFS_AUTO(draft_freep) struct ofs_draft *d = draft_new(p, repo);
    struct stat st;

    if (!d || !d->repo)
        return ofs_err_nomem(err, "a staged file");
    d->number = number;
    d->frozen = true;
    d->written = true;
    d->straight = false;
    d->fd = ofs_stage_reopen(&p->stage, number);
    if (d->fd < 0)
        return ofs_err_errno(err, -d->fd, "a staged file");
    if (fstat(d->fd, &st) < 0)
        return ofs_err_errno(err, errno, "a staged file");
    d->size = d->charged = (uint64_t)st.st_size;
    ofs_stage_count(&p->stage, d->charged);
    *ret = ofs_take(&d);
    return 0;
}

int ofs_draft_made(struct ofs_push *p, const char *repo, const void *bytes,
                   size_t len, struct ofs_draft **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    int r = ofs_draft_new(p, repo, &d, err);

    if (r == 0)
        r = ofs_draft_write(d, NULL, bytes, len, 0, err);
    if (r < 0)
        return r;
    d->frozen = true; /* nobody else has it yet */
    *ret = ofs_take(&d);
    return 0;
}

struct ofs_draft *ofs_draft_ref(struct ofs_draft *d)
{
    atomic_fetch_add(&d->refs, 1);
    return d;
}

void ofs_draft_unref(struct ofs_draft *d)
{
    if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
        return;
    ofs_draft_unstream(d);
    draft_free(d);
}

/* ---- the upload that runs beside ---- */

/* With d->mtx held.  The caller lets go of it outside the lock. */
static struct ofs_stream *take_stream(struct ofs_draft *d)
{
    if (d->stream)
        ofs_stream_spoil(d->stream);
    return ofs_take(&d->stream);
}

void ofs_draft_unstream(struct ofs_draft *d)
{
    OFS_AUTO(ofs_stream_unrefp) struct ofs_stream *old = NULL;

    OFS_GUARD(&d->mtx);
    d->may_stream = false;
    old = take_stream(d);
}

struct ofs_stream *ofs_draft_stream(struct ofs_draft *d)
{
    OFS_GUARD(&d->mtx);
    return d->stream && d->straight ? ofs_stream_ref(d->stream) : NULL;
}

void ofs_draft_aim(struct ofs_draft *d, const struct ofs_digest *digest)
{
    OFS_GUARD(&d->mtx);
    d->may_stream = true;
    if (digest)
        d->aim = *digest;
}

/* With d->mtx held. */
static bool wants_stream(const struct ofs_draft *d)
{
    return d->may_stream && d->straight && !d->stream &&
           d->size >= STREAM_MIN_BYTES && atomic_load(&d->push->started);
}

/* With d->mtx held.  One that cannot be had now is tried at the next write. */
static void start_stream(struct ofs_draft *d)
{
    const struct ofs_digest *aim = d->aim.alg ? &d->aim : NULL;

    if (ofs_stream_start(&d->push->streaming, d->repo, d->fd, aim, d->size,
                         &d->stream) < 0)
        d->stream = NULL;
}

/* ---- writing ---- */

/* With d->mtx held: what was so far sent or hashed counts no more. */
static void bend(struct ofs_draft *d)
{
    d->straight = false;
    if (d->stream)
        ofs_stream_spoil(d->stream);
}

/* With d->mtx held: room for what lies below `end`. */
static int charge(struct ofs_draft *d, uint64_t end, struct ofs_err *err)
{
    int r;

    if (end <= d->charged)
        return 0;
    r = ofs_stage_charge(&d->push->stage, end - d->charged);
    if (r < 0)
        return ofs_err_set(err, r, "the staging area is full");
    d->charged = end;
    return 0;
}

/* 1: it has become a copy of something meanwhile. */
static int begin_write(struct ofs_draft *d, uint64_t off, size_t len,
                       struct ofs_err *err)
{
    int r;

    OFS_GUARD(&d->mtx);
    if (d->origin.repo)
        return 1;
    r = charge(d, off + len, err);
    if (r < 0)
        return r;
    if (d->writers > 0 || off != d->size)
        bend(d);
    d->writers++;
    d->written = true;
    return 0;
}

/* Hashing under the lock keeps the order; it is no longer than the copy. */
static void end_write(struct ofs_draft *d, const void *buf, size_t len,
                      uint64_t off)
{
    OFS_GUARD(&d->mtx);
    d->writers--;
    if (off + len > d->size)
        d->size = off + len;
    if (!d->straight)
        return;
    ofs_hash_update(d->hash, buf, len);
    if (d->stream)
        ofs_stream_more(d->stream, d->size);
    else if (wants_stream(d))
        start_stream(d);
}

/* What a failed write left behind the end must not show up in a later hole. */
static void fail_write(struct ofs_draft *d)
{
    OFS_GUARD(&d->mtx);
    d->writers--;
    bend(d);
    if (d->writers == 0 && ftruncate(d->fd, (off_t)d->size) < 0)
        ofs_log(OFS_DEBUG, "push: a failed write left bytes: %s",
                strerror(errno));
}

int ofs_draft_write(struct ofs_draft *d, struct ofs_call *call, const void *buf,
                    size_t len, uint64_t off, struct ofs_err *err)
{
    int r;

    if (d->frozen)
        return ofs_err_set(err, -EROFS, "it is on its way to the registry");
    if (off > INT64_MAX || len > INT64_MAX - off)
        return ofs_err_set(err, -EFBIG, "no file is that long");
    do {
        r = ofs_draft_make_plain(d, call, err);
        if (r == 0)
            r = begin_write(d, off, len, err);
    } while (r > 0);
    if (r < 0)
        return r;
    r = ofs_pwrite_full(d->fd, buf, len, off);
    if (r < 0) {
        fail_write(d);
        return ofs_err_errno(err, -r, "the staging area");
    }
    end_write(d, buf, len, off);
    return 0;
}

/* 1: it has become a copy of something meanwhile. */
static int begin_truncate(struct ofs_draft *d, uint64_t size,
                          struct ofs_err *err)
{
    int r;

    OFS_GUARD(&d->mtx);
    if (d->origin.repo)
        return 1;
    r = charge(d, size, err);
    if (r < 0)
        return r;
    bend(d);
    d->writers++;
    d->written = d->written || size > 0;
    return 0;
}

/* Empty is a new beginning. */
static void end_truncate(struct ofs_draft *d, uint64_t size)
{
    OFS_AUTO(ofs_stream_unrefp) struct ofs_stream *old = NULL;

    OFS_GUARD(&d->mtx);
    d->writers--;
    ofs_stage_discharge(&d->push->stage, d->charged - size);
    d->size = d->charged = size;
    if (size > 0 || d->writers > 0)
        return;
    old = take_stream(d);
    d->straight = true;
    ofs_hash_reset(d->hash);
}

int ofs_draft_truncate(struct ofs_draft *d, struct ofs_call *call,
                       uint64_t size, struct ofs_err *err)
{
    int r;

    if (d->frozen)
        return ofs_err_set(err, -EROFS, "it is on its way to the registry");
    if (size > INT64_MAX)
        return ofs_err_set(err, -EFBIG, "no file is that long");
    if (size == ofs_draft_size(d))
        return 0;
    do {
        r = ofs_draft_make_plain(d, call, err);
        if (r == 0)
            r = begin_truncate(d, size, err);
    } while (r > 0);
    if (r < 0)
        return r;
    if (ftruncate(d->fd, (off_t)size) < 0) {
        r = ofs_err_errno(err, errno, "the staging area");
        fail_write(d);
        return r;
    }
    end_truncate(d, size);
    return 0;
}

uint64_t ofs_draft_size(struct ofs_draft *d)
{
    OFS_GUARD(&d->mtx);
    return d->size;
}

bool ofs_draft_is_blank(struct ofs_draft *d)
{
    OFS_GUARD(&d->mtx);
    return !d->written && d->size == 0;
}

/* ---- reading ---- */

int ofs_draft_pread(struct ofs_draft *d, void *buf, size_t len, uint64_t off,
                    size_t *ret_n, struct ofs_err *err)
{
    uint64_t size = ofs_draft_size(d);
    int r;

    if (off >= size) {
        *ret_n = 0;
        return 0;
    }
    if (len > size - off)
        len = (size_t)(size - off);
    r = ofs_pread_full(d->fd, buf, len, off);
    if (r < 0 && ofs_draft_size(d) < off + len)
        return ofs_err_set(err, -EBUSY, "somebody else has cut the file");
    if (r < 0)
        return ofs_err_errno(err, -r, "the staging area");
    *ret_n = len;
    return 0;
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
    if (!d->straight || d->writers > 0 || alg != OFS_SHA256)
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
