/* SPDX-License-Identifier: Apache-2.0 */

/*
 * `cp` of a blob from repository to repository arrives as a row of requests
 * to copy ranges.  As long as they are the beginning of one blob, in order,
 * the draft only remembers which: pushing it is a mount then, and no byte
 * passes this machine.  The first thing that does not fit in makes it a plain
 * file, by one thread while others wait for that.
 */

#include "draft.h"
#include "push_priv.h"

#include "ocirfs/file.h"

#include <inttypes.h>

enum { BLOCK = 256 * 1024 };

void ofs_origin_done(struct ofs_origin *o)
{
    free(o->repo);
    ofs_source_unref(o->source);
    *o = (struct ofs_origin){ 0 };
}

static int origin_copy(const struct ofs_origin *o, struct ofs_origin *ret)
{
    char *repo = strdup(o->repo);

    if (!repo)
        return -ENOMEM;
    *ret = *o;
    ret->repo = repo;
    if (o->source)
        ret->source = ofs_source_ref(o->source);
    return 0;
}

static int origin_of(const struct ofs_clone *of, struct ofs_origin *ret)
{
    *ret = (struct ofs_origin){
        .repo = strdup(of->repo),
        .digest = of->digest,
        .size = of->size,
        .manifest = of->manifest,
    };
    if (!ret->repo)
        return -ENOMEM;
    if (of->source)
        ret->source = ofs_source_ref(of->source);
    return 0;
}

int ofs_draft_origin(struct ofs_draft *d, struct ofs_origin *ret)
{
    OFS_GUARD(&d->mtx);
    if (!d->origin.repo || d->size != d->origin.size)
        return -ENOENT;
    return origin_copy(&d->origin, ret);
}

/* ---- bytes of an origin ---- */

/* A manifest is small, so all of it; a blob comes through the store. */
struct reader {
    struct ofs_buf manifest;
    struct ofs_blob *blob; /* NULL: it is a manifest */
};

static void reader_done(struct reader *rd)
{
    ofs_buf_done(&rd->manifest);
    ofs_blob_close(rd->blob);
}

static int reader_open(struct ofs_push *p, struct ofs_call *call,
                       const struct ofs_origin *o, struct reader *ret,
                       struct ofs_err *err)
{
    ofs_buf_init(&ret->manifest, OFS_MANIFEST_MAX_BYTES);
    if (o->manifest)
        return ofs_remote_manifest(p, call, o->repo, &o->digest, &ret->manifest,
                                   err);
    if (o->source)
        return ofs_store_open_blob(p->cfg.store, &o->digest, o->size, o->source,
                                   &ret->blob, err);
    return ofs_remote_blob(p, o->repo, &o->digest, o->size, &ret->blob, err);
}

static int reader_read(struct reader *rd, struct ofs_call *call, void *buf,
                       size_t len, uint64_t off, size_t *ret_n,
                       struct ofs_err *err)
{
    size_t left;

    if (rd->blob)
        return ofs_blob_read(rd->blob, call, buf, len, off, ret_n, err);
    left = off < rd->manifest.len ? rd->manifest.len - (size_t)off : 0;
    *ret_n = len < left ? len : left;
    if (*ret_n > 0)
        memcpy(buf, rd->manifest.data + off, *ret_n);
    return 0;
}

/* -ENOENT: it is a plain file. */
static int read_origin(struct ofs_draft *d, struct ofs_origin *ret,
                       uint64_t *ret_size)
{
    OFS_GUARD(&d->mtx);
    *ret_size = d->size;
    if (!d->origin.repo)
        return -ENOENT;
    return origin_copy(&d->origin, ret);
}

int ofs_draft_read(struct ofs_draft *d, struct ofs_call *call, void *buf,
                   size_t len, uint64_t off, size_t *ret_n, struct ofs_err *err)
{
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    OFS_AUTO(reader_done) struct reader rd = { 0 };
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
    r = reader_open(d->push, call, &o, &rd, err);
    if (r < 0)
        return r;
    return reader_read(&rd, call, buf, len < size - off ? len : size - off, off,
                       ret_n, err);
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
    if (d->size > d->charged) {
        r = ofs_stage_charge(&d->push->stage, d->size - d->charged);
        if (r < 0)
            return ofs_err_set(err, r, "the staging area is full");
        d->charged = d->size;
    }
    r = origin_copy(&d->origin, ret);
    if (r < 0)
        return ofs_err_nomem(err, "a copy");
    d->writers++; /* no range is added to it meanwhile */
    return 0;
}

static int spool(struct ofs_draft *d, struct ofs_call *call, struct reader *rd,
                 uint64_t size, struct ofs_err *err)
{
    OFS_AUTOFREE char *block = malloc(BLOCK);
    size_t n = 0;

    if (!block)
        return ofs_err_nomem(err, "a copy");
    ofs_hash_reset(d->hash); /* ours while there is an origin */
    for (uint64_t off = 0; off < size; off += n) {
        size_t want = size - off < BLOCK ? (size_t)(size - off) : BLOCK;
        int r = reader_read(rd, call, block, want, off, &n, err);

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
    d->straight = true;
}

static int make_plain(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    struct ofs_draft *d = arg;
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    OFS_AUTO(reader_done) struct reader rd = { 0 };
    uint64_t size = 0;
    int r = begin_spool(d, &o, &size, err);

    if (r != 0)
        return r < 0 ? r : 0;
    r = reader_open(d->push, call, &o, &rd, err);
    if (r == 0)
        r = spool(d, call, &rd, size, err);
    end_spool(d, r == 0);
    return r;
}

bool ofs_draft_is_plain(struct ofs_draft *d)
{
    OFS_GUARD(&d->mtx);
    return !d->origin.repo;
}

int ofs_draft_make_plain(struct ofs_draft *d, struct ofs_call *call,
                         struct ofs_err *err)
{
    char key[32];

    if (ofs_draft_is_plain(d))
        return 0;
    (void)snprintf(key, sizeof(key), "draft %" PRIu64, d->number);
    return ofs_flights_run(d->push->flights, key, call, make_plain, d, err);
}

/* ---- cloning ---- */

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

    if (origin_of(of, &fresh) < 0)
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
    OFS_AUTO(reader_done) struct reader rd = { 0 };
    OFS_AUTOFREE char *block = malloc(BLOCK);
    size_t n = 0;
    int r;

    if (!block || origin_of(of, &o) < 0)
        return ofs_err_nomem(err, "a copy");
    r = reader_open(d->push, call, &o, &rd, err);
    for (uint64_t at = 0; at < len && r == 0; at += n) {
        size_t want = len - at < BLOCK ? (size_t)(len - at) : BLOCK;

        r = reader_read(&rd, call, block, want, from + at, &n, err);
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
