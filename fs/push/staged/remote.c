/* SPDX-License-Identifier: Apache-2.0 */
#include "remote.h"

#include "ocirfs/log.h"
#include "ocirfs/manifest.h"
#include "ocirfs/regsource.h"

int ofs_remote_blob(const struct ofs_remote *remote, const char *repo,
                    const struct ofs_digest *digest, uint64_t size,
                    struct ofs_blob **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_source_unrefp)
    struct ofs_source *source =
        ofs_regsource_new(remote->registry, repo, digest, size, true);

    if (!source)
        return ofs_err_nomem(err, "a blob");
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
