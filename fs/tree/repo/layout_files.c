/* SPDX-License-Identifier: Apache-2.0 */
#include "layout_files.h"

#include "ocirfs/manifest.h"

#include "left_out.h"
#include "prefetch.h"

/* Source: OCI image-spec v1.1 image-layout.md, "oci-layout file". */
const char ofs_layout_header[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

enum { MAX_INDEX_BYTES = 512 * 1024 * 1024 };

static size_t count_nameless(const struct ofs_repo *repo)
{
    size_t n_found = 0;

    for (const struct ofs_nameless *n = repo->nameless; n; n = n->next)
        n_found++;
    return n_found;
}

static void add_nameless(const struct ofs_repo *repo,
                         struct ofs_layout_entry *rows, size_t *n_rows)
{
    for (const struct ofs_nameless *n = repo->nameless; n; n = n->next)
        rows[(*n_rows)++] = (struct ofs_layout_entry){
            .media_type = n->media_type,
            .digest = n->digest,
            .size = n->size,
        };
}

/* With repo.mtx held: the rows, in the order of the tags; NULL: no memory. */
static struct ofs_layout_entry *rows_of(const struct ofs_repo *repo,
                                        size_t *ret_n, int64_t *ret_mtime_s)
{
    struct ofs_layout_entry *rows =
        calloc(repo->tags.n + count_nameless(repo) + 1, sizeof(*rows));

    *ret_n = 0;
    *ret_mtime_s = 0;
    if (!rows)
        return NULL;
    for (size_t i = 0; i < repo->tags.n; i++) {
        const struct ofs_tag *tag = &repo->tags.at[i];

        if (!ofs_tag_is_shown(tag))
            continue;
        rows[(*ret_n)++] = (struct ofs_layout_entry){
            .media_type = tag->info.media_type,
            .tag = tag->name,
            .digest = tag->info.digest,
            .size = tag->info.size,
        };
        if (tag->info.mtime_s > *ret_mtime_s)
            *ret_mtime_s = tag->info.mtime_s;
    }
    add_nameless(repo, rows, ret_n);
    return rows;
}

/* With repo.mtx held: who has just looked it up may still open it. */
static void keep_old(struct ofs_repo *repo)
{
    struct ofs_index *to = &repo->old_index[repo->next_old_index];

    ofs_bytes_unref(to->bytes);
    *to = repo->index;
    repo->next_old_index = (repo->next_old_index + 1) % OFS_OLD_INDEXES;
}

/* With repo.mtx held. */
static int make(struct ofs_repo *repo, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf json = OFS_BUF_INIT(MAX_INDEX_BYTES);
    OFS_AUTOFREE struct ofs_layout_entry *rows = NULL;
    struct ofs_index fresh = { .version = repo->version };
    size_t n;

    rows = rows_of(repo, &n, &fresh.mtime_s);
    if (!rows || ofs_layout_index(rows, n, &json) < 0 ||
        ofs_digest_of(OFS_SHA256, json.data, json.len, &fresh.digest) < 0)
        return ofs_err_nomem(err, "index.json");
    fresh.bytes = ofs_bytes_new(json.data, json.len);
    if (!fresh.bytes)
        return ofs_err_nomem(err, "index.json");
    keep_old(repo);
    repo->index = fresh;
    return 0;
}

/* With repo.mtx held: how long what it is made of is good. */
static int64_t left_of(struct ofs_repos *repos, const struct ofs_repo *repo)
{
    int64_t now = ofs_sync_now(repos->sync);
    int64_t left = ofs_fresh_left(repo->list.at_ms, now, repos->sync->ttl_ms);

    for (size_t i = 0; i < repo->tags.n; i++) {
        const struct ofs_tag *tag = &repo->tags.at[i];
        int64_t its = ofs_fresh_left(tag->at_ms, now, repos->sync->ttl_ms);

        if (tag->known && its < left)
            left = its;
    }
    return ofs_sync_valid(repos->sync, left);
}

struct ofs_bytes *ofs_index_old(struct ofs_repo *repo,
                                const struct ofs_digest *digest)
{
    OFS_GUARD(&repo->mtx);
    for (size_t i = 0; i < OFS_OLD_INDEXES; i++)
        if (repo->old_index[i].bytes &&
            ofs_digest_eq(&repo->old_index[i].digest, digest))
            return ofs_bytes_ref(repo->old_index[i].bytes);
    return NULL;
}

int ofs_index_get(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_index *ret,
                  int64_t *ret_left_ms, struct ofs_err *err)
{
    int r = ofs_tags_want(repos, call, repo, err);

    if (r < 0)
        return r;
    OFS_GUARD(&repo->mtx);
    if (!repo->index.bytes || repo->index.version != repo->version)
        r = make(repo, err);
    if (r < 0)
        return r;
    *ret = repo->index;
    (void)ofs_bytes_ref(ret->bytes);
    *ret_left_ms = left_of(repos, repo);
    return 0;
}
