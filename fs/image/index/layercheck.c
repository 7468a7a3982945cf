/* SPDX-License-Identifier: Apache-2.0 */
#include "layercheck.h"

#include "layerpath.h"
#include "xattrlist.h"

enum { NANOS = 1000000000 };

static bool is_within(uint64_t at, uint64_t n, uint64_t all)
{
    return at <= all && n <= all - at;
}

static bool is_name(const struct ofs_layer_view *v, const struct ofs_dent *d)
{
    const char *name;

    if (d->name_len == 0 || d->name_len > OFS_LAYER_NAME_MAX ||
        !is_within(d->name, d->name_len, v->texts_len))
        return false;
    name = v->texts + d->name;
    if (name[0] == '.' &&
        (d->name_len == 1 || (d->name_len == 2 && name[1] == '.')))
        return false;
    return !memchr(name, '/', d->name_len) && !memchr(name, '\0', d->name_len);
}

static bool is_sound_dent(const struct ofs_layer_view *v,
                          const struct ofs_dent *d)
{
    if (!is_name(v, d))
        return false;
    return d->inode == (uint32_t)OFS_NO_INODE
               ? (d->flags & OFS_DENT_WHITEOUT) != 0
               : d->inode < v->n_inodes;
}

static bool is_before(const struct ofs_layer_view *v, const struct ofs_dent *a,
                      const struct ofs_dent *b)
{
    size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
    int order = memcmp(v->texts + a->name, v->texts + b->name, n);

    return order < 0 || (order == 0 && a->name_len < b->name_len);
}

/* A directory's inode comes after the one that it is in: there is no circle. */
static bool has_sound_place(const struct ofs_layer_view *v, uint32_t no)
{
    const struct ofs_inode *dir = &v->inodes[no];

    if (no == 0)
        return dir->up == 0;
    return dir->up < no && dir->data < v->n_dents &&
           v->dents[dir->data].inode == no;
}

static bool is_sound_dir(const struct ofs_layer_view *v, uint32_t no)
{
    const struct ofs_inode *dir = &v->inodes[no];

    if (!is_within(dir->first, dir->n, v->n_dents) || !has_sound_place(v, no) ||
        v->inodes[dir->up].type != OFS_INODE_DIR)
        return false;
    for (uint32_t i = 0; i < dir->n; i++) {
        const struct ofs_dent *d = &v->dents[dir->first + i];
        const struct ofs_inode *child =
            d->inode < v->n_inodes ? &v->inodes[d->inode] : NULL;

        if (i > 0 && !is_before(v, d - 1, d))
            return false;
        if (child && child->type == OFS_INODE_DIR &&
            (d->inode <= no || child->up != no))
            return false;
    }
    return true;
}

static bool is_sound_file(const struct ofs_layer_view *v,
                          const struct ofs_inode *f)
{
    uint64_t end = 0, stored = 0;

    if (f->size > INT64_MAX)
        return false;
    if (!(f->flags & OFS_INODE_SPARSE))
        return is_within(f->data, f->size, v->head->size);
    if (!is_within(f->first, f->n, v->n_extents))
        return false;
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ofs_extent *e = &v->extents[f->first + i];

        if (e->off < end || !is_within(e->off, e->len, f->size))
            return false;
        end = e->off + e->len;
        stored += e->len;
    }
    return is_within(f->data, stored, v->head->size);
}

static bool is_sound_text(const struct ofs_layer_view *v,
                          const struct ofs_inode *i)
{
    return i->size <= OFS_LAYER_PATH_MAX &&
           is_within(i->data, i->size, v->texts_len);
}

static bool is_sound_pending(const struct ofs_layer_view *v,
                             const struct ofs_inode *i)
{
    uint8_t type;

    if (!is_sound_text(v, i) || i->first > v->n_inodes)
        return false;
    type = i->first > 0 ? v->inodes[i->first - 1].type : OFS_INODE_REG;
    return type != OFS_INODE_PENDING && type != OFS_INODE_DIR;
}

static bool has_sound_xattrs(const struct ofs_layer_view *v,
                             const struct ofs_inode *i)
{
    uint32_t len;

    if (i->xattrs == 0)
        return true;
    if (!is_within(i->xattrs - 1, sizeof(len), v->xattrs_len))
        return false;
    memcpy(&len, v->xattrs + i->xattrs - 1, sizeof(len));
    return is_within(i->xattrs - 1 + sizeof(len), len, v->xattrs_len) &&
           ofs_xattr_is_list(v->xattrs + i->xattrs - 1 + sizeof(len), len);
}

static bool is_sound_inode(const struct ofs_layer_view *v, uint32_t no)
{
    const struct ofs_inode *i = &v->inodes[no];

    if (i->mode > 07777 || i->mtime_ns >= NANOS || !has_sound_xattrs(v, i))
        return false;
    switch (i->type) {
    case OFS_INODE_REG:
        return is_sound_file(v, i);
    case OFS_INODE_SYM:
        return is_sound_text(v, i);
    case OFS_INODE_DIR:
        return is_sound_dir(v, no);
    case OFS_INODE_PENDING:
        return is_sound_pending(v, i);
    default:
        return i->type < OFS_N_INODE_TYPES;
    }
}

bool ofs_layer_is_sound(const struct ofs_layer_view *v)
{
    if (v->n_inodes == 0 || v->inodes[0].type != OFS_INODE_DIR)
        return false;
    for (uint32_t i = 0; i < v->n_dents; i++)
        if (!is_sound_dent(v, &v->dents[i]))
            return false;
    for (uint32_t i = 0; i < v->n_inodes; i++)
        if (!is_sound_inode(v, i))
            return false;
    return true;
}
