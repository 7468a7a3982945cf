/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_head.h"
#include "push_priv.h"

static int refuse_head(const char *what, const char *next, struct ofs_err *err)
{
    return ofs_err_set(err, -EINVAL,
                       "%s: a tag is a manifest or an archive (tar; plain, "
                       "gzip or zstd)%s",
                       what, next);
}

int ofs_push_tag_head(const void *head, size_t len, struct ofs_err *err)
{
    switch (ofs_head_of(head, len)) {
    case OFS_HEAD_XZ:
        return refuse_head("this is xz", "; unxz it first", err);
    case OFS_HEAD_BZIP2:
        return refuse_head("this is bzip2", "; bunzip2 it first", err);
    case OFS_HEAD_OTHER:
        return refuse_head("neither a manifest nor an archive", "", err);
    default:
        return 0;
    }
}

/* A later mount must not undo what somebody else has done since: what the tag
 * names now goes into the record, if it can be learnt. */
static void remember(struct ofs_push *p, struct ofs_call *call,
                     struct ofs_job *job)
{
    struct ofs_jobspec *spec = &job->spec;

    job->old_ms = ofs_mono_ms();
    spec->old_known = ofs_publish_find(&p->pub, call, spec->repo, spec->tag,
                                       &spec->old, NULL) == 0;
}

int ofs_push_copy(struct ofs_push *p, struct ofs_call *call, const char *from,
                  const struct ofs_digest *digest, const char *repo,
                  const char *tag, struct ofs_err *err)
{
    OFS_AUTO(ofs_job_unrefp)
    struct ofs_job *job =
        ofs_job_new(&p->jobs.queue, OFS_JOB_COPY, repo, tag, digest);

    if (!job)
        return ofs_err_nomem(err, "a copy");
    job->spec.from = strdup(from);
    if (!job->spec.from)
        return ofs_err_nomem(err, "a copy");
    remember(p, call, job);
    return ofs_job_start(&p->jobs, call, job, NULL, err);
}

static int new_job(struct ofs_push *p, struct ofs_call *call,
                   struct ofs_draft *d, const char *repo, const char *tag,
                   struct ofs_job **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = NULL;
    struct ofs_content c = { 0 };
    int r = ofs_draft_content(d, call, OFS_SHA256, &c, err);

    if (r < 0)
        return r;
    job = ofs_job_new(&p->jobs.queue, OFS_JOB_TAG, repo, tag, &c.digest);
    if (!job)
        return ofs_err_nomem(err, "a tag");
    remember(p, call, job);
    ofs_job_take_draft(job, d, c.size);
    *ret = ofs_take(&job);
    return 0;
}

int ofs_push_tag(struct ofs_push *p, struct ofs_call *call, struct ofs_draft *d,
                 const char *repo, const char *tag,
                 struct ofs_digest *ret_digest, struct ofs_err *err)
{
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = NULL;
    struct ofs_digest now = { 0 };
    int r;

    if (ret_digest)
        *ret_digest = now;
    if (ofs_draft_is_blank(d))
        return 0;
    ofs_draft_unstream(d);
    if (ofs_draft_origin(d, &o) == 0 && o.manifest) {
        r = ofs_push_copy(p, call, o.repo, &o.digest, repo, tag, err);
        if (r == 0 && ret_digest)
            *ret_digest = o.digest;
        return r;
    }
    r = new_job(p, call, d, repo, tag, &job, err);
    if (r < 0)
        return r;
    r = ofs_job_start(&p->jobs, call, job, &now, err);
    if (r == 0 && ret_digest)
        *ret_digest = now;
    return r;
}
