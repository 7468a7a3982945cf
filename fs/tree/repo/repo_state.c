/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The repositories in use.  A state without references stays, in the order it
 * was used, until all of them together weigh too much.
 */
#include "repo_state.h"

#include "ocirfs/clock.h"

#include "tags_note.h"

enum {
    MAX_UNUSED = 1024,          /* repositories; a tenancy has 500 and more */
    MAX_UNUSED_WEIGHT = 200000, /* tags and blobs known of them, ~150 B each */
};

void ofs_nameless_free(struct ofs_nameless *list)
{
    while (list) {
        struct ofs_nameless *next = list->next;

        free(list->media_type);
        free(list);
        list = next;
    }
}

static void repo_free(struct ofs_repo *repo)
{
    if (!repo)
        return;
    ofs_tags_done(&repo->tags);
    ofs_blobset_done(&repo->blobs);
    ofs_bytes_unref(repo->index.bytes);
    for (size_t i = 0; i < OFS_OLD_INDEXES; i++)
        ofs_bytes_unref(repo->old_index[i].bytes);
    for (size_t i = 0; i < OFS_READINGS; i++)
        ofs_bytes_unref(repo->readings[i].bytes);
    ofs_nameless_free(repo->nameless);
    free(repo->reach);
    free(repo->list_key);
    free(repo->note_key);
    free(repo->path);
    ofs_mutex_done(&repo->mtx);
    free(repo);
}
OFS_DEFINE_AUTO(struct ofs_repo, repo_free)

static struct ofs_repo *repo_new(struct ofs_repos *repos, const char *path)
{
    OFS_AUTO(repo_freep) struct ofs_repo *repo = calloc(1, sizeof(*repo));

    if (!repo)
        return NULL;
    ofs_mutex_init(&repo->mtx, OFS_RANK_NODE);
    repo->path = strdup(path);
    repo->list_key = ofs_strf("list %s", path);
    if (!repo->path || !repo->list_key)
        return NULL;
    repo->list.ttl_ms = repos->sync->ttl_ms;
    repo->listed_ms = OFS_LONG_AGO;
    repo->noted_ms = OFS_LONG_AGO;
    repo->version = 1;
    return ofs_take(&repo);
}

int ofs_repos_init(struct ofs_repos *repos)
{
    ofs_mutex_init(&repos->mtx, OFS_RANK_NODE);
    repos->map = ofs_map_new();
    return repos->map ? 0 : -ENOMEM;
}

static void free_value(void *value)
{
    repo_free(value);
}

void ofs_repos_done(struct ofs_repos *repos)
{
    if (!repos->map)
        return;
    ofs_map_free(repos->map, free_value);
    ofs_mutex_done(&repos->mtx);
}

/* With repos.mtx held, as the next ones: the list of the unused. */
static void unlink_unused(struct ofs_repos *p, struct ofs_repo *repo)
{
    *(repo->newer ? &repo->newer->older : &p->newest) = repo->older;
    *(repo->older ? &repo->older->newer : &p->oldest) = repo->newer;
    repo->newer = repo->older = NULL;
    p->n_unused--;
    p->weight_unused -= repo->weight;
}

static void link_unused(struct ofs_repos *p, struct ofs_repo *repo)
{
    repo->older = p->newest;
    *(p->newest ? &p->newest->newer : &p->oldest) = repo;
    p->newest = repo;
    p->n_unused++;
    p->weight_unused += repo->weight;
}

/* One that must go, out of the map and the list; NULL: none. */
static struct ofs_repo *take_victim(struct ofs_repos *p)
{
    struct ofs_repo *repo = p->oldest;

    if (!repo || repo == p->newest ||
        (p->n_unused <= MAX_UNUSED && p->weight_unused <= MAX_UNUSED_WEIGHT))
        return NULL;
    unlink_unused(p, repo);
    (void)ofs_map_remove(p->map, repo->path);
    /* When it comes back its time must not be earlier than it was. */
    if (repo->changed_s > p->base_s)
        p->base_s = repo->changed_s;
    return repo;
}

static struct ofs_repo *find(struct ofs_repos *repos, const char *path)
{
    struct ofs_repo *repo;

    OFS_GUARD(&repos->mtx);
    repo = ofs_map_get(repos->map, path);
    if (repo && repo->refs++ == 0)
        unlink_unused(repos, repo);
    return repo;
}

/* The state of that path, or *fresh, now in the map. */
static struct ofs_repo *find_or_insert(struct ofs_repos *repos,
                                       struct ofs_repo **fresh)
{
    struct ofs_repo *repo;

    OFS_GUARD(&repos->mtx);
    repo = ofs_map_get(repos->map, (*fresh)->path);
    if (!repo) {
        if (ofs_map_put(repos->map, (*fresh)->path, *fresh, NULL) < 0)
            return NULL;
        repo = ofs_take(fresh);
    } else if (repo->refs == 0) {
        unlink_unused(repos, repo);
    }
    repo->refs++;
    return repo;
}

struct ofs_repo *ofs_repo_get(struct ofs_repos *repos, const char *path)
{
    OFS_AUTO(repo_freep) struct ofs_repo *fresh = NULL;
    struct ofs_repo *repo = find(repos, path);

    if (repo)
        return repo;
    fresh = repo_new(repos, path);
    if (!fresh)
        return NULL;
    ofs_note_load_tags(repos, fresh);
    return find_or_insert(repos, &fresh);
}

struct ofs_repo *ofs_repo_ref(struct ofs_repos *repos, struct ofs_repo *repo)
{
    OFS_GUARD(&repos->mtx);
    repo->refs++;
    return repo;
}

static size_t weigh(struct ofs_repo *repo)
{
    OFS_GUARD(&repo->mtx);
    return repo->tags.n + repo->blobs.n + repo->n_reach;
}

void ofs_repo_put(struct ofs_repos *repos, struct ofs_repo *repo)
{
    struct ofs_repo *victim;
    size_t weight;

    if (!repo)
        return;
    weight = weigh(repo);
    {
        OFS_GUARD(&repos->mtx);
        if (--repo->refs > 0)
            return;
        repo->weight = weight;
        link_unused(repos, repo);
    }
    do {
        {
            OFS_GUARD(&repos->mtx);
            victim = take_victim(repos);
        }
        if (victim)
            ofs_note_tags(repos, victim, /* now= */ true);
        repo_free(victim);
    } while (victim);
}

struct all {
    struct ofs_repo **at;
    size_t n, max;
};

static int collect(const char *path, void *value, void *arg)
{
    struct all *all = arg;

    (void)path;
    all->at[all->n++] = value;
    return all->n == all->max;
}

/* Some that are known, each with a reference; how many. */
static size_t hold_some(struct ofs_repos *repos, struct ofs_repo **at,
                        size_t max)
{
    struct all all = { .at = at, .max = max };

    OFS_GUARD(&repos->mtx);
    (void)ofs_map_each(repos->map, collect, &all);
    for (size_t i = 0; i < all.n; i++)
        if (at[i]->refs++ == 0)
            unlink_unused(repos, at[i]);
    return all.n;
}

/* What an index mentions may not be there, so it is asked for last. */
static bool has_blob(struct ofs_repo *repo, const struct ofs_digest *digest,
                     bool mentioned)
{
    const struct ofs_known_blob *known;

    OFS_GUARD(&repo->mtx);
    known = ofs_blobset_find(&repo->blobs, digest);
    return known && (known->kind == OFS_KNOWN_MENTIONED) == mentioned;
}

int ofs_repos_with(struct ofs_repos *repos, const struct ofs_digest *digest,
                   struct ofs_strv *ret)
{
    enum { MAX_LOOKED_AT = 4096, ENOUGH = 8 };
    OFS_AUTOFREE struct ofs_repo **at =
        calloc(MAX_LOOKED_AT, sizeof(struct ofs_repo *));
    size_t n;
    int r = 0;

    if (!at)
        return -ENOMEM;
    n = hold_some(repos, at, MAX_LOOKED_AT);
    for (size_t i = 0; r == 0 && i < 2 * n; i++)
        if (ret->n < ENOUGH &&
            has_blob(at[i % n], digest, /* mentioned= */ i >= n))
            r = ofs_strv_add(ret, at[i % n]->path);
    for (size_t i = 0; i < n; i++)
        ofs_repo_put(repos, at[i]);
    return r;
}

void ofs_repos_flush(struct ofs_repos *repos)
{
    OFS_AUTOFREE struct ofs_repo **at = NULL;
    struct all all = { 0 };

    {
        OFS_GUARD(&repos->mtx);
        at = calloc(ofs_map_count(repos->map) + 1, sizeof(*at));
        if (!at)
            return;
        all.at = at;
        all.max = ofs_map_count(repos->map);
        (void)ofs_map_each(repos->map, collect, &all);
    }
    /* Nobody else is there any more, so none can go away meanwhile. */
    for (size_t i = 0; i < all.n; i++)
        ofs_note_tags(repos, all.at[i], /* now= */ true);
}

int ofs_repo_refusal(struct ofs_repos *repos, const char *path)
{
    struct ofs_repo *repo = find(repos, path);
    int code = 0;

    if (!repo)
        return 0;
    {
        OFS_GUARD(&repo->mtx);
        if (repo->list.state == OFS_LIST_REFUSED &&
            ofs_fresh_left(repo->list.at_ms, ofs_sync_now(repos->sync),
                           repos->sync->negative_ttl_ms) > 0)
            code = repo->list.code;
    }
    ofs_repo_put(repos, repo);
    return code;
}

bool ofs_repo_is_listed(struct ofs_repos *repos, const char *path)
{
    struct ofs_repo *repo = find(repos, path);
    bool listed = false;

    if (repo) {
        OFS_GUARD(&repo->mtx);
        listed = repo->list.state == OFS_LIST_KNOWN;
    }
    ofs_repo_put(repos, repo);
    return listed;
}

int64_t ofs_repo_changed(struct ofs_repos *repos, const char *path)
{
    struct ofs_repo *repo = find(repos, path);
    int64_t changed_s = 0;

    if (repo) {
        OFS_GUARD(&repo->mtx);
        changed_s = repo->changed_s;
    }
    ofs_repo_put(repos, repo);
    return changed_s;
}

int64_t ofs_repos_base_s(struct ofs_repos *repos)
{
    OFS_GUARD(&repos->mtx);
    return repos->base_s;
}
