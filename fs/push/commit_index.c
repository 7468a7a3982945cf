/* SPDX-License-Identifier: Apache-2.0 */
#include "push_priv.h"

#include "ocirfs/manifest.h"
#include "ocirfs/mediatype.h"
#include "ocirfs/ref.h"

#define REF_NAME "org.opencontainers.image.ref.name"

/* The tag that the entry asks for; NULL: none, or a name that is no tag. */
static const char *tag_of(const struct ofs_descriptor *d)
{
    const char *name = ofs_annotation_get(&d->annotations, REF_NAME);

    return name && ofs_tag_is_valid(name) ? name : NULL;
}

/* Of several entries for a tag the last one counts. */
static bool is_repeated(const struct ofs_manifest *index, size_t i,
                        const char *tag)
{
    for (size_t k = i + 1; k < index->n_layers; k++) {
        const char *other = tag_of(&index->layers[k]);

        if (other && strcmp(other, tag) == 0)
            return true;
    }
    return false;
}

/*
 * Who writes an index.json has read it before, and hands back all entries but
 * the one that is new.  Those say nothing new, and if another client has moved
 * a tag meanwhile, an old entry is no wish to move it back.
 */
static bool is_as_known(struct ofs_push *p, const char *repo, const char *tag,
                        const struct ofs_digest *digest)
{
    const struct ofs_push_hooks *hooks = &p->cfg.hooks;
    struct ofs_digest is;

    return hooks->tag_names &&
           hooks->tag_names(hooks->arg, repo, tag, &is) == 0 &&
           ofs_digest_eq(&is, digest);
}

static int commit_wish(struct ofs_push *p, struct ofs_call *call,
                       const char *repo, const char *tag,
                       const struct ofs_digest *digest, struct ofs_err *err)
{
    OFS_AUTO(ofs_job_unrefp)
    struct ofs_job *job =
        ofs_job_new(&p->jobs.agenda, OFS_JOB_WISH, repo, tag, digest);

    if (!job || ofs_needs_one(digest, &job->needs) < 0)
        return ofs_err_nomem(err, "a tag");
    return ofs_job_start(&p->jobs, call, job, NULL, err);
}

/* All of them, also after a failure; the first one is told. */
static int commit_entries(struct ofs_push *p, struct ofs_call *call,
                          const char *repo, const struct ofs_manifest *index,
                          struct ofs_err *err)
{
    int first = 0;

    for (size_t i = 0; i < index->n_layers; i++) {
        const struct ofs_descriptor *d = &index->layers[i];
        const char *tag = tag_of(d);
        int r;

        if (!tag || is_repeated(index, i, tag) ||
            is_as_known(p, repo, tag, &d->digest))
            continue;
        r = commit_wish(p, call, repo, tag, &d->digest, first ? NULL : err);
        if (r < 0 && first == 0)
            first = r;
        if (ofs_call_check(call, NULL) < 0)
            break;
    }
    return first;
}

int ofs_push_index(struct ofs_push *p, struct ofs_call *call,
                   struct ofs_draft *d, const char *repo, struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest index = { 0 };
    struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r;

    if (ofs_draft_is_blank(d))
        return 0;
    ofs_draft_unstream(d);
    r = ofs_draft_load(d, call, &bytes, err);
    if (r < 0)
        return r;
    r = ofs_manifest_decode(ofs_buf_str(&bytes), bytes.len, OFS_MT_OCI_INDEX,
                            &index, err);
    if (r < 0)
        return r == -EBADMSG ? ofs_err_wrap(err, -EINVAL, "index.json") : r;
    return commit_entries(p, call, repo, &index, err);
}
