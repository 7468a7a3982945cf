/* SPDX-License-Identifier: Apache-2.0 */
/* blobs/, blobs/<algorithm>/ and the files in there, named by their content. */
#include "ocirfs/regsource.h"

#include "blob_ask.h"
#include "handle.h"
#include "new_repos.h"
#include "overlay.h"
#include "reach.h"
#include "repo_state.h"
#include "unpushed.h"
#include "view.h"
#include "view_layout.h"
#include "view_manifest.h"
#include "xattrs.h"

#include <sys/stat.h>

enum { SMALL_MAX_BYTES = 1024 * 1024 };

static const enum ofs_digest_alg algs[] = { OFS_SHA256, OFS_SHA512 };

static const char *name_of(enum ofs_digest_alg alg)
{
    const struct ofs_digest d = { .alg = (uint8_t)alg };

    return ofs_digest_alg_name(&d);
}

/* They come and go with the repository, whose time they have. */
static void dir_attr(struct ofs_tree *t, const struct ofs_node *node,
                     struct ofs_attr *ret)
{
    ret->mtime_s = ofs_ns_repo_mtime(&t->space, node->path);
    ret->valid_ms = t->sync.ttl_ms;
}

/* All that the tags reach; *ret is owned. */
static int reach(struct ofs_tree *t, struct ofs_call *call, const char *path,
                 struct ofs_digest **ret, size_t *ret_n, struct ofs_err *err)
{
    OFS_REPO_HOLD(held, &t->repos, path);

    if (!held.repo)
        return ofs_err_nomem(err, "a list of blobs");
    return ofs_reach_get(&t->repos, call, held.repo, ret, ret_n, err);
}

/* ---- blobs/ ---- */

static bool has_alg(const struct ofs_digest *at, size_t n,
                    enum ofs_digest_alg alg)
{
    if (alg == OFS_SHA256) /* every layout has it */
        return true;
    for (size_t i = 0; i < n; i++)
        if (at[i].alg == alg)
            return true;
    return false;
}

static int find_alg(struct ofs_tree *t, struct ofs_call *call,
                    const struct ofs_node *dir, enum ofs_digest_alg alg,
                    struct ofs_found *ret, struct ofs_err *err)
{
    OFS_AUTOFREE struct ofs_digest *at = NULL;
    unsigned part = ofs_new_repo_part(name_of(alg));
    bool made = ofs_new_repo_shows(&t->new_repos, dir->path, part);
    size_t n = 0;
    int r = 0;

    if (ofs_new_repo_hides(&t->new_repos, call->who, dir->path, part))
        return -ENOENT;
    if (alg != OFS_SHA256 && !made)
        r = reach(t, call, dir->path, &at, &n, err);
    if (r < 0)
        return r;
    if (!made && !has_alg(at, n, alg))
        return -ENOENT;
    ofs_found_set(ret, &ofs_view_alg, dir->path, name_of(alg));
    ret->valid_ms = ofs_layout_valid(t, dir->path, t->sync.ttl_ms);
    return 0;
}

static int blobs_lookup(struct ofs_tree *t, struct ofs_call *call,
                        const struct ofs_node *dir, const char *name,
                        struct ofs_found *ret, struct ofs_err *err)
{
    for (size_t i = 0; i < OFS_COUNT_OF(algs); i++)
        if (strcmp(name, name_of(algs[i])) == 0)
            return find_alg(t, call, dir, algs[i], ret, err);
    return -ENOENT;
}

/* sha256 always, others when there is anything in them. */
static int blobs_list(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_dir *d, struct ofs_err *err)
{
    const struct ofs_node *dir = ofs_dir_node(d);
    OFS_AUTOFREE struct ofs_digest *at = NULL;
    struct ofs_found found;
    size_t n = 0;
    int r = reach(t, call, dir->path, &at, &n, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < OFS_COUNT_OF(algs); i++) {
        unsigned part = ofs_new_repo_part(name_of(algs[i]));

        if (ofs_new_repo_hides(&t->new_repos, call->who, dir->path, part) ||
            !(has_alg(at, n, algs[i]) ||
              ofs_new_repo_shows(&t->new_repos, dir->path, part)))
            continue;
        ofs_found_set(&found, &ofs_view_alg, dir->path, name_of(algs[i]));
        if (ofs_dir_add(d, found.spec.name, &found.spec) < 0)
            return ofs_err_nomem(err, "a directory");
    }
    return 0;
}

/* ---- blobs/<algorithm>/ ---- */

static int alg_lookup(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_node *dir, const char *name,
                      struct ofs_found *ret, struct ofs_err *err)
{
    OFS_REPO_HOLD(held, &t->repos, dir->path);
    struct ofs_blob_seen seen;
    struct ofs_digest digest;
    int r;

    if (ofs_digest_parse_hex(dir->name, name, &digest) < 0 ||
        ofs_new_repo_hides_all(&t->new_repos, call->who, dir->path))
        return -ENOENT;
    if (!held.repo)
        return ofs_err_nomem(err, "a blob");
    r = ofs_unpushed_find(&t->repos, call, dir->path, &digest, &seen, err);
    if (r == -ENOENT)
        r = ofs_blob_find(&t->repos, call, held.repo, &digest, &seen, err);
    if (r < 0)
        return r;
    ofs_found_set(ret, &ofs_view_blob, dir->path, "");
    ret->spec.digest = digest;
    ret->spec.size = seen.size;
    ret->spec.manifest = seen.manifest;
    ret->valid_ms = seen.valid_ms;
    return 0;
}

static int alg_list(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_dir *d, struct ofs_err *err)
{
    const struct ofs_node *dir = ofs_dir_node(d);
    OFS_AUTOFREE struct ofs_digest *at = NULL;
    char text[OFS_DIGEST_TEXT_MAX];
    struct ofs_found found;
    size_t n = 0;
    int r = reach(t, call, dir->path, &at, &n, err);

    if (r == 0)
        r = ofs_unpushed_add(&t->repos, dir->path, &at, &n);
    if (r < 0)
        return ofs_told(r, err, "a directory");
    ofs_found_set(&found, &ofs_view_blob, dir->path, "");
    for (size_t i = 0; i < n; i++) {
        if (strcmp(ofs_digest_alg_name(&at[i]), dir->name) != 0)
            continue;
        found.spec.digest = at[i];
        if (ofs_dir_add(d, strchr(ofs_digest_format(&at[i], text), ':') + 1,
                        &found.spec) < 0)
            return ofs_err_nomem(err, "a directory");
    }
    return 0;
}

/* ---- a blob ---- */

/* A configuration that was read for its date is here already, whole. */
static bool has_small(struct ofs_tree *t, const struct ofs_digest *digest,
                      struct ofs_buf *ret)
{
    if (ofs_pending_save_get(&t->pending, digest, ret) == 0)
        return true;
    ofs_buf_reset(ret);
    return ofs_store_get(t->store, digest, SMALL_MAX_BYTES, ret, NULL) == 0;
}

static bool open_small(struct ofs_tree *t, struct ofs_file *f)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(SMALL_MAX_BYTES);

    if (f->node->size > SMALL_MAX_BYTES ||
        !has_small(t, &f->node->digest, &b) || b.len != f->node->size)
        return false;
    f->bytes = ofs_bytes_new(ofs_buf_str(&b), b.len);
    return f->bytes != NULL;
}

/* A file of no bytes is read without asking for any, so it is judged now. */
static int open_empty(struct ofs_file *f, struct ofs_err *err)
{
    struct ofs_digest nothing;
    int r = ofs_digest_of(f->node->digest.alg, "", 0, &nothing);

    if (r == 0 && !ofs_digest_eq(&nothing, &f->node->digest))
        return ofs_err_set(err, -EBADMSG,
                           "the registry has no bytes for a digest of some");
    f->bytes = ofs_bytes_new("", 0);
    return f->bytes ? r : ofs_err_nomem(err, "a blob");
}

static int blob_open(struct ofs_tree *t, struct ofs_call *call,
                     struct ofs_file *f, struct ofs_err *err)
{
    OFS_AUTO(ofs_source_unrefp) struct ofs_source *source = NULL;
    const struct ofs_node *node = f->node;

    if (node->manifest)
        return ofs_manifest_open(t, call, f, err);
    if (node->size == 0)
        return open_empty(f, err);
    if (open_small(t, f))
        return 0;
    source = ofs_regsource_new(t->repos.registry, node->path, &node->digest,
                               node->size, t->repos.use_mirror);
    if (!source)
        return ofs_err_nomem(err, "a blob");
    return ofs_store_open_blob(t->store, &node->digest, node->size, source,
                               &f->blob, err);
}

static int blob_xattrs(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_node *node, struct ofs_xattrs *ret,
                       struct ofs_err *err)
{
    if (node->manifest)
        return ofs_xattrs_of_manifest(t, call, node, ret, err);
    if (ofs_xattrs_add_digest(ret, &node->digest) < 0)
        return ofs_err_nomem(err, "attributes");
    return 0;
}

/* ---- changing ---- */

static int blob_remove(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_named *what, struct ofs_err *err)
{
    int r = ofs_content_remove(t, call, what, err);

    return r == -EPERM && t->space.allow_delete ? 0 : r;
}

static int layout_dir_remove(struct ofs_tree *t, struct ofs_call *call,
                             const struct ofs_named *what, struct ofs_err *err)
{
    const struct ofs_node_spec *dir = what->spec;
    unsigned part = ofs_new_repo_part(what->name);
    bool is_new = ofs_new_repo_is_new(&t->new_repos, dir->path);
    bool has_alg =
        ofs_new_repo_shows(&t->new_repos, dir->path, OFS_NEW_REPO_SHA256) ||
        ofs_new_repo_shows(&t->new_repos, dir->path, OFS_NEW_REPO_SHA512);

    if (!ofs_local_is_empty(&t->overlay, ofs_ino_of(dir, 0)) ||
        ofs_unpushed_any(&t->repos, dir->path) ||
        (is_new && part == OFS_NEW_REPO_BLOBS && has_alg))
        return ofs_err_set(err, -ENOTEMPTY, "'%s' is not empty", what->name);
    if (!is_new)
        return ofs_layout_leave(t, what->name, err);
    return ofs_new_repo_hide(&t->new_repos, call->who, dir->path, part);
}

/* ---- where they are ---- */

static void alg_above(struct ofs_tree *t, const struct ofs_node *node,
                      struct ofs_node_spec *ret)
{
    (void)t;
    ofs_spec_set(ret, ofs_view_blobs.kind, node->path, "");
}

static void blob_above(struct ofs_tree *t, const struct ofs_node *node,
                       struct ofs_node_spec *ret)
{
    (void)t;
    ofs_spec_set(ret, ofs_view_alg.kind, node->path,
                 ofs_digest_alg_name(&node->digest));
}

const struct ofs_view ofs_view_blobs = {
    .kind = "blobs",
    .type = S_IFDIR,
    .path = "blobs",
    .place = OFS_PLACE_BLOBS,
    .attr = dir_attr,
    .lookup = blobs_lookup,
    .list = blobs_list,
    .remove = layout_dir_remove,
};

const struct ofs_view ofs_view_alg = {
    .kind = "alg",
    .type = S_IFDIR,
    .path = "blobs/%n",
    .above = alg_above,
    .place = OFS_PLACE_ALG,
    .attr = dir_attr,
    .lookup = alg_lookup,
    .list = alg_list,
    .remove = layout_dir_remove,
};

const struct ofs_view ofs_view_blob = {
    .kind = "blob",
    .type = S_IFREG,
    .path = "blobs/%p",
    .above = blob_above,
    .place = OFS_PLACE_ALG,
    .content = OFS_CONTENT_BLOB,
    .open = blob_open,
    .remove = blob_remove,
    .xattrs = blob_xattrs,
};
