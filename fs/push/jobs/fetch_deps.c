/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs.h"
#include "send_blob.h"

#include "ocirfs/manifest.h"

enum { MAX_DEPTH = 8 }; /* indexes in indexes */

/* What one run of supplying is about. */
struct supply {
    struct ofs_jobs *jobs;
    struct ofs_call *call;
    const char *repo;
    const char *from; /* NULL: nowhere in particular */
    unsigned depth;
};

static int missing(const struct supply *s, const struct ofs_need *need,
                   struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];

    return ofs_err_set(err, -ENOENT,
                       "%s %s is neither in '%.100s' nor known to be elsewhere",
                       need->is_manifest ? "manifest" : "blob",
                       ofs_digest_format(&need->digest, text), s->repo);
}

/* ---- a blob ---- */

/* A copy of the whole, committed: that is a mount, or the bytes where the
 * registry cannot. */
static int copy_blob(const struct supply *s, const struct ofs_need *need,
                     const char *from, struct ofs_err *err)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    const struct ofs_clone clone = {
        .repo = from,
        .digest = need->digest,
        .size = need->size,
    };
    int r = ofs_draft_create(s->jobs->drafts, s->repo, &d, err);

    if (r == 0)
        r = ofs_draft_clone(d, s->call, &clone, 0, need->size, 0, err);
    if (r == 0)
        r = ofs_send_blob(s->jobs->pub, s->call, d, s->repo, &need->digest,
                          err);
    if (r < 0)
        return r;
    return ofs_resolve_blob(s->jobs, s->call, s->repo, need, err);
}

static int supply_blob(const struct supply *s, const struct ofs_need *need,
                       const struct ofs_strv *from, struct ofs_err *err)
{
    int r = -ENOENT;

    /* The first does for all: a mount is tried from each candidate. */
    if (from->n > 0)
        r = copy_blob(s, need, from->at[0], err);
    return r == -ENOENT ? missing(s, need, err) : r;
}

/* ---- a manifest ---- */

static int supply_all(const struct supply *s, struct ofs_deps *needs,
                      struct ofs_err *err);

/* A tag of the same repository needs nothing that is not there. */
static bool is_retag(const struct supply *s)
{
    return s->from && strcmp(s->from, s->repo) == 0;
}

/* Did the registry refuse a manifest since it has not all that it names? */
static bool lacks_parts(int r, const struct ofs_err *err)
{
    return r == -EIO && err && strstr(err->id, "BLOB_UNKNOWN");
}

/*
 * What was there may have been cleared away since it was seen: a refusal for
 * want of parts makes us look at all of them once more.
 */
static int publish_typed(const struct supply *s, struct ofs_deps *needs,
                         const struct ofs_manifest_put *put,
                         struct ofs_err *err)
{
    int r = is_retag(s) ? 0 : supply_all(s, needs, err);

    if (r < 0)
        return r;
    r = ofs_publish(s->jobs->pub, s->call, put, err);
    if (r != -ENOENT && !lacks_parts(r, err))
        return r;
    ofs_publish_doubt(s->jobs->pub);
    ofs_deps_forget(needs);
    r = supply_all(s, needs, err);
    return r < 0 ? r : ofs_publish(s->jobs->pub, s->call, put, err);
}

/* `put` with all it needs; its media type is what its bytes say. */
static int publish(const struct supply *s, const struct ofs_manifest_put *put,
                   struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    OFS_AUTONEEDS struct ofs_deps needs = { 0 };
    struct ofs_manifest_put typed = *put;
    int r = ofs_manifest_decode(put->bytes, put->len, NULL, &m, err);

    if (r == 0 && ofs_deps_of(&m, &needs) < 0)
        r = ofs_err_nomem(err, "a manifest");
    if (r < 0)
        return r;
    typed.media_type = m.media_type;
    return publish_typed(s, &needs, &typed, err);
}

static int put_copy(const struct supply *s, const struct ofs_need *need,
                    const char *from, const struct ofs_buf *bytes,
                    struct ofs_err *err)
{
    const struct ofs_manifest_put put = {
        .repo = s->repo,
        .digest = &need->digest,
        .bytes = bytes->data,
        .len = bytes->len,
    };
    struct supply below = *s;
    int r;

    below.from = from;
    below.depth++;
    r = publish(&below, &put, err);
    return r < 0 ? r
                 : ofs_resolve(s->jobs, s->call, s->repo, &need->digest,
                               /* is_manifest= */ true, err);
}

static int supply_manifest(const struct supply *s, const struct ofs_need *need,
                           const struct ofs_strv *from, struct ofs_err *err)
{
    if (s->depth >= MAX_DEPTH)
        return ofs_err_set(err, -EINVAL, "an index more than %d deep",
                           MAX_DEPTH);
    for (size_t i = 0; i < from->n; i++) {
        struct ofs_buf bytes OFS_AUTOBUF = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
        int r = ofs_remote_manifest(s->jobs->pub->remote, s->call, from->at[i],
                                    &need->digest, &bytes, err);

        if (r == 0)
            return put_copy(s, need, from->at[i], &bytes, err);
        if (r != -ENOENT)
            return r;
    }
    return missing(s, need, err);
}

/* ---- all ---- */

static int supply_one(const struct supply *s, const struct ofs_need *need,
                      struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv from = { 0 };
    int r = ofs_publish_is_there(s->jobs->pub, s->call, s->repo, &need->digest,
                                 need->is_manifest, err);

    if (r != -ENOENT)
        return r;
    r = ofs_publish_where(s->jobs->pub, s->repo, s->from, &need->digest, &from);
    if (r < 0)
        return ofs_err_nomem(err, "where it is");
    return need->is_manifest ? supply_manifest(s, need, &from, err)
                             : supply_blob(s, need, &from, err);
}

static int supply_all(const struct supply *s, struct ofs_deps *needs,
                      struct ofs_err *err)
{
    const struct ofs_need *need;

    while ((need = ofs_deps_missing(needs))) {
        int r = supply_one(s, need, err);

        if (r < 0)
            return r;
        ofs_deps_arrived(needs, &need->digest, need->is_manifest);
    }
    return 0;
}

int ofs_fetch_deps(struct ofs_jobs *jobs, struct ofs_call *call,
                   const struct ofs_manifest_put *put, const char *from,
                   struct ofs_err *err)
{
    const struct supply s = {
        .jobs = jobs,
        .call = call,
        .repo = put->repo,
        .from = from,
    };

    return publish(&s, put, err);
}
