/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include "ocirfs/clock.h"
#include "ocirfs/list.h"
#include "ocirfs/thread.h"

/*
 * Who owns a job when:
 *
 *     caller      QUEUED            ACTIVE                    ENDED
 *     submit ---> in e->queue ----> in e->active, easy in --> caller again
 *                 (mtx)             multi (engine thread)
 *
 * A caller that gives up takes a QUEUED job out by itself.  An ACTIVE one it
 * marks, wakes the engine and waits, uninterruptibly, until that has removed
 * the easy handle: buffers and sink are the caller's and must not be touched
 * after it has returned.  This wait lasts one turn of the loop.
 *
 * The mutex is held for list operations only, never while libcurl performs,
 * so submitting does not wait for traffic.  A submitter wakes the engine only
 * when it sleeps: under load most submissions cost no system call.
 */

enum {
    NAP_MAX_MS = 60 * 1000,
    /*
     * A connection that gave nothing for so long before its request was given
     * up is not used again.  Only HTTP/2 needs this, see leave_connection().
     */
    QUIET_MS = 1000,
    /*
     * libcurl 7.88 may hold bytes of an HTTP/2 stream that came in together
     * with another stream's, and neither set a timer nor have a socket to poll
     * for them: 1 of 1000 requests slept until the next event.  So after every
     * turn in which something happened there is another one this much later.
     */
    SETTLE_MS = 5,
};

struct ofs_engine {
    struct ofs_engine_cfg cfg; /* immutable after new */
    CURLM *multi;              /* engine thread; curl_multi_wakeup() from any */
    pthread_t thread;

    struct ofs_mutex mtx;
    pthread_cond_t ended;                 /* with mtx: a given-up job ended */
    pthread_cond_t left;                  /* with mtx: n_callers fell to 0 */
    struct ofs_engine_job *queue, **tail; /* guarded by mtx */
    unsigned n_given_up;                  /* guarded by mtx */
    unsigned n_callers;                   /* guarded by mtx */
    struct ofs_waitlist pausing;          /* guarded by mtx */
    bool running, stopping, asleep;       /* guarded by mtx */
    bool more;                            /* guarded by mtx: wake the resting */

    struct ofs_engine_job *active; /* engine thread */
    int64_t now_ms;                /* engine thread: begin of this turn */
};

static CURLcode attach(struct ofs_engine_job *job)
{
    CURLcode rc = ofs_stall_timer_attach(&job->life, job->easy);

    if (rc == CURLE_OK)
        rc = curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
    /* A signal for each name that takes long is not for a library. */
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(job->easy, CURLOPT_NOSIGNAL, 1L);
    /*
     * Without it, removing a job whose name is being looked up waits for the
     * resolver's thread: seconds in which all other transfers would rest.
     */
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(job->easy, CURLOPT_QUICK_EXIT, 1L);
    return rc;
}

/* --- engine thread ------------------------------------------------------ */

/* Hand the job back.  It may be gone as soon as the mutex is free. */
static void end_job(struct ofs_engine *e, struct ofs_engine_job *job,
                    enum ofs_transfer_end end, CURLcode rc)
{
    ofs_list_remove(job); /* of those that are active */

    OFS_GUARD(&e->mtx);
    job->end = end;
    job->rc = rc;
    job->state = OFS_JOB_ENDED;
    if (job->given_up) {
        e->n_given_up--;
        (void)pthread_cond_broadcast(&e->ended);
    } else {
        ofs_call_wake(job->call);
    }
}

/*
 * A request on an HTTP/1 connection that is given up takes the connection with
 * it.  An HTTP/2 connection stays, and if it is the one that is stuck, the
 * next request would stick to it as well.  libcurl asks for this option when
 * the connection's last stream goes: one that is fine for others survives.
 */
static void leave_connection(struct ofs_engine *e, struct ofs_engine_job *job)
{
    if (job->life.phase == OFS_PHASE_TALKING &&
        e->now_ms - job->life.since_ms >= QUIET_MS)
        (void)curl_easy_setopt(job->easy, CURLOPT_FORBID_REUSE, 1L);
}

static void cut(struct ofs_engine *e, struct ofs_engine_job *job,
                enum ofs_transfer_end end)
{
    leave_connection(e, job);
    (void)curl_multi_remove_handle(e->multi, job->easy);
    end_job(e, job, end, CURLE_OK);
}

static void begin_job(struct ofs_engine *e, struct ofs_engine_job *job)
{
    CURLMcode rc;

    ofs_list_add(&e->active, job);
    ofs_stall_timer_begin(&job->life);
    rc = curl_multi_add_handle(e->multi, job->easy);
    if (rc != CURLM_OK)
        end_job(e, job, OFS_END_CURL, CURLE_OUT_OF_MEMORY);
}

/* What callers left for the engine since the last turn. */
struct orders {
    struct ofs_engine_job *fresh;
    bool some_given_up;
    bool stopping;
    bool more;
};

static struct orders take_orders(struct ofs_engine *e)
{
    struct orders o;

    OFS_GUARD(&e->mtx);
    e->asleep = false;
    o.fresh = ofs_take(&e->queue);
    e->tail = &e->queue;
    o.some_given_up = e->n_given_up > 0;
    o.stopping = e->stopping;
    o.more = e->more;
    e->more = false;
    for (struct ofs_engine_job *job = o.fresh; job; job = job->next)
        job->state = OFS_JOB_ACTIVE;
    return o;
}

static bool is_given_up(struct ofs_engine *e, const struct ofs_engine_job *job)
{
    OFS_GUARD(&e->mtx);
    return job->given_up;
}

/* Ask the job's source again. */
static void go_on(struct ofs_engine_job *job)
{
    ofs_stall_timer_go_on(&job->life);
    (void)curl_easy_pause(job->easy, CURLPAUSE_CONT);
}

static void obey(struct ofs_engine *e, const struct orders *o)
{
    struct ofs_engine_job *job, *next;

    for (job = o->fresh; job; job = next) {
        next = job->next;
        begin_job(e, job);
    }
    if (!o->some_given_up && !o->stopping && !o->more)
        return;
    for (job = e->active; job; job = next) {
        next = job->next;
        if (o->stopping)
            cut(e, job, OFS_END_STOP);
        else if (is_given_up(e, job))
            cut(e, job, OFS_END_CALLER);
        else if (job->life.resting)
            go_on(job);
    }
}

/* Hand back what has ended; false: nothing. */
static bool reap(struct ofs_engine *e)
{
    bool some = false;
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(e->multi, &left))) {
        CURL *easy = msg->easy_handle;
        CURLcode rc = msg->data.result;
        char *job = NULL;

        if (msg->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &job);
        (void)curl_multi_remove_handle(e->multi, easy); /* voids *msg */
        end_job(e, (void *)job, OFS_END_CURL, rc);
        some = true;
    }
    return some;
}

/* Cut what is overdue; how long to sleep at most. */
static int patrol(struct ofs_engine *e, bool calm)
{
    struct ofs_engine_job *job, *next;
    int64_t nap = calm ? NAP_MAX_MS : SETTLE_MS;

    for (job = e->active; job; job = next) {
        int64_t due;

        next = job->next;
        if (job->life.roused)
            go_on(job);
        due = ofs_stall_timer_due_ms(&job->life);
        if (job->life.since_ms == e->now_ms && nap > SETTLE_MS)
            nap = SETTLE_MS;
        if (due <= e->now_ms)
            cut(e, job,
                job->life.phase == OFS_PHASE_TALKING ? OFS_END_STALL
                                                     : OFS_END_CONNECT);
        else if (due - e->now_ms < nap)
            nap = due - e->now_ms;
    }
    return (int)nap;
}

/* True: nothing is waiting, and from now on submitters wake us. */
static bool may_sleep(struct ofs_engine *e)
{
    OFS_GUARD(&e->mtx);
    e->asleep = !e->queue && e->n_given_up == 0 && !e->stopping && !e->more;
    return e->asleep;
}

static void *work(void *arg)
{
    struct ofs_engine *e = arg;
    int running, nap, events = 0;

    for (;;) {
        struct orders o = take_orders(e);

        e->now_ms = ofs_mono_ms();
        obey(e, &o);
        if (o.stopping)
            return NULL;
        (void)curl_multi_perform(e->multi, &running);
        nap = patrol(e, !reap(e) && events == 0);
        events = 0;
        if (may_sleep(e))
            (void)curl_multi_poll(e->multi, NULL, 0, nap, &events);
    }
}

/* --- callers ------------------------------------------------------------ */

struct ofs_engine *ofs_engine_new(const struct ofs_engine_cfg *cfg)
{
    struct ofs_engine *e = calloc(1, sizeof(*e));
    long most = (long)cfg->max_host_connections;

    if (!e)
        return NULL;
    e->multi = curl_multi_init();
    if (!e->multi) {
        free(e);
        return NULL;
    }
    e->cfg = *cfg;
    e->tail = &e->queue;
    ofs_mutex_init(&e->mtx, OFS_RANK_HTTP);
    (void)pthread_cond_init(&e->ended, NULL);
    (void)pthread_cond_init(&e->left, NULL);
    (void)curl_multi_setopt(e->multi, CURLMOPT_PIPELINING,
                            (long)CURLPIPE_MULTIPLEX);
    (void)curl_multi_setopt(e->multi, CURLMOPT_MAX_HOST_CONNECTIONS, most);
    /*
     * libcurl keeps four times as many connections as there are requests now,
     * so after a burst it would close all but a few.
     */
    (void)curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, 2 * most);
    return e;
}

int ofs_engine_start(struct ofs_engine *e, struct ofs_err *err)
{
    int r = ofs_thread_create(&e->thread, "ofs-http", work, e);

    if (r < 0)
        return ofs_err_errno(err, -r, "cannot start the HTTP engine's thread");
    OFS_GUARD(&e->mtx);
    e->running = true;
    return 0;
}

static bool order_stop(struct ofs_engine *e)
{
    OFS_GUARD(&e->mtx);
    if (!e->running || e->stopping)
        return false;
    e->stopping = true;
    ofs_waitlist_wake(&e->pausing);
    return true;
}

void ofs_engine_stop(struct ofs_engine *e)
{
    if (!e || !order_stop(e))
        return;
    (void)curl_multi_wakeup(e->multi);
    (void)pthread_join(e->thread, NULL);

    OFS_GUARD(&e->mtx);
    e->running = false;
    while (e->n_callers > 0)
        (void)pthread_cond_wait(&e->left, &e->mtx.m);
}

void ofs_engine_free(struct ofs_engine *e)
{
    if (!e)
        return;
    ofs_engine_stop(e);
    (void)curl_multi_cleanup(e->multi);
    (void)pthread_cond_destroy(&e->left);
    (void)pthread_cond_destroy(&e->ended);
    ofs_mutex_done(&e->mtx);
    free(e);
}

bool ofs_engine_enter(struct ofs_engine *e)
{
    OFS_GUARD(&e->mtx);
    if (!e->running || e->stopping)
        return false;
    e->n_callers++;
    return true;
}

void ofs_engine_leave(struct ofs_engine *e)
{
    OFS_GUARD(&e->mtx);
    if (--e->n_callers == 0)
        (void)pthread_cond_signal(&e->left);
}

/* False: the engine stops. */
static bool submit(struct ofs_engine *e, struct ofs_engine_job *job)
{
    bool wake;

    {
        OFS_GUARD(&e->mtx);
        if (e->stopping)
            return false;
        job->state = OFS_JOB_QUEUED;
        job->given_up = false;
        job->next = NULL;
        *e->tail = job;
        e->tail = &job->next;
        wake = e->asleep;
        e->asleep = false;
    }
    if (wake)
        (void)curl_multi_wakeup(e->multi);
    return true;
}

void ofs_engine_more(struct ofs_engine *e)
{
    bool wake;

    {
        OFS_GUARD(&e->mtx);
        e->more = true;
        wake = e->asleep;
        e->asleep = false;
    }
    if (wake)
        (void)curl_multi_wakeup(e->multi);
}

static void unqueue(struct ofs_engine *e, struct ofs_engine_job *job)
{
    struct ofs_engine_job **at = &e->queue;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    if (!*at)
        e->tail = at;
    job->end = OFS_END_CALLER;
    job->state = OFS_JOB_ENDED;
}

/*
 * Make the job end now.  True: it had ended by itself meanwhile.  Called with
 * the mutex held; releases it while it waits.
 */
static bool give_up_locked(struct ofs_engine *e, struct ofs_engine_job *job)
{
    if (job->state == OFS_JOB_ENDED)
        return true;
    if (job->state == OFS_JOB_QUEUED) {
        unqueue(e, job);
        return false;
    }
    job->given_up = true;
    e->n_given_up++;
    /* A write to a pipe that never blocks; others need not wait for it. */
    (void)curl_multi_wakeup(e->multi);
    while (job->state != OFS_JOB_ENDED)
        (void)pthread_cond_wait(&e->ended, &e->mtx.m);
    return job->end != OFS_END_CALLER;
}

static bool has_ended(struct ofs_engine *e, const struct ofs_engine_job *job)
{
    OFS_GUARD(&e->mtx);
    return job->state == OFS_JOB_ENDED;
}

int ofs_engine_run(struct ofs_engine *e, struct ofs_call *call,
                   struct ofs_engine_job *job, struct ofs_err *err)
{
    int r = 0;

    ofs_assert_unlocked();
    job->call = call;
    job->life = (struct ofs_stall_timer){ .limits = &e->cfg.limits,
                                          .now_ms = &e->now_ms,
                                          .guard = job->life.guard };
    if (attach(job) != CURLE_OK)
        return ofs_err_nomem(err, "a request");
    if (!submit(e, job))
        return ofs_err_set(err, -EINTR, "the HTTP engine stops");
    while (r == 0 && !has_ended(e, job))
        r = ofs_call_sleep(call, err);

    OFS_GUARD(&e->mtx);
    if (r < 0 && give_up_locked(e, job))
        return 0;
    return r;
}

static bool is_stopping(void *arg)
{
    const struct ofs_engine *e = arg;

    return e->stopping;
}

/* While it sleeps, the call's deadline is the end of the pause. */
int ofs_engine_pause(struct ofs_engine *e, struct ofs_call *call, int64_t ms,
                     struct ofs_err *err)
{
    int64_t deadline_ms = call->deadline_ms, until_ms = ofs_mono_ms() + ms;
    bool ours = until_ms < deadline_ms;
    struct ofs_err why;
    int r;

    if (ours)
        call->deadline_ms = until_ms;
    r = ofs_waitlist_wait(&e->pausing, &e->mtx, call, is_stopping, e, &why);
    call->deadline_ms = deadline_ms;
    if (r == 0)
        return ofs_err_set(err, -EINTR, "the HTTP engine stops");
    if (r == -ETIMEDOUT && ours)
        return 0;
    return ofs_err_set(err, r, "%s", why.text);
}
