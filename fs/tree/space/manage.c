/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the backend cannot do is remembered by this mount: a repository that
 * was made is there until its first push, one that was taken away is gone until
 * somebody makes it anew.
 */
#include "manage.h"

#include "nameless.h"
#include "names.h"
#include "new_repos.h"
#include "overlay.h"
#include "repo_list.h"
#include "repo_state.h"
#include "unpushed.h"

static const struct ofs_backend_ops *ops_of(const struct ofs_space *space)
{
    return space->backend->ops;
}

/* The path that `name` below `dir` has as a repository. */
static int find_path(struct ofs_space *space, struct ofs_call *call,
                     const struct ofs_node *dir, const char *name,
                     char ret[NAME_MAX + 1], struct ofs_err *err)
{
    struct ofs_name parsed;
    int r = ofs_name_parse(name, &parsed);

    if (r < 0)
        return r;
    if (parsed.kind != OFS_NAME_PLAIN && parsed.kind != OFS_NAME_REPOSITORY)
        r = -ENOENT;
    else
        r = ofs_ns_join(space, call, dir->path, parsed.base, ret, err);
    if (r == -ENOENT)
        return ofs_err_set(err, -EINVAL,
                           "no repository can be called '%s': lower-case "
                           "letters, digits, and '.', '_', '-' between them",
                           name);
    return r;
}

static bool is_compartment(struct ofs_space *space, const struct ofs_node *dir,
                           const char *name)
{
    struct ofs_name parsed;

    return ops_of(space)->child && !*dir->path &&
           ofs_name_parse(name, &parsed) == 0 &&
           ops_of(space)->child(space->backend, dir->scope, parsed.base) != 0;
}

/* ---- mkdir ---- */

int ofs_manage_mkdir(struct ofs_space *space, struct ofs_call *call,
                     const struct ofs_node *dir, const char *name,
                     struct ofs_node_spec *ret, struct ofs_err *err)
{
    char path[NAME_MAX + 1];
    const struct ofs_where at = { dir->scope, path };
    int r = find_path(space, call, dir, name, path, err);

    if (r == 0 && ops_of(space)->create)
        r = ops_of(space)->create(space->backend, call, &at, err);
    if (r < 0)
        return r;
    /* Its maker takes it for empty, as new_repos.h says. */
    r = ofs_new_repo_add(space->new_repos, path, call->who);
    if (r == -EEXIST && ops_of(space)->create)
        r = 0;
    if (r < 0)
        return r == -ENOMEM ? ofs_err_nomem(err, "a directory") : r;
    ofs_spec_dir(ret, dir->scope, path);
    return 0;
}

/* ---- rmdir ---- */

static bool holds_scratch(struct ofs_space *space, const struct ofs_node *dir,
                          const char *path)
{
    struct ofs_node_spec spec;

    ofs_spec_dir(&spec, dir->scope, path);
    return !ofs_local_is_empty(space->overlay, ofs_ino_of(&spec, 0));
}

static int check_alone(struct ofs_space *space, struct ofs_call *call,
                       const struct ofs_node *dir, const char *path,
                       struct ofs_err *err)
{
    struct ofs_ns ns;
    int r = ofs_ns_fresh(space, call, dir->scope, path, &ns, err);

    if (r < 0)
        return r;
    if ((ns.flags & OFS_NS_PARENT) && ofs_ns_has_below(space, dir->scope, path))
        return ofs_err_set(err, -ENOTEMPTY, "other repositories lie below '%s'",
                           path);
    if (holds_scratch(space, dir, path) || ofs_unpushed_any(space->repos, path))
        return ofs_err_set(err, -ENOTEMPTY,
                           "what was written in '%s' is not pushed yet", path);
    return ns.flags
               ? 0
               : ofs_err_set(err, -ENOENT, "there is no repository '%s'", path);
}

static int need_delete(struct ofs_space *space, struct ofs_err *err)
{
    if (space->allow_delete)
        return 0;
    return ofs_err_set(err, -EPERM,
                       "deleting repositories needs -o allow_delete");
}

/* How many tags it has now; somebody else may have pushed one. */
static int count_tags(struct ofs_space *space, struct ofs_call *call,
                      const char *path, size_t *ret, struct ofs_err *err)
{
    OFS_REPO_HOLD(held, space->repos, path);
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a repository");
    r = ofs_repo_list(space->repos, call, held.repo, err);
    if (r < 0 && r != -ENOENT)
        return r;
    OFS_GUARD(&held.repo->mtx);
    *ret = held.repo->tags.n;
    return 0;
}

/* The backend keeps it; we remember that it is gone. */
static int remove_here(struct ofs_space *space, struct ofs_call *call,
                       const char *path, struct ofs_err *err)
{
    size_t n_tags = 0;
    int r = count_tags(space, call, path, &n_tags, err);

    if (r == 0 && ofs_new_repo_is_new(space->new_repos, path)) {
        ofs_new_repo_forget(space->new_repos, path);
        return 0;
    }
    if (r == 0)
        r = need_delete(space, err);
    if (r == 0 && n_tags > 0)
        return ofs_err_set(err, -ENOTEMPTY, "'%s' has %zu tags", path, n_tags);
    if (r < 0)
        return r;
    ofs_nameless_drop(space->repos, path, NULL);
    return ofs_new_repo_unmake(space->new_repos, path);
}

static int remove_there(struct ofs_space *space, struct ofs_call *call,
                        const char *path, struct ofs_err *err)
{
    int r = need_delete(space, err);

    if (r == 0)
        r = ops_of(space)->remove(space->backend, call, path, err);
    if (r < 0)
        return r;
    ofs_nameless_drop(space->repos, path, NULL);
    ofs_new_repo_forget(space->new_repos, path);
    return 0;
}

int ofs_manage_rmdir(struct ofs_space *space, struct ofs_call *call,
                     const struct ofs_node *dir, const char *name,
                     struct ofs_err *err)
{
    char path[NAME_MAX + 1];
    int r = find_path(space, call, dir, name, path, err);

    if (r == 0)
        r = check_alone(space, call, dir, path, err);
    if ((r == -ENOENT || r == -EINVAL) && is_compartment(space, dir, name))
        return ofs_err_set(err, -EPERM, "compartments are not deleted here");
    if (r < 0)
        return r;
    return ops_of(space)->remove ? remove_there(space, call, path, err)
                                 : remove_here(space, call, path, err);
}

/* ---- mv ---- */

static int move(struct ofs_space *space, struct ofs_call *call,
                const struct ofs_where *from, uint64_t to_scope,
                struct ofs_err *err)
{
    struct ofs_ns ns;
    int r = ofs_ns_fresh(space, call, from->scope, from->path, &ns, err);

    return r < 0
               ? r
               : ops_of(space)->move(space->backend, call, from, to_scope, err);
}

int ofs_manage_move(struct ofs_space *space, struct ofs_call *call,
                    const struct ofs_node *dir, const char *name,
                    const struct ofs_node *to_dir, const char *to_name,
                    struct ofs_err *err)
{
    char path[NAME_MAX + 1], to_path[NAME_MAX + 1];
    const struct ofs_where from = { dir->scope, path };
    int r;

    if (!ops_of(space)->move)
        return ofs_err_set(err, -EXDEV,
                           "this registry cannot rename repository '%s'", name);
    r = find_path(space, call, dir, name, path, err);
    if (r == 0)
        r = find_path(space, call, to_dir, to_name, to_path, err);
    if (r == 0 && strcmp(path, to_path) != 0)
        r = ofs_err_set(err, -EINVAL,
                        "repository '%s' keeps its name: it can be moved to "
                        "the same place in another compartment, or copied",
                        name);
    if (r == 0)
        r = move(space, call, &from, to_dir->scope, err);
    if ((r == -ENOENT || r == -EINVAL) && is_compartment(space, dir, name))
        return ofs_err_set(err, -EPERM, "compartments are not moved here");
    return r;
}

/* ---- tags ---- */

int ofs_manage_untag(struct ofs_space *space, struct ofs_call *call,
                     const char *repo, const char *tag, struct ofs_err *err)
{
    return ops_of(space)->untag(space->backend, call, repo, tag, err);
}

int ofs_manage_may_move(struct ofs_space *space, struct ofs_call *call,
                        const char *repo, const char *tag,
                        const struct ofs_digest *old, struct ofs_err *err)
{
    if (!old || !ops_of(space)->may_move)
        return 0;
    return ops_of(space)->may_move(space->backend, call, repo, tag, err);
}

bool ofs_manage_is_immutable(struct ofs_space *space, const char *repo)
{
    return ops_of(space)->is_immutable &&
           ops_of(space)->is_immutable(space->backend, repo);
}

/* ---- attributes ---- */

int ofs_manage_dir_xattrs(struct ofs_space *space, struct ofs_call *call,
                          const struct ofs_node *dir, struct ofs_xattrs *ret,
                          struct ofs_err *err)
{
    const struct ofs_where at = { dir->scope, dir->path };
    struct ofs_ns ns;
    int r;

    if (!ops_of(space)->dir_xattrs)
        return 0;
    r = ofs_ns_known(space, call, dir->scope, dir->path, &ns, err);
    if (r < 0 || (*dir->path && !(ns.flags & OFS_NS_REPO)))
        return r;
    return ops_of(space)->dir_xattrs(space->backend, call, &at, ret, err);
}

int ofs_manage_tag_xattrs(struct ofs_space *space, struct ofs_call *call,
                          const struct ofs_node *tag, struct ofs_xattrs *ret,
                          struct ofs_err *err)
{
    if (!ops_of(space)->tag_xattrs)
        return 0;
    return ops_of(space)->tag_xattrs(space->backend, call, tag->path, tag->name,
                                     ret, err);
}

int ofs_manage_set_xattr(struct ofs_space *space, struct ofs_call *call,
                         const struct ofs_node *dir, const char *name,
                         const struct ofs_buf *value, struct ofs_err *err)
{
    if (!ops_of(space)->set_xattr)
        return -ENOTSUP;
    return ops_of(space)->set_xattr(space->backend, call, dir->path, name,
                                    value, err);
}
