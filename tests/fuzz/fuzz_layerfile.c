/* SPDX-License-Identifier: Apache-2.0 */
#include "layerfile.h"
#include "layerindex.h"
#include "xattrlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what)
{
    if (!what)
        abort();
}

/* All that an index leads to is there. */
static void walk(const struct ofs_layer_view *v, const struct ofs_inode *dir)
{
    for (uint32_t i = 0; i < dir->n; i++) {
        const struct ofs_dent *d = &v->dents[dir->first + i];

        must(ofs_layer_find(v, dir, v->texts + d->name, d->name_len) == d);
        if (d->inode != (uint32_t)OFS_NO_INODE)
            must(v->inodes[d->inode].type < OFS_N_INODE_TYPES);
    }
}

static void visit(const struct ofs_layer_view *v)
{
    struct ofs_xattr x;
    uint8_t sum = 0;

    for (uint32_t i = 0; i < v->n_inodes; i++) {
        const struct ofs_inode *inode = &v->inodes[i];
        size_t len = 0, at = 0;
        const uint8_t *list = ofs_layer_xattrs(v, inode, &len);

        while (list && ofs_xattr_next(list, len, &at, &x))
            sum = (uint8_t)(sum + x.name[0]);
        if (inode->type == OFS_INODE_DIR)
            walk(v, inode);
        else if (inode->type == OFS_INODE_SYM && inode->size > 0)
            sum = (uint8_t)(sum + v->texts[inode->data + inode->size - 1]);
    }
    for (uint64_t out = 0; out < v->head->size; out += v->head->size / 5 + 1)
        must(ofs_points_start(&v->points, out) <= out);
    must(sum == 0 || v->head->size > 0 || v->texts_len > 0 ||
         v->xattrs_len > 0);
}

/* No fuzzer finds a SHA-256: make it right. */
static void mend(uint8_t *data, size_t size)
{
    struct ofs_layer_head *head = (void *)data;
    struct ofs_digest d;

    memset(head->check, 0, sizeof(head->check));
    must(ofs_digest_of(OFS_SHA256, data, size, &d) == 0);
    memcpy(head->check, d.bytes, sizeof(head->check));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE uint8_t *copy = malloc(size + 1); /* lies on 8 bytes */
    struct ofs_layer_view v;

    must(copy != NULL);
    memcpy(copy, data, size);
    if (ofs_layer_decode(copy, size, &v) == 0)
        visit(&v);
    if (size < sizeof(struct ofs_layer_head))
        return 0;
    mend(copy, size);
    if (ofs_layer_decode(copy, size, &v) == 0)
        visit(&v);
    return 0;
}
