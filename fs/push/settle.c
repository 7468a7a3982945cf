/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Manifests that came before their parts, and tags that were named before
 * their manifests, wait on the agenda with a list of what they need.  Each
 * arrival ticks it off everywhere; the thread that ticks off the last one
 * finishes the job, which is an arrival again.
 *
 * A job is on the agenda before anybody looks what is there already, so what
 * arrives meanwhile is either seen or ticked off, and never falls between.
 */

#include "draft.h"
#include "push_priv.h"

/* ---- ticking off; with p->mtx held ---- */

static void tick(struct ofs_push *p, const char *repo,
                 const struct ofs_digest *digest, bool is_manifest)
{
    for (struct ofs_job *j = p->jobs; j; j = j->next)
        if (j->needs.n > 0 && strcmp(j->spec.repo, repo) == 0)
            (void)ofs_needs_arrived(&j->needs, digest, is_manifest);
}

/* With p->mtx held. */
static bool is_ready(const struct ofs_job *j)
{
    return j->needs.n > 0 && j->needs.n_missing == 0 && !j->busy && !j->stuck;
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

/* ---- finishing ---- */

static int load(struct ofs_push *p, struct ofs_call *call, struct ofs_job *job,
                struct ofs_buf *bytes, struct ofs_err *err)
{
    if (job->draft)
        return ofs_draft_load(job->draft, call, bytes, err);
    return ofs_remote_manifest(p, call, job->spec.repo, &job->spec.digest,
                               bytes, err);
}

static int finish(struct ofs_push *p, struct ofs_call *call,
                  struct ofs_job *job, struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r = load(p, call, job, &bytes, err);

    if (r == 0)
        r = ofs_manifest_decode(bytes.data, bytes.len, NULL, &m, err);
    if (r < 0)
        return r;

    const struct ofs_manifest_put put = {
        .repo = job->spec.repo,
        .tag = job->spec.tag,
        .digest = &job->spec.digest,
        .media_type = m.media_type,
        .bytes = bytes.data,
        .len = bytes.len,
    };
    return ofs_publish(p, call, &put, err);
}

/* The registry lacks what we took for granted: begin anew with asking. */
static void doubt(struct ofs_push *p, struct ofs_job *job)
{
    OFS_GUARD(&p->mtx);
    ofs_known_forget(&p->known);
    ofs_needs_forget(&job->needs);
    job->busy = job->stuck = false;
}

/* Tick off what is there; 0 also when something is missing. */
static int look(struct ofs_push *p, struct ofs_call *call, struct ofs_job *job,
                struct ofs_err *err)
{
    /* The list itself does not change, only its marks do. */
    for (size_t i = 0; i < job->needs.n; i++) {
        const struct ofs_need *need = &job->needs.at[i];
        int r = ofs_publish_is_there(p, call, job->spec.repo, &need->digest,
                                     need->is_manifest, err);

        if (r < 0 && r != -ENOENT)
            return r;
        if (r == 0) {
            OFS_GUARD(&p->mtx);
            (void)ofs_needs_arrived(&job->needs, &need->digest,
                                    need->is_manifest);
        }
    }
    return 0;
}

static bool is_waiting(struct ofs_push *p, const struct ofs_job *job)
{
    OFS_GUARD(&p->mtx);
    return job->needs.n_missing > 0;
}

/*
 * 1: back to waiting.  A refusal for want of parts is looked into once; parts
 * that are really missing make the job wait again, which is no failure.
 */
static int finish_or_wait(struct ofs_push *p, struct ofs_call *call,
                          struct ofs_job *job, struct ofs_err *err)
{
    int r = finish(p, call, job, err);

    if (r != -ENOENT)
        return r;
    doubt(p, job);
    if (look(p, call, job, NULL) == 0 && is_waiting(p, job))
        return 1;
    return r;
}

static int finish_one(struct ofs_push *p, struct ofs_call *call,
                      struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r = finish_or_wait(p, call, job, &why);

    if (r < 0) {
        if (err)
            *err = why;
        return ofs_agenda_failed(p, job, r, &why);
    }
    if (r == 0)
        ofs_agenda_done(p, job);
    return r;
}

static void tick_off(struct ofs_push *p, const char *repo,
                     const struct ofs_digest *digest, bool is_manifest)
{
    OFS_GUARD(&p->mtx);
    tick(p, repo, digest, is_manifest);
}

/* All that is ready in `repo`, until nothing is. */
static int finish_ready(struct ofs_push *p, struct ofs_call *call,
                        const char *repo, struct ofs_err *err)
{
    int first = 0;

    for (;;) {
        OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = take_ready(p, repo);
        int r;

        if (!job)
            return first;
        r = finish_one(p, call, job, first ? NULL : err);
        if (r == 0)
            tick_off(p, repo, &job->spec.digest, /* is_manifest= */ true);
        else if (r < 0 && first == 0)
            first = r;
    }
}

int ofs_settle(struct ofs_push *p, struct ofs_call *call, const char *repo,
               const struct ofs_digest *digest, bool is_manifest,
               struct ofs_err *err)
{
    ofs_publish_known(p, repo, digest, is_manifest);
    tick_off(p, repo, digest, is_manifest);
    return finish_ready(p, call, repo, err);
}

int ofs_settle_again(struct ofs_push *p, struct ofs_call *call,
                     struct ofs_job *job, struct ofs_err *err)
{
    int r = look(p, call, job, err);

    if (r == 0) {
        OFS_GUARD(&p->mtx);
        job->stuck = false;
    }
    return r < 0 ? r : finish_ready(p, call, job->spec.repo, err);
}

/* A tag that may not be moved is refused now, not when its parts are in. */
static int guard_early(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_job *job, struct ofs_err *err)
{
    if (!job->spec.tag || !is_waiting(p, job))
        return 0;
    return ofs_publish_guard(p, call, job->spec.repo, job->spec.tag,
                             &job->spec.digest, err);
}

int ofs_settle_new(struct ofs_push *p, struct ofs_call *call,
                   struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r;

    ofs_agenda_add(p, job);
    r = look(p, call, job, &why);
    if (r == 0)
        r = guard_early(p, call, job, &why);
    if (r < 0)
        (void)ofs_agenda_failed(p, job, r, &why);
    else
        r = finish_ready(p, call, job->spec.repo, &why);
    if (r == 0 && ofs_agenda_has(p, job))
        r = ofs_agenda_promise(p, job, &why);
    if (r < 0 && err)
        *err = why;
    return r;
}
