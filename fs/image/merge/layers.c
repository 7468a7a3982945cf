/* SPDX-License-Identifier: Apache-2.0 */
#include "layers_priv.h"

#include "layerbuild.h"

#include "ocirfs/file.h"

#include <fcntl.h>

enum { MAX_INDEX_BYTES = 2000000000 };

struct ofs_layers {
    int dirfd;
    struct ofs_readpool *pool; /* owned */
};

int ofs_layers_open(const char *dir, struct ofs_layers **ret,
                    struct ofs_err *err)
{
    OFS_AUTO(ofs_layers_freep) struct ofs_layers *ls = calloc(1, sizeof(*ls));
    int r;

    if (!ls)
        return ofs_err_nomem(err, "layers");
    ls->dirfd = -1;
    ls->pool = ofs_readpool_new();
    if (!ls->pool)
        return ofs_err_nomem(err, "layers");
    r = ofs_mkdirs(dir);
    if (r < 0)
        return ofs_err_errno(err, -r, dir);
    ls->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ls->dirfd < 0)
        return ofs_err_errno(err, errno, dir);
    *ret = ofs_take(&ls);
    return 0;
}

void ofs_layers_free(struct ofs_layers *ls)
{
    if (!ls)
        return;
    if (ls->dirfd >= 0)
        (void)close(ls->dirfd);
    ofs_readpool_free(ls->pool);
    free(ls);
}

/* "sha256-<hex>": digests have no other odd characters. */
static const char *file_name(const struct ofs_layer_id *id,
                             char text[OFS_DIGEST_TEXT_MAX])
{
    char *colon = strchr(ofs_digest_format(&id->blob, text), ':');

    if (colon)
        *colon = '-';
    return text;
}

int ofs_layer_make_index(struct ofs_layers *ls, const struct ofs_layer_cfg *cfg,
                         struct ofs_call *call,
                         struct ofs_layer_skipped *ret_skipped,
                         struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf file = OFS_BUF_INIT(MAX_INDEX_BYTES);
    struct ofs_layer_pass pass = {
        .from = &cfg->packed,
        .id = cfg->id,
        .max_size = cfg->max_size,
        .progress = cfg->progress,
        .progress_arg = cfg->progress_arg,
    };
    char name[OFS_DIGEST_TEXT_MAX];
    int r = ofs_layer_build(&pass, call, &file, ret_skipped, err);

    if (r < 0)
        return r;
    r = ofs_file_replace(ls->dirfd, file_name(&cfg->id, name), file.data,
                         file.len, /* durable= */ false);
    return r < 0 ? ofs_err_errno(err, -r, "the index of a layer") : 0;
}

int ofs_layer_open(struct ofs_layers *ls, const struct ofs_layer_cfg *cfg,
                   struct ofs_layer **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_layer_closep) struct ofs_layer *l = calloc(1, sizeof(*l));
    char name[OFS_DIGEST_TEXT_MAX];
    int r;

    if (!l)
        return ofs_err_nomem(err, "a layer");
    l->in = ls;
    l->packed = cfg->packed;
    r = ofs_layer_index_open(ls->dirfd, file_name(&cfg->id, name), &cfg->id,
                             cfg->packed.size, &l->index, err);
    if (r < 0)
        return r;
    l->unpacked = (struct ofs_unpacked){
        .from = &l->packed,
        .pool = ls->pool,
        .points = l->index->v.points,
        .size = l->index->v.head->size,
        .packing = (enum ofs_packing)l->index->v.head->packing,
    };
    *ret = ofs_take(&l);
    return 0;
}

void ofs_layer_close(struct ofs_layer *l)
{
    if (!l)
        return;
    ofs_readpool_drop(l->in->pool, &l->unpacked);
    ofs_layer_index_free(l->index);
    free(l);
}
