/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Manifests that came before their parts, and tags that were named before
 * their manifests, wait on the queue with a list of what they need.  A job
 * waits for one part at a time, the first that is asked for and not there;
 * when it arrives the rest is asked for, so that a thousand manifests which
 * come before their blobs cost a thousand questions and not ten thousand.
 *
 * Each arrival ticks itself off everywhere; the thread whose arrival a job
 * waited for takes it on, and what it finishes is an arrival again.  A job is
 * on the queue before anybody looks what is there, and goes to waiting in the
 * same critical section that finds its part still missing, so nothing falls
 * between.
 */

#include "jobs.h"

#include "ocirfs/manifest.h"

/* ---- what is there already? ---- */

/* For this job only: it is there for the others when it is told. */
static void tick_off(struct ofs_jobs *jobs, struct ofs_job *job,
                     const struct ofs_need *need)
{
    OFS_GUARD(&jobs->queue.mtx);
    ofs_deps_arrived(&job->needs, &need->digest, need->is_manifest);
}

/* 0: all is there; 1: something is not, and the job is anybody's again. */
static int look(struct ofs_jobs *jobs, struct ofs_call *call,
                struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_need need;

    while (ofs_jobqueue_missing(&jobs->queue, job, &need)) {
        int r = ofs_publish_is_there(jobs->pub, call, job->spec.repo,
                                     &need.digest, need.is_manifest, err);

        if (r == 0)
            tick_off(jobs, job, &need);
        else if (r != -ENOENT)
            return r;
        else if (ofs_jobqueue_wait(&jobs->queue, job, &need))
            return 1;
    }
    return 0;
}

/* ---- finishing a job that the caller runs ---- */

static int load(struct ofs_jobs *jobs, struct ofs_call *call,
                struct ofs_job *job, struct ofs_buf *bytes, struct ofs_err *err)
{
    if (job->draft)
        return ofs_draft_load(job->draft, call, bytes, err);
    return ofs_remote_manifest(jobs->pub->remote, call, job->spec.repo,
                               &job->spec.digest, bytes, err);
}

static int put(struct ofs_jobs *jobs, struct ofs_call *call,
               struct ofs_job *job, struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r = load(jobs, call, job, &bytes, err);

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
    return ofs_publish(jobs->pub, call, &what, err);
}

/* It is there, which is all that was wanted; what an earlier mount was told
 * is nothing that this one shows. */
static int tell_untagged(struct ofs_jobs *jobs, const struct ofs_job *job)
{
    const struct ofs_push_hooks *hooks = jobs->pub->hooks;
    const struct ofs_descriptor d = {
        .media_type = job->media_type,
        .digest = job->spec.digest,
        .size = job->spec.size,
    };

    if (hooks->untagged && job->media_type)
        hooks->untagged(hooks->arg, job->spec.repo, &d);
    return 0;
}

/* The registry lacks what we took for granted: begin anew with asking. */
static void doubt(struct ofs_jobs *jobs, struct ofs_job *job)
{
    ofs_publish_doubt(jobs->pub);
    OFS_GUARD(&jobs->queue.mtx);
    ofs_deps_forget(&job->needs);
}

/*
 * 1: it waits.  A refusal for want of parts is looked into once; parts that
 * are really missing make the job wait again, which is no failure.
 */
int ofs_resolve_put(struct ofs_jobs *jobs, struct ofs_call *call,
                    struct ofs_job *job, struct ofs_digest *ret,
                    struct ofs_err *err)
{
    int r = look(jobs, call, job, err);

    (void)ret;
    if (r == 0 && job->spec.kind == OFS_JOB_KEEP)
        return tell_untagged(jobs, job);
    if (r == 0)
        r = put(jobs, call, job, err);
    if (r != -ENOENT)
        return r;
    doubt(jobs, job);
    return look(jobs, call, job, NULL) == 1 ? 1 : r;
}

/* A job that was waiting: put it, and it is an arrival itself. */
static int finish(struct ofs_jobs *jobs, struct ofs_call *call,
                  struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r = ofs_resolve_put(jobs, call, job, NULL, &why);

    r = ofs_jobqueue_end(&jobs->queue, job, r, &why, err);
    if (r == 0)
        ofs_jobqueue_arrived(&jobs->queue, job->spec.repo, &job->spec.digest,
                             /* is_manifest= */ true);
    return r;
}

/* All that is ready in `repo`, until nothing is.  The first failure. */
static int finish_ready(struct ofs_jobs *jobs, struct ofs_call *call,
                        const char *repo, struct ofs_err *err)
{
    int first = 0;

    for (;;) {
        OFS_AUTO(ofs_job_unrefp)
        struct ofs_job *job = ofs_jobqueue_take_ready(&jobs->queue, repo);
        int r;

        if (!job)
            return first;
        r = finish(jobs, call, job, first ? NULL : err);
        if (r < 0 && first == 0)
            first = r;
    }
}

/* ---- for the others ---- */

int ofs_resolve(struct ofs_jobs *jobs, struct ofs_call *call, const char *repo,
                const struct ofs_digest *digest, bool is_manifest,
                struct ofs_err *err)
{
    ofs_publish_known(jobs->pub, repo, digest, is_manifest);
    ofs_jobqueue_arrived(&jobs->queue, repo, digest, is_manifest);
    return finish_ready(jobs, call, repo, err);
}

int ofs_resolve_blob(struct ofs_jobs *jobs, struct ofs_call *call,
                     const char *repo, const struct ofs_need *blob,
                     struct ofs_err *err)
{
    const struct ofs_push_hooks *hooks = jobs->pub->hooks;

    if (hooks->arrived)
        hooks->arrived(hooks->arg, repo, &blob->digest, blob->size);
    return ofs_resolve(jobs, call, repo, &blob->digest,
                       /* is_manifest= */ false, err);
}
