/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests as files: under a tag, and as sha256:<hex>. */
#include "view.h"

#include <sys/stat.h>

int ofs_manifest_open(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_file *f, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf bytes = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    OFS_REPO_HOLD(held, t, f->node->path);
    struct ofs_blob_seen seen;
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a manifest");
    r = ofs_waiting_find(t, call, f->node->path, &f->node->digest, &seen, err);
    if (r < 0 && r != -ENOENT)
        return r;
    r = ofs_manifest_load(t, call, held.repo, &f->node->digest, &bytes, err);
    if (r < 0)
        return r;
    f->bytes = ofs_bytes_new(bytes.data, bytes.len);
    if (!f->bytes)
        return ofs_err_nomem(err, "a manifest");
    /* Who reads a manifest goes on to what it names: the sizes are in it. */
    if (ofs_manifest_decode(ofs_buf_str(&bytes), bytes.len, NULL, &m, NULL) ==
        0)
        ofs_repo_learn(held.repo, &f->node->digest, bytes.len, &m);
    return 0;
}

/* Is the tag still this manifest?  Asked anew when that is not fresh. */
static int open_tag(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_file *f, struct ofs_err *err)
{
    OFS_AUTO(ofs_tag_seen_done) struct ofs_tag_seen seen = { 0 };
    OFS_REPO_HOLD(held, t, f->node->path);
    const struct ofs_tag_of of = {
        .t = t,
        .repo = held.repo,
        .tag = f->node->name,
        .how = OFS_TAG_OPEN,
    };
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a tag");
    r = ofs_tag_get(&of, call, &seen, err);
    if (r < 0)
        return r;
    if (!ofs_digest_eq(&seen.info.digest, &f->node->digest))
        return ofs_err_set(err, -ESTALE, "tag '%s' has moved", f->node->name);
    return ofs_manifest_open(t, call, f, err);
}

const struct ofs_view ofs_view_tag = {
    .kind = "tag",
    .type = S_IFREG,
    .open = open_tag,
    .xattrs = ofs_xattrs_of_manifest,
};

const struct ofs_view ofs_view_digest = {
    .kind = "digest",
    .type = S_IFREG,
    .joint = ':',
    .open = ofs_manifest_open,
    .xattrs = ofs_xattrs_of_manifest,
};
