/* SPDX-License-Identifier: Apache-2.0 */
#include "tenancy_priv.h"

#include "pathset.h"

void ofs_repo_ocids_done(struct ofs_repo_ocids *o)
{
    free(o->id);
    free(o->compartment);
}

static void scope_free(void *arg)
{
    struct ofs_scope *s = arg;

    ofs_strv_done(&s->names);
    free(s->id);
    free(s->key);
    free(s);
}

void ofs_tenancy_repo_free(void *arg)
{
    struct ofs_ora_repository *repo = arg;

    if (repo)
        ofs_ora_repository_done(repo);
    free(repo);
}

void ofs_tenancy_free(struct ofs_tenancy *n)
{
    if (!n)
        return;
    if (n->repos)
        ofs_map_free(n->repos, ofs_tenancy_repo_free);
    if (n->scopes)
        ofs_map_free(n->scopes, scope_free);
    ofs_comptree_done(&n->tree);
    ofs_ora_compartments_done(&n->raw);
    ofs_strv_done(&n->named);
    ofs_ttlcache_free(n->repo_details);
    ofs_ttlcache_free(n->image_lists);
    ofs_ttlcache_free(n->image_details);
    ofs_mutex_done(&n->mtx);
    free(n->id);
    free(n->wanted);
    free(n->note_key);
    free(n->ns);
    free(n);
}

static int init(struct ofs_tenancy *n, const struct ofs_ocir_backend_cfg *cfg)
{
    const struct ofs_strv *named = cfg->named;

    n->id = strdup(cfg->tenancy);
    n->wanted = cfg->compartment ? strdup(cfg->compartment) : NULL;
    n->ns = cfg->namespace_name ? strdup(cfg->namespace_name) : NULL;
    n->scopes = ofs_map_new();
    n->repos = ofs_map_new();
    if (!n->id || !n->scopes || !n->repos || (cfg->compartment && !n->wanted) ||
        (cfg->namespace_name && !n->ns))
        return -ENOMEM;
    for (size_t i = 0; named && i < named->n; i++)
        if (ofs_strv_add(&n->named, named->at[i]) < 0)
            return -ENOMEM;
    ofs_strv_sort(&n->named);
    ofs_strv_unique(&n->named);
    n->is_named = n->named.n > 0;
    return 0;
}

struct ofs_tenancy *ofs_tenancy_new(const struct ofs_ocir_backend_cfg *cfg)
{
    struct ofs_tenancy *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    ofs_mutex_init(&n->mtx, OFS_RANK_NODE);
    n->base.sync = cfg->sync;
    n->base.store = cfg->store;
    n->ora = cfg->ora;
    n->warn = cfg->warn;
    n->warn_arg = cfg->warn_arg;
    n->list.ttl_ms = n->base.sync->ttl_ms;
    n->each_at_ms = OFS_LONG_AGO;
    if (init(n, cfg) == 0)
        return n;
    ofs_tenancy_free(n);
    return NULL;
}

/* ---- looking; with mtx held, up to the next line of this kind ---- */

/* NULL: there is no such compartment, or nothing was asked of it yet. */
static const struct ofs_scope *find_scope(const struct ofs_tenancy *n,
                                          uint64_t scope)
{
    const struct ofs_compartment *c = ofs_comptree_of_scope(&n->tree, scope);

    return c ? ofs_map_get(n->scopes, c->id) : NULL;
}

const char *ofs_tenancy_display(const struct ofs_tenancy *n, const char *path)
{
    size_t len = n->ns ? strlen(n->ns) : 0;

    if (len == 0 || strncmp(path, n->ns, len) != 0 || path[len] != '/')
        return NULL;
    return path + len + 1;
}

/* The names to show there; NULL: none are known. */
static const struct ofs_strv *names_of(const struct ofs_tenancy *n,
                                       uint64_t scope)
{
    const struct ofs_scope *s;

    if (n->is_named)
        return scope == OFS_SCOPE_TOP ? &n->named : NULL;
    s = find_scope(n, scope);
    return s ? &s->names : NULL;
}

const struct ofs_compartment *
ofs_tenancy_home(const struct ofs_tenancy *n,
                 const struct ofs_ora_repository *repo)
{
    const struct ofs_compartment *c =
        ofs_comptree_of_id(&n->tree, repo->compartment_id);

    if (c || n->wanted || n->tree.n == 0)
        return c;
    return &n->tree.at[0];
}

const struct ofs_ora_repository *ofs_tenancy_repo(const struct ofs_tenancy *n,
                                                  const char *path)
{
    const char *name = ofs_tenancy_display(n, path);

    return name ? ofs_map_get(n->repos, name) : NULL;
}

/* Why the names there are not known; "": they are. */
static const char *why_not(const struct ofs_tenancy *n, uint64_t scope)
{
    const struct ofs_scope *s = find_scope(n, scope);

    if (n->is_named || (s && s->names.n > 0))
        return "";
    return n->why[0] ? n->why : s ? s->why : "";
}

/* Nothing is listed to us, so a path may be walked by whoever knows it. */
static bool is_open(const struct ofs_tenancy *n, uint64_t scope)
{
    return scope == OFS_SCOPE_TOP && n->tree.n <= 1 && *why_not(n, scope);
}

static void search(const struct ofs_tenancy *n, uint64_t scope,
                   const char *path, struct ofs_ns *ret)
{
    const struct ofs_strv *names = names_of(n, scope);
    const char *name = ofs_tenancy_display(n, path);

    ret->flags = is_open(n, scope) ? OFS_NS_OPEN : 0;
    if (!*path &&
        (scope == OFS_SCOPE_TOP || ofs_comptree_of_scope(&n->tree, scope)))
        ret->flags |= OFS_NS_PARENT;
    if (!name || !names)
        return;
    if (ofs_strv_has(names, name))
        ret->flags |= OFS_NS_REPO;
    if (ofs_paths_below(names, name))
        ret->flags |= OFS_NS_PARENT;
}

/* ---- questions ---- */

bool ofs_tenancy_is_known(struct ofs_tenancy *n, uint64_t scope)
{
    const struct ofs_scope *s;

    if (n->is_named)
        return true;
    OFS_GUARD(&n->mtx);
    s = find_scope(n, scope);
    return n->list.state == OFS_LIST_KNOWN &&
           (!n->each || !s || s->list.state == OFS_LIST_KNOWN);
}

void ofs_tenancy_search(struct ofs_tenancy *n, uint64_t scope, const char *path,
                        struct ofs_ns *ret)
{
    const struct ofs_scope *s;
    int64_t now = ofs_sync_now(n->base.sync), left;

    OFS_GUARD(&n->mtx);
    search(n, scope, path, ret);
    ret->left_ms = ofs_fresh_left(n->list.at_ms, now, n->base.sync->ttl_ms);
    s = n->each ? find_scope(n, scope) : NULL;
    left = s ? ofs_fresh_left(s->list.at_ms, now, n->base.sync->ttl_ms)
             : ret->left_ms;
    if (left < ret->left_ms)
        ret->left_ms = left;
    if (n->is_named)
        ret->left_ms = n->base.sync->ttl_ms;
}

int ofs_tenancy_parts(struct ofs_tenancy *n, uint64_t scope, const char *path,
                      struct ofs_strv *ret)
{
    const struct ofs_strv *names;
    const char *name;

    OFS_GUARD(&n->mtx);
    names = names_of(n, scope);
    name = *path ? ofs_tenancy_display(n, path) : "";
    return names && name ? ofs_paths_parts(names, name, ret) : 0;
}

int ofs_tenancy_names(struct ofs_tenancy *n, uint64_t scope, const char *path,
                      struct ofs_strv *ret)
{
    const struct ofs_strv *names;
    const char *name;
    size_t len;

    OFS_GUARD(&n->mtx);
    names = names_of(n, scope);
    name = ofs_tenancy_display(n, path);
    len = name ? strlen(name) : 0;
    for (size_t i = 0; names && name && i < names->n; i++) {
        const char *at = names->at[i];
        char *whole;

        if (strncmp(at, name, len) != 0 || (at[len] && at[len] != '/'))
            continue;
        whole = ofs_strf("%s/%s", n->ns, at);
        if (!whole || ofs_strv_add_own(ret, whole) < 0)
            return -ENOMEM;
    }
    return 0;
}

bool ofs_tenancy_place_of(struct ofs_tenancy *n, const char *path,
                          struct ofs_repo_location *ret)
{
    const struct ofs_ora_repository *repo;
    const struct ofs_compartment *home;

    OFS_GUARD(&n->mtx);
    repo = ofs_tenancy_repo(n, path);
    if (!repo)
        return false;
    home = n->is_named ? NULL : ofs_tenancy_home(n, repo);
    ret->scope = home ? home->scope : OFS_SCOPE_TOP;
    ret->mtime_s =
        repo->pushed_s > repo->created_s ? repo->pushed_s : repo->created_s;
    return true;
}

uint64_t ofs_tenancy_above(struct ofs_tenancy *n, uint64_t scope)
{
    const struct ofs_compartment *c;

    OFS_GUARD(&n->mtx);
    c = ofs_comptree_of_scope(&n->tree, scope);
    return c ? n->tree.at[c->parent].scope : OFS_SCOPE_TOP;
}

int64_t ofs_tenancy_mtime(struct ofs_tenancy *n, uint64_t scope)
{
    const struct ofs_compartment *c;
    const struct ofs_scope *s;
    int64_t at_s;

    OFS_GUARD(&n->mtx);
    c = ofs_comptree_of_scope(&n->tree, scope);
    s = find_scope(n, scope);
    at_s = c ? c->created_s : 0;
    return s && s->changed_s > at_s ? s->changed_s : at_s;
}

int ofs_tenancy_children(struct ofs_tenancy *n, uint64_t scope,
                         struct ofs_children *ret)
{
    const struct ofs_compartment *above;

    if (n->is_named)
        return 0;
    OFS_GUARD(&n->mtx);
    above = ofs_comptree_of_scope(&n->tree, scope);
    if (!above)
        return 0;
    ret->scopes = calloc(n->tree.n, sizeof(ret->scopes[0]));
    if (!ret->scopes)
        return -ENOMEM;
    for (size_t i = 1; i < n->tree.n; i++) {
        const struct ofs_compartment *c = &n->tree.at[i];

        if (&n->tree.at[c->parent] != above)
            continue;
        ret->scopes[ret->names.n] = c->scope;
        if (ofs_strv_add(&ret->names, c->name) < 0)
            return -ENOMEM;
    }
    return 0;
}

uint64_t ofs_tenancy_child(struct ofs_tenancy *n, uint64_t scope,
                           const char *name)
{
    const struct ofs_compartment *above, *c;

    if (n->is_named)
        return 0;
    OFS_GUARD(&n->mtx);
    above = ofs_comptree_of_scope(&n->tree, scope);
    c = above ? ofs_comptree_child(&n->tree, above, name) : NULL;
    return c ? c->scope : 0;
}

char *ofs_tenancy_ocid(struct ofs_tenancy *n, uint64_t scope)
{
    const struct ofs_compartment *c;

    OFS_GUARD(&n->mtx);
    c = ofs_comptree_of_scope(&n->tree, scope);
    return c ? strdup(c->id) : NULL;
}

int ofs_tenancy_refusal(struct ofs_tenancy *n, uint64_t scope,
                        struct ofs_err *err)
{
    const char *why;

    OFS_GUARD(&n->mtx);
    why = why_not(n, scope);
    return *why ? ofs_err_set(err, -EACCES, "%s", why) : 0;
}
