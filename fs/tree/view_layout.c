/* SPDX-License-Identifier: Apache-2.0 */
/* index.json and oci-layout of a repository. */
#include "view.h"

#include <sys/stat.h>

static int open_index(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_file *f, struct ofs_err *err)
{
    OFS_AUTO(ofs_bytes_unrefp) struct ofs_bytes *bytes = NULL;
    OFS_REPO_HOLD(held, t, f->node->path);
    struct ofs_index index;
    int64_t left_ms;
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "index.json");
    r = ofs_index_get(t, call, held.repo, &index, &left_ms, err);
    if (r < 0)
        return r;
    bytes = index.bytes;
    if (!ofs_digest_eq(&index.digest, &f->node->digest))
        return ofs_err_set(err, -ESTALE, "the tags have changed");
    f->bytes = ofs_take(&bytes);
    return 0;
}

static int open_header(struct ofs_tree *t, struct ofs_call *call,
                       struct ofs_file *f, struct ofs_err *err)
{
    (void)t;
    (void)call;
    f->bytes = ofs_bytes_new(ofs_layout_header, strlen(ofs_layout_header));
    return f->bytes ? 0 : ofs_err_nomem(err, "oci-layout");
}

const struct ofs_view ofs_view_index = {
    .kind = "index.json",
    .type = S_IFREG,
    .below = "index.json",
    .open = open_index,
};

const struct ofs_view ofs_view_header = {
    .kind = "oci-layout",
    .type = S_IFREG,
    .below = "oci-layout",
    .open = open_header,
};
