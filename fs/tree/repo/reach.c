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
#include "prefetch.h"
#include "repo_state.h"

#include <stdatomic.h>

enum {
    MAX_LEVELS = 8,       /* indexes of indexes */
    MAX_REACHED = 4000000 /* digests */
};

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
    bool incomplete;         /* a manifest could not be had now */
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
    if (ofs_is_elsewhere(d))
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
    if (!m)
        return 0;
    if (m->kind == OFS_MANIFEST_IMAGE)
        r = meet_blob(w, &m->config);
    for (size_t i = 0; r == 0 && i < m->n_layers; i++)
        r = m->kind == OFS_MANIFEST_IMAGE
                ? meet_blob(w, &m->layers[i])
                : meet_manifest(w, &m->layers[i].digest, m->layers[i].size);
    return r;
}

/* It could not be had now; what else there is can be shown all the same. */
static int miss(struct walk *w)
{
    OFS_GUARD(&w->mtx);
    w->incomplete = true;
    return 0;
}

static int read_one(void *arg, size_t i, struct ofs_call *call,
                    struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct walk *w = arg;
    const struct ofs_digest *digest = &w->level.at[i];
    int r = ofs_manifest_read(w->repos, call, w->repo, digest, &m, err);

    if (r == 0)
        return meet_parts(w, digest, &m);
    if (r == -EBADMSG || r == -EFBIG) /* a file, if nothing we can read */
        return meet_parts(w, digest, NULL);
    if (r == -ENOENT) /* not copied along */
        return 0;
    return ofs_err_is(r, OFS_ERR_AWAY) ? miss(w) : r;
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

        if (tag->known && !tag->refused)
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

/* Keep it for the next one, unless it is not all. */
static void keep(struct walk *w, uint64_t version, struct digests *found)
{
    OFS_GUARD(&w->repo->mtx);
    free(w->repo->reach);
    w->repo->reach = ofs_take(&found->at);
    w->repo->n_reach = found->n;
    w->repo->reach_version = w->incomplete ? 0 : version;
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
        r = harvest(w, &found);
    if (r == 0)
        keep(w, version, &found);
    free(found.at);
    return r;
}

/* A copy of what is kept, if it is of the tags as they are now. */
static bool copy_kept(struct ofs_repo *repo, bool any_version,
                      struct digests *ret)
{
    OFS_GUARD(&repo->mtx);
    if (!repo->reach_version && !any_version)
        return false;
    if (!any_version && repo->reach_version != repo->version)
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
    if (!copy_kept(repo, /* any_version= */ false, &found)) {
        if (!call->may_wait)
            return -EAGAIN;
        r = find_shared(repos, call, repo, err);
        if (r < 0)
            return r;
        if (!copy_kept(repo, /* any_version= */ true, &found))
            return ofs_err_nomem(err, "a list of blobs");
    }
    *ret = found.at;
    *ret_n = found.n;
    return 0;
}
