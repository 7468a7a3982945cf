/* SPDX-License-Identifier: Apache-2.0 */
#include "draft.h"
#include "image_archive.h"
#include "push_priv.h"

static int tag_manifest(struct ofs_push *p, struct ofs_call *call,
                        const struct ofs_job *job, struct ofs_digest *ret,
                        struct ofs_err *err)
{
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r = ofs_draft_load(job->draft, call, &bytes, err);

    if (r < 0)
        return r;

    const struct ofs_manifest_put put = {
        .repo = job->spec.repo,
        .tag = job->spec.tag,
        .digest = &job->spec.digest,
        .bytes = bytes.data,
        .len = bytes.len,
    };
    r = ofs_supply(p, call, &put, NULL, err);
    if (r == -EBADMSG) /* what the user wrote, not what a peer said */
        r = ofs_err_wrap(err, -EINVAL, "not a manifest");
    if (r == 0)
        *ret = job->spec.digest;
    return r;
}

static int tag_content(struct ofs_push *p, struct ofs_call *call,
                       const struct ofs_job *job, struct ofs_digest *ret,
                       struct ofs_err *err)
{
    char head[OFS_ARCHIVE_HEAD];
    size_t n = 0;
    int r = ofs_draft_read(job->draft, call, head, sizeof(head), 0, &n, err);

    if (r < 0)
        return r;
    if (ofs_needs_json(head, n))
        return tag_manifest(p, call, job, ret, err);
    if (ofs_archive_is(head, n))
        return ofs_commit_archive(p, call, job, ret, err);
    return ofs_err_set(err, -EINVAL, "neither a manifest nor an archive");
}

int ofs_commit_tag_job(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_job *job, struct ofs_digest *ret,
                       struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r = tag_content(p, call, job, ret, &why);

    if (r < 0) {
        if (err)
            *err = why;
        return ofs_agenda_failed(p, job, r, &why);
    }
    ofs_agenda_done(p, job);
    return ofs_settle(p, call, job->spec.repo, ret,
                      /* is_manifest= */ true, err);
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
    job = ofs_job_new(p, OFS_JOB_TAG, repo, tag, &c.digest);
    if (!job)
        return ofs_err_nomem(err, "a tag");
    ofs_publish_remember(p, call, job);
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
    ofs_agenda_add(p, job);
    r = ofs_commit_tag_job(p, call, job, &now, err);
    if (r == 0 && ret_digest)
        *ret_digest = now;
    return r;
}
