/* SPDX-License-Identifier: Apache-2.0 */
#include "index_plan.h"
#include "push_priv.h"

#include "ocirfs/entry_tags.h"
#include "ocirfs/mediatype.h"

struct commit_index {
    struct ofs_push *p;
    struct ofs_call *call;
    const char *repo;
};

static int tag_now(void *arg, const char *tag, struct ofs_digest *ret)
{
    const struct commit_index *c = arg;
    const struct ofs_push_hooks *hooks = &c->p->cfg.hooks;

    return hooks->tag_names ? hooks->tag_names(hooks->arg, c->repo, tag, ret)
                            : -ENOENT;
}

static int commit_wish(const struct commit_index *c,
                       const struct ofs_index_wish *wish, struct ofs_err *err)
{
    OFS_AUTO(ofs_job_unrefp)
    struct ofs_job *job =
        ofs_job_new(&c->p->jobs.queue, wish->tag ? OFS_JOB_WISH : OFS_JOB_KEEP,
                    c->repo, wish->tag, &wish->d->digest);

    if (!job || ofs_deps_one(&wish->d->digest, &job->needs) < 0)
        return ofs_err_nomem(err, "a tag");
    if (!wish->tag) {
        job->spec.size = wish->d->size;
        job->media_type =
            strdup(wish->d->media_type ? wish->d->media_type : "");
        if (!job->media_type)
            return ofs_err_nomem(err, "an entry");
    }
    return ofs_job_start(&c->p->jobs, c->call, job, NULL, err);
}

/* All of them, also after a failure; the first one is told. */
static int commit_wishes(const struct commit_index *c,
                         const struct ofs_index_plan *plan, struct ofs_err *err)
{
    int first = 0;

    for (size_t i = 0; i < plan->n && ofs_call_check(c->call, NULL) == 0; i++) {
        int r = commit_wish(c, &plan->at[i], first ? NULL : err);

        if (first == 0)
            first = r;
    }
    return first;
}

static void tell_left_out(const struct commit_index *c,
                          const struct ofs_index_plan *plan)
{
    const struct ofs_push_hooks *hooks = &c->p->cfg.hooks;

    for (size_t i = 0; hooks->left_out && i < plan->n_left_out; i++)
        hooks->left_out(hooks->arg, c->repo, &plan->left_out[i]->digest);
}

static void tell_named(const struct commit_index *c,
                       const struct ofs_manifest *index)
{
    const struct ofs_push_hooks *hooks = &c->p->cfg.hooks;

    for (size_t i = 0; hooks->named && i < index->n_layers; i++) {
        OFS_AUTOSTRV struct ofs_strv tags = { 0 };

        /* What is wrong in it has been told; the rest counts. */
        (void)!ofs_entry_tags(&index->layers[i].annotations, &tags, NULL);
        for (size_t k = 0; k < tags.n; k++)
            hooks->named(hooks->arg, c->call, c->repo, tags.at[k]);
    }
}

static int commit_entries(const struct commit_index *c,
                          const struct ofs_manifest *index,
                          const struct ofs_manifest *read, struct ofs_err *err)
{
    OFS_AUTO(ofs_index_plan_done) struct ofs_index_plan plan = { 0 };
    struct commit_index mine = *c;
    const struct ofs_index_ask ask = {
        .written = index,
        .read = read,
        .now = tag_now,
        .arg = &mine,
    };
    struct ofs_err why = { 0 };
    int r = ofs_index_plan(&ask, &plan, &why);
    int r_wish;

    if (r == -ENOMEM)
        return ofs_err_nomem(err, "index.json");
    tell_left_out(c, &plan);
    r_wish = commit_wishes(c, &plan, err);
    tell_named(c, index);
    if (r_wish < 0 || r == 0)
        return r_wish;
    if (err)
        *err = why;
    return ofs_err_wrap(err, r, "index.json");
}

/* What was read is what we have shown, so all of it is known to be right. */
static int decode_read(const struct ofs_buf *read, struct ofs_manifest *ret)
{
    if (!read)
        return -ENOENT;
    return ofs_manifest_decode(ofs_buf_str(read), read->len, OFS_MT_OCI_INDEX,
                               ret, NULL);
}

static int decode_written(struct ofs_draft *d, struct ofs_call *call,
                          struct ofs_manifest *ret, struct ofs_err *err)
{
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r = ofs_draft_load(d, call, &bytes, err);

    if (r < 0)
        return r;
    r = ofs_manifest_decode(ofs_buf_str(&bytes), bytes.len, OFS_MT_OCI_INDEX,
                            ret, err);
    if (r == 0 && ret->kind != OFS_MANIFEST_INDEX)
        r = ofs_err_set(err, -EBADMSG, "it is the manifest of one image");
    return r == -EBADMSG ? ofs_err_wrap(err, -EINVAL, "index.json") : r;
}

int ofs_push_index(struct ofs_push *p, struct ofs_call *call,
                   struct ofs_draft *d, const char *repo,
                   const struct ofs_buf *read, struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest index = { 0 };
    OFS_AUTOMANIFEST struct ofs_manifest before = { 0 };
    const struct commit_index c = { .p = p, .call = call, .repo = repo };
    int r;

    if (ofs_draft_is_blank(d))
        return 0;
    ofs_draft_unstream(d);
    r = decode_written(d, call, &index, err);
    if (r < 0)
        return r;
    r = decode_read(read, &before);
    if (r == -ENOMEM)
        return ofs_err_nomem(err, "index.json");
    return commit_entries(&c, &index, r == 0 ? &before : NULL, err);
}
