/* SPDX-License-Identifier: Apache-2.0 */
#include "layerread.h"

/* What of [off, off + len) a piece of a sparse file has. */
struct overlap {
    uint64_t begin, end;
};

static struct overlap overlap_of(const struct ofs_extent *e, uint64_t off,
                                 size_t len)
{
    return (struct overlap){
        .begin = e->off > off ? e->off : off,
        .end = e->off + e->len < off + len ? e->off + e->len : off + len,
    };
}

static int read_exactly(const struct ofs_unpacked *u, struct ofs_call *call,
                        void *buf, size_t len, uint64_t at, struct ofs_err *err)
{
    size_t n = 0;
    int r = 0;

    for (size_t done = 0; r == 0 && done < len; done += n) {
        r = ofs_unpacked_read(u, call, (uint8_t *)buf + done, len - done,
                              at + done, &n, err);
        if (r == 0 && n == 0)
            r = ofs_err_set(err, -EBADMSG, "the layer ends before its size");
    }
    return r;
}

static int read_pieces(const struct ofs_layer_reader *from,
                       const struct ofs_inode *i, struct ofs_call *call,
                       void *buf, size_t len, uint64_t off, struct ofs_err *err)
{
    uint64_t at = i->data;
    int r = 0;

    memset(buf, 0, len);
    for (uint32_t k = 0; r == 0 && k < i->n; k++) {
        const struct ofs_extent *e = &from->v->extents[i->first + k];
        struct overlap o = overlap_of(e, off, len);

        if (o.begin < o.end)
            r = read_exactly(from->u, call, (uint8_t *)buf + (o.begin - off),
                             (size_t)(o.end - o.begin), at + (o.begin - e->off),
                             err);
        at += e->len;
    }
    return r;
}

int ofs_layer_read(const struct ofs_layer_reader *from,
                   const struct ofs_inode *i, struct ofs_call *call, void *buf,
                   size_t len, uint64_t off, size_t *ret_n, struct ofs_err *err)
{
    int r;

    if (off >= i->size)
        len = 0;
    else if (len > i->size - off)
        len = (size_t)(i->size - off);
    r = i->flags & OFS_INODE_SPARSE
            ? read_pieces(from, i, call, buf, len, off, err)
            : read_exactly(from->u, call, buf, len, i->data + off, err);
    if (r == 0)
        *ret_n = len;
    return r;
}
