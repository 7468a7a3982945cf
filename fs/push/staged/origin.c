/* SPDX-License-Identifier: Apache-2.0 */
#include "origin.h"

#include "ocirfs/manifest.h"

void ofs_origin_done(struct ofs_origin *o)
{
    free(o->repo);
    ofs_source_unref(o->source);
    *o = (struct ofs_origin){ 0 };
}

int ofs_origin_copy(const struct ofs_origin *o, struct ofs_origin *ret)
{
    char *repo = strdup(o->repo);

    if (!repo)
        return -ENOMEM;
    *ret = *o;
    ret->repo = repo;
    if (o->source)
        ret->source = ofs_source_ref(o->source);
    return 0;
}

int ofs_origin_of(const struct ofs_clone *of, struct ofs_origin *ret)
{
    *ret = (struct ofs_origin){
        .repo = strdup(of->repo),
        .digest = of->digest,
        .size = of->size,
        .manifest = of->manifest,
    };
    if (!ret->repo)
        return -ENOMEM;
    if (of->source)
        ret->source = ofs_source_ref(of->source);
    return 0;
}

void ofs_origin_reader_done(struct ofs_origin_reader *rd)
{
    ofs_buf_done(&rd->manifest);
    ofs_blob_close(rd->blob);
}

int ofs_origin_open(const struct ofs_remote *remote, struct ofs_call *call,
                    const struct ofs_origin *o, struct ofs_origin_reader *ret,
                    struct ofs_err *err)
{
    ofs_buf_init(&ret->manifest, OFS_MANIFEST_MAX_BYTES);
    if (o->manifest)
        return ofs_remote_manifest(remote, call, o->repo, &o->digest,
                                   &ret->manifest, err);
    if (o->source)
        return ofs_store_open_blob(remote->store, &o->digest, o->size,
                                   o->source, &ret->blob, err);
    return ofs_remote_blob(remote, o->repo, &o->digest, o->size, &ret->blob,
                           err);
}

int ofs_origin_read(struct ofs_origin_reader *rd, struct ofs_call *call,
                    void *buf, size_t len, uint64_t off, size_t *ret_n,
                    struct ofs_err *err)
{
    size_t left;

    if (rd->blob)
        return ofs_blob_read(rd->blob, call, buf, len, off, ret_n, err);
    left = off < rd->manifest.len ? rd->manifest.len - (size_t)off : 0;
    *ret_n = len < left ? len : left;
    if (*ret_n > 0)
        memcpy(buf, rd->manifest.data + off, *ret_n);
    return 0;
}
