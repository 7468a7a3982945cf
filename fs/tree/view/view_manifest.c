/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests as files; here as sha256:<hex>, in view_tag.c under a tag. */
#include "view_manifest.h"

#include "ocirfs/push.h"

#include "blob_ask.h"
#include "content.h"
#include "repo_state.h"
#include "unpushed.h"
#include "xattrs.h"

#include <sys/stat.h>

int ofs_manifest_open(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_file *f, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf bytes = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    OFS_REPO_HOLD(held, &t->repos, f->node->path);
    struct ofs_blob_seen seen;
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a manifest");
    r = ofs_unpushed_find(&t->repos, call, f->node->path, &f->node->digest,
                          &seen, err);
    if (r < 0 && r != -ENOENT)
        return r;
    r = ofs_manifest_load(&t->repos, call, held.repo, &f->node->digest, &bytes,
                          err);
    if (r < 0)
        return r;
    f->bytes = ofs_bytes_new(bytes.data, bytes.len);
    if (!f->bytes)
        return ofs_err_nomem(err, "a manifest");
    /* Who reads a manifest goes on to what it names: the sizes are in it. */
    if (ofs_manifest_decode_odd(ofs_buf_str(&bytes), bytes.len, NULL, &m,
                                NULL) >= 0)
        ofs_repo_learn(held.repo, &f->node->digest, bytes.len, &m);
    return 0;
}

int ofs_content_remove(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_named *what, struct ofs_err *err)
{
    (void)call;
    if (ofs_push_drop(t->push, what->spec->path, &what->spec->digest) == 0)
        return 0;
    return ofs_err_set(err, -EPERM,
                       "what a registry has stays until it collects its own "
                       "garbage");
}

const struct ofs_view ofs_view_digest = {
    .kind = "digest",
    .type = S_IFREG,
    .path = "%d",
    .place = OFS_PLACE_REPO,
    .content = OFS_CONTENT_MANIFEST,
    .open = ofs_manifest_open,
    .remove = ofs_content_remove,
    .xattrs = ofs_xattrs_of_manifest,
};
