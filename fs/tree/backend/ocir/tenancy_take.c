/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the control plane become what is known.  The repositories are
 * one table for the tenancy; the names of each compartment are made from it
 * anew after every change, so that a repository is in one place only, whatever
 * lists of different compartments said at different times.
 */
#include "tenancy_priv.h"

#include "ocirfs/clock.h"
#include "ocirfs/ref.h"

#include "pathset.h"

void ofs_tenancy_answer_done(struct ofs_tenancy_answer *a)
{
    ofs_ora_compartments_done(&a->compartments);
    ofs_ora_repositories_done(&a->repos);
}

/* ---- with mtx held, up to the next line of this kind ---- */

static struct ofs_scope *scope_need(struct ofs_tenancy *n, const char *id)
{
    struct ofs_scope *s = ofs_map_get(n->scopes, id);

    if (s)
        return s;
    s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->list.ttl_ms = n->base.sync->ttl_ms;
    s->id = strdup(id);
    s->key = ofs_strf("compartment %s", id);
    if (s->id && s->key && ofs_map_put(n->scopes, id, s, NULL) == 0)
        return s;
    free(s->id);
    free(s->key);
    free(s);
    return NULL;
}

/* Names that no registry path can be made of are not there. */
static bool is_sane(const struct ofs_tenancy *n,
                    const struct ofs_ora_repository *repo)
{
    OFS_AUTOFREE char *path = ofs_strf("%s/%s", n->ns, repo->name);

    return path && strlen(path) <= NAME_MAX && ofs_repo_is_valid(path);
}

/* What *repo holds moves into the table. */
static int put(struct ofs_map *repos, struct ofs_ora_repository *repo)
{
    struct ofs_ora_repository *copy = malloc(sizeof(*copy));
    void *old = NULL;

    if (!copy)
        return -ENOMEM;
    *copy = *repo;
    *repo = (struct ofs_ora_repository){ 0 };
    if (ofs_map_put(repos, copy->name, copy, &old) < 0) {
        ofs_tenancy_repo_free(copy);
        return -ENOMEM;
    }
    ofs_tenancy_repo_free(old);
    return 0;
}

static int put_all(struct ofs_tenancy *n, struct ofs_map *repos,
                   struct ofs_ora_repositories *from)
{
    if (from->n > 0 && !n->ns)
        n->ns = strdup(from->at[0].namespace_name);
    if (from->n > 0 && !n->ns)
        return -ENOMEM;
    for (size_t i = 0; i < from->n; i++)
        if (is_sane(n, &from->at[i]) && put(repos, &from->at[i]) < 0)
            return -ENOMEM;
    return 0;
}

struct grouping {
    const struct ofs_tenancy *n;
    struct ofs_strv *names; /* of each compartment */
};

static int group_one(const char *name, void *value, void *arg)
{
    struct grouping *g = arg;
    const struct ofs_compartment *c = ofs_tenancy_home(g->n, value);

    return c ? ofs_strv_add(&g->names[c - g->n->tree.at], name) : 0;
}

/* Was there an answer before, of this mount? */
static bool was_known(const struct ofs_tenancy *n, const struct ofs_scope *s)
{
    const struct ofs_listing *l = n->each ? &s->list : &n->list;

    return l->state == OFS_LIST_KNOWN && l->at_ms != OFS_LONG_AGO;
}

static void swap_names(const struct ofs_tenancy *n, struct ofs_scope *s,
                       struct ofs_strv *names)
{
    struct ofs_strv old = s->names;

    ofs_strv_sort(names);
    if (was_known(n, s) && !ofs_paths_equal(&old, names))
        s->changed_s = ofs_wall_s();
    s->names = *names;
    *names = old;
}

/* The names of all compartments, from the table. */
static int group(struct ofs_tenancy *n)
{
    OFS_AUTOFREE struct ofs_strv *names =
        calloc(n->tree.n + 1, sizeof(names[0]));
    struct grouping g = { .n = n, .names = names };
    int r;

    if (!names)
        return -ENOMEM;
    r = ofs_map_each(n->repos, group_one, &g);
    for (size_t i = 0; i < n->tree.n; i++) {
        struct ofs_scope *s = r == 0 ? scope_need(n, n->tree.at[i].id) : NULL;

        if (s)
            swap_names(n, s, &names[i]);
        else
            r = -ENOMEM;
        ofs_strv_done(&names[i]);
    }
    return r;
}

struct leaving {
    const char *compartment;
    struct ofs_strv names;
};

static int collect(const char *name, void *value, void *arg)
{
    const struct ofs_ora_repository *repo = value;
    struct leaving *l = arg;

    return strcmp(repo->compartment_id, l->compartment) == 0
               ? ofs_strv_add(&l->names, name)
               : 0;
}

/* Take all repositories of a compartment out of the table. */
static int remove_of(struct ofs_tenancy *n, const char *compartment)
{
    struct leaving l = { .compartment = compartment };
    int r = ofs_map_each(n->repos, collect, &l);

    for (size_t i = 0; r == 0 && i < l.names.n; i++)
        ofs_tenancy_repo_free(ofs_map_remove(n->repos, l.names.at[i]));
    ofs_strv_done(&l.names);
    return r;
}

static int take_compartments(struct ofs_tenancy *n,
                             struct ofs_tenancy_answer *a)
{
    const struct ofs_ora_compartments *list =
        a->no_compartments ? &n->raw : &a->compartments;
    struct ofs_ora_compartments raw = n->raw;
    struct ofs_comptree tree = { 0 };
    int r = ofs_comptree_build(list, n->id, n->wanted, &tree);

    if (r < 0)
        return r;
    ofs_comptree_done(&n->tree);
    n->tree = tree;
    if (!a->no_compartments) {
        n->raw = a->compartments;
        a->compartments = raw;
    }
    return 0;
}

static int forget_why(const char *id, void *value, void *arg)
{
    struct ofs_scope *s = value;

    (void)id;
    (void)arg;
    s->why[0] = '\0';
    return 0;
}

static int take_repos(struct ofs_tenancy *n, struct ofs_tenancy_answer *a,
                      int64_t asked_ms)
{
    struct ofs_map *repos;

    n->each = a->no_repos && !a->why[0];
    if (!a->not_asked)
        n->each_at_ms = asked_ms;
    (void)snprintf(n->why, sizeof(n->why), "%s", a->why);
    if (a->no_repos)
        return 0;
    repos = ofs_map_new();
    if (!repos || put_all(n, repos, &a->repos) < 0) {
        if (repos)
            ofs_map_free(repos, ofs_tenancy_repo_free);
        return -ENOMEM;
    }
    ofs_map_free(n->repos, ofs_tenancy_repo_free);
    n->repos = repos;
    return ofs_map_each(n->scopes, forget_why, NULL);
}

/* ---- the interface ---- */

int ofs_tenancy_take(struct ofs_tenancy *n, struct ofs_tenancy_answer *a,
                     int64_t asked_ms)
{
    int r;

    OFS_GUARD(&n->mtx);
    r = take_compartments(n, a);
    if (r == 0)
        r = take_repos(n, a, asked_ms);
    if (r == 0)
        r = group(n);
    if (r == 0)
        ofs_listing_said(&n->list, asked_ms, 0);
    return r;
}

int ofs_tenancy_take_scope(struct ofs_tenancy *n, struct ofs_scope *s,
                           struct ofs_ora_repositories *repos, const char *why,
                           int64_t asked_ms)
{
    int r = 0;

    OFS_GUARD(&n->mtx);
    (void)snprintf(s->why, sizeof(s->why), "%s", why ? why : "");
    if (!why)
        r = remove_of(n, s->id);
    if (r == 0)
        r = put_all(n, n->repos, repos);
    if (r == 0)
        r = group(n);
    if (r < 0)
        return r;
    /* A policy is not written every few seconds. */
    s->list.ttl_ms = why && n->base.sync->ttl_ms < OFS_NO_CATALOG_MS
                         ? OFS_NO_CATALOG_MS
                         : n->base.sync->ttl_ms;
    ofs_listing_said(&s->list, asked_ms, 0);
    return 0;
}

int ofs_tenancy_put(struct ofs_tenancy *n, struct ofs_ora_repository *repo)
{
    struct ofs_ora_repositories one = { .at = repo, .n = 1 };
    int r;

    OFS_GUARD(&n->mtx);
    n->changes++;
    if (n->is_named && ofs_paths_add(&n->named, repo->name) < 0)
        return -ENOMEM;
    r = put_all(n, n->repos, &one);
    return r < 0 ? r : group(n);
}

void ofs_tenancy_remove(struct ofs_tenancy *n, const char *path)
{
    const char *name;
    int r;

    OFS_GUARD(&n->mtx);
    name = ofs_tenancy_display(n, path);
    if (!name)
        return;
    n->changes++;
    ofs_paths_remove(&n->named, name);
    ofs_tenancy_repo_free(ofs_map_remove(n->repos, name));
    r = group(n);
    (void)r; /* without memory it is seen a little longer */
}

int ofs_tenancy_moved(struct ofs_tenancy *n, const char *path,
                      const char *compartment)
{
    OFS_AUTOFREE char *id = strdup(compartment), *old = NULL;
    struct ofs_ora_repository *repo;
    const char *name;

    OFS_GUARD(&n->mtx);
    name = ofs_tenancy_display(n, path);
    repo = name ? ofs_map_get(n->repos, name) : NULL;
    if (!id)
        return -ENOMEM;
    if (!repo)
        return 0;
    n->changes++;
    old = repo->compartment_id;
    repo->compartment_id = ofs_take(&id);
    return group(n);
}
