/* SPDX-License-Identifier: Apache-2.0 */
#include "remote.h"

#include "ocirfs/log.h"
#include "ocirfs/manifest.h"

/* A blob of a repository behind the store's interface. */
struct remote_blob {
    struct ofs_source base;
    struct ofs_registry *registry; /* borrowed: outlives the store's use */
    struct ofs_digest digest;
    uint64_t size;
    char repo[];
};

static int remote_read(struct ofs_source *s, struct ofs_call *call,
                       uint64_t off, uint64_t len, int attempt,
                       ofs_source_sink *sink, void *arg, struct ofs_err *err)
{
    struct remote_blob *blob = (struct remote_blob *)s;
    const struct ofs_blob_range range = {
        .repo = blob->repo,
        .digest = &blob->digest,
        .size = blob->size,
        .off = off,
        .len = len,
        .use_mirror = attempt == 0,
    };

    return ofs_registry_blob_read(blob->registry, call, &range, sink, arg, err);
}

static void remote_free(struct ofs_source *s)
{
    free(s);
}

static const struct ofs_source_ops remote_ops = {
    .read = remote_read,
    .free = remote_free,
};

int ofs_remote_blob(const struct ofs_remote *remote, const char *repo,
                    const struct ofs_digest *digest, uint64_t size,
                    struct ofs_blob **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_source_unrefp) struct ofs_source *source = NULL;
    size_t len = strlen(repo) + 1;
    struct remote_blob *blob = calloc(1, sizeof(*blob) + len);

    if (!blob)
        return ofs_err_nomem(err, "a blob");
    source = &blob->base;
    memcpy(blob->repo, repo, len);
    source->ops = &remote_ops;
    source->name = blob->repo;
    atomic_init(&source->refs, 1);
    blob->registry = remote->registry;
    blob->digest = *digest;
    blob->size = size;
    return ofs_store_open_blob(remote->store, digest, size, source, ret, err);
}

void ofs_remote_keep(const struct ofs_remote *remote,
                     const struct ofs_digest *digest, const void *bytes,
                     size_t len)
{
    struct ofs_err err = { 0 };

    if (ofs_store_put(remote->store, digest, bytes, len, &err) < 0)
        ofs_log(OFS_DEBUG, "push: a manifest is not kept: %s", err.text);
}

int ofs_remote_manifest(const struct ofs_remote *remote, struct ofs_call *call,
                        const char *repo, const struct ofs_digest *digest,
                        struct ofs_buf *b, struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    char ref[OFS_DIGEST_TEXT_MAX];
    int r =
        ofs_store_get(remote->store, digest, OFS_MANIFEST_MAX_BYTES, b, NULL);

    if (r == 0)
        return 0;
    r = ofs_registry_manifest_get(remote->registry, call, repo,
                                  ofs_digest_format(digest, ref), &info, err);
    if (r < 0)
        return r;
    ofs_remote_keep(remote, digest, info.bytes, info.size);
    if (ofs_buf_add(b, info.bytes, info.size) < 0)
        return ofs_err_set(err, b->failed, "a manifest of %zu bytes",
                           (size_t)info.size);
    return 0;
}
