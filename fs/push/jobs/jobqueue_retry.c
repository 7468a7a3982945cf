/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying again what failed.  Each job has its own time, so one that fails for
 * ever does not hold up another.
 */
#include "jobqueue.h"

/* How soon a file is looked at again that somebody still has open. */
enum { OPEN_MS = 1000 };

/* With a->mtx held. */
static bool is_to_retry(const struct ofs_job *j)
{
    return j->state == OFS_JOB_LEFT || j->state == OFS_JOB_RETRY;
}

/* Its writer may go on to change what was to be sent. */
static bool is_open(const struct ofs_job *j)
{
    return j->draft && !j->draft->frozen && atomic_load(&j->draft->refs) > 1;
}

/* With a->mtx held. */
static bool is_due(const struct ofs_jobqueue *a, struct ofs_job *j,
                   int64_t now_ms)
{
    if (!is_to_retry(j) || j->due_ms > now_ms)
        return false;
    if (!is_open(j))
        return true;
    j->due_ms =
        now_ms + (a->first_pause_ms < OPEN_MS ? a->first_pause_ms : OPEN_MS);
    return false;
}

/* Blobs before what names them; the rest finds its order by settling. */
static int rank_of(const struct ofs_job *j)
{
    return j->spec.kind == OFS_JOB_BLOB ? 0 : 1;
}

struct ofs_job *ofs_jobqueue_take_retry(struct ofs_jobqueue *a,
                                        struct ofs_call *call,
                                        struct ofs_err *ret_why)
{
    int64_t now_ms = ofs_mono_ms();
    struct ofs_job *best = NULL;

    OFS_GUARD(&a->mtx);
    for (struct ofs_job *j = a->jobs; j; j = j->next)
        if (is_due(a, j, now_ms) && (!best || rank_of(j) <= rank_of(best)))
            best = j; /* the oldest: new ones come in front */
    if (!best)
        return NULL;
    *ret_why = best->why;
    best->needs.absent = NULL;
    a->retried = best;
    a->retry_call = call;
    return ofs_jobqueue_take(best);
}

void ofs_jobqueue_end_retry(struct ofs_jobqueue *a)
{
    OFS_GUARD(&a->mtx);
    a->retried = NULL;
    a->retry_call = NULL;
    ofs_waitlist_wake(&a->waiters);
}

void ofs_jobqueue_cancel_retry(struct ofs_jobqueue *a)
{
    OFS_GUARD(&a->mtx);
    if (a->retried)
        ofs_call_cancel(a->retry_call);
}

void ofs_jobqueue_hurry(struct ofs_jobqueue *a)
{
    OFS_GUARD(&a->mtx);
    for (struct ofs_job *j = a->jobs; j; j = j->next)
        j->due_ms = 0;
}

int64_t ofs_jobqueue_next_due(struct ofs_jobqueue *a)
{
    int64_t first_ms = OFS_NEVER;

    OFS_GUARD(&a->mtx);
    for (const struct ofs_job *j = a->jobs; j; j = j->next)
        if (is_to_retry(j) && j->due_ms < first_ms)
            first_ms = j->due_ms;
    return first_ms;
}

struct older {
    const struct ofs_jobqueue *a;
    const struct ofs_job *job;
};

/* With a->mtx held. */
static bool is_alone(void *arg)
{
    const struct older *o = arg;
    const struct ofs_job *tried = o->a->retried;

    return !tried || !ofs_jobspec_same(&tried->spec, &o->job->spec);
}

int ofs_jobqueue_await_older(struct ofs_jobqueue *a, struct ofs_call *call,
                             const struct ofs_job *job, struct ofs_err *err)
{
    struct older o = { .a = a, .job = job };

    return ofs_waitlist_wait(&a->waiters, &a->mtx, call, is_alone, &o, err);
}
