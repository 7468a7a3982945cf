/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three cases: the names are known (the user said them, the registry has a
 * catalog, the control plane lists them), or nobody knows.  In the last one a
 * directory is found by asking for the tags of its path; a path that is no
 * repository may still be the beginning of one (`library` of
 * `library/alpine`), so one may walk through it.
 */
#include "ns.h"

#include "ask.h"
#include "made.h"
#include "names.h"

/* ---- whom to ask ---- */

static const struct ofs_backend_ops *ops_of(const struct ofs_tree *t)
{
    return t->backend->ops;
}

static void search(struct ofs_tree *t, uint64_t scope, const char *path,
                   struct ofs_ns *ret)
{
    const struct ofs_where at = { scope, path };

    ops_of(t)->search(t->backend, &at, ret);
}

/* Is the repository listed somewhere, and where? */
static bool place_in(struct ofs_tree *t, const char *path,
                     struct ofs_place *ret)
{
    return ops_of(t)->place_of && ops_of(t)->place_of(t->backend, path, ret);
}

/*
 * A directory that somebody still holds stays what it is when its repository
 * goes to another compartment.
 */
static void search_moved(struct ofs_tree *t, const char *path,
                         struct ofs_ns *ret)
{
    struct ofs_place place;

    if (!ret->flags && place_in(t, path, &place))
        ret->flags = OFS_NS_REPO;
}

/* ---- where nobody knows ---- */

/* Nobody knows: is there a list of tags at `path`? */
static int probe(struct ofs_tree *t, struct ofs_call *call, const char *path,
                 struct ofs_ns *ns, struct ofs_err *err)
{
    OFS_REPO_HOLD(held, &t->repos, path);
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a repository");
    r = ofs_repo_list(&t->repos, call, held.repo, err);
    if (r < 0 && r != -ENOENT && r != -EACCES)
        return r;
    ns->flags = OFS_NS_OPEN | (r == 0 ? OFS_NS_REPO : 0);
    ns->left_ms = r == 0 ? t->sync.ttl_ms : t->sync.negative_ttl_ms;
    return 0;
}

/* Is it known, from however long ago, whether `path` has a list of tags? */
static bool probed_before(struct ofs_tree *t, const char *path,
                          struct ofs_ns *ns)
{
    OFS_REPO_HOLD(held, &t->repos, path);

    if (!held.repo)
        return false;
    OFS_GUARD(&held.repo->mtx);
    if (held.repo->list.state == OFS_LIST_UNKNOWN)
        return false;
    ns->flags = OFS_NS_OPEN;
    if (held.repo->list.state == OFS_LIST_KNOWN)
        ns->flags |= OFS_NS_REPO;
    return true;
}

/* With no catalog: what asking at `path` says, or said. */
static int ask_path(struct ofs_tree *t, struct ofs_call *call, const char *path,
                    bool fresh, struct ofs_ns *ns, struct ofs_err *err)
{
    if (!*path || (!fresh && probed_before(t, path, ns)))
        return 0;
    return probe(t, call, path, ns, err);
}

/* We took it away; has somebody pushed to it since? */
static int ask_unmade(struct ofs_tree *t, struct ofs_call *call,
                      const char *path, struct ofs_err *err)
{
    struct ofs_ns ns;

    return probe(t, call, path, &ns, err);
}

static bool is_gone(struct ofs_tree *t, uint64_t scope, const char *path);

/* What was taken away here, as far as is known without asking. */
static bool is_taken_away(struct ofs_tree *t, const char *path)
{
    return !ofs_made_is_new(&t->mades, path) &&
           (ofs_repo_refusal(&t->repos, path) == -ENOENT ||
            ofs_made_is_unmade(&t->mades, path));
}

bool ofs_ns_has_below(struct ofs_tree *t, uint64_t scope, const char *path)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    const struct ofs_where at = { scope, path };
    char child[NAME_MAX + 1];

    if (ops_of(t)->lists_empty || ofs_made_is_parent(&t->mades, path) ||
        ops_of(t)->parts(t->backend, &at, &parts) < 0)
        return true;
    for (size_t i = 0; i < parts.n; i++)
        if (ofs_path_join(path, parts.at[i], child) < 0 ||
            !is_gone(t, scope, child))
            return true;
    return false;
}

/* Repositories lay below it, and it was taken away after them: the catalog may
 * list them for ever. */
static bool is_hollow(struct ofs_tree *t, uint64_t scope, const char *path)
{
    return *path && ofs_made_is_unmade(&t->mades, path) &&
           !ofs_ns_has_below(t, scope, path);
}

/* A directory that is nothing but a repository, and that is gone. */
static bool is_gone(struct ofs_tree *t, uint64_t scope, const char *path)
{
    struct ofs_ns ns;

    if (!is_taken_away(t, path))
        return false;
    search(t, scope, path, &ns);
    return !(ns.flags & OFS_NS_PARENT) || is_hollow(t, scope, path);
}

/* What the last question for its tags said, and what was made here, unless the
 * backend lists that. */
static void correct(struct ofs_tree *t, uint64_t scope, const char *path,
                    struct ofs_ns *ns)
{
    if (ops_of(t)->lists_empty) {
        if (ofs_repo_refusal(&t->repos, path) == -ENOENT)
            ns->flags &= ~(unsigned)OFS_NS_REPO;
        return;
    }
    if (ofs_made_is_new(&t->mades, path) || ofs_waiting_any(&t->repos, path))
        ns->flags |= OFS_NS_REPO;
    else if (ofs_repo_refusal(&t->repos, path) == -ENOENT ||
             ofs_made_is_unmade(&t->mades, path))
        ns->flags &= ~(unsigned)OFS_NS_REPO;
    else if (ofs_made_has(&t->mades, path))
        ns->flags |= OFS_NS_REPO;
    if (*path && ofs_made_is_parent(&t->mades, path))
        ns->flags |= OFS_NS_PARENT;
    else if (is_hollow(t, scope, path))
        ns->flags &= ~(unsigned)OFS_NS_PARENT;
}

static int ns_find(struct ofs_tree *t, struct ofs_call *call, uint64_t scope,
                   const char *path, bool fresh, struct ofs_ns *ret,
                   struct ofs_err *err)
{
    struct ofs_ns ns;
    int r = 0;

    if (fresh || !ops_of(t)->is_known(t->backend, scope))
        r = ops_of(t)->want(t->backend, call, scope, err);
    if (r < 0)
        return r;
    search(t, scope, path, &ns);
    if (!fresh)
        search_moved(t, path, &ns);
    if (ns.flags & OFS_NS_OPEN)
        r = ask_path(t, call, path, fresh, &ns, err);
    if (r == 0 && fresh && ofs_made_is_unmade(&t->mades, path))
        r = ask_unmade(t, call, path, err);
    if (r < 0)
        return r;
    correct(t, scope, path, &ns);
    ns.left_ms = ofs_tree_valid(t, ns.left_ms);
    *ret = ns;
    return 0;
}

int ofs_ns_known(struct ofs_tree *t, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_ns *ret, struct ofs_err *err)
{
    return ns_find(t, call, scope, path, /* fresh= */ false, ret, err);
}

int ofs_ns_fresh(struct ofs_tree *t, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_ns *ret, struct ofs_err *err)
{
    return ns_find(t, call, scope, path, /* fresh= */ true, ret, err);
}

void ofs_ns_guess(struct ofs_tree *t, uint64_t scope, const char *path,
                  struct ofs_ns *ret)
{
    search(t, scope, path, ret);
    if ((ret->flags & OFS_NS_OPEN) && !ofs_repo_is_listed(&t->repos, path))
        ret->flags = OFS_NS_OPEN;
    else if (ret->flags & OFS_NS_OPEN)
        ret->flags |= OFS_NS_REPO;
    correct(t, scope, path, ret);
}

int ofs_ns_join(struct ofs_tree *t, struct ofs_call *call, const char *path,
                const char *part, char ret[NAME_MAX + 1], struct ofs_err *err)
{
    return ops_of(t)->join(t->backend, call, path, part, ret, err);
}

static int add_made(struct ofs_tree *t, const char *path,
                    struct ofs_strv *parts)
{
    if (ops_of(t)->lists_empty)
        return 0;
    if (ofs_made_parts(&t->mades, path, parts) < 0)
        return -ENOMEM;
    ofs_strv_sort(parts);
    ofs_strv_unique(parts);
    return 0;
}

int ofs_ns_parts(struct ofs_tree *t, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_strv *ret, struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    const struct ofs_where at = { scope, path };

    if (ops_of(t)->parts(t->backend, &at, &parts) < 0 ||
        add_made(t, path, &parts) < 0)
        return ofs_err_nomem(err, "a directory");
    for (size_t i = 0; i < parts.n; i++) {
        char child[NAME_MAX + 1];
        int r = ofs_ns_join(t, call, path, parts.at[i], child, err);

        if (r == -ENOENT || (r == 0 && is_gone(t, scope, child)))
            continue;
        if (r < 0)
            return r;
        if (ofs_strv_add(ret, parts.at[i]) < 0)
            return ofs_err_nomem(err, "a directory");
    }
    return 0;
}

void ofs_ns_above(struct ofs_tree *t, uint64_t scope, const char *path,
                  struct ofs_above *ret)
{
    const struct ofs_where at = { scope, path };

    ops_of(t)->above(t->backend, &at, ret);
}

uint64_t ofs_ns_scope_of(struct ofs_tree *t, const char *path)
{
    struct ofs_place place;

    return place_in(t, path, &place) ? place.scope : ops_of(t)->root;
}

int64_t ofs_ns_repo_mtime(struct ofs_tree *t, const char *path)
{
    int64_t base_s = ofs_repos_base_s(&t->repos),
            at_s = ofs_repo_changed(&t->repos, path);
    int64_t all_s = ops_of(t)->changed ? ops_of(t)->changed(t->backend) : 0;

    if (at_s < all_s)
        at_s = all_s;
    return at_s > base_s ? at_s : base_s;
}

int64_t ofs_ns_mtime(struct ofs_tree *t, uint64_t scope, const char *path)
{
    const struct ofs_where at = { scope, path };
    int64_t changed_s = ofs_repo_changed(&t->repos, path);
    int64_t made_s = ops_of(t)->mtime(t->backend, &at);

    if (made_s == 0)
        return ofs_ns_repo_mtime(t, path);
    return made_s > changed_s ? made_s : changed_s;
}

bool ofs_ns_vouches(struct ofs_tree *t, const char *path)
{
    struct ofs_place place;

    return ops_of(t)->lists_empty ? place_in(t, path, &place)
                                  : ofs_waiting_any(&t->repos, path);
}

/* ---- compartments ---- */

int ofs_ns_find_compartment(struct ofs_tree *t, struct ofs_call *call,
                            uint64_t scope, const char *name,
                            struct ofs_compartment_found *ret,
                            struct ofs_err *err)
{
    struct ofs_ns ns;
    int r;

    if (!ops_of(t)->child)
        return -ENOENT;
    r = ofs_ns_fresh(t, call, scope, "", &ns, err);
    if (r < 0)
        return r;
    ret->scope = ops_of(t)->child(t->backend, scope, name);
    ret->left_ms = ns.left_ms;
    return ret->scope ? 0 : -ENOENT;
}

int ofs_ns_children(struct ofs_tree *t, uint64_t scope,
                    struct ofs_children *ret)
{
    return ops_of(t)->children ? ops_of(t)->children(t->backend, scope, ret)
                               : 0;
}

int ofs_ns_refusal(struct ofs_tree *t, uint64_t scope, struct ofs_err *err)
{
    return ops_of(t)->refusal ? ops_of(t)->refusal(t->backend, scope, err) : 0;
}
