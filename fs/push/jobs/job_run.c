/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs.h"
#include "send_blob.h"

#include "ocirfs/manifest.h"

static int run_blob(struct ofs_jobs *jobs, struct ofs_call *call,
                    struct ofs_job *job, struct ofs_digest *ret,
                    struct ofs_err *err)
{
    (void)ret;
    return ofs_send_blob(jobs->pub, call, job->draft, job->spec.repo,
                         &job->spec.digest, err);
}

/* ---- what they need ---- */

static int manifest_needs(struct ofs_job *job)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r = ofs_draft_load(job->draft, NULL, &bytes, NULL);

    if (r == 0)
        r = ofs_deps_decode(bytes.data, bytes.len, &m);
    return r < 0 ? r : ofs_deps_of(&m, &job->needs);
}

static int wish_needs(struct ofs_job *job)
{
    return ofs_deps_one(&job->spec.digest, &job->needs);
}

/* ---- what people read ---- */

static void describe_blob(const struct ofs_jobspec *spec, const char *digest,
                          struct ofs_buf *b)
{
    (void)ofs_buf_addf(b, "%s: blob %.19s", spec->repo, digest);
}

static void describe_manifest(const struct ofs_jobspec *spec,
                              const char *digest, struct ofs_buf *b)
{
    (void)ofs_buf_addf(b, "%s: manifest %.19s", spec->repo, digest);
}

static void describe_tag(const struct ofs_jobspec *spec, const char *digest,
                         struct ofs_buf *b)
{
    (void)digest;
    (void)ofs_buf_addf(b, "%s: tag %s", spec->repo, spec->tag);
}

static void describe_wish(const struct ofs_jobspec *spec, const char *digest,
                          struct ofs_buf *b)
{
    (void)ofs_buf_addf(b, "%s: tag %s to name %.19s", spec->repo, spec->tag,
                       digest);
}

static void describe_copy(const struct ofs_jobspec *spec, const char *digest,
                          struct ofs_buf *b)
{
    (void)ofs_buf_addf(b, "%s: tag %s, a copy of %.19s of %s", spec->repo,
                       spec->tag, digest, spec->from);
}

static void describe_keep(const struct ofs_jobspec *spec, const char *digest,
                          struct ofs_buf *b)
{
    (void)ofs_buf_addf(b, "%s: manifest %.19s, without a tag", spec->repo,
                       digest);
}

/* ---- the table ---- */

static const struct kind {
    int (*run)(struct ofs_jobs *jobs, struct ofs_call *call,
               struct ofs_job *job, struct ofs_digest *ret,
               struct ofs_err *err); /* 1: it waits */
    void (*describe)(const struct ofs_jobspec *spec, const char *digest,
                     struct ofs_buf *b);
    int (*needs)(struct ofs_job *job); /* NULL: nothing */
} kinds[OFS_JOB_N] = {
    [OFS_JOB_BLOB] = { run_blob, describe_blob, NULL },
    [OFS_JOB_MANIFEST] = { ofs_resolve_put, describe_manifest, manifest_needs },
    [OFS_JOB_TAG] = { ofs_job_tag, describe_tag, NULL },
    [OFS_JOB_WISH] = { ofs_resolve_put, describe_wish, wish_needs },
    [OFS_JOB_COPY] = { ofs_job_copy, describe_copy, NULL },
    [OFS_JOB_KEEP] = { ofs_resolve_put, describe_keep, wish_needs },
};

int ofs_job_load_needs(struct ofs_job *job)
{
    const struct kind *k = &kinds[job->spec.kind];

    return k->needs ? k->needs(job) : 0;
}

void ofs_job_describe(const struct ofs_jobspec *spec, struct ofs_buf *b)
{
    char digest[OFS_DIGEST_TEXT_MAX];

    kinds[spec->kind].describe(spec, ofs_digest_format(&spec->digest, digest),
                               b);
}

/* ---- running ---- */

static int tell_arrival(struct ofs_jobs *jobs, struct ofs_call *call,
                        const struct ofs_jobspec *spec,
                        const struct ofs_digest *digest, struct ofs_err *err)
{
    const struct ofs_need blob = { .digest = *digest, .size = spec->size };

    if (spec->kind == OFS_JOB_BLOB)
        return ofs_resolve_blob(jobs, call, spec->repo, &blob, err);
    return ofs_resolve(jobs, call, spec->repo, digest, /* is_manifest= */ true,
                       err);
}

int ofs_job_run(struct ofs_jobs *jobs, struct ofs_call *call,
                struct ofs_job *job, struct ofs_digest *ret,
                struct ofs_err *err)
{
    struct ofs_digest digest = job->spec.digest;
    struct ofs_err why = { 0 };
    int r = kinds[job->spec.kind].run(jobs, call, job, &digest, &why);

    r = ofs_jobqueue_end(&jobs->queue, job, r, &why, err);
    if (r != 0)
        return r;
    if (ret)
        *ret = digest;
    return tell_arrival(jobs, call, &job->spec, &digest, err);
}

/* A tag that may not be moved is refused now, not when its parts are in. */
static int guard_early(struct ofs_jobs *jobs, struct ofs_call *call,
                       struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r;

    if (!job->spec.tag)
        return 0;
    r = ofs_publish_guard(jobs->pub, call, job->spec.repo, job->spec.tag,
                          &job->spec.digest, &why);
    return r == 0 ? 0 : ofs_jobqueue_end(&jobs->queue, job, r, &why, err);
}

int ofs_job_start(struct ofs_jobs *jobs, struct ofs_call *call,
                  struct ofs_job *job, struct ofs_digest *ret,
                  struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r;

    ofs_jobqueue_add(&jobs->queue, job);
    r = ofs_jobqueue_await_older(&jobs->queue, call, job, &why);
    if (r < 0)
        return ofs_jobqueue_end(&jobs->queue, job, r, &why, err);
    r = ofs_job_run(jobs, call, job, ret, err);
    if (r <= 0)
        return r;
    r = guard_early(jobs, call, job, err);
    return r < 0 ? r : ofs_jobqueue_promise(&jobs->queue, job, err);
}
