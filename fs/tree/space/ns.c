/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three cases: the names are known (the user said them, the registry has a
 * catalog, the control plane lists them), or nobody knows.  In the last one a
 * directory is found by asking for the tags of its path; a path that is no
 * repository may still be the beginning of one (`library` of
 * `library/alpine`), so one may walk through it.
 */
#include "ns.h"

#include "names.h"
#include "new_repos.h"
#include "repo_list.h"
#include "repo_state.h"
#include "unpushed.h"

/* ---- whom to ask ---- */

static const struct ofs_backend_ops *ops_of(const struct ofs_space *space)
{
    return space->backend->ops;
}

static void search(struct ofs_space *space, uint64_t scope, const char *path,
                   struct ofs_ns *ret)
{
    const struct ofs_where at = { scope, path };

    ops_of(space)->search(space->backend, &at, ret);
}

/* Is the repository listed somewhere, and where? */
static bool place_in(struct ofs_space *space, const char *path,
                     struct ofs_repo_location *ret)
{
    return ops_of(space)->place_of &&
           ops_of(space)->place_of(space->backend, path, ret);
}

/*
 * A directory that somebody still holds stays what it is when its repository
 * goes to another compartment.
 */
static void search_moved(struct ofs_space *space, const char *path,
                         struct ofs_ns *ret)
{
    struct ofs_repo_location place;

    if (!ret->flags && place_in(space, path, &place))
        ret->flags = OFS_NS_REPO;
}

/* ---- where nobody knows ---- */

/* Nobody knows: is there a list of tags at `path`? */
static int probe(struct ofs_space *space, struct ofs_call *call,
                 const char *path, struct ofs_ns *ns, struct ofs_err *err)
{
    OFS_REPO_HOLD(held, space->repos, path);
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a repository");
    r = ofs_repo_list(space->repos, call, held.repo, err);
    if (r < 0 && r != -ENOENT && r != -EACCES)
        return r;
    ns->flags = OFS_NS_OPEN | (r == 0 ? OFS_NS_REPO : 0);
    ns->left_ms = r == 0 ? space->sync->ttl_ms : space->sync->negative_ttl_ms;
    return 0;
}

/* Is it known, from however long ago, whether `path` has a list of tags? */
static bool probed_before(struct ofs_space *space, const char *path,
                          struct ofs_ns *ns)
{
    OFS_REPO_HOLD(held, space->repos, path);

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
static int ask_path(struct ofs_space *space, struct ofs_call *call,
                    const char *path, bool fresh, struct ofs_ns *ns,
                    struct ofs_err *err)
{
    if (!*path || (!fresh && probed_before(space, path, ns)))
        return 0;
    return probe(space, call, path, ns, err);
}

/* We took it away; has somebody pushed to it since? */
static int ask_unmade(struct ofs_space *space, struct ofs_call *call,
                      const char *path, struct ofs_err *err)
{
    struct ofs_ns ns;

    return probe(space, call, path, &ns, err);
}

static bool is_gone(struct ofs_space *space, uint64_t scope, const char *path);

/* What was taken away here, as far as is known without asking. */
static bool is_taken_away(struct ofs_space *space, const char *path)
{
    return !ofs_new_repo_is_new(space->new_repos, path) &&
           (ofs_repo_refusal(space->repos, path) == -ENOENT ||
            ofs_new_repo_is_unmade(space->new_repos, path));
}

bool ofs_ns_has_below(struct ofs_space *space, uint64_t scope, const char *path)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    const struct ofs_where at = { scope, path };
    char child[NAME_MAX + 1];

    if (ops_of(space)->lists_empty ||
        ofs_new_repo_is_parent(space->new_repos, path) ||
        ops_of(space)->parts(space->backend, &at, &parts) < 0)
        return true;
    for (size_t i = 0; i < parts.n; i++)
        if (ofs_path_join(path, parts.at[i], child) < 0 ||
            !is_gone(space, scope, child))
            return true;
    return false;
}

/* Repositories lay below it, and it was taken away after them: the catalog may
 * list them for ever. */
static bool is_hollow(struct ofs_space *space, uint64_t scope, const char *path)
{
    return *path && ofs_new_repo_is_unmade(space->new_repos, path) &&
           !ofs_ns_has_below(space, scope, path);
}

/* A directory that is nothing but a repository, and that is gone. */
static bool is_gone(struct ofs_space *space, uint64_t scope, const char *path)
{
    struct ofs_ns ns;

    if (!is_taken_away(space, path))
        return false;
    search(space, scope, path, &ns);
    return !(ns.flags & OFS_NS_PARENT) || is_hollow(space, scope, path);
}

/* What the last question for its tags said, and what was made here, unless the
 * backend lists that. */
static void correct(struct ofs_space *space, uint64_t scope, const char *path,
                    struct ofs_ns *ns)
{
    if (ops_of(space)->lists_empty) {
        if (ofs_repo_refusal(space->repos, path) == -ENOENT)
            ns->flags &= ~(unsigned)OFS_NS_REPO;
        return;
    }
    if (ofs_new_repo_is_new(space->new_repos, path) ||
        ofs_unpushed_any(space->repos, path))
        ns->flags |= OFS_NS_REPO;
    else if (ofs_repo_refusal(space->repos, path) == -ENOENT ||
             ofs_new_repo_is_unmade(space->new_repos, path))
        ns->flags &= ~(unsigned)OFS_NS_REPO;
    else if (ofs_new_repo_has(space->new_repos, path))
        ns->flags |= OFS_NS_REPO;
    if (*path && ofs_new_repo_is_parent(space->new_repos, path))
        ns->flags |= OFS_NS_PARENT;
    else if (is_hollow(space, scope, path))
        ns->flags &= ~(unsigned)OFS_NS_PARENT;
}

static int ns_find(struct ofs_space *space, struct ofs_call *call,
                   uint64_t scope, const char *path, bool fresh,
                   struct ofs_ns *ret, struct ofs_err *err)
{
    struct ofs_ns ns;
    int r = 0;

    if (fresh || !ops_of(space)->is_known(space->backend, scope))
        r = ops_of(space)->want(space->backend, call, scope, err);
    if (r < 0)
        return r;
    search(space, scope, path, &ns);
    if (!fresh)
        search_moved(space, path, &ns);
    if (ns.flags & OFS_NS_OPEN)
        r = ask_path(space, call, path, fresh, &ns, err);
    if (r == 0 && fresh && ofs_new_repo_is_unmade(space->new_repos, path))
        r = ask_unmade(space, call, path, err);
    if (r < 0)
        return r;
    correct(space, scope, path, &ns);
    ns.left_ms = ofs_sync_valid(space->sync, ns.left_ms);
    *ret = ns;
    return 0;
}

int ofs_ns_known(struct ofs_space *space, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_ns *ret, struct ofs_err *err)
{
    return ns_find(space, call, scope, path, /* fresh= */ false, ret, err);
}

int ofs_ns_fresh(struct ofs_space *space, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_ns *ret, struct ofs_err *err)
{
    return ns_find(space, call, scope, path, /* fresh= */ true, ret, err);
}

void ofs_ns_guess(struct ofs_space *space, uint64_t scope, const char *path,
                  struct ofs_ns *ret)
{
    search(space, scope, path, ret);
    if ((ret->flags & OFS_NS_OPEN) && !ofs_repo_is_listed(space->repos, path))
        ret->flags = OFS_NS_OPEN;
    else if (ret->flags & OFS_NS_OPEN)
        ret->flags |= OFS_NS_REPO;
    correct(space, scope, path, ret);
}

int ofs_ns_join(struct ofs_space *space, struct ofs_call *call,
                const char *path, const char *part, char ret[NAME_MAX + 1],
                struct ofs_err *err)
{
    return ops_of(space)->join(space->backend, call, path, part, ret, err);
}

static int add_made(struct ofs_space *space, const char *path,
                    struct ofs_strv *parts)
{
    if (ops_of(space)->lists_empty)
        return 0;
    if (ofs_new_repo_parts(space->new_repos, path, parts) < 0)
        return -ENOMEM;
    ofs_strv_sort(parts);
    ofs_strv_unique(parts);
    return 0;
}

int ofs_ns_parts(struct ofs_space *space, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_strv *ret, struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    const struct ofs_where at = { scope, path };

    if (ops_of(space)->parts(space->backend, &at, &parts) < 0 ||
        add_made(space, path, &parts) < 0)
        return ofs_err_nomem(err, "a directory");
    for (size_t i = 0; i < parts.n; i++) {
        char child[NAME_MAX + 1];
        int r = ofs_ns_join(space, call, path, parts.at[i], child, err);

        if (r == -ENOENT || (r == 0 && is_gone(space, scope, child)))
            continue;
        if (r < 0)
            return r;
        if (ofs_strv_add(ret, parts.at[i]) < 0)
            return ofs_err_nomem(err, "a directory");
    }
    return 0;
}

void ofs_ns_above(struct ofs_space *space, uint64_t scope, const char *path,
                  struct ofs_above *ret)
{
    const struct ofs_where at = { scope, path };

    ops_of(space)->above(space->backend, &at, ret);
}

uint64_t ofs_ns_scope_of(struct ofs_space *space, const char *path)
{
    struct ofs_repo_location place;

    return place_in(space, path, &place) ? place.scope : ops_of(space)->root;
}

int64_t ofs_ns_repo_mtime(struct ofs_space *space, const char *path)
{
    int64_t base_s = ofs_repos_base_s(space->repos),
            at_s = ofs_repo_changed(space->repos, path);
    int64_t all_s =
        ops_of(space)->changed ? ops_of(space)->changed(space->backend) : 0;

    if (at_s < all_s)
        at_s = all_s;
    return at_s > base_s ? at_s : base_s;
}

int64_t ofs_ns_mtime(struct ofs_space *space, uint64_t scope, const char *path)
{
    const struct ofs_where at = { scope, path };
    int64_t changed_s = ofs_repo_changed(space->repos, path);
    int64_t made_s = ops_of(space)->mtime(space->backend, &at);

    if (made_s == 0)
        return ofs_ns_repo_mtime(space, path);
    return made_s > changed_s ? made_s : changed_s;
}

bool ofs_ns_vouches(struct ofs_space *space, const char *path)
{
    struct ofs_repo_location place;

    return ops_of(space)->lists_empty ? place_in(space, path, &place)
                                      : ofs_unpushed_any(space->repos, path);
}

/* ---- compartments ---- */

int ofs_ns_find_compartment(struct ofs_space *space, struct ofs_call *call,
                            uint64_t scope, const char *name,
                            struct ofs_compartment_found *ret,
                            struct ofs_err *err)
{
    struct ofs_ns ns;
    int r;

    if (!ops_of(space)->child)
        return -ENOENT;
    r = ofs_ns_fresh(space, call, scope, "", &ns, err);
    if (r < 0)
        return r;
    ret->scope = ops_of(space)->child(space->backend, scope, name);
    ret->left_ms = ns.left_ms;
    return ret->scope ? 0 : -ENOENT;
}

int ofs_ns_children(struct ofs_space *space, uint64_t scope,
                    struct ofs_children *ret)
{
    return ops_of(space)->children
               ? ops_of(space)->children(space->backend, scope, ret)
               : 0;
}

int ofs_ns_refusal(struct ofs_space *space, uint64_t scope, struct ofs_err *err)
{
    return ops_of(space)->refusal
               ? ops_of(space)->refusal(space->backend, scope, err)
               : 0;
}
