/* SPDX-License-Identifier: Apache-2.0 */
#include "push_priv.h"
#include "send_blob.h"

#include "ocirfs/manifest.h"

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
    if (r == 0 && !ofs_deps_json(head, n))
        return 1;
    if (r == 0)
        r = ofs_draft_load(d, call, bytes, err);
    if (r < 0)
        return r;
    r = ofs_deps_decode(bytes->data, bytes->len, m);
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
    job = ofs_job_new(&p->jobs.queue, OFS_JOB_MANIFEST, repo, NULL, digest);
    if (!job || ofs_deps_of(m, &job->needs) < 0)
        return ofs_err_nomem(err, "a manifest");
    ofs_job_take_draft(job, copy, bytes->len);
    return ofs_job_start(&p->jobs, call, job, NULL, err);
}

/* A copy of what the registry has is nothing that a crash could lose. */
static int commit_copy(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_draft *d, const char *repo,
                       const struct ofs_digest *digest, struct ofs_err *err)
{
    const struct ofs_need blob = { .digest = *digest,
                                   .size = ofs_draft_size(d) };
    int r = ofs_send_blob(&p->pub, call, d, repo, digest, err);

    return r < 0 ? r : ofs_resolve_blob(&p->jobs, call, repo, &blob, err);
}

static int commit_blob(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_draft *d, const char *repo,
                       const struct ofs_digest *digest, struct ofs_err *err)
{
    OFS_AUTO(ofs_job_unrefp) struct ofs_job *job = NULL;

    if (!ofs_draft_is_plain(d))
        return commit_copy(p, call, d, repo, digest, err);
    job = ofs_job_new(&p->jobs.queue, OFS_JOB_BLOB, repo, NULL, digest);
    if (!job)
        return ofs_err_nomem(err, "a blob");
    ofs_job_take_draft(job, d, ofs_draft_size(d));
    return ofs_job_start(&p->jobs, call, job, NULL, err);
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
