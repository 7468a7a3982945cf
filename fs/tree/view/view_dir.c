/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root and every directory that repository names make.  One of them may
 * be a repository and the parent of others at once, so this view asks for
 * both: catalog.c knows the parts, view_repo.c what a repository holds.
 */
#include "view_dir.h"

#include "ocirfs/ref.h"

#include "handle.h"
#include "manage.h"
#include "names.h"
#include "new_repos.h"
#include "prefetch.h"
#include "repo_list.h"
#include "repo_state.h"
#include "view_repo.h"

#include <sys/stat.h>

static void dir_attr(struct ofs_tree *t, const struct ofs_node *node,
                     struct ofs_attr *ret)
{
    ret->mtime_s = ofs_ns_mtime(&t->space, node->scope, node->path);
    ret->valid_ms = t->sync.ttl_ms;
}

void ofs_found_dir(struct ofs_found *ret, uint64_t scope, const char *path)
{
    ofs_found_set(ret, &ofs_view_dir, path, "");
    ret->spec.scope = scope;
}

static void dir_above(struct ofs_tree *t, const struct ofs_node *node,
                      struct ofs_node_spec *ret)
{
    struct ofs_above above;

    ofs_ns_above(&t->space, node->scope, node->path, &above);
    ofs_spec_dir(ret, above.scope, above.path);
}

/* A directory that was found, good for so long. */
static int found_dir(struct ofs_tree *t, uint64_t scope, const char *path,
                     int64_t left_ms, struct ofs_found *ret)
{
    ofs_found_dir(ret, scope, path);
    /* mv takes an inode along to where it stands for nothing: a directory
     * belongs to its compartment. */
    ret->valid_ms = t->push && t->space.backend->ops->is_mutable ? 0 : left_ms;
    return 0;
}

/* A directory part.  -ENOENT: there is none. */
static int find_part(struct ofs_tree *t, struct ofs_call *call,
                     const struct ofs_node *dir, const char *part,
                     struct ofs_found *ret, struct ofs_err *err)
{
    char path[NAME_MAX + 1];
    struct ofs_ns ns;
    int r = ofs_ns_join(&t->space, call, dir->path, part, path, err);

    if (r == 0)
        r = ofs_ns_fresh(&t->space, call, dir->scope, path, &ns, err);
    if (r < 0)
        return r;
    if (!ns.flags)
        return -ENOENT;
    return found_dir(t, dir->scope, path, ns.left_ms, ret);
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
    ofs_ns_guess(&t->space, dir->scope, path, &ns);
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
    if (r == -ENOENT &&
        !ofs_new_repo_hides_all(&t->new_repos, call->who, dir->path))
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
        r = ofs_ns_fresh(&t->space, call, dir->scope, path, &ns, err);
    if (r < 0)
        return r;
    if (!(ns.flags & (OFS_NS_REPO | OFS_NS_PARENT)))
        return -ENOENT;
    return found_dir(t, dir->scope, path, ns.left_ms, ret);
}

static int find_compartment(struct ofs_tree *t, struct ofs_call *call,
                            const struct ofs_node *dir, const char *name,
                            struct ofs_found *ret, struct ofs_err *err)
{
    struct ofs_compartment_found c;
    int r = -ENOENT;

    if (!*dir->path)
        r = ofs_ns_find_compartment(&t->space, call, dir->scope, name, &c, err);
    if (r < 0)
        return r;
    return found_dir(t, c.scope, "", c.left_ms, ret);
}

/* Parts of repository names win over compartments. */
static int find_in_compartment(struct ofs_tree *t, struct ofs_call *call,
                               const struct ofs_node *dir, const char *name,
                               struct ofs_found *ret, struct ofs_err *err)
{
    int r = find_part(t, call, dir, name, ret, err);

    if (r == -ENOENT)
        r = find_compartment(t, call, dir, name, ret, err);
    return r;
}

static int find_plain(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_node *dir, const char *name,
                      struct ofs_found *ret, struct ofs_err *err)
{
    struct ofs_ns here;
    int r = ofs_ns_known(&t->space, call, dir->scope, dir->path, &here, err);

    if (r < 0)
        return r;
    if (!(here.flags & OFS_NS_REPO))
        return find_in_compartment(t, call, dir, name, ret, err);
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
    int r = ofs_ns_known(&t->space, call, dir->scope, dir->path, &here, err);

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
    case OFS_NAME_COMPARTMENT:
    case OFS_NAME_NOBODY:
        return find_compartment(t, call, dir, name->base, ret, err);
    }
    return -ENOENT;
}

static int dir_lookup(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_node *dir, const char *name,
                      struct ofs_found *ret, struct ofs_err *err)
{
    struct ofs_name parsed;
    int r;

    if (dir->ino == OFS_ROOT_INO && t->control &&
        strcmp(name, OFS_CONTROL_NAME) == 0) {
        ofs_found_set(ret, &ofs_view_control, "", "");
        return 0;
    }
    r = ofs_name_parse(name, &parsed);
    return r < 0 ? r : find(t, call, dir, &parsed, ret, err);
}

/* ---- listing ---- */

static int add_parts(struct ofs_tree *t, struct ofs_call *call,
                     struct ofs_dir *d, const struct ofs_strv *parts,
                     bool in_repo, struct ofs_err *err)
{
    const struct ofs_node *above = ofs_dir_node(d);
    char path[NAME_MAX + 1], text[NAME_MAX + 1];
    struct ofs_found found;

    for (size_t i = 0; i < parts->n; i++) {
        int r =
            ofs_ns_join(&t->space, call, above->path, parts->at[i], path, err);

        if (r < 0)
            return r;
        ofs_found_dir(&found, above->scope, path);
        if (ofs_dir_add(d, ofs_name_of_part(parts->at[i], in_repo, text),
                        &found.spec) < 0)
            return ofs_err_nomem(err, "a directory");
    }
    return 0;
}

/* The child compartments of a compartment, beside the directory parts. */
static int add_compartments(struct ofs_tree *t, struct ofs_dir *d,
                            const struct ofs_strv *parts)
{
    OFS_AUTO(ofs_children_done) struct ofs_children children = { 0 };
    const struct ofs_node *dir = ofs_dir_node(d);
    char text[NAME_MAX + 1];
    struct ofs_found found;

    if (*dir->path)
        return 0;
    if (ofs_ns_children(&t->space, dir->scope, &children) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < children.names.n; i++) {
        ofs_found_dir(&found, children.scopes[i], "");
        if (ofs_dir_add(
                d, ofs_name_of_compartment(children.names.at[i], parts, text),
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
    OFS_REPO_HOLD(held, &t->repos, ofs_dir_node(d)->path);
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a directory");
    r = ofs_repo_list(&t->repos, call, held.repo, err);
    if (r < 0)
        return r;
    ofs_prefetch_listed(&t->repos, held.repo);
    return ofs_repo_list_into(t, call->who, held.repo, parts, d);
}

/* Is there anything at the directory's path? */
static int check_there(struct ofs_tree *t, const char *path, unsigned flags,
                       struct ofs_err *err)
{
    if (!flags)
        return ofs_err_set(err, -ENOENT, "there is no repository '%s'", path);
    if (!(flags & OFS_NS_REPO) && ofs_repo_refusal(&t->repos, path) == -EACCES)
        return ofs_err_set(err, -EACCES, "'%s' may not be read", path);
    return 0;
}

/* Parts of names, compartments. */
static int list_names(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_dir *d, bool in_repo, struct ofs_strv *parts,
                      struct ofs_err *err)
{
    const struct ofs_node *dir = ofs_dir_node(d);
    size_t before = ofs_dir_count(d);
    int r = ofs_ns_parts(&t->space, call, dir->scope, dir->path, parts, err);

    if (r == 0)
        r = add_parts(t, call, d, parts, in_repo, err);
    if (r == 0 && add_compartments(t, d, parts) < 0)
        r = ofs_err_nomem(err, "a directory");
    /* An empty list because of a refusal would be a lie. */
    if (r == 0 && !*dir->path && ofs_dir_count(d) == before)
        r = ofs_ns_refusal(&t->space, dir->scope, err);
    return r;
}

static int list_all(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_dir *d, unsigned flags, struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    bool in_repo = (flags & OFS_NS_REPO) != 0;
    int r = list_names(t, call, d, in_repo, &parts, err);

    if (r < 0 || !in_repo)
        return r;
    r = list_repo(t, call, &parts, d, err);
    /* What cannot be read as a repository is still the way to others. */
    if ((r == -ENOENT || r == -EACCES) && (flags & OFS_NS_PARENT))
        r = 0;
    return r;
}

static int dir_list(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_dir *d, struct ofs_err *err)
{
    const struct ofs_node *dir = ofs_dir_node(d);
    struct ofs_ns ns;
    int r = ofs_ns_fresh(&t->space, call, dir->scope, dir->path, &ns, err);

    /* A repository that was moved away from here is still one. */
    if (r == 0 && !ns.flags)
        r = ofs_ns_known(&t->space, call, dir->scope, dir->path, &ns, err);
    if (r == 0)
        r = check_there(t, dir->path, ns.flags, err);
    return r < 0 ? r : list_all(t, call, d, ns.flags, err);
}

/* ---- changing ---- */

static int dir_remove(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_named *what, struct ofs_err *err)
{
    return ofs_manage_rmdir(&t->space, call, what->dir, what->name, err);
}

static int dir_rename(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_named *what,
                      const struct ofs_node *to_dir, const char *to,
                      struct ofs_err *err)
{
    return ofs_manage_move(&t->space, call, what->dir, what->name, to_dir, to,
                           err);
}

/* ---- what the control plane knows of it ---- */

static int dir_xattrs(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_node *dir, struct ofs_xattrs *ret,
                      struct ofs_err *err)
{
    return ofs_manage_dir_xattrs(&t->space, call, dir, ret, err);
}

static int dir_set_xattr(struct ofs_tree *t, struct ofs_call *call,
                         const struct ofs_node *dir, const char *name,
                         const struct ofs_buf *value, struct ofs_err *err)
{
    return ofs_manage_set_xattr(&t->space, call, dir, name, value, err);
}

const struct ofs_view ofs_view_dir = {
    .kind = OFS_KIND_DIR,
    .type = S_IFDIR,
    .above = dir_above,
    .place = OFS_PLACE_REPO,
    .attr = dir_attr,
    .lookup = dir_lookup,
    .list = dir_list,
    .remove = dir_remove,
    .rename = dir_rename,
    .service_xattrs = dir_xattrs,
    .set_xattr = dir_set_xattr,
};
