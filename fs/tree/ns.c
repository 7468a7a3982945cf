/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three cases: the names are known (the user said them, the registry has a
 * catalog, the control plane lists them), or nobody knows.  In the last one a
 * directory is found by asking for the tags of its path; a path that is no
 * repository may still be the beginning of one (`library` of
 * `library/alpine`), so one may walk through it.
 */
#include "ns.h"

#include "ocirfs/ref.h"

#include "ask.h"
#include "catalog.h"
#include "made.h"
#include "names.h"
#include "tenancy.h"

/* ---- whom to ask ---- */

static int want_names(struct ofs_tree *t, struct ofs_call *call, uint64_t scope,
                      struct ofs_err *err)
{
    return t->tenancy ? ofs_tenancy_want(t, call, scope, err)
                      : ofs_catalog_want(t, call, err);
}

static bool are_names_known(struct ofs_tree *t, uint64_t scope)
{
    return t->tenancy ? ofs_tenancy_is_known(t, scope)
                      : ofs_catalog_is_known(t);
}

static void search(struct ofs_tree *t, uint64_t scope, const char *path,
                   struct ofs_ns *ret)
{
    if (t->tenancy)
        ofs_tenancy_search(t, scope, path, ret);
    else
        ofs_catalog_search(t, path, ret);
}

static int parts_of(struct ofs_tree *t, uint64_t scope, const char *path,
                    struct ofs_strv *ret)
{
    return t->tenancy ? ofs_tenancy_parts(t, scope, path, ret)
                      : ofs_catalog_parts(t, path, ret);
}

/*
 * A directory that somebody still holds stays what it is when its repository
 * goes to another compartment.
 */
static void search_moved(struct ofs_tree *t, const char *path,
                         struct ofs_ns *ret)
{
    struct ofs_place place;

    if (t->tenancy && !ret->flags && ofs_tenancy_place_of(t, path, &place))
        ret->flags = OFS_NS_REPO;
}

/* ---- where nobody knows ---- */

/* Nobody knows: is there a list of tags at `path`? */
static int probe(struct ofs_tree *t, struct ofs_call *call, const char *path,
                 struct ofs_ns *ns, struct ofs_err *err)
{
    OFS_REPO_HOLD(held, t, path);
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a repository");
    r = ofs_repo_list(t, call, held.repo, err);
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
    OFS_REPO_HOLD(held, t, path);

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

/* What the last question for its tags said, and what was made here; what was
 * made in a compartment is listed there. */
static void correct(struct ofs_tree *t, const char *path, struct ofs_ns *ns)
{
    if (t->tenancy) {
        if (ofs_repo_refusal(t, path) == -ENOENT)
            ns->flags &= ~(unsigned)OFS_NS_REPO;
        return;
    }
    if (ofs_made_is_new(t, path) || ofs_waiting_any(t, path))
        ns->flags |= OFS_NS_REPO;
    else if (ofs_repo_refusal(t, path) == -ENOENT ||
             ofs_made_is_unmade(t, path))
        ns->flags &= ~(unsigned)OFS_NS_REPO;
    else if (ofs_made_has(t, path))
        ns->flags |= OFS_NS_REPO;
    if (*path && ofs_made_is_parent(t, path))
        ns->flags |= OFS_NS_PARENT;
}

static int ns_find(struct ofs_tree *t, struct ofs_call *call, uint64_t scope,
                   const char *path, bool fresh, struct ofs_ns *ret,
                   struct ofs_err *err)
{
    struct ofs_ns ns;
    int r = 0;

    if (fresh || !are_names_known(t, scope))
        r = want_names(t, call, scope, err);
    if (r < 0)
        return r;
    search(t, scope, path, &ns);
    if (!fresh)
        search_moved(t, path, &ns);
    if (ns.flags & OFS_NS_OPEN)
        r = ask_path(t, call, path, fresh, &ns, err);
    if (r == 0 && fresh && ofs_made_is_unmade(t, path))
        r = ask_unmade(t, call, path, err);
    if (r < 0)
        return r;
    correct(t, path, &ns);
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
    if ((ret->flags & OFS_NS_OPEN) && !ofs_repo_is_listed(t, path))
        ret->flags = OFS_NS_OPEN;
    else if (ret->flags & OFS_NS_OPEN)
        ret->flags |= OFS_NS_REPO;
    correct(t, path, ret);
}

/* A directory that is nothing but a repository, and that is gone. */
static bool is_gone(struct ofs_tree *t, uint64_t scope, const char *path)
{
    struct ofs_ns ns;

    if (ofs_made_is_new(t, path) ||
        (ofs_repo_refusal(t, path) != -ENOENT && !ofs_made_is_unmade(t, path)))
        return false;
    search(t, scope, path, &ns);
    return !(ns.flags & OFS_NS_PARENT);
}

/* Where no repository lies, in a compartment or the root, the namespace is to
 * be put before the name. */
int ofs_ns_join(struct ofs_tree *t, struct ofs_call *call, const char *path,
                const char *part, char ret[NAME_MAX + 1], struct ofs_err *err)
{
    char ns[NAME_MAX + 1];
    int r;

    if (!t->tenancy || *path)
        return ofs_path_join(path, part, ret);
    if (!ofs_repo_part_is_valid(part))
        return -ENOENT;
    r = ofs_tenancy_namespace(t, call, ns, err);
    return r < 0 ? r : ofs_path_join(ns, part, ret);
}

/* The control plane lists what was made there by itself. */
static int add_made(struct ofs_tree *t, const char *path,
                    struct ofs_strv *parts)
{
    if (t->tenancy)
        return 0;
    if (ofs_made_parts(t, path, parts) < 0)
        return -ENOMEM;
    ofs_strv_sort(parts);
    ofs_strv_unique(parts);
    return 0;
}

int ofs_ns_parts(struct ofs_tree *t, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_strv *ret, struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };

    if (parts_of(t, scope, path, &parts) < 0 || add_made(t, path, &parts) < 0)
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
    ret->scope = scope;
    ofs_path_parent(path, ret->path);
    if (!t->tenancy)
        return;
    if (!*path)
        ret->scope = ofs_tenancy_above(t, scope);
    else if (!strchr(ret->path, '/'))
        ret->path[0] = '\0'; /* the namespace is no directory */
}

uint64_t ofs_ns_scope_of(struct ofs_tree *t, const char *path)
{
    struct ofs_place place;

    if (!t->tenancy)
        return OFS_SCOPE_NONE;
    return ofs_tenancy_place_of(t, path, &place) ? place.scope : OFS_SCOPE_TOP;
}

int64_t ofs_ns_mtime(struct ofs_tree *t, uint64_t scope, const char *path)
{
    int64_t changed_s = ofs_repo_changed(t, path), made_s = 0;
    struct ofs_place place;

    if (t->tenancy && !*path)
        made_s = ofs_tenancy_mtime(t, scope);
    else if (t->tenancy && ofs_tenancy_place_of(t, path, &place))
        made_s = place.mtime_s;
    if (made_s == 0)
        return ofs_repo_mtime(t, path);
    return made_s > changed_s ? made_s : changed_s;
}

bool ofs_ns_vouches(struct ofs_tree *t, const char *path)
{
    struct ofs_place place;

    if (t->tenancy)
        return ofs_tenancy_place_of(t, path, &place);
    return ofs_waiting_any(t, path);
}

/* ---- compartments ---- */

int ofs_ns_find_compartment(struct ofs_tree *t, struct ofs_call *call,
                            uint64_t scope, const char *name,
                            struct ofs_compartment_found *ret,
                            struct ofs_err *err)
{
    struct ofs_ns ns;
    int r;

    if (!t->tenancy)
        return -ENOENT;
    r = ofs_ns_fresh(t, call, scope, "", &ns, err);
    if (r < 0)
        return r;
    ret->scope = ofs_tenancy_child(t, scope, name);
    ret->left_ms = ns.left_ms;
    return ret->scope ? 0 : -ENOENT;
}
