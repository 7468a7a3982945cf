/* SPDX-License-Identifier: Apache-2.0 */
#include "mergedir.h"

#include "layerpath.h"

enum {
    MAX_HOPS = 8, /* from a hard link to one of a lower layer, and so on */
    MAX_DEPTH = OFS_LAYER_PATH_MAX / 2,
};

/* What a name is, looked for from the topmost layer down. */
struct choice {
    const struct ofs_merge *m;
    unsigned hops;
    struct ofs_merge_stack *dirs;
    bool is_closed; /* names of lower directories are hidden */
    bool is_real;   /* a directory is more than a place for whiteouts */
    bool has_attrs; /* it has an entry of its own */
    bool is_file;
    struct ofs_merge_node file;
};

static int find_by_hops(const struct ofs_merge *m,
                        const struct ofs_merge_stack *dir, const char *name,
                        size_t len, unsigned hops, struct ofs_merge_node *ret,
                        struct ofs_merge_stack *ret_stack);

/*
 * A directory that its layer only implies is as lower layers have it, also
 * where their names in it are hidden.  Does what lies below still matter?
 */
static bool consider_dir(struct choice *c, struct ofs_merge_node node)
{
    uint8_t flags = ofs_merge_inode(c->m, node)->flags;

    if (c->dirs->n == 0)
        c->dirs->attrs = node;
    if (!c->is_closed)
        c->dirs->at[c->dirs->n++] = node;
    if (!c->has_attrs && !(flags & OFS_INODE_IMPLIED)) {
        c->dirs->attrs = node;
        c->has_attrs = true;
    }
    c->is_real |= !(flags & OFS_INODE_GHOST);
    c->is_closed |= (flags & OFS_INODE_OPAQUE) != 0;
    return !c->is_closed || !c->has_attrs;
}

void ofs_merge_root(const struct ofs_merge *m, struct ofs_merge_stack *ret)
{
    struct choice c = { .m = m, .dirs = ret };
    uint32_t i = m->n;

    ret->n = 0;
    while (i-- > 0 && consider_dir(&c, (struct ofs_merge_node){ i, 0 }))
        continue;
}

/* A clean path below the root; its last part is not followed. */
static int find_path(const struct ofs_merge *m, const char *path, size_t len,
                     unsigned hops, struct ofs_merge_node *ret)
{
    struct ofs_merge_stack dir, next;
    const char *end = path + len;
    int r = -ENOENT;

    ofs_merge_root(m, &dir);
    while (path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        size_t n = (size_t)((slash ? slash : end) - path);

        r = find_by_hops(m, &dir, path, n, hops, ret, &next);
        if (r < 0)
            break;
        dir = next; /* of a file it is empty, and nothing is found in it */
        path += n + (slash != NULL);
    }
    return r;
}

/*
 * A hard link to what its layer did not have: to a lower layer's file as it
 * was before that layer, else to what came later in the same.
 */
static bool resolve_link(const struct choice *c, struct ofs_merge_node *node)
{
    const struct ofs_layer_view *v = c->m->layers[node->layer];
    const struct ofs_inode *link = &v->inodes[node->inode];
    struct ofs_merge below = { c->m->layers, node->layer };
    struct ofs_merge_node target;

    if (c->hops < MAX_HOPS &&
        find_path(&below, v->texts + link->data, (size_t)link->size,
                  c->hops + 1, &target) == 0 &&
        ofs_merge_inode(c->m, target)->type != OFS_INODE_DIR) {
        *node = target;
        return true;
    }
    if (link->first == 0)
        return false;
    node->inode = link->first - 1;
    return true;
}

/* Does what lies below still matter? */
static bool consider(struct choice *c, uint32_t layer, const struct ofs_dent *d)
{
    struct ofs_merge_node node = { layer, d->inode };
    const struct ofs_inode *inode;

    if (d->flags & OFS_DENT_HIDDEN)
        return true;
    if (d->inode == (uint32_t)OFS_NO_INODE)
        return false;
    inode = ofs_merge_inode(c->m, node);
    if (inode->type == OFS_INODE_DIR)
        return consider_dir(c, node) && !(d->flags & OFS_DENT_WHITEOUT);
    if (c->is_real)
        return false; /* a directory above it hides it */
    if (inode->type == OFS_INODE_PENDING && !resolve_link(c, &node))
        return !(d->flags & OFS_DENT_WHITEOUT); /* as if it were not there */
    c->is_file = true;
    c->file = node;
    return false;
}

static int conclude_name(struct choice *c, struct ofs_merge_node *ret)
{
    if (c->is_real) {
        *ret = c->dirs->at[0];
        return 0;
    }
    c->dirs->n = 0;
    if (!c->is_file)
        return -ENOENT;
    *ret = c->file;
    return 0;
}

static int find_by_hops(const struct ofs_merge *m,
                        const struct ofs_merge_stack *dir, const char *name,
                        size_t len, unsigned hops, struct ofs_merge_node *ret,
                        struct ofs_merge_stack *ret_stack)
{
    struct choice c = { .m = m, .hops = hops, .dirs = ret_stack };

    ret_stack->n = 0;
    for (uint32_t i = 0; i < dir->n; i++) {
        const struct ofs_layer_view *v = m->layers[dir->at[i].layer];
        const struct ofs_dent *d =
            ofs_layer_find(v, &v->inodes[dir->at[i].inode], name, len);

        if (d && !consider(&c, dir->at[i].layer, d))
            break;
    }
    return conclude_name(&c, ret);
}

int ofs_merge_find(const struct ofs_merge *m, const struct ofs_merge_stack *dir,
                   const char *name, size_t len, struct ofs_merge_node *ret,
                   struct ofs_merge_stack *ret_stack)
{
    return find_by_hops(m, dir, name, len, 0, ret, ret_stack);
}

int ofs_merge_stack_of(const struct ofs_merge *m, struct ofs_merge_node node,
                       struct ofs_merge_stack *ret)
{
    const struct ofs_layer_view *v = m->layers[node.layer];
    uint32_t chain[MAX_DEPTH + 2], n = 0; /* dents, the deepest first */
    struct ofs_merge_stack next;
    struct ofs_merge_node found;

    for (uint32_t no = node.inode; no != 0; no = v->inodes[no].up) {
        if (v->inodes[no].type != OFS_INODE_DIR)
            return -ENOTDIR;
        if (n == OFS_COUNT_OF(chain))
            return -ENOENT;
        chain[n++] = (uint32_t)v->inodes[no].data;
    }
    ofs_merge_root(m, ret);
    while (n-- > 0) {
        const struct ofs_dent *d = &v->dents[chain[n]];
        int r = ofs_merge_find(m, ret, v->texts + d->name, d->name_len, &found,
                               &next);

        if (r < 0 || next.n == 0)
            return -ENOENT;
        *ret = next;
    }
    return 0;
}

/* Where each layer of a directory stands while it is listed. */
struct listing {
    const struct ofs_merge *m;
    const struct ofs_merge_stack *dir;
    uint32_t next[OFS_MERGE_LAYERS], end[OFS_MERGE_LAYERS];
};

static const struct ofs_dent *dent_of(const struct listing *l, uint32_t i)
{
    return l->next[i] < l->end[i]
               ? &l->m->layers[l->dir->at[i].layer]->dents[l->next[i]]
               : NULL;
}

static const struct ofs_layer_view *view_of(const struct listing *l, uint32_t i)
{
    return l->m->layers[l->dir->at[i].layer];
}

/* The first name of all; UINT32_MAX: there are no more. */
static uint32_t least(const struct listing *l)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t i = 0; i < l->dir->n; i++) {
        const struct ofs_dent *d = dent_of(l, i);
        const struct ofs_dent *b = best != UINT32_MAX ? dent_of(l, best) : NULL;

        if (d && (!b || ofs_layer_name_cmp(view_of(l, i), d,
                                           view_of(l, best)->texts + b->name,
                                           b->name_len) < 0))
            best = i;
    }
    return best;
}

/* What all layers say of that name, each of which goes on to its next. */
static int choose_name(struct listing *l, const char *name, size_t len,
                       struct ofs_merge_node *ret)
{
    struct ofs_merge_stack dirs = { .n = 0 };
    struct choice c = { .m = l->m, .dirs = &dirs };
    bool more = true;

    for (uint32_t i = 0; i < l->dir->n; i++) {
        const struct ofs_dent *d = dent_of(l, i);

        if (!d || ofs_layer_name_cmp(view_of(l, i), d, name, len) != 0)
            continue;
        if (more)
            more = consider(&c, l->dir->at[i].layer, d);
        l->next[i]++;
    }
    return conclude_name(&c, ret);
}

int ofs_merge_list(const struct ofs_merge *m, const struct ofs_merge_stack *dir,
                   ofs_merge_name_fn *fn, void *arg)
{
    struct listing l = { .m = m, .dir = dir };
    struct ofs_merge_node node;
    uint32_t i;
    int r = 0;

    for (i = 0; i < dir->n; i++) {
        const struct ofs_inode *inode = ofs_merge_inode(m, dir->at[i]);

        l.next[i] = inode->first;
        l.end[i] = inode->first + inode->n;
    }
    while (r == 0 && (i = least(&l)) != UINT32_MAX) {
        const struct ofs_dent *d = dent_of(&l, i);
        const char *name = view_of(&l, i)->texts + d->name;

        if (choose_name(&l, name, d->name_len, &node) == 0)
            r = fn(arg, name, d->name_len, node);
    }
    return r;
}
