/* SPDX-License-Identifier: Apache-2.0 */
#include "draft.h"
#include "push_priv.h"

#include "ocirfs/log.h"

#include <signal.h>

static bool is_over(struct ofs_push *p)
{
    return atomic_load(&p->stopping);
}

/* Blobs before what names them; the rest finds its order by settling. */
static int rank_of(const struct ofs_job *j)
{
    return j->spec.kind == OFS_JOB_BLOB ? 0 : 1;
}

static struct ofs_job *take_next(struct ofs_push *p)
{
    struct ofs_job *best = NULL;

    OFS_GUARD(&p->mtx);
    for (struct ofs_job *j = p->jobs; j; j = j->next)
        if (j->again && !j->tried && (!best || rank_of(j) <= rank_of(best)))
            best = j; /* the oldest: new ones come in front */
    if (best) {
        best->tried = true;
        atomic_fetch_add(&best->refs, 1);
    }
    return best;
}

static int check_staged(struct ofs_push *p, const struct ofs_job *job,
                        struct ofs_err *err)
{
    struct ofs_content c = { 0 };
    int r =
        ofs_draft_content(job->draft, &p->call,
                          (enum ofs_digest_alg)job->spec.digest.alg, &c, err);

    if (r == 0 && !ofs_digest_eq(&c.digest, &job->spec.digest))
        r = ofs_err_set(err, -EBADMSG, "the staged file is damaged");
    return r;
}

/* What was not acknowledged is looked at with suspicion first. */
static int prepare(struct ofs_push *p, struct ofs_job *job, struct ofs_err *err)
{
    int r = 0;

    if (job->draft && job->spec.kind != OFS_JOB_MANIFEST)
        r = check_staged(p, job, err);
    if (r == 0)
        r = ofs_publish_unmoved(p, &p->call, job, err);
    return r < 0 ? ofs_agenda_failed(p, job, r, err) : 0;
}

static int perform(struct ofs_push *p, struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_digest ignored;

    switch (job->spec.kind) {
    case OFS_JOB_BLOB:
        return ofs_commit_blob_job(p, &p->call, job, err);
    case OFS_JOB_TAG:
        return ofs_commit_tag_job(p, &p->call, job, &ignored, err);
    case OFS_JOB_COPY:
        return ofs_commit_copy_job(p, &p->call, job, err);
    default:
        return ofs_settle_again(p, &p->call, job, err);
    }
}

/* What only waits now is left to those who bring its parts. */
static void settle_down(struct ofs_push *p, struct ofs_job *job)
{
    OFS_GUARD(&p->mtx);
    job->again = false;
}

static void try(struct ofs_push *p, struct ofs_job *job)
{
    struct ofs_err err = { 0 };
    int r = prepare(p, job, &err);

    if (r == 0)
        r = perform(p, job, &err);
    if (r == 0)
        settle_down(p, job);
    if (r < 0 && !is_over(p))
        ofs_log(OFS_WARN, "push: '%s': resuming failed: %s", job->spec.repo,
                err.text);
}

/* True: something must be tried once more. */
static bool end_round(struct ofs_push *p)
{
    bool more = false;

    OFS_GUARD(&p->mtx);
    for (struct ofs_job *j = p->jobs; j; j = j->next) {
        j->tried = false;
        more = more || j->again;
    }
    return more;
}

/* For `ms`, or without an end until poked.  The deadline is this thread's own
 * to set, see call.h. */
static void rest(struct ofs_push *p, int64_t ms)
{
    p->call.deadline_ms = ms == OFS_NEVER ? OFS_NEVER : ofs_mono_ms() + ms;
    while (!is_over(p)) {
        if (ms == OFS_NEVER && atomic_exchange(&p->poked, false))
            break;
        if (ofs_call_sleep(&p->call, NULL) < 0)
            break;
    }
    p->call.deadline_ms = OFS_NEVER;
}

static void run_round(struct ofs_push *p)
{
    struct ofs_job *job;

    while (!is_over(p) && (job = take_next(p))) {
        try(p, job);
        ofs_job_unref(job);
    }
}

static void *run(void *arg)
{
    struct ofs_push *p = arg;
    unsigned n = 0;

    while (!is_over(p)) {
        run_round(p);
        if (end_round(p)) {
            rest(p, ofs_outcome_pause_ms(n++));
        } else {
            n = 0;
            rest(p, OFS_NEVER);
        }
    }
    return NULL;
}

/* Signals are the main thread's. */
int ofs_resume_start(struct ofs_push *p)
{
    sigset_t all, before;
    int rc;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&p->thread, NULL, run, p);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return -rc;
    p->has_thread = true;
    (void)pthread_setname_np(p->thread, "ofs-push");
    return 0;
}

void ofs_resume_stop(struct ofs_push *p)
{
    atomic_store(&p->stopping, true);
    ofs_call_cancel(&p->call);
    if (p->has_thread)
        (void)pthread_join(p->thread, NULL);
    p->has_thread = false;
}

void ofs_resume_poke(struct ofs_push *p)
{
    atomic_store(&p->poked, true);
    ofs_call_wake(&p->call);
}
