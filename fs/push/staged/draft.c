/* SPDX-License-Identifier: Apache-2.0 */
#include "draft.h"

#include "ocirfs/file.h"

#include <sys/stat.h>

enum { MAX_STREAMS = 8 }; /* blobs that are sent while they are written */

/* ---- what they share ---- */

int ofs_drafts_init(struct ofs_drafts *all, struct ofs_stage *stage,
                    const struct ofs_remote *remote,
                    struct ofs_senders *senders,
                    const struct ofs_push_hooks *hooks)
{
    const struct ofs_workers_cfg streams = {
        .name = "ofs-stream",
        .max_threads = MAX_STREAMS,
    };

    all->stage = stage;
    all->remote = remote;
    all->flights = ofs_flights_new();
    all->workers = ofs_workers_new(&streams);
    all->streaming = (struct ofs_stream_cfg){
        .registry = remote->registry,
        .workers = all->workers,
        .senders = senders,
        .where = hooks->where,
        .where_arg = hooks->arg,
    };
    return all->flights && all->workers ? 0 : -ENOMEM;
}

void ofs_drafts_stop(struct ofs_drafts *all)
{
    atomic_store(&all->started, false);
    if (all->workers)
        ofs_workers_stop(all->workers);
}

void ofs_drafts_done(struct ofs_drafts *all)
{
    assert(atomic_load(&all->n_drafts) == 0);
    ofs_workers_free(all->workers);
    ofs_flights_free(all->flights);
}

/* ---- life ---- */

static void draft_free(struct ofs_draft *d)
{
    if (!d)
        return;
    if (d->fd >= 0 && atomic_load(&d->n_records) == 0)
        ofs_stage_remove(d->all->stage, d->number);
    ofs_closep(&d->fd);
    ofs_stage_discharge(d->all->stage, d->charged);
    atomic_fetch_sub(&d->all->n_drafts, 1);
    ofs_origin_done(&d->origin);
    ofs_hash_free(d->hash);
    ofs_mutex_done(&d->mtx);
    free(d->repo);
    free(d);
}
OFS_DEFINE_AUTO(struct ofs_draft, draft_free)

static struct ofs_draft *draft_new(struct ofs_drafts *all, const char *repo)
{
    struct ofs_draft *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->all = all;
    d->fd = -1;
    d->sequential = true;
    d->repo = strdup(repo);
    d->hash = ofs_hash_new(OFS_SHA256);
    atomic_init(&d->refs, 1);
    ofs_mutex_init(&d->mtx, OFS_RANK_DRAFT);
    atomic_fetch_add(&all->n_drafts, 1);
    return d;
}

int ofs_draft_create(struct ofs_drafts *all, const char *repo,
                     struct ofs_draft **ret, struct ofs_err *err)
{
    OFS_AUTO(draft_freep) struct ofs_draft *d = draft_new(all, repo);

    if (!d || !d->repo || !d->hash)
        return ofs_err_nomem(err, "a new file");
    d->number = ofs_stage_number(all->stage);
    d->fd = ofs_stage_create(all->stage, d->number);
    if (d->fd < 0)
        return ofs_err_errno(err, -d->fd, "a new file in the staging area");
    *ret = ofs_take(&d);
    return 0;
}

int ofs_draft_adopt(struct ofs_drafts *all, const char *repo, uint64_t number,
                    struct ofs_draft **ret, struct ofs_err *err)
{
    OFS_AUTO(draft_freep) struct ofs_draft *d = draft_new(all, repo);
    struct stat st;

    if (!d || !d->repo)
        return ofs_err_nomem(err, "a staged file");
    d->number = number;
    d->frozen = true;
    d->written = true;
    d->sequential = false;
    d->fd = ofs_stage_reopen(all->stage, number);
    if (d->fd < 0)
        return ofs_err_errno(err, -d->fd, "a staged file");
    if (fstat(d->fd, &st) < 0)
        return ofs_err_errno(err, errno, "a staged file");
    d->size = d->charged = (uint64_t)st.st_size;
    ofs_stage_count(all->stage, d->charged);
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

struct ofs_stream *ofs_draft_take_stream(struct ofs_draft *d)
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
    old = ofs_draft_take_stream(d);
}

struct ofs_stream *ofs_draft_stream(struct ofs_draft *d)
{
    OFS_GUARD(&d->mtx);
    return d->stream && d->sequential ? ofs_stream_ref(d->stream) : NULL;
}

void ofs_draft_aim(struct ofs_draft *d, const struct ofs_digest *digest)
{
    OFS_GUARD(&d->mtx);
    d->may_stream = true;
    if (digest)
        d->aim = *digest;
}

/* ---- what it is ---- */

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

bool ofs_draft_is_plain(struct ofs_draft *d)
{
    OFS_GUARD(&d->mtx);
    return !d->origin.repo;
}

int ofs_draft_origin(struct ofs_draft *d, struct ofs_origin *ret)
{
    OFS_GUARD(&d->mtx);
    if (!d->origin.repo || d->size != d->origin.size)
        return -ENOENT;
    return ofs_origin_copy(&d->origin, ret);
}

int ofs_draft_charge(struct ofs_draft *d, uint64_t end, struct ofs_err *err)
{
    int r;

    if (end <= d->charged)
        return 0;
    r = ofs_stage_charge(d->all->stage, end - d->charged);
    if (r < 0)
        return ofs_err_set(err, r, "the staging area is full");
    d->charged = end;
    return 0;
}

static uint64_t size_on_disk(const struct ofs_draft *d)
{
    struct stat st;

    return fstat(d->fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

/* Whose writer cuts it meanwhile it ends for where it ends now. */
int ofs_draft_pread(struct ofs_draft *d, void *buf, size_t len, uint64_t off,
                    size_t *ret_n, struct ofs_err *err)
{
    uint64_t size = ofs_draft_size(d), end;
    int r = 0;

    do {
        end = size;
        *ret_n = off >= end ? 0 : len < end - off ? len : (size_t)(end - off);
        if (*ret_n > 0)
            r = ofs_pread_full(d->fd, buf, *ret_n, off);
        else
            r = 0;
        size = size_on_disk(d);
    } while (r < 0 && size < end);
    return r < 0 ? ofs_err_errno(err, -r, "the staging area") : 0;
}
