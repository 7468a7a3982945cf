/* SPDX-License-Identifier: Apache-2.0 */
#include "jobqueue.h"

#include "outcome.h"

void ofs_jobqueue_init(struct ofs_jobqueue *a, const char *url,
                       struct ofs_stage *stage)
{
    a->url = url;
    a->stage = stage;
    a->first_pause_ms = OFS_OUTCOME_FIRST_PAUSE_MS;
    ofs_mutex_init(&a->mtx, OFS_RANK_PUSH);
}

static void job_free(struct ofs_job *job)
{
    if (!job)
        return;
    ofs_jobspec_done(&job->spec);
    ofs_deps_done(&job->needs);
    ofs_draft_unref(job->draft);
    free(job->media_type);
    free(job);
}
OFS_DEFINE_AUTO(struct ofs_job, job_free)

struct ofs_job *ofs_job_new(const struct ofs_jobqueue *a,
                            enum ofs_job_kind kind, const char *repo,
                            const char *tag, const struct ofs_digest *digest)
{
    OFS_AUTO(job_freep) struct ofs_job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    atomic_init(&job->refs, 1);
    job->spec = (struct ofs_jobspec){
        .kind = kind,
        .url = strdup(a->url),
        .repo = strdup(repo),
        .tag = tag ? strdup(tag) : NULL,
        .digest = *digest,
    };
    if (!job->spec.url || !job->spec.repo || (tag && !job->spec.tag))
        return NULL;
    return ofs_take(&job);
}

void ofs_job_unref(struct ofs_job *job)
{
    if (job && atomic_fetch_sub(&job->refs, 1) == 1)
        job_free(job);
}

void ofs_job_take_draft(struct ofs_job *job, struct ofs_draft *d, uint64_t size)
{
    job->draft = ofs_draft_ref(d);
    job->spec.file = d->number;
    job->spec.size = size;
}

const struct ofs_digest *ofs_job_old(const struct ofs_job *job)
{
    return job->spec.old_known && job->old_ms > 0 ? &job->spec.old : NULL;
}

/* ---- the list; with a->mtx held ---- */

static struct ofs_job *take_same(struct ofs_jobqueue *a,
                                 const struct ofs_job *job)
{
    for (struct ofs_job *j = a->jobs; j; j = j->next)
        if (ofs_jobspec_same(&j->spec, &job->spec)) {
            ofs_list_remove(j);
            j->state = OFS_JOB_OFF;
            return j;
        }
    return NULL;
}

/* ---- what a job may become ---- */

#define TO(state) (1U << OFS_JOB_##state)

/* With a->mtx held.  False: it is not in a state for that any more. */
static bool go(struct ofs_job *job, enum ofs_job_state to)
{
    static const unsigned after[OFS_JOB_STATES] = {
        [OFS_JOB_NEW] = TO(RUNNING) | TO(LEFT),
        [OFS_JOB_RUNNING] = TO(WAITING) | TO(RETRY) | TO(FAILED) | TO(OFF),
        [OFS_JOB_WAITING] = TO(RUNNING) | TO(RETRY) | TO(FAILED) | TO(OFF),
        [OFS_JOB_LEFT] = TO(RUNNING) | TO(OFF),
        [OFS_JOB_RETRY] = TO(RUNNING) | TO(OFF),
        [OFS_JOB_FAILED] = TO(OFF),
    };

    if (!(after[job->state] & 1U << to))
        return false;
    job->state = to;
    return true;
}

/* ---- on and off ---- */

/* One that is off the list: nothing of it stays on disk. */
static void forget(struct ofs_jobqueue *a, struct ofs_job *job)
{
    uint64_t number = atomic_load(&job->number);

    if (number > 0) {
        ofs_journal_remove(a->stage, number);
        if (job->draft)
            atomic_fetch_sub(&job->draft->n_records, 1);
    }
    ofs_job_unref(job); /* the list's */
}

static int record(struct ofs_jobqueue *a, struct ofs_job *job, bool durable,
                  struct ofs_err *err)
{
    uint64_t had = atomic_load(&job->number);
    uint64_t number = had ? had : ofs_stage_number(a->stage);
    int r = ofs_journal_put(a->stage, number, &job->spec, durable, err);

    if (r < 0 || had)
        return r;
    atomic_store(&job->number, number);
    if (job->draft)
        atomic_fetch_add(&job->draft->n_records, 1);
    return 0;
}

void ofs_jobqueue_add(struct ofs_jobqueue *a, struct ofs_job *job)
{
    struct ofs_job *old;

    (void)record(a, job, /* durable= */ false, NULL);
    atomic_fetch_add(&job->refs, 1);
    {
        OFS_GUARD(&a->mtx);
        old = take_same(a, job);
        if (old && old == a->retried)
            ofs_call_cancel(a->retry_call); /* nobody wants its end now */
        ofs_list_add(&a->jobs, job);
        (void)go(job, OFS_JOB_RUNNING);
    }
    if (old)
        forget(a, old);
}

static bool is_on(struct ofs_jobqueue *a, const struct ofs_job *job)
{
    OFS_GUARD(&a->mtx);
    return job->state != OFS_JOB_OFF;
}

/* 1: it is still on, and may be acknowledged now.  Else how it ended: another
 * thread may have taken it on meanwhile. */
static int acknowledge(struct ofs_jobqueue *a, struct ofs_job *job,
                       struct ofs_err *err)
{
    OFS_GUARD(&a->mtx);
    if (job->state == OFS_JOB_RUNNING || job->state == OFS_JOB_WAITING) {
        job->acknowledged = true;
        return 1;
    }
    if (job->why.code < 0 && err)
        *err = job->why;
    return job->why.code;
}

int ofs_jobqueue_promise(struct ofs_jobqueue *a, struct ofs_job *job,
                         struct ofs_err *err)
{
    int r = record(a, job, /* durable= */ true, err);

    if (r < 0)
        return r;
    r = acknowledge(a, job, err);
    if (r > 0)
        return 0;
    if (!is_on(a, job)) /* and its record must not come back */
        ofs_journal_remove(a->stage, atomic_load(&job->number));
    return r;
}

/* With a->mtx held.  False: a newer one has taken its place. */
static bool take_off(struct ofs_job *job)
{
    if (!go(job, OFS_JOB_OFF))
        return false;
    ofs_list_remove(job);
    return true;
}

void ofs_jobqueue_drop(struct ofs_jobqueue *a, struct ofs_job *job)
{
    {
        OFS_GUARD(&a->mtx);
        if (!take_off(job))
            return;
    }
    forget(a, job);
}

/* True: nobody was told that it will be done, and it cannot be. */
static bool note_failure(struct ofs_jobqueue *a, struct ofs_job *job, int r,
                         const struct ofs_err *why)
{
    enum ofs_outcome what;

    OFS_GUARD(&a->mtx);
    job->why = *why;
    job->why.code = r;
    what = ofs_outcome_of(r, job->acknowledged);
    if (what == OFS_OUTCOME_REFUSED)
        return take_off(job);
    if (what == OFS_OUTCOME_KEPT) {
        (void)go(job, OFS_JOB_FAILED);
        return false;
    }
    job->due_ms =
        ofs_mono_ms() + ofs_outcome_pause_ms(a->first_pause_ms, job->n_tried++,
                                             why->retry_after_ms);
    (void)go(job, OFS_JOB_RETRY);
    return false;
}

int ofs_jobqueue_end(struct ofs_jobqueue *a, struct ofs_job *job, int r,
                     const struct ofs_err *why, struct ofs_err *err)
{
    if (r == 0)
        ofs_jobqueue_drop(a, job);
    if (r >= 0)
        return r;
    if (err)
        *err = *why;
    if (note_failure(a, job, r, why))
        forget(a, job);
    else
        a->wake(a->arg);
    return r;
}

/* ---- who goes on with it ---- */

struct ofs_job *ofs_jobqueue_find(struct ofs_jobqueue *a,
                                  enum ofs_job_kind kind, const char *repo,
                                  const struct ofs_digest *digest)
{
    OFS_GUARD(&a->mtx);
    for (struct ofs_job *j = a->jobs; j; j = j->next)
        if (j->spec.kind == kind && ofs_digest_eq(&j->spec.digest, digest) &&
            strcmp(j->spec.repo, repo) == 0) {
            atomic_fetch_add(&j->refs, 1);
            return j;
        }
    return NULL;
}

void ofs_jobqueue_arrived(struct ofs_jobqueue *a, const char *repo,
                          const struct ofs_digest *digest, bool is_manifest)
{
    OFS_GUARD(&a->mtx);
    for (struct ofs_job *j = a->jobs; j; j = j->next)
        if (strcmp(j->spec.repo, repo) == 0)
            ofs_deps_arrived(&j->needs, digest, is_manifest);
}

/* With a->mtx held. */
static bool is_ready(const struct ofs_job *j)
{
    return j->needs.n > 0 && !j->needs.absent &&
           (j->state == OFS_JOB_WAITING || j->state == OFS_JOB_LEFT);
}

struct ofs_job *ofs_jobqueue_take(struct ofs_job *job)
{
    (void)go(job, OFS_JOB_RUNNING);
    atomic_fetch_add(&job->refs, 1);
    return job;
}

struct ofs_job *ofs_jobqueue_take_ready(struct ofs_jobqueue *a,
                                        const char *repo)
{
    OFS_GUARD(&a->mtx);
    for (struct ofs_job *j = a->jobs; j; j = j->next)
        if (is_ready(j) && strcmp(j->spec.repo, repo) == 0)
            return ofs_jobqueue_take(j);
    return NULL;
}

bool ofs_jobqueue_missing(struct ofs_jobqueue *a, const struct ofs_job *job,
                          struct ofs_need *ret)
{
    const struct ofs_need *need;

    OFS_GUARD(&a->mtx);
    need = ofs_deps_missing(&job->needs);
    if (need)
        *ret = *need;
    return need;
}

bool ofs_jobqueue_wait(struct ofs_jobqueue *a, struct ofs_job *job,
                       const struct ofs_need *need)
{
    OFS_GUARD(&a->mtx);
    if (!ofs_deps_wait(&job->needs, need))
        return false;
    (void)go(job, OFS_JOB_WAITING);
    return true;
}

static bool has_same(const struct ofs_jobqueue *a,
                     const struct ofs_jobspec *spec)
{
    for (const struct ofs_job *j = a->jobs; j; j = j->next)
        if (ofs_jobspec_same(&j->spec, spec))
            return true;
    return false;
}

bool ofs_jobqueue_restore(struct ofs_jobqueue *a, struct ofs_job *job)
{
    OFS_GUARD(&a->mtx);
    if (has_same(a, &job->spec))
        return false;
    atomic_fetch_add(&job->refs, 1);
    ofs_list_add(&a->jobs, job);
    (void)go(job, OFS_JOB_LEFT);
    return true;
}

void ofs_jobqueue_done(struct ofs_jobqueue *a)
{
    while (a->jobs) {
        struct ofs_job *job = a->jobs;

        ofs_list_remove(job);
        ofs_job_unref(job);
    }
    ofs_mutex_done(&a->mtx);
}
