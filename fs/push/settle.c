/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Manifests that came before their parts, and tags that were named before
 * their manifests, wait on the agenda with a list of what they need.  A job
 * waits for one part at a time, the first that is asked for and not there;
 * when it arrives the rest is asked for, so that a thousand manifests which
 * come before their blobs cost a thousand questions and not ten thousand.
 *
 * Each arrival ticks itself off everywhere; the thread whose arrival a job
 * waited for takes it on, and what it finishes is an arrival again.  A job is
 * on the agenda before anybody looks what is there, and goes to waiting in the
 * same critical section that finds its part still missing, so nothing falls
 * between.
 */

#include "draft.h"
#include "push_priv.h"

/* ---- the list ---- */

static void tick_off(struct ofs_push *p, const char *repo,
                     const struct ofs_digest *digest, bool is_manifest)
{
    OFS_GUARD(&p->mtx);
    for (struct ofs_job *j = p->jobs; j; j = j->next)
        if (strcmp(j->spec.repo, repo) == 0)
            ofs_needs_arrived(&j->needs, digest, is_manifest);
}

/* With p->mtx held. */
static bool is_ready(const struct ofs_job *j)
{
    return j->needs.n > 0 && !j->needs.absent && !j->busy && !j->stuck;
}

static struct ofs_job *take_ready(struct ofs_push *p, const char *repo)
{
    OFS_GUARD(&p->mtx);
    for (struct ofs_job *j = p->jobs; j; j = j->next) {
        if (!is_ready(j) || strcmp(j->spec.repo, repo) != 0)
            continue;
        j->busy = true;
        atomic_fetch_add(&j->refs, 1);
        return j;
    }
    return NULL;
}

/* ---- what is there already? ---- */

/* False: nothing is missing. */
static bool next_missing(struct ofs_push *p, const struct ofs_job *job,
                         struct ofs_need *ret)
{
    const struct ofs_need *need;

    OFS_GUARD(&p->mtx);
    need = ofs_needs_missing(&job->needs);
    if (need)
        *ret = *need;
    return need;
}

/* False: it has arrived while it was asked for. */
static bool wait_for(struct ofs_push *p, struct ofs_job *job,
                     const struct ofs_need *need)
{
    OFS_GUARD(&p->mtx);
    if (!ofs_needs_wait(&job->needs, need))
        return false;
    job->busy = false;
    return true;
}

static void arrived(struct ofs_push *p, struct ofs_job *job,
                    const struct ofs_need *need)
{
    OFS_GUARD(&p->mtx);
    ofs_needs_arrived(&job->needs, &need->digest, need->is_manifest);
}

/* 0: all is there; 1: something is not, and the job is anybody's again. */
static int look(struct ofs_push *p, struct ofs_call *call, struct ofs_job *job,
                struct ofs_err *err)
{
    struct ofs_need need;

    while (next_missing(p, job, &need)) {
        int r = ofs_publish_is_there(p, call, job->spec.repo, &need.digest,
                                     need.is_manifest, err);

        if (r == 0)
            arrived(p, job, &need);
        else if (r != -ENOENT)
            return r;
        else if (wait_for(p, job, &need))
            return 1;
    }
    return 0;
}

/* ---- finishing a job that is ours (busy) ---- */

static int load(struct ofs_push *p, struct ofs_call *call, struct ofs_job *job,
                struct ofs_buf *bytes, struct ofs_err *err)
{
    if (job->draft)
        return ofs_draft_load(job->draft, call, bytes, err);
    return ofs_remote_manifest(&p->remote, call, job->spec.repo,
                               &job->spec.digest, bytes, err);
}

static int put(struct ofs_push *p, struct ofs_call *call, struct ofs_job *job,
               struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r = load(p, call, job, &bytes, err);

    if (r == 0)
        r = ofs_manifest_decode(bytes.data, bytes.len, NULL, &m, err);
    if (r < 0)
        return r;

    const struct ofs_manifest_put what = {
        .repo = job->spec.repo,
        .tag = job->spec.tag,
        .digest = &job->spec.digest,
        .media_type = m.media_type,
        .bytes = bytes.data,
        .len = bytes.len,
    };
    return ofs_publish(p, call, &what, err);
}

/* The registry lacks what we took for granted: begin anew with asking. */
static void doubt(struct ofs_push *p, struct ofs_job *job)
{
    ofs_publish_doubt(p);
    OFS_GUARD(&p->mtx);
    ofs_needs_forget(&job->needs);
}

/*
 * 1: it waits.  A refusal for want of parts is looked into once; parts that
 * are really missing make the job wait again, which is no failure.
 */
static int put_or_wait(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_job *job, struct ofs_err *err)
{
    int r = look(p, call, job, err);

    if (r == 0)
        r = put(p, call, job, err);
    if (r != -ENOENT)
        return r;
    doubt(p, job);
    return look(p, call, job, NULL) == 1 ? 1 : r;
}

static int finish(struct ofs_push *p, struct ofs_call *call,
                  struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r = put_or_wait(p, call, job, &why);

    if (r > 0)
        return r;
    if (r < 0) {
        if (err)
            *err = why;
        return ofs_agenda_failed(p, job, r, &why);
    }
    ofs_agenda_done(p, job);
    tick_off(p, job->spec.repo, &job->spec.digest, /* is_manifest= */ true);
    return 0;
}

/* All that is ready in `repo`, until nothing is.  The first failure. */
static int finish_ready(struct ofs_push *p, struct ofs_call *call,
                        const char *repo, struct ofs_err *err)
{
    int first = 0;

    for (;;) {
        OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = take_ready(p, repo);
        int r;

        if (!job)
            return first;
        r = finish(p, call, job, first ? NULL : err);
        if (r < 0 && first == 0)
            first = r;
    }
}

/* ---- for the others ---- */

int ofs_settle(struct ofs_push *p, struct ofs_call *call, const char *repo,
               const struct ofs_digest *digest, bool is_manifest,
               struct ofs_err *err)
{
    ofs_publish_known(p, repo, digest, is_manifest);
    tick_off(p, repo, digest, is_manifest);
    return finish_ready(p, call, repo, err);
}

/* A tag that may not be moved is refused now, not when its parts are in. */
static int guard_early(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r;

    if (!job->spec.tag)
        return 0;
    r = ofs_publish_guard(p, call, job->spec.repo, job->spec.tag,
                          &job->spec.digest, &why);
    if (r == 0)
        return 0;
    if (err)
        *err = why;
    return ofs_agenda_failed(p, job, r, &why);
}

int ofs_settle_new(struct ofs_push *p, struct ofs_call *call,
                   struct ofs_job *job, struct ofs_err *err)
{
    int r;

    job->busy = true; /* nobody else has it yet */
    ofs_agenda_add(p, job);
    r = finish(p, call, job, err);
    if (r == 0)
        return finish_ready(p, call, job->spec.repo, err);
    if (r > 0)
        r = guard_early(p, call, job, err);
    return r < 0 ? r : ofs_agenda_promise(p, job, err);
}

/* False: another thread has it. */
static bool take(struct ofs_push *p, struct ofs_job *job)
{
    OFS_GUARD(&p->mtx);
    if (job->busy)
        return false;
    job->busy = true;
    job->stuck = false;
    job->needs.absent = NULL;
    return true;
}

int ofs_settle_again(struct ofs_push *p, struct ofs_call *call,
                     struct ofs_job *job, struct ofs_err *err)
{
    int r;

    if (!take(p, job))
        return 0;
    r = finish(p, call, job, err);
    return r == 0 ? finish_ready(p, call, job->spec.repo, err)
                  : (r < 0 ? r : 0);
}
