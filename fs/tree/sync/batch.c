/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include "ocirfs/clock.h"
#include "ocirfs/list.h"
#include "ocirfs/workers.h"

#include <stdatomic.h>

enum {
    DEFAULT_PARALLEL = 64,
    MAX_QUEUE = 8192,           /* jobs: batches times their parallelism */
    ITEM_TIMEOUT_MS = 60 * 1000 /* longer than the registry's own limits */
};

struct ofs_batches {
    struct ofs_workers *workers;
    unsigned max_parallel;
    struct ofs_mutex mtx;    /* rank INFLIGHT */
    bool stopping;           /* guarded by mtx */
    struct running *running; /* guarded by mtx */
};

/* An item at work, so that stopping can reach its call. */
struct running {
    struct running *next, **link;
    struct ofs_call call;
};

struct ofs_batch {
    struct ofs_batches *pool;
    const struct ofs_batch_ops *ops;
    void *arg;
    size_t n;
    atomic_uint refs;
    struct ofs_mutex mtx; /* rank INFLIGHT; guards all below */
    size_t next;          /* item to take */
    unsigned jobs;        /* in the queue or at work */
    bool ended;
    int result;
    struct ofs_err err; /* of result */
    struct ofs_waitlist waiters;
};

struct ofs_batches *ofs_batches_new(unsigned max_parallel)
{
    OFS_AUTOFREE struct ofs_batches *p = calloc(1, sizeof(*p));
    unsigned n = max_parallel ? max_parallel : DEFAULT_PARALLEL;

    if (!p)
        return NULL;
    p->max_parallel = n;
    p->workers = ofs_workers_new(&(struct ofs_workers_cfg){
        .name = "tree", .max_threads = n, .max_queue = MAX_QUEUE });
    if (!p->workers)
        return NULL;
    ofs_mutex_init(&p->mtx, OFS_RANK_INFLIGHT);
    return ofs_take(&p);
}

void ofs_batches_stop(struct ofs_batches *p)
{
    {
        OFS_GUARD(&p->mtx);
        p->stopping = true;
        for (struct running *r = p->running; r; r = r->next)
            ofs_call_cancel(&r->call);
    }
    ofs_workers_stop(p->workers);
}

void ofs_batches_free(struct ofs_batches *p)
{
    if (!p)
        return;
    ofs_batches_stop(p);
    ofs_workers_free(p->workers);
    ofs_mutex_done(&p->mtx);
    free(p);
}

struct ofs_batch *ofs_batch_ref(struct ofs_batch *b)
{
    (void)atomic_fetch_add(&b->refs, 1);
    return b;
}

void ofs_batch_unref(struct ofs_batch *b)
{
    if (!b || atomic_fetch_sub(&b->refs, 1) > 1)
        return;
    b->ops->free(b->arg);
    ofs_mutex_done(&b->mtx);
    free(b);
}

static void run_begin(struct ofs_batches *p, struct running *r)
{
    bool stopping;

    ofs_call_init(&r->call, ITEM_TIMEOUT_MS);
    {
        OFS_GUARD(&p->mtx);
        stopping = p->stopping;
        ofs_list_add(&p->running, r);
    }
    if (stopping)
        ofs_call_cancel(&r->call);
}

static void run_end(struct ofs_batches *p, struct running *r)
{
    {
        OFS_GUARD(&p->mtx);
        ofs_list_remove(r);
    }
    ofs_call_done(&r->call);
}

/* With b->mtx held: nothing more begins. */
static void finish(struct ofs_batch *b, int code, const struct ofs_err *err)
{
    if (b->result == 0 && code < 0) {
        b->result = code;
        b->err = *err;
    }
    b->next = b->n;
}

static void run_item(struct ofs_batch *b, size_t i)
{
    struct ofs_err err = { 0 };
    struct running self;
    int r;

    run_begin(b->pool, &self);
    r = ofs_call_check(&self.call, &err);
    if (r == 0)
        r = b->ops->item(b->arg, i, &self.call, &err);
    run_end(b->pool, &self);
    if (r < 0 && (r == -EINTR || b->ops->is_end(r))) {
        OFS_GUARD(&b->mtx);
        finish(b, r, &err);
    }
}

/* Take the next item; false: there is none. */
static bool take_item(struct ofs_batch *b, size_t *ret)
{
    bool wanted = !b->ops->is_wanted || b->ops->is_wanted(b->arg);

    OFS_GUARD(&b->mtx);
    if (!wanted && !b->waiters.first)
        b->next = b->n;
    if (b->next >= b->n)
        return false;
    *ret = b->next++;
    return true;
}

/* One job less; the last one tells everybody. */
static void job_end(struct ofs_batch *b)
{
    {
        OFS_GUARD(&b->mtx);
        if (--b->jobs > 0)
            return;
    }
    /* Only the last job gets here, and only now may waiters go on: what
     * `ended` puts right is right when they look. */
    if (b->ops->ended)
        b->ops->ended(b->arg);

    OFS_GUARD(&b->mtx);
    b->ended = true;
    ofs_waitlist_wake(&b->waiters);
}

/* To the end of the queue, if there is one: others want a thread, too. */
static bool give_way(struct ofs_batch *b);

static void job(void *arg)
{
    struct ofs_batch *b = arg;
    size_t i;

    while (take_item(b, &i)) {
        run_item(b, i);
        if (give_way(b))
            return; /* the job and its reference live on in the queue */
    }
    job_end(b);
    ofs_batch_unref(b);
}

static bool give_way(struct ofs_batch *b)
{
    struct ofs_workers *w = b->pool->workers;

    return ofs_workers_busy(w) > b->pool->max_parallel &&
           ofs_workers_add(w, job, b) == 0;
}

struct ofs_batch *ofs_batch_new(struct ofs_batches *p,
                                const struct ofs_batch_ops *ops, void *arg,
                                size_t n)
{
    struct ofs_batch *b = calloc(1, sizeof(*b));

    assert(n > 0);
    if (!b) {
        ops->free(arg);
        return NULL;
    }
    b->pool = p;
    b->ops = ops;
    b->arg = arg;
    b->n = n;
    atomic_init(&b->refs, 1);
    ofs_mutex_init(&b->mtx, OFS_RANK_INFLIGHT);
    return b;
}

/* As many jobs as may run side by side; how many were had. */
static unsigned add_jobs(struct ofs_batch *b, unsigned n)
{
    unsigned had = 0;

    for (; had < n; had++) {
        {
            OFS_GUARD(&b->mtx);
            b->jobs++;
        }
        (void)ofs_batch_ref(b);
        if (ofs_workers_add(b->pool->workers, job, b) == 0)
            continue;
        OFS_GUARD(&b->mtx);
        b->jobs--;
        (void)atomic_fetch_sub(&b->refs, 1);
        break;
    }
    return had;
}

int ofs_batch_go(struct ofs_batch *b, struct ofs_err *err)
{
    unsigned max = b->pool->max_parallel;
    struct ofs_err busy = { 0 };
    int r = 0;

    {
        /* A job of our own, so that the first ones to run do not end it. */
        OFS_GUARD(&b->mtx);
        b->jobs = 1;
    }
    if (add_jobs(b, b->n < max ? (unsigned)b->n : max) == 0) {
        r = ofs_err_set(&busy, -EBUSY, "too many requests wait already");
        if (err)
            *err = busy;
        OFS_GUARD(&b->mtx);
        finish(b, r, &busy);
    }
    job_end(b);
    return r;
}

static bool has_ended(void *arg)
{
    const struct ofs_batch *b = arg;

    return b->ended;
}

static int wait_for(struct ofs_batch *b, struct ofs_call *call, bool *ret_ended,
                    struct ofs_err *err)
{
    int r = ofs_waitlist_wait(&b->waiters, &b->mtx, call, has_ended, b, err);

    *ret_ended = r == 0;
    if (r < 0)
        return r;
    /* Written once, before `ended` was; needs no lock any more. */
    if (b->result < 0 && err)
        *err = b->err;
    return b->result;
}

int ofs_batch_wait(struct ofs_batch *b, struct ofs_call *call, int64_t max_ms,
                   bool *ret_ended, struct ofs_err *err)
{
    int64_t deadline = call->deadline_ms;
    int r;

    ofs_assert_unlocked();
    /* The deadline is the executing thread's own, which is us. */
    if (max_ms < ofs_call_left_ms(call))
        call->deadline_ms = ofs_mono_ms() + max_ms;
    r = wait_for(b, call, ret_ended, err);
    call->deadline_ms = deadline;
    return r;
}
