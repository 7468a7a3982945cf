/* SPDX-License-Identifier: Apache-2.0 */
#include "draft.h"
#include "push_priv.h"

/* ---- sending one ---- */

/* On the HTTP engine's thread; the file is on the local disk. */
static ssize_t read_draft(void *arg, void *buf, size_t len, uint64_t off)
{
    size_t n = 0;
    int r = ofs_draft_pread(arg, buf, len, off, &n, NULL);

    return r < 0 ? r : (ssize_t)n;
}

/* 0: it is there; else the staged copy is to be sent, or the call is over. */
static int await_stream(struct ofs_draft *d, struct ofs_call *call,
                        const char *repo, const struct ofs_digest *digest,
                        struct ofs_err *err)
{
    OFS_AUTO(ofs_stream_unrefp) struct ofs_stream *s = NULL;
    enum ofs_pushed how;
    int r;

    if (strcmp(repo, d->repo) == 0)
        s = ofs_draft_stream(d);
    if (!s)
        return -ENOENT;
    ofs_stream_seal(s, ofs_draft_size(d), digest);
    r = ofs_stream_wait(s, call, &how, err);
    if (r < 0)
        ofs_draft_unstream(d);
    return r;
}

/* HEAD, mount, and the bytes if we have them. */
static int send_staged(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_draft *d, const char *repo,
                       const struct ofs_digest *digest,
                       const struct ofs_origin *o, struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv from = { 0 };
    struct ofs_sender sender = { .repo = repo, .digest = digest };
    const struct ofs_blob_data data = {
        .read = read_draft,
        .arg = d,
        .size = ofs_draft_size(d),
    };
    const struct ofs_blob_push push = {
        .repo = repo,
        .digest = digest,
        .data = o->repo ? NULL : &data,
        .from = &from,
        .sent = &sender.sent,
    };
    enum ofs_pushed how;
    int r = ofs_publish_where(p, repo, o->repo, digest, &from);

    if (r < 0)
        return ofs_err_nomem(err, "where the blob is");
    atomic_store(&sender.size, data.size);
    ofs_senders_add(&p->senders, &sender);
    r = ofs_registry_blob_push(p->cfg.registry, call, &push, &how, err);
    ofs_senders_remove(&p->senders, &sender);
    return r;
}

int ofs_send_blob(struct ofs_push *p, struct ofs_call *call,
                  struct ofs_draft *d, const char *repo,
                  const struct ofs_digest *digest, struct ofs_err *err)
{
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    int r = ofs_draft_origin(d, &o);

    if (r == -ENOMEM)
        return ofs_err_nomem(err, "a copy");
    if (r < 0) { /* a plain file */
        if (await_stream(d, call, repo, digest, NULL) == 0)
            return 0;
        r = ofs_call_check(call, err);
        return r < 0 ? r : send_staged(p, call, d, repo, digest, &o, err);
    }
    r = send_staged(p, call, d, repo, digest, &o, err);
    if (r != -ENOENT)
        return r;
    ofs_origin_done(&o); /* the registry cannot mount: fetch and send it */
    r = ofs_draft_make_plain(d, call, err);
    return r < 0 ? r : send_staged(p, call, d, repo, digest, &o, err);
}

/* ---- what a draft is ---- */

static int mismatch(const struct ofs_digest *is, const struct ofs_digest *want,
                    struct ofs_err *err)
{
    char a[OFS_DIGEST_TEXT_MAX], b[OFS_DIGEST_TEXT_MAX];

    return ofs_err_set(err, -EBADMSG,
                       "the bytes have the digest %.71s, not %.71s",
                       ofs_digest_format(is, a), ofs_digest_format(want, b));
}

/* Does it have the digest that its name says?  A copy of a whole is not read
 * for that: the registry, or the store on the way here, vouches for it. */
static int check_digest(struct ofs_draft *d, struct ofs_call *call,
                        const struct ofs_digest *digest, bool *ret_manifest,
                        struct ofs_err *err)
{
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    struct ofs_content c = { 0 };
    int r = ofs_draft_origin(d, &o);

    if (r == 0 && o.digest.alg == digest->alg) {
        *ret_manifest = o.manifest;
        return ofs_digest_eq(&o.digest, digest)
                   ? 0
                   : mismatch(&o.digest, digest, err);
    }
    *ret_manifest = true; /* it may be one */
    r = ofs_draft_content(d, call, (enum ofs_digest_alg)digest->alg, &c, err);
    if (r < 0)
        return r;
    return ofs_digest_eq(&c.digest, digest) ? 0
                                            : mismatch(&c.digest, digest, err);
}

/* 1: it is an ordinary blob. */
static int load_manifest(struct ofs_draft *d, struct ofs_call *call,
                         struct ofs_buf *bytes, struct ofs_manifest *m,
                         struct ofs_err *err)
{
    char head[64];
    size_t n = 0;
    int r;

    if (ofs_draft_size(d) > OFS_MANIFEST_MAX_BYTES)
        return 1;
    r = ofs_draft_read(d, call, head, sizeof(head), 0, &n, err);
    if (r == 0 && !ofs_needs_json(head, n))
        return 1;
    if (r == 0)
        r = ofs_draft_load(d, call, bytes, err);
    if (r < 0)
        return r;
    r = ofs_needs_decode(bytes->data, bytes->len, m);
    return r == -ENOENT ? 1 : r;
}

/* ---- committing ---- */

static int commit_manifest(struct ofs_push *p, struct ofs_call *call,
                           const char *repo, const struct ofs_digest *digest,
                           const struct ofs_buf *bytes,
                           const struct ofs_manifest *m, struct ofs_err *err)
{
    OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = NULL;
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *copy = NULL;
    int r =
        ofs_draft_made(&p->drafts, repo, bytes->data, bytes->len, &copy, err);

    if (r < 0)
        return r;
    job = ofs_job_new(p, OFS_JOB_MANIFEST, repo, NULL, digest);
    if (!job || ofs_needs_of(m, &job->needs) < 0)
        return ofs_err_nomem(err, "a manifest");
    ofs_job_take_draft(job, copy, bytes->len);
    return ofs_settle_new(p, call, job, err);
}

int ofs_blob_arrived(struct ofs_push *p, struct ofs_call *call,
                     const char *repo, const struct ofs_digest *digest,
                     uint64_t size, struct ofs_err *err)
{
    const struct ofs_push_hooks *hooks = &p->cfg.hooks;

    if (hooks->arrived)
        hooks->arrived(hooks->arg, repo, digest, size);
    return ofs_settle(p, call, repo, digest, /* is_manifest= */ false, err);
}

int ofs_commit_blob_job(struct ofs_push *p, struct ofs_call *call,
                        struct ofs_job *job, struct ofs_err *err)
{
    const struct ofs_jobspec *spec = &job->spec;
    struct ofs_err why = { 0 };
    int r = ofs_send_blob(p, call, job->draft, spec->repo, &spec->digest, &why);

    if (r < 0) {
        if (err)
            *err = why;
        return ofs_agenda_failed(p, job, r, &why);
    }
    ofs_agenda_done(p, job);
    return ofs_blob_arrived(p, call, spec->repo, &spec->digest, spec->size,
                            err);
}

/* A copy of what the registry has is nothing that a crash could lose. */
static int commit_copy(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_draft *d, const char *repo,
                       const struct ofs_digest *digest, struct ofs_err *err)
{
    int r = ofs_send_blob(p, call, d, repo, digest, err);

    return r < 0 ? r
                 : ofs_blob_arrived(p, call, repo, digest, ofs_draft_size(d),
                                    err);
}

static int commit_blob(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_draft *d, const char *repo,
                       const struct ofs_digest *digest, struct ofs_err *err)
{
    OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = NULL;

    if (!ofs_draft_is_plain(d))
        return commit_copy(p, call, d, repo, digest, err);
    job = ofs_job_new(p, OFS_JOB_BLOB, repo, NULL, digest);
    if (!job)
        return ofs_err_nomem(err, "a blob");
    ofs_job_take_draft(job, d, ofs_draft_size(d));
    ofs_agenda_add(p, job);
    return ofs_commit_blob_job(p, call, job, err);
}

int ofs_push_blob(struct ofs_push *p, struct ofs_call *call,
                  struct ofs_draft *d, const char *repo,
                  const struct ofs_digest *digest, struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    bool may_be_manifest = false;
    int r = check_digest(d, call, digest, &may_be_manifest, err);

    if (r == 0)
        r = may_be_manifest ? load_manifest(d, call, &bytes, &m, err) : 1;
    if (r < 0)
        return r;
    if (r > 0)
        return commit_blob(p, call, d, repo, digest, err);
    return commit_manifest(p, call, repo, digest, &bytes, &m, err);
}
