/* SPDX-License-Identifier: Apache-2.0 */
#include "draft.h"
#include "push_priv.h"

static void job_free(struct ofs_job *job)
{
    if (!job)
        return;
    ofs_jobspec_done(&job->spec);
    ofs_needs_done(&job->needs);
    ofs_draft_unref(job->draft);
    free(job);
}
OFS_DEFINE_AUTO(struct ofs_job, job_free)

struct ofs_job *ofs_job_new(struct ofs_push *p, enum ofs_job_kind kind,
                            const char *repo, const char *tag,
                            const struct ofs_digest *digest)
{
    OFS_AUTO(job_freep) struct ofs_job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    atomic_init(&job->refs, 1);
    job->spec = (struct ofs_jobspec){
        .kind = kind,
        .url = strdup(p->url),
        .repo = strdup(repo),
        .tag = tag ? strdup(tag) : NULL,
        .digest = *digest,
    };
    if (!job->spec.url || !job->spec.repo || (tag && !job->spec.tag))
        return NULL;
    return ofs_take(&job);
}

void ofs_job_unref(struct ofs_job *job)
{
    if (job && atomic_fetch_sub(&job->refs, 1) == 1)
        job_free(job);
}

void ofs_job_take_draft(struct ofs_job *job, struct ofs_draft *d, uint64_t size)
{
    job->draft = ofs_draft_ref(d);
    job->spec.file = d->number;
    job->spec.size = size;
}

/* ---- the list; with p->mtx held ---- */

static void list(struct ofs_push *p, struct ofs_job *job)
{
    job->next = p->jobs;
    job->link = &p->jobs;
    if (job->next)
        job->next->link = &job->next;
    p->jobs = job;
}

static void unlist(struct ofs_job *job)
{
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    job->next = NULL;
    job->link = NULL;
}

static struct ofs_job *take_same(struct ofs_push *p, const struct ofs_job *job)
{
    for (struct ofs_job *j = p->jobs; j; j = j->next)
        if (ofs_jobspec_same(&j->spec, &job->spec)) {
            unlist(j);
            return j;
        }
    return NULL;
}

/* ---- on and off ---- */

/* One that is off the list: nothing of it stays on disk. */
static void forget(struct ofs_push *p, struct ofs_job *job)
{
    uint64_t number = atomic_load(&job->number);

    if (number > 0) {
        ofs_journal_remove(&p->stage, number);
        if (job->draft)
            atomic_fetch_sub(&job->draft->n_records, 1);
    }
    ofs_job_unref(job); /* the list's */
}

static int record(struct ofs_push *p, struct ofs_job *job, bool durable,
                  struct ofs_err *err)
{
    uint64_t had = atomic_load(&job->number);
    uint64_t number = had ? had : ofs_stage_number(&p->stage);
    int r = ofs_journal_put(&p->stage, number, &job->spec, durable, err);

    if (r < 0 || had)
        return r;
    atomic_store(&job->number, number);
    if (job->draft)
        atomic_fetch_add(&job->draft->n_records, 1);
    return 0;
}

void ofs_agenda_add(struct ofs_push *p, struct ofs_job *job)
{
    struct ofs_job *old;

    (void)record(p, job, /* durable= */ false, NULL);
    atomic_fetch_add(&job->refs, 1);
    {
        OFS_GUARD(&p->mtx);
        old = take_same(p, job);
        list(p, job);
    }
    if (old)
        forget(p, old);
}

static bool is_on(struct ofs_push *p, const struct ofs_job *job)
{
    OFS_GUARD(&p->mtx);
    return job->link;
}

/* 1: it is still on, and may be acknowledged now.  Else how it ended: another
 * thread may have taken it on meanwhile. */
static int acknowledge(struct ofs_push *p, struct ofs_job *job,
                       struct ofs_err *err)
{
    OFS_GUARD(&p->mtx);
    if (job->link && !job->stuck) {
        job->acknowledged = true;
        return 1;
    }
    if (job->why.code < 0 && err)
        *err = job->why;
    return job->why.code;
}

int ofs_agenda_promise(struct ofs_push *p, struct ofs_job *job,
                       struct ofs_err *err)
{
    int r = record(p, job, /* durable= */ true, err);

    if (r < 0)
        return r;
    r = acknowledge(p, job, err);
    if (r > 0)
        return 0;
    if (!is_on(p, job)) /* and its record must not come back */
        ofs_journal_remove(&p->stage, atomic_load(&job->number));
    return r;
}

void ofs_agenda_done(struct ofs_push *p, struct ofs_job *job)
{
    {
        OFS_GUARD(&p->mtx);
        if (!job->link)
            return; /* a newer one has taken its place */
        unlist(job);
    }
    forget(p, job);
}

/* True: nobody was told that it will be done, and it cannot be. */
static bool note_failure(struct ofs_push *p, struct ofs_job *job, int r,
                         const struct ofs_err *why)
{
    bool is_final = ofs_outcome_is_final(r);

    OFS_GUARD(&p->mtx);
    job->why = *why;
    job->why.code = r;
    job->busy = false;
    job->stuck = true;
    job->again = !is_final && (job->again || job->acknowledged);
    if (!is_final || job->acknowledged || !job->link)
        return false;
    unlist(job);
    return true;
}

int ofs_agenda_failed(struct ofs_push *p, struct ofs_job *job, int r,
                      const struct ofs_err *why)
{
    if (note_failure(p, job, r, why))
        forget(p, job);
    else
        ofs_resume_poke(p);
    return r;
}

struct ofs_job *ofs_agenda_find(struct ofs_push *p, enum ofs_job_kind kind,
                                const char *repo,
                                const struct ofs_digest *digest)
{
    OFS_GUARD(&p->mtx);
    for (struct ofs_job *j = p->jobs; j; j = j->next)
        if (j->spec.kind == kind && ofs_digest_eq(&j->spec.digest, digest) &&
            strcmp(j->spec.repo, repo) == 0) {
            atomic_fetch_add(&j->refs, 1);
            return j;
        }
    return NULL;
}

/* ---- what an earlier mount left ---- */

static int load_needs(struct ofs_job *job)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r;

    if (job->spec.kind == OFS_JOB_WISH)
        return ofs_needs_one(&job->spec.digest, &job->needs);
    if (job->spec.kind != OFS_JOB_MANIFEST)
        return 0;
    r = ofs_draft_load(job->draft, NULL, &bytes, NULL);
    if (r == 0)
        r = ofs_needs_decode(bytes.data, bytes.len, &m);
    return r < 0 ? r : ofs_needs_of(&m, &job->needs);
}

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
    job->again = true;
    return job;
}

/* A big file is checked by the thread that sends it. */
static int restore_content(struct ofs_push *p, struct ofs_job *job)
{
    int r = 0;

    if (job->spec.file > 0)
        r = ofs_draft_adopt(&p->drafts, job->spec.repo, job->spec.file,
                            &job->draft, NULL);
    if (r == 0 && job->draft)
        atomic_store(&job->draft->n_records, 1);
    if (r == 0 && job->acknowledged)
        r = check_content(job);
    return r < 0 ? r : load_needs(job);
}

static int restore(struct ofs_push *p, struct ofs_record *rec)
{
    OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = job_of(rec);
    int r;

    if (!job)
        return -ENOMEM;
    r = restore_content(p, job);
    if (r == -ENOENT || r == -EBADMSG) { /* gone or damaged */
        ofs_journal_remove(&p->stage, rec->number);
        if (job->draft)
            atomic_store(&job->draft->n_records, 0);
        return 0;
    }
    if (r < 0)
        return r;
    OFS_GUARD(&p->mtx);
    list(p, ofs_take(&job));
    return 0;
}

int ofs_agenda_load(struct ofs_push *p, struct ofs_err *err)
{
    struct ofs_records records OFS_AUTO(ofs_records_done) = { 0 };
    int r = ofs_journal_load(&p->stage, &records, err);

    for (size_t i = 0; i < records.n && r == 0; i++) {
        struct ofs_record *rec = &records.at[i];

        if (strcmp(rec->spec.url, p->url) != 0)
            continue;
        r = restore(p, rec);
        if (r < 0)
            return ofs_err_errno(err, -r, "what is pending");
    }
    return r;
}

void ofs_agenda_free(struct ofs_push *p)
{
    while (p->jobs) {
        struct ofs_job *job = p->jobs;

        unlist(job);
        ofs_job_unref(job);
    }
}
