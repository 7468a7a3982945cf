/* SPDX-License-Identifier: Apache-2.0 */
#include "unpushed.h"

#include "ocirfs/push.h"

#include "content.h"
#include "pending_save.h"

static int load(struct ofs_call *call, struct ofs_draft *d, struct ofs_buf *ret,
                struct ofs_err *err)
{
    uint64_t size = ofs_draft_size(d);
    OFS_AUTOFREE char *bytes = NULL;
    size_t n = 0;
    int r;

    if (size > OFS_MANIFEST_MAX_BYTES)
        return ofs_err_set(err, -EFBIG, "a manifest beyond limits");
    bytes = malloc((size_t)size + 1);
    if (!bytes)
        return ofs_err_nomem(err, "a manifest");
    r = ofs_draft_read(d, call, bytes, (size_t)size, 0, &n, err);
    if (r == 0 && ofs_buf_add(ret, bytes, n) < 0)
        r = ofs_err_nomem(err, "a manifest");
    return r;
}

int ofs_unpushed_find(struct ofs_repos *repos, struct ofs_call *call,
                      const char *path, const struct ofs_digest *digest,
                      struct ofs_blob_seen *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    OFS_AUTOBUF struct ofs_buf bytes = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r;

    if (!repos->push)
        return -ENOENT;
    r = ofs_push_waiting(repos->push, path, digest, &d);
    if (r == 0 && !ofs_content_is_here(repos, digest)) {
        r = load(call, d, &bytes, err);
        if (r == 0)
            ofs_pending_save_add(repos->pending, digest, ofs_buf_str(&bytes),
                                 bytes.len);
    }
    if (r < 0)
        return r;
    /* It may be dropped, so the name is looked up each time. */
    *ret =
        (struct ofs_blob_seen){ .size = ofs_draft_size(d), .manifest = true };
    return 0;
}

bool ofs_unpushed_any(struct ofs_repos *repos, const char *path)
{
    OFS_AUTOFREE struct ofs_digest *at = NULL;
    size_t n = 0;

    if (!repos->push)
        return false;
    return ofs_push_list_waiting(repos->push, path, &at, &n) < 0 || n > 0;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ofs_digest));
}

int ofs_unpushed_add(struct ofs_repos *repos, const char *path,
                     struct ofs_digest **at, size_t *n)
{
    OFS_AUTOFREE struct ofs_digest *more = NULL;
    struct ofs_digest *all;
    size_t n_more = 0, n_all = *n;
    int r = repos->push
                ? ofs_push_list_waiting(repos->push, path, &more, &n_more)
                : 0;

    if (r < 0 || n_more == 0)
        return r;
    all = calloc(*n + n_more, sizeof(*all));
    if (!all)
        return -ENOMEM;
    if (*n)
        memcpy(all, *at, *n * sizeof(*all));
    for (size_t i = 0; i < n_more; i++)
        if (!*n || !bsearch(&more[i], *at, *n, sizeof(*all), compare))
            all[n_all++] = more[i];
    qsort(all, n_all, sizeof(*all), compare);
    free(*at);
    *at = all;
    *n = n_all;
    return 0;
}
