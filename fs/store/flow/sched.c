/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The threads that fetch.  Objects that may want something stand in a line; a
 * free thread takes the first, lets it pick one range, puts it back at the
 * end and fetches.  So blobs take turns whatever each of them wants, and a
 * kick costs nothing when there is nothing to do.
 */

#include "store_priv.h"

enum {
    FINISH_BYTES = 1024 * 1024, /* so little is fetched to its end anyhow:
                                   cheaper than a new connection */
    WATCH_MIN_MS = 10,
    WATCH_MAX_MS = 1000,
};

void ofs_sched_init(struct ofs_store *s)
{
    ofs_mutex_init(&s->sched.mtx, OFS_RANK_INFLIGHT);
    s->sched.end = &s->sched.first;
}

int ofs_sched_start(struct ofs_store *s)
{
    struct ofs_workers_cfg cfg = {
        .name = "ofs-fetch",
        .max_threads = s->cfg.max_transfers,
        .max_queue = s->cfg.max_transfers,
    };

    s->sched.workers = ofs_workers_new(&cfg);
    return s->sched.workers ? ofs_workers_start(s->sched.workers) : -ENOMEM;
}

/* With sched.mtx held. */
static struct ofs_object *pop(struct ofs_sched *d)
{
    struct ofs_object *o = d->first;

    if (!o)
        return NULL;
    d->first = o->next_fetch;
    if (!d->first)
        d->end = &d->first;
    o->next_fetch = NULL;
    o->queued = false;
    return o;
}

/* The next in line; NULL ends the job. */
static struct ofs_object *next_or_leave(struct ofs_sched *d)
{
    OFS_GUARD(&d->mtx);
    struct ofs_object *o = d->stopping ? NULL : pop(d);

    if (!o)
        d->n_jobs--;
    return o;
}

static bool add_active(struct ofs_sched *d, struct ofs_fetch *f)
{
    OFS_GUARD(&d->mtx);
    bool first = !d->active;

    ofs_list_add(&d->active, f);
    if (d->stopping)
        ofs_call_cancel(&f->call);
    return first;
}

static void remove_active(struct ofs_sched *d, struct ofs_fetch *f)
{
    OFS_GUARD(&d->mtx);
    ofs_list_remove(f);
}

static void work(void *arg)
{
    struct ofs_store *s = arg;
    struct ofs_object *o;

    while ((o = next_or_leave(&s->sched))) {
        struct ofs_fetch *f = ofs_fetch_begin(o);

        if (f) {
            ofs_sched_kick(o);
            if (add_active(&s->sched, f))
                ofs_thread_kick(&s->watcher);
            ofs_fetch_run(f);
            remove_active(&s->sched, f);
            ofs_fetch_end(f);
            ofs_sched_kick(o);
        }
        ofs_object_unref(o);
    }
}

void ofs_sched_kick(struct ofs_object *o)
{
    struct ofs_store *s = o->store;
    struct ofs_sched *d = &s->sched;

    OFS_GUARD(&d->mtx);
    if (d->stopping || !d->workers)
        return;
    if (!o->queued) {
        o->queued = true;
        *d->end = ofs_object_ref(o);
        d->end = &o->next_fetch;
    }
    if (d->n_jobs < s->cfg.max_transfers &&
        ofs_workers_add(d->workers, work, s) == 0)
        d->n_jobs++;
}

static void end_stalled(struct ofs_store *s)
{
    int64_t now = ofs_store_now_ms(s);

    OFS_GUARD(&s->sched.mtx);
    for (struct ofs_fetch *f = s->sched.active; f; f = f->next) {
        if (now - atomic_load(&f->last_ms) < s->cfg.read_timeout_ms)
            continue;
        atomic_store(&f->stalled, true);
        ofs_call_cancel(&f->call);
    }
}

static bool is_active(struct ofs_store *s)
{
    OFS_GUARD(&s->sched.mtx);
    return s->sched.active != NULL;
}

void *ofs_watcher_run(void *store)
{
    struct ofs_store *s = store;
    int64_t tick = s->cfg.read_timeout_ms / 4;

    if (tick < WATCH_MIN_MS)
        tick = WATCH_MIN_MS;
    if (tick > WATCH_MAX_MS)
        tick = WATCH_MAX_MS;
    while (ofs_thread_sleep(&s->watcher, is_active(s) ? tick : OFS_NEVER))
        end_stalled(s);
    return NULL;
}

void ofs_sched_abandon(struct ofs_object *o)
{
    OFS_GUARD(&o->store->sched.mtx);
    for (struct ofs_fetch *f = o->store->sched.active; f; f = f->next) {
        if (f->object != o || f->end - atomic_load(&f->at) <= FINISH_BYTES)
            continue;
        atomic_store(&f->abandoned, true);
        ofs_call_cancel(&f->call);
    }
}

static struct ofs_object *pop_any(struct ofs_sched *d)
{
    OFS_GUARD(&d->mtx);
    return pop(d);
}

/* For what nobody fetches any more. */
static void end_waits(struct ofs_object *o)
{
    struct ofs_err err = { 0 };

    (void)ofs_err_set(&err, -EINTR, "the cache is being closed");
    OFS_GUARD(&o->mtx);
    ofs_object_fail(o, 0, o->n_chunks, &err, NULL);
}

void ofs_sched_stop(struct ofs_store *s)
{
    struct ofs_sched *d = &s->sched;
    struct ofs_object *o;

    {
        OFS_GUARD(&d->mtx);
        d->stopping = true;
        for (struct ofs_fetch *f = d->active; f; f = f->next)
            ofs_call_cancel(&f->call);
    }
    if (d->workers)
        ofs_workers_stop(d->workers);
    while ((o = pop_any(d))) {
        end_waits(o);
        ofs_object_unref(o);
    }
}

void ofs_sched_done(struct ofs_store *s)
{
    ofs_workers_free(s->sched.workers);
    ofs_mutex_done(&s->sched.mtx);
}
