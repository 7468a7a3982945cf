/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root and every directory that repository names make.  One of them may
 * be a repository and the parent of others at once, so this view asks for
 * both: catalog.c knows the parts, view_repo.c what a repository holds.
 */
#include "ocirfs/ref.h"

#include "names.h"
#include "view.h"

#include <sys/stat.h>

static const char control_name[] = ".ocirfs";

static void dir_attr(struct ofs_tree *t, const struct ofs_node *node,
                     struct ofs_attr *ret)
{
    ret->mtime_s = ofs_repo_mtime(t, node->path);
    ret->valid_ms = t->ttl_ms;
}

static void set_dir(const char *path, const struct ofs_ns *ns,
                    struct ofs_found *ret)
{
    ofs_found_set(ret, &ofs_view_dir, path, "");
    ret->valid_ms = ns->left_ms;
}

/* A directory part.  -ENOENT: there is none. */
static int find_part(struct ofs_tree *t, struct ofs_call *call,
                     const struct ofs_node *dir, const char *part,
                     struct ofs_found *ret, struct ofs_err *err)
{
    char path[NAME_MAX + 1];
    struct ofs_ns ns;
    int r = ofs_path_join(dir->path, part, path);

    if (r == 0)
        r = ofs_ns_fresh(t, call, path, &ns, err);
    if (r < 0)
        return r;
    if (!ns.flags)
        return -ENOENT;
    set_dir(path, &ns, ret);
    return 0;
}

/*
 * The same in a directory that is a repository, where a tag may have the name
 * as well.  Only what is known already wins over it; asking comes after.
 */
static bool is_known_part(struct ofs_tree *t, const struct ofs_node *dir,
                          const char *part)
{
    char path[NAME_MAX + 1];
    struct ofs_ns ns;

    if (ofs_path_join(dir->path, part, path) < 0)
        return false;
    ofs_ns_guess(t, path, &ns);
    return (ns.flags & (OFS_NS_REPO | OFS_NS_PARENT)) != 0;
}

static int find_beside_tags(struct ofs_tree *t, struct ofs_call *call,
                            const struct ofs_node *dir, const char *name,
                            struct ofs_found *ret, struct ofs_err *err)
{
    int r = -ENOENT;

    if (ofs_name_is_layout(name))
        return ofs_repo_find_layout(t, call, dir->path, name, ret, err);
    if (is_known_part(t, dir, name))
        r = find_part(t, call, dir, name, ret, err);
    if (r == -ENOENT)
        r = ofs_repo_find_tag(t, call, dir->path, name, ret, err);
    return r;
}

/*
 * Below a repository whose neighbours nobody knows, a path that is no
 * repository itself is nothing: else every name that is not there would be a
 * directory.
 */
static int find_other_part(struct ofs_tree *t, struct ofs_call *call,
                           const struct ofs_node *dir, const char *name,
                           struct ofs_found *ret, struct ofs_err *err)
{
    char path[NAME_MAX + 1];
    struct ofs_ns ns;
    int r = ofs_path_join(dir->path, name, path);

    if (r == 0)
        r = ofs_ns_fresh(t, call, path, &ns, err);
    if (r < 0)
        return r;
    if (!(ns.flags & (OFS_NS_REPO | OFS_NS_PARENT)))
        return -ENOENT;
    set_dir(path, &ns, ret);
    return 0;
}

static int find_plain(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_node *dir, const char *name,
                      struct ofs_found *ret, struct ofs_err *err)
{
    struct ofs_ns here;
    int r = ofs_ns_known(t, call, dir->path, &here, err);

    if (r < 0)
        return r;
    if (!(here.flags & OFS_NS_REPO))
        return find_part(t, call, dir, name, ret, err);
    r = find_beside_tags(t, call, dir, name, ret, err);
    if (r == -ENOENT)
        r = find_other_part(t, call, dir, name, ret, err);
    return r;
}

/* Names that only a repository has. */
static int find_in_repo(struct ofs_tree *t, struct ofs_call *call,
                        const struct ofs_node *dir, const struct ofs_name *name,
                        struct ofs_found *ret, struct ofs_err *err)
{
    struct ofs_ns here;
    int r = ofs_ns_known(t, call, dir->path, &here, err);

    if (r < 0)
        return r;
    if (!(here.flags & OFS_NS_REPO))
        return -ENOENT;
    if (name->kind == OFS_NAME_DIGEST)
        return ofs_repo_find_digest(t, call, dir->path, &name->digest, ret,
                                    err);
    return ofs_repo_find_tag(t, call, dir->path, name->base, ret, err);
}

static int find(struct ofs_tree *t, struct ofs_call *call,
                const struct ofs_node *dir, const struct ofs_name *name,
                struct ofs_found *ret, struct ofs_err *err)
{
    switch (name->kind) {
    case OFS_NAME_PLAIN:
        return find_plain(t, call, dir, name->base, ret, err);
    case OFS_NAME_REPOSITORY:
        return find_part(t, call, dir, name->base, ret, err);
    case OFS_NAME_TAG:
    case OFS_NAME_DIGEST:
        return find_in_repo(t, call, dir, name, ret, err);
    case OFS_NAME_NOBODY:
        break;
    }
    return -ENOENT;
}

static int dir_lookup(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_node *dir, const char *name,
                      struct ofs_found *ret, struct ofs_err *err)
{
    struct ofs_name parsed;
    int r;

    if (!*dir->path && t->control && strcmp(name, control_name) == 0) {
        ofs_found_set(ret, &ofs_view_control, "", "");
        return 0;
    }
    r = ofs_name_parse(name, &parsed);
    return r < 0 ? r : find(t, call, dir, &parsed, ret, err);
}

/* ---- listing ---- */

static int add_parts(struct ofs_dir *d, const struct ofs_strv *parts,
                     bool in_repo)
{
    const char *above = ofs_dir_node(d)->path;
    char path[NAME_MAX + 1], text[NAME_MAX + 1];
    struct ofs_found found;

    for (size_t i = 0; i < parts->n; i++) {
        if (ofs_path_join(above, parts->at[i], path) < 0)
            continue;
        ofs_found_set(&found, &ofs_view_dir, path, "");
        if (ofs_dir_add(d, ofs_name_of_part(parts->at[i], in_repo, text),
                        &found.spec) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* The tags of a directory that is a repository. */
static int list_repo(struct ofs_tree *t, struct ofs_call *call,
                     const struct ofs_strv *parts, struct ofs_dir *d,
                     struct ofs_err *err)
{
    OFS_REPO_HOLD(held, t, ofs_dir_node(d)->path);
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a directory");
    r = ofs_repo_list(t, call, held.repo, err);
    if (r < 0)
        return r;
    ofs_prefetch_listed(t, held.repo);
    return ofs_repo_list_into(t, held.repo, parts, d);
}

/* Is there anything at the directory's path? */
static int check_there(struct ofs_tree *t, const char *path, unsigned flags,
                       struct ofs_err *err)
{
    if (!flags)
        return ofs_err_set(err, -ENOENT, "there is no repository '%s'", path);
    if (!(flags & OFS_NS_REPO) && ofs_repo_refusal(t, path) == -EACCES)
        return ofs_err_set(err, -EACCES, "'%s' may not be read", path);
    return 0;
}

static int list_all(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_dir *d, unsigned flags, struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    bool in_repo = (flags & OFS_NS_REPO) != 0;
    int r;

    if (ofs_ns_parts(t, ofs_dir_node(d)->path, &parts) < 0 ||
        add_parts(d, &parts, in_repo) < 0)
        return ofs_err_nomem(err, "a directory");
    r = in_repo ? list_repo(t, call, &parts, d, err) : 0;
    /* What cannot be read as a repository is still the way to others. */
    if ((r == -ENOENT || r == -EACCES) && (flags & OFS_NS_PARENT))
        r = 0;
    return r;
}

static int dir_list(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_dir *d, struct ofs_err *err)
{
    const char *path = ofs_dir_node(d)->path;
    struct ofs_ns ns;
    int r = ofs_ns_fresh(t, call, path, &ns, err);

    if (r == 0)
        r = check_there(t, path, ns.flags, err);
    return r < 0 ? r : list_all(t, call, d, ns.flags, err);
}

const struct ofs_view ofs_view_dir = {
    .kind = "dir",
    .type = S_IFDIR,
    .attr = dir_attr,
    .lookup = dir_lookup,
    .list = dir_list,
};
