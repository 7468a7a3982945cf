/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which blobs the tags of a repository reach: index -> manifests -> layers and
 * configuration, level by level, each level's manifests read side by side.
 * Left out is what the registry does not have: manifests that were not copied
 * along with their index, layers their owner gives out himself.
 */
#include "reach.h"

#include "ocirfs/errclass.h"
#include "ocirfs/mediatype.h"
#include "ocirfs/registry.h"
#include "ocirfs/vec.h"

#include "batch.h"
#include "content.h"
#include "left_out.h"
#include "prefetch.h"
#include "repo_state.h"

#include <stdatomic.h>

enum {
    MAX_LEVELS = 8,       /* indexes of indexes */
    MAX_REACHED = 4000000 /* digests */
};
#define ANY_TIME INT64_MIN

struct digests {
    struct ofs_digest *at;
    size_t n, room;
};

/* Shared by the thread that waits and the batches it starts. */
struct walk {
    struct ofs_repos *repos;
    struct ofs_repo *repo; /* a reference */
    atomic_uint refs;
    struct ofs_mutex mtx;    /* rank INFLIGHT; guards all below */
    struct digests level;    /* manifests to read; not changed meanwhile */
    struct digests next;     /* of the level below */
    struct ofs_blobset seen; /* kind: what it is; learnt: it is there */
    size_t n_read;           /* manifests that were had */
    struct ofs_err trouble;  /* why the last one could not; code 0: none */
    int64_t item_ms;         /* that one may take; set between levels */
};

static void walk_unref(struct walk *w)
{
    if (!w || atomic_fetch_sub(&w->refs, 1) > 1)
        return;
    ofs_repo_put(w->repos, w->repo);
    free(w->level.at);
    free(w->next.at);
    ofs_blobset_done(&w->seen);
    ofs_mutex_done(&w->mtx);
    free(w);
}
OFS_DEFINE_AUTO(struct walk, walk_unref)

static struct walk *walk_new(struct ofs_repos *repos, struct ofs_repo *repo)
{
    struct walk *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->repos = repos;
    w->repo = ofs_repo_ref(repos, repo);
    atomic_init(&w->refs, 1);
    ofs_mutex_init(&w->mtx, OFS_RANK_INFLIGHT);
    return w;
}

static int push(struct digests *d, const struct ofs_digest *digest)
{
    if (ofs_vec_grow(d->at, d->n, d->room) < 0)
        return -ENOMEM;
    d->at[d->n++] = *digest;
    return 0;
}

/* With w->mtx held: a manifest that was not met yet is to be read. */
static int meet_manifest(struct walk *w, const struct ofs_digest *digest,
                         uint64_t size)
{
    const struct ofs_known_blob *seen = ofs_blobset_find(&w->seen, digest);

    if (seen && seen->kind == OFS_KNOWN_MANIFEST)
        return 0;
    if (ofs_blobset_put(&w->seen, digest, size, OFS_KNOWN_MANIFEST) < 0)
        return -ENOMEM;
    return push(&w->next, digest);
}

/* With w->mtx held: layers and configurations are taken to be there. */
static int meet_blob(struct walk *w, const struct ofs_descriptor *d)
{
    if (!d->digest.alg)
        return 0;
    if (w->seen.n >= MAX_REACHED)
        return -EFBIG;
    if (ofs_blobset_put(&w->seen, &d->digest, d->size, OFS_KNOWN_BLOB) < 0)
        return -ENOMEM;
    ofs_blobset_find(&w->seen, &d->digest)->learnt = true;
    return 0;
}

static int meet_parts(struct walk *w, const struct ofs_digest *digest,
                      const struct ofs_manifest *m)
{
    int r = 0;

    OFS_GUARD(&w->mtx);
    ofs_blobset_find(&w->seen, digest)->learnt = true;
    w->n_read++;
    if (!m)
        return 0;
    if (m->kind == OFS_MANIFEST_IMAGE)
        r = meet_blob(w, &m->config);
    for (size_t i = 0; r == 0 && i < m->n_layers; i++) {
        const struct ofs_descriptor *d = &m->layers[i];

        if (ofs_names_manifest(m, d))
            r = meet_manifest(w, &d->digest, d->size);
        else if (!ofs_is_elsewhere(d))
            r = meet_blob(w, d);
    }
    return r;
}

/*
 * It could not be had now; what else there is can be shown all the same.  Told
 * once, and not asked for again for a while, unless nothing can be had now.
 */
static int miss(struct walk *w, const struct ofs_digest *digest, int code,
                const struct ofs_err *why)
{
    if (why->code == code && !ofs_is_trouble_of_all(w->repos, code, why) &&
        ofs_repo_note_unread(w->repos, w->repo, digest, code))
        ofs_left_out(w->repos, w->repo, "blobs", "is not complete", why);
    OFS_GUARD(&w->mtx);
    if (why->code == code || !w->trouble.code)
        w->trouble = *why;
    w->trouble.code = code;
    return 0;
}

/*
 * A layer that its owner gives out himself may have been pushed all the same.
 * Asked once; a "no" is believed for a while.
 */
static int meet_elsewhere(struct walk *w, const struct ofs_descriptor *d,
                          struct ofs_call *call)
{
    int r = ofs_repo_unread(w->repos, w->repo, &d->digest);

    if (r == 0)
        r = ofs_registry_blob_has(w->repos->registry, call, w->repo->path,
                                  &d->digest, NULL);
    if (r == -ENOENT)
        (void)ofs_repo_note_unread(w->repos, w->repo, &d->digest, r);
    if (r < 0)
        return ofs_err_is(r, OFS_ERR_OWN) ? r : 0;
    OFS_GUARD(&w->mtx);
    return meet_blob(w, d);
}

static int meet_foreign(struct walk *w, const struct ofs_manifest *m,
                        struct ofs_call *call)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < m->n_layers; i++)
        if (ofs_is_elsewhere(&m->layers[i]))
            r = meet_elsewhere(w, &m->layers[i], call);
    return r;
}

static int read_one(void *arg, size_t i, struct ofs_call *call,
                    struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct walk *w = arg;
    const struct ofs_digest *digest = &w->level.at[i];
    int r = ofs_repo_unread(w->repos, w->repo, digest);

    if (r >= 0) {
        ofs_call_hurry(call, w->item_ms);
        r = ofs_manifest_read(w->repos, call, w->repo, digest, &m, err);
    }
    if (r == 0)
        r = meet_foreign(w, &m, call);
    if (r == 0)
        return meet_parts(w, digest, &m);
    if (r == -EBADMSG || r == -EFBIG) { /* a file, if nothing we can read */
        (void)miss(w, digest, r, err);
        return meet_parts(w, digest, NULL);
    }
    if (r == -ENOENT) /* not copied along */
        return 0;
    return ofs_err_is(r, OFS_ERR_OWN) ? r : miss(w, digest, r, err);
}

static bool every_error(int code)
{
    return code < 0;
}

/* Is there still a thread that walks, beside the batch? */
static bool is_walking(void *arg)
{
    struct walk *w = arg;

    return atomic_load(&w->refs) > 1;
}

static void let_go(void *arg)
{
    walk_unref(arg);
}

static const struct ofs_batch_ops walk_ops = {
    .item = read_one,
    .is_end = every_error,
    .is_wanted = is_walking,
    .free = let_go,
};

/* Read the manifests of w->level. */
static int walk_level(struct walk *w, struct ofs_call *call,
                      struct ofs_err *err)
{
    OFS_AUTO(ofs_batch_unrefp) struct ofs_batch *b = NULL;
    bool ended;
    int r;

    (void)atomic_fetch_add(&w->refs, 1);
    b = ofs_batch_new(w->repos->sync->batches, &walk_ops, w, w->level.n);
    if (!b)
        return ofs_err_nomem(err, "a list of blobs");
    r = ofs_batch_go(b, err);
    return r < 0 ? r : ofs_batch_wait(b, call, OFS_NEVER, &ended, err);
}

static int walk_all(struct walk *w, struct ofs_call *call, struct ofs_err *err)
{
    for (int i = 0; i < MAX_LEVELS && w->next.n > 0; i++) {
        int r;

        free(w->level.at);
        w->level = w->next;
        memset(&w->next, 0, sizeof(w->next));
        w->item_ms = ofs_share_ms(call);
        r = walk_level(w, call, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The manifests of all tags and what has none; the version they are of. */
static int begin(struct walk *w, uint64_t *ret_version)
{
    int r = 0;

    OFS_GUARD(&w->repo->mtx);
    *ret_version = w->repo->version;
    for (size_t i = 0; r == 0 && i < w->repo->tags.n; i++) {
        const struct ofs_tag *tag = &w->repo->tags.at[i];

        if (ofs_tag_is_shown(tag))
            r = meet_manifest(w, &tag->info.digest, tag->info.size);
    }
    for (const struct ofs_nameless *n = w->repo->nameless; r == 0 && n;
         n = n->next)
        r = meet_manifest(w, &n->digest, n->size);
    return r;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ofs_digest));
}

/* What was met and is there, sorted. */
static int harvest(const struct walk *w, struct digests *ret)
{
    for (size_t i = 0; i < w->seen.room; i++) {
        const struct ofs_known_blob *seen = &w->seen.at[i];

        if (seen->digest.alg && seen->learnt && push(ret, &seen->digest) < 0)
            return -ENOMEM;
    }
    if (ret->n)
        qsort(ret->at, ret->n, sizeof(*ret->at), compare);
    return 0;
}

/* Keep it for the next one; for a while only when it is not all. */
static void keep(struct walk *w, uint64_t version, struct digests *found)
{
    OFS_GUARD(&w->repo->mtx);
    free(w->repo->reach);
    w->repo->reach = ofs_take(&found->at);
    w->repo->n_reach = found->n;
    w->repo->reach_version = version;
    w->repo->reach_until_ms =
        w->trouble.code ? ofs_sync_now(w->repos->sync) + w->repos->sync->ttl_ms
                        : OFS_NEVER;
}

/* An empty list because all was refused would be a lie. */
static int verdict(const struct walk *w, struct ofs_err *err)
{
    if (w->n_read > 0 || !w->trouble.code)
        return 0;
    return ofs_err_set(err, w->trouble.code, "%s", w->trouble.text);
}

static int find_reach(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    struct walk *w = arg;
    struct digests found = { 0 };
    uint64_t version;
    int r = begin(w, &version);

    if (r == 0)
        r = walk_all(w, call, err);
    if (r == 0)
        r = verdict(w, err);
    if (r == 0)
        r = harvest(w, &found);
    if (r == 0)
        keep(w, version, &found);
    free(found.at);
    return r;
}

/* A copy of what is kept, if it is of the tags as they are `now`. */
static bool copy_kept(struct ofs_repo *repo, int64_t now, struct digests *ret)
{
    OFS_GUARD(&repo->mtx);
    if (now != ANY_TIME &&
        (repo->reach_version != repo->version || repo->reach_until_ms <= now))
        return false;
    ret->at = calloc(repo->n_reach + 1, sizeof(*ret->at));
    if (!ret->at)
        return false;
    if (repo->n_reach)
        memcpy(ret->at, repo->reach, repo->n_reach * sizeof(*ret->at));
    ret->n = repo->n_reach;
    return true;
}

static int find_shared(struct ofs_repos *repos, struct ofs_call *call,
                       struct ofs_repo *repo, struct ofs_err *err)
{
    OFS_AUTO(walk_unrefp) struct walk *w = walk_new(repos, repo);
    OFS_AUTOFREE char *key = ofs_strf("reach %s", repo->path);

    if (!w || !key)
        return ofs_err_nomem(err, "a list of blobs");
    return ofs_flights_run(repos->sync->flights, key, call, find_reach, w, err);
}

int ofs_reach_get(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_digest **ret, size_t *ret_n,
                  struct ofs_err *err)
{
    struct digests found = { 0 };
    int r = ofs_tags_want(repos, call, repo, err);

    if (r < 0)
        return r;
    if (!copy_kept(repo, ofs_sync_now(repos->sync), &found)) {
        if (!call->may_wait)
            return -EAGAIN;
        r = find_shared(repos, call, repo, err);
        if (r < 0)
            return r;
        if (!copy_kept(repo, ANY_TIME, &found))
            return ofs_err_nomem(err, "a list of blobs");
    }
    *ret = found.at;
    *ret_n = found.n;
    return 0;
}
