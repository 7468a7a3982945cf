/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a directory holds because it is a repository: tags, manifests by
 * digest, and the names of an image layout.
 */
#include "view_repo.h"

#include "ocirfs/ref.h"

#include "blob_ask.h"
#include "content.h"
#include "created.h"
#include "handle.h"
#include "layout_files.h"
#include "names.h"
#include "new_repos.h"
#include "repo_state.h"
#include "tag_ask.h"
#include "view_layout.h"

/*
 * Names that our own writes may move are looked up each time: a push through
 * index.json changes tags that nobody named to the kernel.  It costs no
 * request; the tree has its own memory.
 */
static int64_t moves(const struct ofs_tree *t, int64_t left_ms)
{
    return t->push ? 0 : left_ms;
}

typedef int find_fn(struct ofs_tree *t, struct ofs_call *call, const char *path,
                    struct ofs_found *ret, struct ofs_err *err);

static int find_blobs(struct ofs_tree *t, struct ofs_call *call,
                      const char *path, struct ofs_found *ret,
                      struct ofs_err *err)
{
    (void)call;
    (void)err;
    ofs_found_set(ret, &ofs_view_blobs, path, "");
    /* As long as the repository is one. */
    ret->valid_ms = ofs_layout_valid(t, path, t->sync.ttl_ms);
    return 0;
}

static int find_index(struct ofs_tree *t, struct ofs_call *call,
                      const char *path, struct ofs_found *ret,
                      struct ofs_err *err)
{
    OFS_REPO_HOLD(held, &t->repos, path);
    struct ofs_index index;
    int64_t left_ms;
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "index.json");
    r = ofs_index_get(&t->repos, call, held.repo, &index, &left_ms, err);
    if (r < 0)
        return r;
    ofs_found_set(ret, &ofs_view_index, path, "");
    ret->spec.digest = index.digest;
    ret->spec.size = index.bytes->len;
    ret->spec.mtime_s = index.mtime_s;
    ret->valid_ms = moves(t, left_ms);
    ofs_bytes_unref(index.bytes);
    return 0;
}

static int find_header(struct ofs_tree *t, struct ofs_call *call,
                       const char *path, struct ofs_found *ret,
                       struct ofs_err *err)
{
    (void)call;
    (void)err;
    ofs_found_set(ret, &ofs_view_header, path, "");
    ret->spec.size = strlen(ofs_layout_header);
    ret->valid_ms = ofs_layout_valid(t, path, OFS_NEVER);
    return 0;
}

static const struct row {
    const char *name;
    const struct ofs_view *view;
    find_fn *find;
} rows[] = {
    { "blobs", &ofs_view_blobs, find_blobs },
    { "index.json", &ofs_view_index, find_index },
    { "oci-layout", &ofs_view_header, find_header },
};

int ofs_repo_find_layout(struct ofs_tree *t, struct ofs_call *call,
                         const char *path, const char *name,
                         struct ofs_found *ret, struct ofs_err *err)
{
    if (ofs_new_repo_hides(&t->new_repos, call->who, path,
                           ofs_new_repo_part(name)))
        return -ENOENT;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].find(t, call, path, ret, err);
    return -ENOENT;
}

int ofs_repo_find_tag(struct ofs_tree *t, struct ofs_call *call,
                      const char *path, const char *tag, struct ofs_found *ret,
                      struct ofs_err *err)
{
    OFS_AUTO(ofs_tag_seen_done) struct ofs_tag_seen seen = { 0 };
    OFS_REPO_HOLD(held, &t->repos, path);
    const struct ofs_tag_of of = {
        .repos = &t->repos, .repo = held.repo, .tag = tag, .how = OFS_TAG_STAT
    };
    int r;

    if (!ofs_tag_is_valid(tag))
        return -ENOENT;
    if (!held.repo)
        return ofs_err_nomem(err, "a tag");
    r = ofs_tag_get(&of, call, &seen, err);
    if (r < 0)
        return r;
    ofs_found_set(ret, &ofs_view_tag, path, tag);
    ret->spec.digest = seen.info.digest;
    ret->spec.size = seen.info.size;
    ret->spec.mtime_s = seen.info.mtime_s;
    ret->valid_ms = moves(t, seen.left_ms);
    return 0;
}

int ofs_repo_find_digest(struct ofs_tree *t, struct ofs_call *call,
                         const char *path, const struct ofs_digest *digest,
                         struct ofs_found *ret, struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    OFS_REPO_HOLD(held, &t->repos, path);
    struct ofs_date created = { 0 };
    struct ofs_blob_seen seen;
    char name[OFS_DIGEST_TEXT_MAX];
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a manifest");
    r = ofs_blob_find_manifest(&t->repos, call, held.repo, digest, &seen, err);
    if (r < 0)
        return r;
    r = ofs_manifest_read(&t->repos, call, held.repo, digest, &m, err);
    if (r == 0)
        r = ofs_created_of(&t->repos, call, held.repo,
                           ofs_digest_format(digest, name), &m, &created, err);
    if (r < 0 && r != -EBADMSG && r != -EFBIG)
        return r;
    ofs_found_set(ret, &ofs_view_digest, path, "");
    ret->spec.digest = *digest;
    ret->spec.size = seen.size;
    ret->spec.mtime_s = created.s;
    ret->valid_ms = seen.valid_ms;
    return 0;
}

/* The number of index.json is its content's, where that is known. */
static void set_digest(struct ofs_repo *repo, struct ofs_node_spec *spec)
{
    OFS_GUARD(&repo->mtx);
    if (spec->view == &ofs_view_index && repo->index.bytes &&
        repo->index.version == repo->version)
        spec->digest = repo->index.digest;
}

static int add_layout(struct ofs_tree *t, int who, struct ofs_repo *repo,
                      struct ofs_dir *d)
{
    struct ofs_found found;

    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        if (ofs_new_repo_hides(&t->new_repos, who, repo->path,
                               ofs_new_repo_part(rows[i].name)))
            continue;
        ofs_found_set(&found, rows[i].view, repo->path, "");
        set_digest(repo, &found.spec);
        if (ofs_dir_add(d, rows[i].name, &found.spec) < 0)
            return -ENOMEM;
    }
    return 0;
}

int ofs_repo_list_into(struct ofs_tree *t, int who, struct ofs_repo *repo,
                       const struct ofs_strv *parts, struct ofs_dir *d)
{
    struct ofs_found found;
    char text[NAME_MAX + 1];

    if (add_layout(t, who, repo, d) < 0)
        return -ENOMEM;
    ofs_found_set(&found, &ofs_view_tag, repo->path, "");

    OFS_GUARD(&repo->mtx);
    for (size_t i = 0; i < repo->tags.n; i++) {
        const struct ofs_tag *tag = &repo->tags.at[i];

        memcpy(found.spec.name, tag->name, strlen(tag->name) + 1);
        memset(&found.spec.digest, 0, sizeof(found.spec.digest));
        if (tag->known)
            found.spec.digest = tag->info.digest;
        if (ofs_dir_add(d, ofs_name_of_tag(tag->name, parts, text),
                        &found.spec) < 0)
            return -ENOMEM;
    }
    return 0;
}
