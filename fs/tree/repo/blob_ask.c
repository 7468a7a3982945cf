/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_ask.h"

#include "ocirfs/errclass.h"
#include "ocirfs/registry.h"
#include "ocirfs/store.h"

#include "content.h"

struct question {
    struct ofs_repos *repos;
    struct ofs_repo *repo;
    const struct ofs_digest *digest;
    bool manifest; /* nothing else will do */
};

static bool look(const struct question *q, struct ofs_known_blob *ret)
{
    const struct ofs_known_blob *known;

    OFS_GUARD(&q->repo->mtx);
    known = ofs_blobset_find(&q->repo->blobs, q->digest);
    if (known)
        *ret = *known;
    return known != NULL;
}

/* Of tags that only a note tells of, the manifests are in no other table. */
static bool is_tagged(const struct question *q, uint64_t *ret_size)
{
    OFS_GUARD(&q->repo->mtx);
    for (size_t i = 0; i < q->repo->tags.n; i++) {
        const struct ofs_tag *tag = &q->repo->tags.at[i];

        if (tag->known && ofs_digest_eq(&tag->info.digest, q->digest)) {
            *ret_size = tag->info.size;
            return true;
        }
    }
    return false;
}

/* It comes with its bytes: who looks for a manifest reads it. */
static int ask_whole(const struct question *q, struct ofs_call *call,
                     struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf bytes = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r = ofs_manifest_load(q->repos, call, q->repo, q->digest, &bytes, err);

    if (r == 0)
        ofs_repo_learn(q->repo, q->digest, bytes.len, NULL);
    return r;
}

static int ask_head(const struct question *q, struct ofs_call *call,
                    struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    char ref[OFS_DIGEST_TEXT_MAX];
    int r = ofs_registry_manifest_head(q->repos->registry, call, q->repo->path,
                                       ofs_digest_format(q->digest, ref), &info,
                                       err);

    if (r == 0)
        ofs_repo_learn(q->repo, q->digest, info.size, NULL);
    return r;
}

/* What is here is all repositories', so it says nothing of this one. */
static int ask_manifest(const struct question *q, struct ofs_call *call,
                        struct ofs_err *err)
{
    if (ofs_content_is_here(q->repos, q->digest))
        return ask_head(q, call, err);
    return ask_whole(q, call, err);
}

static int ask_blob(const struct question *q, struct ofs_call *call,
                    struct ofs_err *err)
{
    uint64_t size;
    int r = ofs_registry_blob_head(q->repos->registry, call, q->repo->path,
                                   q->digest, &size, err);

    if (r < 0)
        return r;
    OFS_GUARD(&q->repo->mtx);
    return ofs_blobset_put(&q->repo->blobs, q->digest, size, OFS_KNOWN_BLOB);
}

/* Does what is known answer the question? */
static bool is_enough(const struct question *q,
                      const struct ofs_known_blob *known)
{
    return known->kind == OFS_KNOWN_MANIFEST ||
           (known->kind == OFS_KNOWN_BLOB && !q->manifest);
}

static int ask(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    const struct question *q = arg;
    struct ofs_known_blob known;
    int r = -ENOENT;

    if (look(q, &known)) {
        if (is_enough(q, &known))
            return 0;
        if (known.kind == OFS_KNOWN_MENTIONED)
            r = ask_whole(q, call, err);
    }
    if (r == -ENOENT && !q->manifest)
        r = ask_blob(q, call, err);
    /* docker's registry has manifests at their own endpoint only. */
    if (r == -ENOENT)
        r = ask_manifest(q, call, err);
    return r;
}

static int fly(const struct question *q, struct ofs_call *call,
               struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *key =
        ofs_strf("%s %s %s", q->manifest ? "manifest" : "blob", q->repo->path,
                 ofs_digest_format(q->digest, text));
    struct question mine = *q;

    if (!key)
        return ofs_err_nomem(err, "a blob");
    return ofs_flights_run(q->repos->sync->flights, key, call, ask, &mine, err);
}

static void answer(const struct ofs_known_blob *known,
                   struct ofs_blob_seen *ret)
{
    ret->size = known->size;
    ret->manifest = known->kind == OFS_KNOWN_MANIFEST;
    ret->valid_ms = OFS_NEVER;
}

/* Known for sure, without a request. */
static bool is_known(const struct question *q, struct ofs_known_blob *ret)
{
    uint64_t size;

    if (look(q, ret) && is_enough(q, ret))
        return true;
    if (!is_tagged(q, &size))
        return false;
    ofs_repo_learn(q->repo, q->digest, size, NULL);
    return look(q, ret);
}

/*
 * Whoever writes a blob looks whether it is there, and the kernel does once
 * more before it renames.  So on a mount that writes a "no" is as good as any
 * answer, and what arrives meanwhile is in the set.
 */
static bool is_absent(const struct question *q)
{
    int64_t now = ofs_sync_now(q->repos->sync);
    bool found = false;

    if (!q->repos->push || q->manifest)
        return false;
    OFS_GUARD(&q->repo->mtx);
    for (size_t i = 0; i < OFS_ABSENT && !found; i++) {
        const struct ofs_absent *a = &q->repo->absent[i];

        found = ofs_digest_eq(&a->digest, q->digest) &&
                ofs_fresh_left(a->asked_ms, now, q->repos->sync->ttl_ms) > 0;
    }
    return found;
}

static void remember_absent(const struct question *q, int64_t asked_ms)
{
    struct ofs_repo *repo = q->repo;

    OFS_GUARD(&repo->mtx);
    repo->absent[repo->next_absent] =
        (struct ofs_absent){ .digest = *q->digest, .asked_ms = asked_ms };
    repo->next_absent = (repo->next_absent + 1) % OFS_ABSENT;
}

static int ask_shared(const struct question *q, struct ofs_call *call,
                      struct ofs_err *err)
{
    int64_t asked_ms = ofs_sync_now(q->repos->sync);
    int r;

    if (is_absent(q))
        return -ENOENT;
    if (!call->may_wait)
        return -EAGAIN;
    r = fly(q, call, err);
    if (r == -ENOENT)
        remember_absent(q, asked_ms);
    return r;
}

static int find(const struct question *q, struct ofs_call *call,
                struct ofs_blob_seen *ret, struct ofs_err *err)
{
    struct ofs_known_blob known;
    int r = 0;

    if (!is_known(q, &known)) {
        r = ask_shared(q, call, err);
        if (r == -EAGAIN)
            return r;
        if (r == 0 && !look(q, &known))
            r = ofs_err_nomem(err, "a blob");
    }
    if (r == 0) {
        answer(&known, ret);
        return 0;
    }
    /* What was read through this cache before is as last seen. */
    ret->manifest = q->manifest;
    ret->valid_ms = OFS_STALE_VALID_MS;
    if (ofs_err_is(r, OFS_ERR_AWAY) &&
        ofs_store_size(q->repos->store, q->digest, &ret->size) == 0)
        return 0;
    return r;
}

int ofs_blob_find(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, const struct ofs_digest *digest,
                  struct ofs_blob_seen *ret, struct ofs_err *err)
{
    const struct question q = { .repos = repos,
                                .repo = repo,
                                .digest = digest };

    return find(&q, call, ret, err);
}

int ofs_blob_find_manifest(struct ofs_repos *repos, struct ofs_call *call,
                           struct ofs_repo *repo,
                           const struct ofs_digest *digest,
                           struct ofs_blob_seen *ret, struct ofs_err *err)
{
    const struct question q = {
        .repos = repos, .repo = repo, .digest = digest, .manifest = true
    };

    return find(&q, call, ret, err);
}
