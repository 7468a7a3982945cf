/* SPDX-License-Identifier: Apache-2.0 */
#include "treenodes.h"

#include "layerpath.h"

enum {
    IMPLIED_MODE = 0755,
    MAX_DEPTH = OFS_LAYER_PATH_MAX / 2, /* no path is longer */
};

static const uint64_t max_bytes = (UINT64_C(1) << 32) - 1;

int ofs_treenodes_init(struct ofs_treenodes *t)
{
    static const struct ofs_inode root = { .mode = IMPLIED_MODE,
                                           .type = OFS_INODE_DIR,
                                           .flags = OFS_INODE_IMPLIED };
    uint32_t no;

    *t = (struct ofs_treenodes){ 0 };
    ofs_buf_init(&t->dents, max_bytes);
    ofs_buf_init(&t->inodes, max_bytes * 2);
    ofs_buf_init(&t->texts, max_bytes);
    ofs_buf_init(&t->xattrs, max_bytes);
    ofs_buf_init(&t->extents, max_bytes);
    ofs_childtable_init(&t->children);
    return ofs_inode_add(t, &root, &no);
}

void ofs_treenodes_done(struct ofs_treenodes *t)
{
    ofs_buf_done(&t->dents);
    ofs_buf_done(&t->inodes);
    ofs_buf_done(&t->texts);
    ofs_buf_done(&t->xattrs);
    ofs_buf_done(&t->extents);
    ofs_childtable_done(&t->children);
}

struct ofs_grown_dent *ofs_dent_at(const struct ofs_treenodes *t, uint32_t no)
{
    return (struct ofs_grown_dent *)(void *)t->dents.data + no;
}

static struct ofs_grown_inode *grown_at(const struct ofs_treenodes *t,
                                        uint32_t no)
{
    return (struct ofs_grown_inode *)(void *)t->inodes.data + no;
}

struct ofs_inode *ofs_inode_at(const struct ofs_treenodes *t, uint32_t no)
{
    return &grown_at(t, no)->i;
}

uint32_t ofs_n_grown_dents(const struct ofs_treenodes *t)
{
    return (uint32_t)(t->dents.len / sizeof(struct ofs_grown_dent));
}

uint32_t ofs_n_grown_inodes(const struct ofs_treenodes *t)
{
    return (uint32_t)(t->inodes.len / sizeof(struct ofs_grown_inode));
}

struct wanted {
    const struct ofs_treenodes *t;
    uint32_t dir;
    const char *name;
    size_t len;
};

static bool is_wanted(const void *arg, uint32_t no)
{
    const struct wanted *w = arg;
    const struct ofs_grown_dent *g = ofs_dent_at(w->t, no);

    return g->dir == w->dir && g->d.name_len == w->len &&
           memcmp(w->t->texts.data + g->d.name, w->name, w->len) == 0;
}

uint32_t ofs_dent_find(const struct ofs_treenodes *t, uint32_t dir,
                       const char *name, size_t len)
{
    struct wanted w = { t, dir, name, len };

    return ofs_childtable_find(
        &t->children, ofs_childtable_hash(&t->children, dir, name, len),
        is_wanted, &w);
}

int ofs_text_add(struct ofs_treenodes *t, const char *text, size_t len,
                 uint64_t *ret)
{
    uint64_t at = t->texts.len;
    int r = ofs_buf_add(&t->texts, text, len);

    if (r == 0)
        *ret = at;
    return r;
}

int ofs_dent_need(struct ofs_treenodes *t, uint32_t dir, const char *name,
                  size_t len, uint32_t *ret)
{
    uint32_t no = ofs_dent_find(t, dir, name, len);
    struct ofs_grown_dent g = { .dir = dir };
    uint64_t text = 0;
    int r;

    if (no != UINT32_MAX) {
        *ret = no;
        return 0;
    }
    no = ofs_n_grown_dents(t);
    g.d.inode = (uint32_t)OFS_NO_INODE;
    g.d.name_len = (uint16_t)len;
    if (ofs_layer_mark(name, len) == OFS_MARK_HIDDEN)
        g.d.flags = OFS_DENT_HIDDEN;
    r = ofs_text_add(t, name, len, &text);
    g.d.name = (uint32_t)text;
    if (r == 0)
        r = ofs_buf_add(&t->dents, &g, sizeof(g));
    if (r == 0)
        r = ofs_childtable_add(
            &t->children, ofs_childtable_hash(&t->children, dir, name, len),
            no);
    if (r == 0)
        *ret = no;
    return r;
}

int ofs_inode_add(struct ofs_treenodes *t, const struct ofs_inode *inode,
                  uint32_t *ret)
{
    struct ofs_grown_inode g = { .i = *inode };
    uint32_t no = ofs_n_grown_inodes(t);
    int r = ofs_buf_add(&t->inodes, &g, sizeof(g));

    if (r == 0)
        *ret = no;
    return r;
}

int ofs_dir_imply(struct ofs_treenodes *t, uint32_t dent, uint32_t *ret)
{
    uint32_t up = ofs_dent_at(t, dent)->dir, no = 0;
    uint32_t depth = grown_at(t, up)->depth + 1;
    struct ofs_inode dir = { .mode = IMPLIED_MODE,
                             .type = OFS_INODE_DIR,
                             .flags = OFS_INODE_IMPLIED,
                             .up = up };
    int r;

    if (depth > MAX_DEPTH)
        return -ELOOP;
    r = ofs_inode_add(t, &dir, &no);
    if (r < 0)
        return r;
    grown_at(t, no)->depth = depth;
    ofs_dent_at(t, dent)->d.inode = no;
    *ret = no;
    return 0;
}

/* Is such a list among the last ones?  Images have few different ones. */
static bool find_list(const struct ofs_treenodes *t, const uint8_t *list,
                      uint32_t len, uint32_t *ret)
{
    uint32_t n;

    for (size_t i = 0; i < t->n_lists && i < OFS_RECENT_LISTS; i++) {
        const char *at = t->xattrs.data + t->lists[i];

        memcpy(&n, at, sizeof(n));
        if (n == len && memcmp(at + sizeof(n), list, len) == 0) {
            *ret = t->lists[i] + 1;
            return true;
        }
    }
    return false;
}

int ofs_xattrs_intern(struct ofs_treenodes *t, const uint8_t *list, size_t len,
                      uint32_t *ret)
{
    uint32_t n = (uint32_t)len, at = (uint32_t)t->xattrs.len;
    int r;

    if (len == 0) {
        *ret = 0;
        return 0;
    }
    if (find_list(t, list, n, ret))
        return 0;
    r = ofs_buf_add(&t->xattrs, &n, sizeof(n));
    if (r == 0)
        r = ofs_buf_add(&t->xattrs, list, len);
    if (r < 0)
        return r;
    t->lists[t->n_lists++ % OFS_RECENT_LISTS] = at;
    *ret = at + 1;
    return 0;
}
