/* SPDX-License-Identifier: Apache-2.0 */
#include "image_archive.h"
#include "jobs.h"
#include "send_blob.h"

/* An archive whose blobs are pushed as they come out of it. */
struct unpacking {
    struct ofs_jobs *jobs;
    struct ofs_call *call;
    const char *repo;
    struct ofs_draft *draft; /* the blob that is coming out */
};

static int begin(void *arg, const struct ofs_digest *digest, uint64_t size,
                 struct ofs_err *err)
{
    struct unpacking *u = arg;
    int r = -ENOENT;

    (void)size;
    if (digest)
        r = ofs_publish_is_there(u->jobs->pub, u->call, u->repo, digest,
                                 /* is_manifest= */ false, err);
    if (r != -ENOENT)
        return r < 0 ? r : 1; /* leave out what is there */
    r = ofs_draft_create(u->jobs->drafts, u->repo, &u->draft, err);
    if (r == 0)
        ofs_draft_aim(u->draft, digest);
    return r;
}

static int add(void *arg, const void *data, size_t len, struct ofs_err *err)
{
    struct unpacking *u = arg;

    return ofs_draft_write(u->draft, u->call, data, len,
                           ofs_draft_size(u->draft), err);
}

static int finish(void *arg, const struct ofs_digest *digest, uint64_t size,
                  struct ofs_err *err)
{
    struct unpacking *u = arg;
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = ofs_take(&u->draft);
    const struct ofs_need blob = { .digest = *digest, .size = size };
    int r = ofs_send_blob(u->jobs->pub, u->call, d, u->repo, digest, err);

    return r < 0 ? r : ofs_resolve_blob(u->jobs, u->call, u->repo, &blob, err);
}

static int unpack(struct ofs_jobs *jobs, struct ofs_call *call,
                  struct ofs_archive *a, const char *repo, struct ofs_err *err)
{
    struct unpacking u = { .jobs = jobs, .call = call, .repo = repo };
    const struct ofs_archive_sink sink = {
        .begin = begin,
        .write = add,
        .end = finish,
        .arg = &u,
    };
    int r = ofs_archive_unpack(a, call, &sink, err);

    ofs_draft_unref(u.draft); /* one that was not complete */
    return r;
}

/* Images before the indexes that name them; the last one is the tag's. */
static int publish(struct ofs_jobs *jobs, struct ofs_call *call,
                   const struct ofs_archive *a, const struct ofs_job *job,
                   struct ofs_digest *ret, struct ofs_err *err)
{
    const struct ofs_archive_manifest *all;
    size_t n = ofs_archive_manifests(a, &all);

    for (size_t i = 0; i < n; i++) {
        const struct ofs_manifest_put put = {
            .repo = job->spec.repo,
            .tag = i == n - 1 ? job->spec.tag : NULL,
            .digest = &all[i].digest,
            .bytes = all[i].bytes,
            .len = all[i].len,
            .old = ofs_job_old(job),
            .old_ms = job->old_ms,
        };
        int r = ofs_fetch_deps(jobs, call, &put, NULL, err);

        if (r < 0)
            return r;
        *ret = all[i].digest;
    }
    return 0;
}

int ofs_job_archive(struct ofs_jobs *jobs, struct ofs_call *call,
                    const struct ofs_job *job, struct ofs_digest *ret,
                    struct ofs_err *err)
{
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    const struct ofs_jobspec *spec = &job->spec;
    int r = ofs_archive_open(job->draft->fd, ofs_draft_size(job->draft), call,
                             spec->repo, spec->tag, &a, err);

    if (r == 0)
        r = unpack(jobs, call, a, spec->repo, err);
    return r < 0 ? r : publish(jobs, call, a, job, ret, err);
}
