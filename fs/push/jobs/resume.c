/* SPDX-License-Identifier: Apache-2.0 */
#include "resume.h"

#include "outcome.h"

#include "ocirfs/log.h"

/* When it is looked for what other mounts have left: at once, then when one
 * that was just unmounted has surely ended, then from time to time. */
enum { LOOK_SOON_MS = 2000, LOOK_AGAIN_MS = 60 * 1000 };

static bool is_over(const struct ofs_resumer *s)
{
    return atomic_load(&s->thread.stopping);
}

void ofs_resumer_init(struct ofs_resumer *s, struct ofs_jobs *jobs,
                      char *others)
{
    s->jobs = jobs;
    s->others = others;
    ofs_thread_init(&s->thread);
}

void ofs_resumer_done(struct ofs_resumer *s)
{
    ofs_thread_done(&s->thread);
    free(s->others);
}

static int check_staged(struct ofs_resumer *s, const struct ofs_job *job,
                        struct ofs_err *err)
{
    struct ofs_content c = { 0 };
    int r =
        ofs_draft_content(job->draft, &s->trying,
                          (enum ofs_digest_alg)job->spec.digest.alg, &c, err);

    if (r == 0 && !ofs_digest_eq(&c.digest, &job->spec.digest))
        r = ofs_err_set(err, -EBADMSG, "the staged file is damaged");
    return r;
}

/* -ESTALE: somebody has moved the tag since the job was asked for. */
static int check_unmoved(struct ofs_resumer *s, const struct ofs_job *job,
                         struct ofs_err *err)
{
    const struct ofs_jobspec *spec = &job->spec;
    struct ofs_digest now;
    int r;

    if (!spec->tag || !spec->old_known)
        return 0;
    r = ofs_publish_find(s->jobs->pub, &s->trying, spec->repo, spec->tag, &now,
                         err);
    if (r < 0 || ofs_digest_eq(&now, &spec->old) ||
        ofs_digest_eq(&now, &spec->digest))
        return r;
    return ofs_err_set(
        err, -ESTALE, "somebody else has moved tag '%s' since then", spec->tag);
}

/* What was not acknowledged is looked at with suspicion first. */
static int prepare(struct ofs_resumer *s, struct ofs_job *job,
                   struct ofs_err *err)
{
    int r = 0;

    if (job->draft && job->spec.kind != OFS_JOB_MANIFEST)
        r = check_staged(s, job, err);
    if (r == 0)
        r = check_unmoved(s, job, err);
    return r < 0 ? ofs_jobqueue_end(&s->jobs->queue, job, r, err, NULL) : 0;
}

/* Once is enough for the log, as long as the reason is the same. */
static void report(struct ofs_resumer *s, const struct ofs_job *job, int r,
                   const struct ofs_err *before, const struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf what = OFS_BUF_INIT(1024);
    bool is_new = strcmp(before->text, err->text) != 0;
    char line[OFS_ERR_LINE_MAX];

    if (r == -EINTR || is_over(s))
        return;
    ofs_job_describe(&job->spec, &what);
    if (r < 0)
        ofs_log(is_new ? OFS_WARN : OFS_DEBUG,
                "push: %s: trying again failed: %s", ofs_buf_str(&what),
                ofs_err_line(err, line));
    else if (r == 0)
        ofs_log(OFS_INFO, "push: %s: done, what was pending",
                ofs_buf_str(&what));
}

static void try(struct ofs_resumer *s, struct ofs_job *job,
                const struct ofs_err *before)
{
    struct ofs_err err = { 0 };
    int r;

    if (is_over(s)) /* ofs_resumer_stop() may not have seen this call */
        ofs_call_cancel(&s->trying);
    r = prepare(s, job, &err);
    if (r == 0)
        r = ofs_job_run(s->jobs, &s->trying, job, NULL, &err);
    report(s, job, r, before, &err);
}

/* False: none is due. */
static bool try_next(struct ofs_resumer *s)
{
    struct ofs_jobqueue *a = &s->jobs->queue;
    OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = NULL;
    struct ofs_err before = { 0 };

    ofs_call_init(&s->trying, OFS_NEVER);
    job = ofs_jobqueue_take_retry(a, &s->trying, &before);
    if (job) {
        try(s, job, &before);
        ofs_jobqueue_end_retry(a);
    }
    ofs_call_done(&s->trying);
    return job;
}

static void rest(struct ofs_resumer *s, int64_t until_ms)
{
    (void)ofs_thread_sleep(&s->thread, until_ms == OFS_NEVER
                                           ? OFS_NEVER
                                           : until_ms - ofs_mono_ms());
}

/* Take over what others have left, if it is time.  When it will be. */
static int64_t look_around(const struct ofs_resumer *s, int64_t at_ms)
{
    if (!s->others)
        return OFS_NEVER;
    if (ofs_mono_ms() < at_ms)
        return at_ms;
    ofs_inherit(s->jobs, s->others);
    return ofs_mono_ms() + (at_ms == 0 ? LOOK_SOON_MS : LOOK_AGAIN_MS);
}

static void *run(void *arg)
{
    struct ofs_resumer *s = arg;
    int64_t look_ms = 0, due_ms;

    ofs_jobqueue_hurry(&s->jobs->queue);
    while (!is_over(s)) {
        look_ms = look_around(s, look_ms);
        if (try_next(s))
            continue;
        due_ms = ofs_jobqueue_next_due(&s->jobs->queue);
        rest(s, due_ms < look_ms ? due_ms : look_ms);
    }
    return NULL;
}

int ofs_resumer_start(struct ofs_resumer *s)
{
    return ofs_thread_start(&s->thread, "ofs-push", run, s);
}

void ofs_resumer_stop(struct ofs_resumer *s)
{
    atomic_store(&s->thread.stopping, true); /* it begins no other job */
    ofs_jobqueue_cancel_retry(&s->jobs->queue);
    ofs_thread_stop(&s->thread);
}

void ofs_resumer_poke(void *arg)
{
    struct ofs_resumer *s = arg;

    ofs_thread_kick(&s->thread);
}
