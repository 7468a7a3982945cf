/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The distribution specification knows no empty repository: the first manifest
 * makes one, and nothing unmakes it.  So what mkdir makes is remembered here
 * until then, and what rmdir takes away is remembered as gone.
 */
#include "manage_plain.h"

#include "made.h"
#include "names.h"
#include "ns.h"
#include "scratch.h"

static int path_of(const struct ofs_node *dir, const char *name,
                   char ret[NAME_MAX + 1], struct ofs_err *err)
{
    if (ofs_path_join(dir->path, name, ret) == 0)
        return 0;
    return ofs_err_set(err, -EINVAL, "no repository can be called '%s%s%s'",
                       dir->path, *dir->path ? "/" : "", name);
}

int ofs_plain_mkdir(struct ofs_tree *t, struct ofs_call *call,
                    const struct ofs_node *dir, const char *name,
                    struct ofs_node_spec *ret, struct ofs_err *err)
{
    char path[NAME_MAX + 1];
    int r = path_of(dir, name, path, err);

    if (r == 0)
        r = ofs_made_add(t, path, call->who);
    if (r < 0)
        return r;
    ofs_spec_dir(ret, dir->scope, path);
    return 0;
}

static bool holds_scratch(struct ofs_tree *t, const char *path)
{
    struct ofs_node_spec spec;

    ofs_spec_dir(&spec, OFS_SCOPE_NONE, path);
    return !ofs_scratch_is_empty(t, ofs_ino_of(&spec, 0));
}

static int remove_new(struct ofs_tree *t, const char *path, struct ofs_err *err)
{
    if (ofs_waiting_any(t, path))
        return ofs_err_set(err, -ENOTEMPTY,
                           "manifests in '%s' wait for what they name", path);
    ofs_made_forget(t, path);
    return 0;
}

/* How many tags it has now; somebody else may have pushed one. */
static int count_tags(struct ofs_tree *t, struct ofs_call *call,
                      const char *path, size_t *ret, struct ofs_err *err)
{
    OFS_REPO_HOLD(held, t, path);
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a repository");
    r = ofs_repo_list(t, call, held.repo, err);
    if (r < 0 && r != -ENOENT)
        return r;
    OFS_GUARD(&held.repo->mtx);
    *ret = held.repo->tags.n;
    return 0;
}

static int remove_real(struct ofs_tree *t, const char *path, size_t n,
                       struct ofs_err *err)
{
    if (!t->allow_delete)
        return ofs_err_set(
            err, -EPERM,
            "repositories are taken away only with -o allow_delete");
    if (n > 0)
        return ofs_err_set(err, -ENOTEMPTY, "'%s' has %zu tags", path, n);
    return ofs_made_unmake(t, path);
}

int ofs_plain_rmdir(struct ofs_tree *t, struct ofs_call *call,
                    const struct ofs_node *dir, const char *name,
                    struct ofs_err *err)
{
    char path[NAME_MAX + 1];
    size_t n_tags = 0;
    struct ofs_ns ns;
    int r = path_of(dir, name, path, err);

    if (r == 0)
        r = ofs_ns_fresh(t, call, dir->scope, path, &ns, err);
    if (r < 0)
        return r;
    if ((ns.flags & OFS_NS_PARENT) || holds_scratch(t, path))
        return ofs_err_set(err, -ENOTEMPTY, "'%s' is not empty", path);
    r = count_tags(t, call, path, &n_tags, err);
    if (r < 0)
        return r;
    return ofs_made_is_new(t, path) ? remove_new(t, path, err)
                                    : remove_real(t, path, n_tags, err);
}
