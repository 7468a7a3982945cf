/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A draft is a file in the staging area.  Nearly all of them are written from
 * the beginning to the end in one go, and for these the digest is known the
 * moment the last byte is: `sequential` says that it was so, and `hash` follows.
 * Anything else (a hole, a second writer at the same time, an overwritten
 * byte) makes it random until it is empty again: it is hashed from the file when
 * it is committed, and not sent before.  To tell which bytes of a random file
 * are still good would be more code than the case is worth.
 */

#include "draft.h"

#include "ocirfs/file.h"
#include "ocirfs/log.h"

enum {
    STREAM_MIN_BYTES = 4 * 1024 * 1024, /* less is sent at once by commit */
    BLOCK = 256 * 1024,
};

/* With d->mtx held. */
static bool wants_stream(const struct ofs_draft *d)
{
    return d->may_stream && d->sequential && !d->stream &&
           d->size >= STREAM_MIN_BYTES && atomic_load(&d->all->started);
}

/* With d->mtx held.  One that cannot be had now is tried at the next write. */
static void start_stream(struct ofs_draft *d)
{
    const struct ofs_digest *aim = d->aim.alg ? &d->aim : NULL;

    if (ofs_stream_start(&d->all->streaming, d->repo, d->fd, aim, d->size,
                         &d->stream) < 0)
        d->stream = NULL;
}

/* With d->mtx held: what was so far sent or hashed counts no more. */
static void break_sequence(struct ofs_draft *d)
{
    d->sequential = false;
    if (d->stream)
        ofs_stream_spoil(d->stream);
}

/* 1: it has become a copy of something meanwhile. */
static int begin_write(struct ofs_draft *d, uint64_t off, size_t len,
                       struct ofs_err *err)
{
    int r;

    OFS_GUARD(&d->mtx);
    if (d->origin.repo)
        return 1;
    r = ofs_draft_charge(d, off + len, err);
    if (r < 0)
        return r;
    if (d->writers > 0 || off != d->size)
        break_sequence(d);
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
    if (!d->sequential)
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
    break_sequence(d);
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
    r = ofs_draft_charge(d, size, err);
    if (r < 0)
        return r;
    break_sequence(d);
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
    ofs_stage_discharge(d->all->stage, d->charged - size);
    d->size = d->charged = size;
    if (size > 0 || d->writers > 0)
        return;
    old = ofs_draft_take_stream(d);
    d->sequential = true;
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

int ofs_draft_made(struct ofs_drafts *all, const char *repo, const void *bytes,
                   size_t len, struct ofs_draft **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    int r = ofs_draft_create(all, repo, &d, err);

    if (r == 0)
        r = ofs_draft_write(d, NULL, bytes, len, 0, err);
    if (r < 0)
        return r;
    d->frozen = true; /* nobody else has it yet */
    *ret = ofs_take(&d);
    return 0;
}

/* ---- cloning ---- */

/*
 * `cp` of a blob from repository to repository arrives as a row of requests
 * to copy ranges.  As long as they are the beginning of one blob, in order,
 * the draft only remembers which: pushing it is a mount then, and no byte
 * passes this machine.  The first thing that does not fit in makes it a plain
 * file, by one thread while others wait for that.
 */

static bool continues(const struct ofs_draft *d, const struct ofs_clone *of,
                      uint64_t from, uint64_t len, uint64_t off)
{
    const struct ofs_origin *o = &d->origin;

    if (d->writers > 0 || from != off || off != d->size || from > of->size ||
        len > of->size - from)
        return false;
    if (!o->repo)
        return d->size == 0;
    return o->manifest == of->manifest && o->size == of->size &&
           ofs_digest_eq(&o->digest, &of->digest);
}

/* 1: does not fit in. */
static int extend(struct ofs_draft *d, const struct ofs_clone *of,
                  uint64_t from, uint64_t len, uint64_t off)
{
    OFS_AUTO(ofs_origin_done) struct ofs_origin fresh = { 0 };

    if (ofs_origin_of(of, &fresh) < 0)
        return -ENOMEM;

    OFS_GUARD(&d->mtx);
    if (!continues(d, of, from, len, off))
        return 1;
    if (!d->origin.repo) {
        d->origin = fresh;
        fresh = (struct ofs_origin){ 0 };
    }
    d->size += len;
    d->written = true;
    return 0;
}

static int copy_bytes(struct ofs_draft *d, struct ofs_call *call,
                      const struct ofs_clone *of, uint64_t from, uint64_t len,
                      uint64_t off, struct ofs_err *err)
{
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    OFS_AUTO(ofs_origin_reader_done) struct ofs_origin_reader rd = { 0 };
    OFS_AUTOFREE char *block = malloc(BLOCK);
    size_t n = 0;
    int r;

    if (!block || ofs_origin_of(of, &o) < 0)
        return ofs_err_nomem(err, "a copy");
    r = ofs_origin_open(d->all->remote, call, &o, &rd, err);
    for (uint64_t at = 0; at < len && r == 0; at += n) {
        size_t want = len - at < BLOCK ? (size_t)(len - at) : BLOCK;

        r = ofs_origin_read(&rd, call, block, want, from + at, &n, err);
        if (r == 0 && n == 0)
            r = ofs_err_set(err, -EBADMSG, "what is copied ended early");
        if (r == 0)
            r = ofs_draft_write(d, call, block, n, off + at, err);
    }
    return r;
}

int ofs_draft_clone(struct ofs_draft *d, struct ofs_call *call,
                    const struct ofs_clone *of, uint64_t from, uint64_t len,
                    uint64_t off, struct ofs_err *err)
{
    int r;

    if (d->frozen)
        return ofs_err_set(err, -EROFS, "it is on its way to the registry");
    if (len == 0)
        return 0;
    r = extend(d, of, from, len, off);
    if (r < 0)
        return ofs_err_nomem(err, "a copy");
    return r == 0 ? 0 : copy_bytes(d, call, of, from, len, off, err);
}
