/* SPDX-License-Identifier: Apache-2.0 */
#include "push_priv.h"

static int copy(struct ofs_push *p, struct ofs_call *call,
                const struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    const struct ofs_jobspec *spec = &job->spec;
    int r = ofs_remote_manifest(&p->remote, call, spec->from, &spec->digest,
                                &bytes, err);

    if (r < 0)
        return r;

    const struct ofs_manifest_put put = {
        .repo = spec->repo,
        .tag = spec->tag,
        .digest = &spec->digest,
        .bytes = bytes.data,
        .len = bytes.len,
    };
    return ofs_supply(p, call, &put, spec->from, err);
}

int ofs_commit_copy_job(struct ofs_push *p, struct ofs_call *call,
                        struct ofs_job *job, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r = copy(p, call, job, &why);

    if (r < 0) {
        if (err)
            *err = why;
        return ofs_agenda_failed(p, job, r, &why);
    }
    ofs_agenda_done(p, job);
    return ofs_settle(p, call, job->spec.repo, &job->spec.digest,
                      /* is_manifest= */ true, err);
}

int ofs_push_copy(struct ofs_push *p, struct ofs_call *call, const char *from,
                  const struct ofs_digest *digest, const char *repo,
                  const char *tag, struct ofs_err *err)
{
    OFS_AUTO(ofs_job_unrefp)
    struct ofs_job *job = ofs_job_new(p, OFS_JOB_COPY, repo, tag, digest);

    if (!job)
        return ofs_err_nomem(err, "a copy");
    job->spec.from = strdup(from);
    if (!job->spec.from)
        return ofs_err_nomem(err, "a copy");
    ofs_publish_remember(p, call, job);
    ofs_agenda_add(p, job);
    return ofs_commit_copy_job(p, call, job, err);
}
