/* SPDX-License-Identifier: Apache-2.0 */
#include "push_priv.h"

/* ---- what has been acknowledged but waits for its parts ---- */

int ofs_push_waiting(struct ofs_push *p, const char *repo,
                     const struct ofs_digest *digest, struct ofs_draft **ret)
{
    OFS_AUTO(ofs_job_unrefp)
    struct ofs_job *job =
        ofs_jobqueue_find(&p->jobs.queue, OFS_JOB_MANIFEST, repo, digest);

    if (!job)
        return -ENOENT;
    *ret = ofs_draft_ref(job->draft);
    return 0;
}

static bool is_waiting(const struct ofs_job *j, const char *repo)
{
    return j->spec.kind == OFS_JOB_MANIFEST && strcmp(j->spec.repo, repo) == 0;
}

/* Up to `room` of them into `at`; how many there are. */
static size_t find_waiting(struct ofs_push *p, const char *repo,
                           struct ofs_digest *at, size_t room)
{
    size_t n = 0;

    OFS_GUARD(&p->jobs.queue.mtx);
    for (const struct ofs_job *j = p->jobs.queue.jobs; j; j = j->next) {
        if (!is_waiting(j, repo))
            continue;
        if (n < room)
            at[n] = j->spec.digest;
        n++;
    }
    return n;
}

int ofs_push_list_waiting(struct ofs_push *p, const char *repo,
                          struct ofs_digest **ret, size_t *ret_n)
{
    size_t room = find_waiting(p, repo, NULL, 0), n;
    struct ofs_digest *at = calloc(room + 1, sizeof(*at));

    if (!at)
        return -ENOMEM;
    n = find_waiting(p, repo, at, room);
    *ret = at;
    *ret_n = n < room ? n : room; /* some may have come meanwhile */
    return 0;
}

static void drop_all(struct ofs_push *p, enum ofs_job_kind kind,
                     const char *repo, const struct ofs_digest *digest)
{
    struct ofs_job *job;

    while ((job = ofs_jobqueue_find(&p->jobs.queue, kind, repo, digest))) {
        ofs_jobqueue_drop(&p->jobs.queue, job);
        ofs_job_unref(job);
    }
}

int ofs_push_drop(struct ofs_push *p, const char *repo,
                  const struct ofs_digest *digest)
{
    OFS_AUTO(ofs_job_unrefp)
    struct ofs_job *job =
        ofs_jobqueue_find(&p->jobs.queue, OFS_JOB_MANIFEST, repo, digest);

    if (!job)
        return -ENOENT;
    ofs_jobqueue_drop(&p->jobs.queue, job);
    /* What was to name it can never be set. */
    drop_all(p, OFS_JOB_WISH, repo, digest);
    drop_all(p, OFS_JOB_KEEP, repo, digest);
    return 0;
}

/* ---- for .ocirfs ---- */

void ofs_push_stat(struct ofs_push *p, struct ofs_push_stat *ret)
{
    *ret = (struct ofs_push_stat){
        .staged_bytes = atomic_load(&p->stage.used_bytes),
        .max_bytes = p->stage.max_bytes,
        .n_drafts = atomic_load(&p->drafts.n_drafts),
    };
    OFS_GUARD(&p->jobs.queue.mtx);
    for (const struct ofs_job *j = p->jobs.queue.jobs; j; j = j->next)
        ret->n_pending++;
}

struct sending_list {
    struct ofs_sending *at;
    size_t n, max;
};

static void add_sending(void *arg, const struct ofs_sent *sent)
{
    struct sending_list *list = arg;
    char digest[OFS_DIGEST_TEXT_MAX] = "a blob";
    struct ofs_sending *to;

    if (list->n == list->max)
        return;
    to = &list->at[list->n++];
    *to = (struct ofs_sending){
        .size = sent->size,
        .sent = sent->sent,
        .rate_bytes = sent->rate_bytes,
    };
    if (sent->digest)
        ofs_digest_format(sent->digest, digest);
    (void)snprintf(to->repo, sizeof(to->repo), "%s", sent->repo);
    (void)snprintf(to->what, sizeof(to->what), "%.95s", digest);
}

size_t ofs_push_sending(struct ofs_push *p, struct ofs_sending *ret, size_t max)
{
    struct sending_list list = { .at = ret, .max = max };

    ofs_senders_each(&p->senders, add_sending, &list);
    return list.n;
}

static void add_name(struct ofs_buf *b, const struct ofs_jobspec *spec)
{
    char human[16];

    ofs_job_describe(spec, b);
    if (spec->size > 0)
        (void)ofs_buf_addf(b, ", %s", ofs_str_human(spec->size, human));
}

/* What the job needs first, while it waits for that. */
static void add_wait(struct ofs_buf *b, const struct ofs_job *j)
{
    const struct ofs_need *need = j->needs.absent;
    char digest[OFS_DIGEST_TEXT_MAX];

    if (need)
        (void)ofs_buf_addf(b, "waits for %.19s%s",
                           ofs_digest_format(&need->digest, digest),
                           j->needs.n_missing > 1 ? " and more" : "");
    else
        (void)ofs_buf_adds(b, "waits for its parts");
}

/* When does somebody go on with it? */
static void add_next(struct ofs_buf *b, const struct ofs_job *j, int64_t now_ms)
{
    int64_t left_s = (j->due_ms - now_ms + 999) / 1000;

    switch (j->state) {
    case OFS_JOB_WAITING:
        add_wait(b, j);
        break;
    case OFS_JOB_RETRY:
        (void)ofs_buf_addf(b, "tried again in %lld s",
                           (long long)(left_s > 0 ? left_s : 0));
        break;
    case OFS_JOB_LEFT:
        (void)ofs_buf_adds(b, "left over, to be tried again now");
        break;
    case OFS_JOB_FAILED:
        (void)ofs_buf_adds(b, "tried again by the next mount, or when it is "
                              "written again");
        break;
    default:
        (void)ofs_buf_adds(b, "under way");
        break;
    }
}

static void add_job(struct ofs_buf *b, const struct ofs_job *j, int64_t now_ms)
{
    char line[OFS_ERR_LINE_MAX];

    add_name(b, &j->spec);
    if (j->why.code < 0 && j->state != OFS_JOB_WAITING)
        (void)ofs_buf_addf(b, ": %s; ", ofs_err_line(&j->why, line));
    else
        (void)ofs_buf_adds(b, ": ");
    add_next(b, j, now_ms);
    (void)ofs_buf_adds(b, "\n");
}

int ofs_push_render_pending(struct ofs_push *p, struct ofs_buf *b)
{
    int64_t now_ms = ofs_mono_ms();

    OFS_GUARD(&p->jobs.queue.mtx);
    for (const struct ofs_job *j = p->jobs.queue.jobs; j; j = j->next)
        add_job(b, j, now_ms);
    return b->failed;
}
