/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs.h"

/* -EBADMSG: the content is not what the record says. */
static int check_content(struct ofs_job *job)
{
    struct ofs_content c = { 0 };
    struct ofs_call call;
    int r;

    if (!job->draft)
        return 0;
    ofs_call_init(&call, OFS_NEVER);
    r = ofs_draft_content(job->draft, &call,
                          (enum ofs_digest_alg)job->spec.digest.alg, &c, NULL);
    ofs_call_done(&call);
    return r == 0 && !ofs_digest_eq(&c.digest, &job->spec.digest) ? -EBADMSG
                                                                  : r;
}

static struct ofs_job *job_of(struct ofs_record *rec)
{
    struct ofs_job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    atomic_init(&job->refs, 1);
    job->spec = rec->spec;
    rec->spec = (struct ofs_jobspec){ 0 };
    atomic_init(&job->number, rec->number);
    job->acknowledged = ofs_job_is_acknowledged(job->spec.kind);
    return job;
}

/* A big file is checked by the thread that sends it. */
static int restore_content(struct ofs_jobs *jobs, struct ofs_job *job)
{
    int r = 0;

    if (job->spec.file > 0)
        r = ofs_draft_adopt(jobs->drafts, job->spec.repo, job->spec.file,
                            &job->draft, NULL);
    if (r == 0 && job->draft)
        atomic_store(&job->draft->n_records, 1);
    if (r == 0 && job->acknowledged)
        r = check_content(job);
    return r < 0 ? r : ofs_job_load_needs(job);
}

static void give_up(struct ofs_jobs *jobs, struct ofs_job *job, uint64_t number)
{
    ofs_journal_remove(jobs->queue.stage, number);
    if (job->draft)
        atomic_store(&job->draft->n_records, 0);
}

int ofs_jobqueue_load_one(struct ofs_jobs *jobs, struct ofs_record *rec)
{
    OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = job_of(rec);
    int r;

    if (!job)
        return -ENOMEM;
    r = restore_content(jobs, job);
    if (r == -ENOENT || r == -EBADMSG) { /* gone or damaged */
        give_up(jobs, job, rec->number);
        return 0;
    }
    if (r < 0)
        return r;
    if (!ofs_jobqueue_restore(&jobs->queue, job))
        give_up(jobs, job, rec->number);
    return 0;
}

int ofs_jobqueue_load(struct ofs_jobs *jobs, struct ofs_err *err)
{
    struct ofs_records records OFS_AUTO(ofs_records_done) = { 0 };
    int r = ofs_journal_load(jobs->queue.stage, &records, err);

    for (size_t i = 0; i < records.n && r == 0; i++) {
        struct ofs_record *rec = &records.at[i];

        if (strcmp(rec->spec.url, jobs->queue.url) != 0)
            continue;
        r = ofs_jobqueue_load_one(jobs, rec);
        if (r < 0)
            return ofs_err_errno(err, -r, "what is pending");
    }
    return r;
}
