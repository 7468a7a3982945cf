/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of backend.h, each by the file that has it. */
#include "ocir.h"

#include "ocirfs/ref.h"

#include "image_details.h"
#include "image_list.h"
#include "names.h"
#include "ocir_lifecycle.h"
#include "ocir_xattrs.h"
#include "repo_details.h"
#include "tenancy_priv.h"

static struct ofs_tenancy *tenancy_of(struct ofs_backend *b)
{
    return (struct ofs_tenancy *)b;
}

static void ocir_free(struct ofs_backend *b)
{
    struct ofs_tenancy *n = tenancy_of(b);

    ofs_ora_use_places(n->ora, NULL, NULL);
    ofs_tenancy_free(n);
}

static int ocir_check(struct ofs_backend *b, struct ofs_call *call,
                      struct ofs_err *err)
{
    return ofs_tenancy_check(tenancy_of(b), call, err);
}

/* ---- which directories there are ---- */

static int ocir_want(struct ofs_backend *b, struct ofs_call *call,
                     uint64_t scope, struct ofs_err *err)
{
    return ofs_tenancy_want(tenancy_of(b), call, scope, err);
}

static bool ocir_is_known(struct ofs_backend *b, uint64_t scope)
{
    return ofs_tenancy_is_known(tenancy_of(b), scope);
}

static void ocir_search(struct ofs_backend *b, const struct ofs_where *at,
                        struct ofs_ns *ret)
{
    ofs_tenancy_search(tenancy_of(b), at->scope, at->path, ret);
}

static int ocir_parts(struct ofs_backend *b, const struct ofs_where *at,
                      struct ofs_strv *ret)
{
    return ofs_tenancy_parts(tenancy_of(b), at->scope, at->path, ret);
}

static void ocir_above(struct ofs_backend *b, const struct ofs_where *at,
                       struct ofs_above *ret)
{
    ret->scope = at->scope;
    ofs_path_parent(at->path, ret->path);
    if (!*at->path)
        ret->scope = ofs_tenancy_above(tenancy_of(b), at->scope);
    else if (!strchr(ret->path, '/'))
        ret->path[0] = '\0'; /* the namespace is no directory */
}

static bool ocir_place_of(struct ofs_backend *b, const char *path,
                          struct ofs_repo_location *ret)
{
    return ofs_tenancy_place_of(tenancy_of(b), path, ret);
}

static int64_t ocir_mtime(struct ofs_backend *b, const struct ofs_where *at)
{
    struct ofs_repo_location place;

    if (!*at->path)
        return ofs_tenancy_mtime(tenancy_of(b), at->scope);
    return ocir_place_of(b, at->path, &place) ? place.mtime_s : 0;
}

/* Where no repository lies, in a compartment or the root, the namespace is to
 * be put before the name. */
static int ocir_join(struct ofs_backend *b, struct ofs_call *call,
                     const char *path, const char *part, char ret[NAME_MAX + 1],
                     struct ofs_err *err)
{
    char ns[NAME_MAX + 1];
    int r;

    if (*path)
        return ofs_path_join(path, part, ret);
    if (!ofs_repo_part_is_valid(part))
        return -ENOENT;
    r = ofs_tenancy_namespace(tenancy_of(b), call, ns, err);
    return r < 0 ? r : ofs_path_join(ns, part, ret);
}

static uint64_t ocir_child(struct ofs_backend *b, uint64_t scope,
                           const char *name)
{
    return ofs_tenancy_child(tenancy_of(b), scope, name);
}

static int ocir_children(struct ofs_backend *b, uint64_t scope,
                         struct ofs_children *ret)
{
    return ofs_tenancy_children(tenancy_of(b), scope, ret);
}

static int ocir_refusal(struct ofs_backend *b, uint64_t scope,
                        struct ofs_err *err)
{
    return ofs_tenancy_refusal(tenancy_of(b), scope, err);
}

static void ocir_shown(struct ofs_backend *b, const struct ofs_where *at,
                       struct ofs_buf *ret)
{
    ofs_tenancy_shown(tenancy_of(b), at->scope, at->path, ret);
}

static void ocir_policy_place(struct ofs_backend *b, const char *repo,
                              struct ofs_buf *ret)
{
    ofs_tenancy_policy_of(tenancy_of(b), repo, ret);
}

/* ---- repositories and tags ---- */

static int ocir_create(struct ofs_backend *b, struct ofs_call *call,
                       const struct ofs_where *at, struct ofs_err *err)
{
    return ofs_ocir_create(tenancy_of(b), call, at, err);
}

static int ocir_remove(struct ofs_backend *b, struct ofs_call *call,
                       const char *path, struct ofs_err *err)
{
    return ofs_ocir_remove(tenancy_of(b), call, path, err);
}

static int ocir_move(struct ofs_backend *b, struct ofs_call *call,
                     const struct ofs_where *from, uint64_t to_scope,
                     struct ofs_err *err)
{
    return ofs_ocir_move(tenancy_of(b), call, from, to_scope, err);
}

static int ocir_untag(struct ofs_backend *b, struct ofs_call *call,
                      const char *repo, const char *tag, struct ofs_err *err)
{
    return ofs_ocir_untag(tenancy_of(b), call, repo, tag, err);
}

static int ocir_may_move(struct ofs_backend *b, struct ofs_call *call,
                         const char *repo, const char *tag, struct ofs_err *err)
{
    return ofs_ocir_may_move(tenancy_of(b), call, repo, tag, err);
}

static bool ocir_is_immutable(struct ofs_backend *b, const char *repo)
{
    return ofs_repo_details_immutable(tenancy_of(b), repo);
}

/* ---- what the service knows of images ---- */

static int ocir_images_want(struct ofs_backend *b, struct ofs_call *call,
                            const char *repo, struct ofs_err *err)
{
    return ofs_image_list_want(tenancy_of(b), call, repo, err);
}

static bool ocir_images_hint(struct ofs_backend *b, const char *repo,
                             const char *tag, struct ofs_image_hint *ret)
{
    return ofs_image_list_hint(tenancy_of(b), repo, tag, ret);
}

static int64_t ocir_images_time(struct ofs_backend *b, const char *repo,
                                const struct ofs_digest *digest)
{
    return ofs_image_list_time(tenancy_of(b), repo, digest);
}

static int ocir_dir_xattrs(struct ofs_backend *b, struct ofs_call *call,
                           const struct ofs_where *at, struct ofs_xattrs *ret,
                           struct ofs_err *err)
{
    return ofs_ocir_dir_xattrs(tenancy_of(b), call, at, ret, err);
}

static int ocir_tag_xattrs(struct ofs_backend *b, struct ofs_call *call,
                           const char *repo, const char *tag,
                           struct ofs_xattrs *ret, struct ofs_err *err)
{
    return ofs_ocir_tag_xattrs(tenancy_of(b), call, repo, tag, ret, err);
}

static int ocir_set_xattr(struct ofs_backend *b, struct ofs_call *call,
                          const char *repo, const char *name,
                          const struct ofs_buf *value, struct ofs_err *err)
{
    return ofs_ocir_set_xattr(tenancy_of(b), call, repo, name, value, err);
}

static const struct ofs_backend_ops ocir_ops = {
    .root = OFS_SCOPE_TOP,
    .lists_empty = true,
    .is_mutable = true,
    .free = ocir_free,
    .check = ocir_check,
    .want = ocir_want,
    .is_known = ocir_is_known,
    .search = ocir_search,
    .parts = ocir_parts,
    .above = ocir_above,
    .mtime = ocir_mtime,
    .place_of = ocir_place_of,
    .join = ocir_join,
    .child = ocir_child,
    .children = ocir_children,
    .refusal = ocir_refusal,
    .shown = ocir_shown,
    .policy_place = ocir_policy_place,
    .create = ocir_create,
    .remove = ocir_remove,
    .move = ocir_move,
    .untag = ocir_untag,
    .may_move = ocir_may_move,
    .is_immutable = ocir_is_immutable,
    .images_want = ocir_images_want,
    .images_hint = ocir_images_hint,
    .images_time = ocir_images_time,
    .dir_xattrs = ocir_dir_xattrs,
    .tag_xattrs = ocir_tag_xattrs,
    .set_xattr = ocir_set_xattr,
};

/* What is kept of answers about single things; ofs_tenancy_free frees it. */
static int init_caches(struct ofs_tenancy *n)
{
    struct ofs_sync *sync = n->base.sync;

    n->repo_details = ofs_ttlcache_new(sync, &ofs_repo_details_ops, n);
    n->image_lists = ofs_ttlcache_new(sync, &ofs_image_list_ops, n);
    n->image_details = ofs_ttlcache_new(sync, &ofs_image_details_ops, n);
    return n->repo_details && n->image_lists && n->image_details ? 0 : -ENOMEM;
}

struct ofs_backend *ofs_ocir_new(const struct ofs_ocir_backend_cfg *cfg)
{
    struct ofs_tenancy *n = ofs_tenancy_new(cfg);

    if (!n)
        return NULL;
    if (init_caches(n) < 0) {
        ofs_tenancy_free(n);
        return NULL;
    }
    n->base.ops = &ocir_ops;
    ofs_ora_use_places(n->ora, ofs_tenancy_policy_place, n);
    ofs_note_load_tenancy(n);
    return &n->base;
}
