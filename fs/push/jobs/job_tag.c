/* SPDX-License-Identifier: Apache-2.0 */
#include "image_archive.h"
#include "jobs.h"

#include "ocirfs/manifest.h"

static int tag_manifest(struct ofs_jobs *jobs, struct ofs_call *call,
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
        .old = ofs_job_old(job),
        .old_ms = job->old_ms,
    };
    r = ofs_fetch_deps(jobs, call, &put, NULL, err);
    if (r == -EBADMSG) /* what the user wrote, not what a peer said */
        r = ofs_err_wrap(err, -EINVAL, "not a manifest");
    if (r == 0)
        *ret = job->spec.digest;
    return r;
}

int ofs_job_tag(struct ofs_jobs *jobs, struct ofs_call *call,
                struct ofs_job *job, struct ofs_digest *ret,
                struct ofs_err *err)
{
    char head[OFS_ARCHIVE_HEAD];
    size_t n = 0;
    int r = ofs_draft_read(job->draft, call, head, sizeof(head), 0, &n, err);

    if (r < 0)
        return r;
    if (ofs_deps_json(head, n))
        return tag_manifest(jobs, call, job, ret, err);
    if (ofs_archive_is(head, n))
        return ofs_job_archive(jobs, call, job, ret, err);
    return ofs_err_set(err, -EINVAL, "neither a manifest nor an archive");
}

int ofs_job_copy(struct ofs_jobs *jobs, struct ofs_call *call,
                 struct ofs_job *job, struct ofs_digest *ret,
                 struct ofs_err *err)
{
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    const struct ofs_jobspec *spec = &job->spec;
    int r = ofs_remote_manifest(jobs->pub->remote, call, spec->from,
                                &spec->digest, &bytes, err);

    (void)ret;
    if (r < 0)
        return r;

    const struct ofs_manifest_put put = {
        .repo = spec->repo,
        .tag = spec->tag,
        .digest = &spec->digest,
        .bytes = bytes.data,
        .len = bytes.len,
        .old = ofs_job_old(job),
        .old_ms = job->old_ms,
    };
    return ofs_fetch_deps(jobs, call, &put, spec->from, err);
}
