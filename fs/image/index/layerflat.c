/* SPDX-License-Identifier: Apache-2.0 */
#include "layerflat.h"

#include "treewalk.h"

#include <stdlib.h>

struct flat {
    struct ofs_treenodes *t;
    struct ofs_buf *inodes, *dents; /* of the index */
    uint32_t *first, *next;         /* lists of dents, by directory's inode */
    uint32_t *number;               /* an inode's new one; UINT32_MAX: none */
    uint32_t *from;                 /* the old one of a new one */
    uint32_t *names;                /* of one directory */
};

static void flat_done(struct flat *f)
{
    free(f->first);
    free(f->next);
    free(f->number);
    free(f->from);
    free(f->names);
}

static uint32_t *numbers(size_t n)
{
    uint32_t *at = malloc((n + 1) * sizeof(*at));

    if (at)
        memset(at, 0xff, (n + 1) * sizeof(*at));
    return at;
}

static int flat_init(struct flat *f, struct ofs_treenodes *t,
                     struct ofs_layer_parts *ret)
{
    size_t n_inodes = ofs_n_grown_inodes(t), n_dents = ofs_n_grown_dents(t);

    f->t = t;
    f->inodes = &ret->sections[OFS_SECTION_INODES];
    f->dents = &ret->sections[OFS_SECTION_DENTS];
    f->first = numbers(n_inodes);
    f->number = numbers(n_inodes);
    f->from = numbers(n_inodes);
    f->next = numbers(n_dents);
    f->names = numbers(n_dents);
    return f->first && f->number && f->from && f->next && f->names ? 0
                                                                   : -ENOMEM;
}

static void list_names(struct flat *f)
{
    for (uint32_t i = 0; i < ofs_n_grown_dents(f->t); i++) {
        const struct ofs_grown_dent *g = ofs_dent_at(f->t, i);

        if (g->d.inode == (uint32_t)OFS_NO_INODE &&
            !(g->d.flags & OFS_DENT_WHITEOUT))
            continue; /* of an entry that was left out */
        f->next[i] = f->first[g->dir];
        f->first[g->dir] = i;
    }
}

static int by_name(const void *a, const void *b, void *arg)
{
    const struct ofs_treenodes *t = arg;
    const struct ofs_dent *x = &ofs_dent_at(t, *(const uint32_t *)a)->d;
    const struct ofs_dent *y = &ofs_dent_at(t, *(const uint32_t *)b)->d;
    size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
    int order = memcmp(t->texts.data + x->name, t->texts.data + y->name, n);

    return order ? order : x->name_len - y->name_len;
}

static uint32_t n_new(const struct flat *f)
{
    return (uint32_t)(f->inodes->len / sizeof(struct ofs_inode));
}

static struct ofs_inode *new_at(const struct flat *f, uint32_t no)
{
    return (struct ofs_inode *)(void *)f->inodes->data + no;
}

/* An inode's number in the index, given at its first name. */
static int number_inode(struct flat *f, uint32_t old, uint32_t *ret)
{
    uint32_t no = f->number[old];
    int r = 0;

    if (no == UINT32_MAX) {
        no = n_new(f);
        f->number[old] = no;
        f->from[no] = old;
        r = ofs_buf_add(f->inodes, ofs_inode_at(f->t, old),
                        sizeof(struct ofs_inode));
    }
    *ret = no;
    return r;
}

static int emit_name(struct flat *f, uint32_t no, uint32_t up)
{
    struct ofs_dent d = ofs_dent_at(f->t, no)->d;
    struct ofs_inode *inode;
    int r;

    if (d.inode != (uint32_t)OFS_NO_INODE) {
        r = number_inode(f, d.inode, &d.inode);
        if (r < 0)
            return r;
        inode = new_at(f, d.inode);
        inode->nlink += !(d.flags & OFS_DENT_HIDDEN);
        if (inode->type == OFS_INODE_DIR) {
            inode->up = up;
            inode->data = f->dents->len / sizeof(d);
        }
    }
    return ofs_buf_add(f->dents, &d, sizeof(d));
}

static int emit_dir(struct flat *f, uint32_t no)
{
    uint32_t first = (uint32_t)(f->dents->len / sizeof(struct ofs_dent)), n = 0;
    int r = 0;

    for (uint32_t d = f->first[f->from[no]]; d != UINT32_MAX; d = f->next[d])
        f->names[n++] = d;
    qsort_r(f->names, n, sizeof(*f->names), by_name, f->t);
    for (uint32_t i = 0; r == 0 && i < n; i++)
        r = emit_name(f, f->names[i], no);
    if (r == 0) {
        new_at(f, no)->first = first;
        new_at(f, no)->n = n;
    }
    return r;
}

/* Later entries may be what earlier links meant. */
static int resolve_pending(struct flat *f, uint32_t no)
{
    const struct ofs_inode *p = new_at(f, no);
    uint32_t dent = 0, old;
    int r = ofs_tree_look_up(f->t, f->t->texts.data + p->data, (size_t)p->size,
                             &dent);
    uint8_t type;

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    old = ofs_dent_at(f->t, dent)->d.inode;
    type = ofs_inode_at(f->t, old)->type;
    if (type != OFS_INODE_PENDING && type != OFS_INODE_DIR)
        new_at(f, no)->first = f->number[old] + 1;
    return 0;
}

static bool is_ghost(const struct flat *f, const struct ofs_inode *dir)
{
    const struct ofs_dent *d = (const void *)f->dents->data;

    if (!(dir->flags & OFS_INODE_IMPLIED))
        return false;
    for (uint32_t i = dir->first; i < dir->first + dir->n; i++)
        if (d[i].inode != (uint32_t)OFS_NO_INODE &&
            !(d[i].flags & OFS_DENT_HIDDEN) &&
            !(new_at(f, d[i].inode)->flags & OFS_INODE_GHOST))
            return false;
    return true;
}

/* From the deepest directory up. */
static void mark_ghosts(struct flat *f)
{
    for (uint32_t i = n_new(f); i-- > 0;)
        if (new_at(f, i)->type == OFS_INODE_DIR && is_ghost(f, new_at(f, i)))
            new_at(f, i)->flags |= OFS_INODE_GHOST;
}

static int emit_all(struct flat *f)
{
    uint32_t root;
    int r;

    list_names(f);
    r = number_inode(f, OFS_ROOT_INODE, &root);
    for (uint32_t i = 0; r == 0 && i < n_new(f); i++)
        if (new_at(f, i)->type == OFS_INODE_DIR)
            r = emit_dir(f, i);
    for (uint32_t i = 0; r == 0 && i < n_new(f); i++)
        if (new_at(f, i)->type == OFS_INODE_PENDING)
            r = resolve_pending(f, i);
    if (r == 0)
        mark_ghosts(f);
    return r;
}

static void move_section(struct ofs_layer_parts *to, size_t section,
                         struct ofs_buf *from)
{
    to->sections[section] = *from;
    ofs_buf_init(from, from->limit);
}

int ofs_layer_flatten(struct ofs_treenodes *t, struct ofs_layer_parts *ret)
{
    OFS_AUTO(flat_done) struct flat f = { 0 };
    int r = flat_init(&f, t, ret);

    if (r == 0)
        r = emit_all(&f);
    if (r < 0)
        return r;
    move_section(ret, OFS_SECTION_TEXTS, &t->texts);
    move_section(ret, OFS_SECTION_XATTRS, &t->xattrs);
    move_section(ret, OFS_SECTION_EXTENTS, &t->extents);
    return 0;
}
