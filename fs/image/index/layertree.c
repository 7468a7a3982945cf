/* SPDX-License-Identifier: Apache-2.0 */
#include "layertree.h"

#include "layerflat.h"
#include "layerpath.h"
#include "treewalk.h"

struct ofs_layer_tree {
    struct ofs_treenodes nodes;
    struct ofs_layer_skipped skipped;
};

struct ofs_layer_tree *ofs_layer_tree_new(void)
{
    struct ofs_layer_tree *t = calloc(1, sizeof(*t));

    if (t && ofs_treenodes_init(&t->nodes) < 0) {
        ofs_layer_tree_free(t);
        return NULL;
    }
    return t;
}

void ofs_layer_tree_free(struct ofs_layer_tree *t)
{
    if (!t)
        return;
    ofs_treenodes_done(&t->nodes);
    free(t);
}

void ofs_layer_tree_skip(struct ofs_layer_tree *t, const char *path,
                         const char *why)
{
    if (t->skipped.n++ == 0)
        (void)snprintf(t->skipped.first, sizeof(t->skipped.first),
                       "'%.120s': %s", path, why);
}

const struct ofs_layer_skipped *
ofs_layer_tree_skipped(const struct ofs_layer_tree *t)
{
    return &t->skipped;
}

/* The first part of a path that is an instruction, and what it says. */
struct instruction {
    enum ofs_layer_mark mark;
    size_t begin, end; /* of that part */
};

static struct instruction find_instruction(const char *path, size_t len)
{
    struct instruction i = { .mark = OFS_MARK_NONE };

    for (size_t at = 0; at < len; at = i.end + 1) {
        enum ofs_layer_mark mark;

        i.begin = at;
        i.end = at + strcspn(path + at, "/");
        mark = ofs_layer_mark(path + at, i.end - at);
        if (mark != OFS_MARK_NONE && mark != OFS_MARK_HIDDEN) {
            i.mark = mark;
            break;
        }
    }
    return i;
}

/* ".wh.NAME" and ".wh..wh..opq", which hide and never are anything. */
static int obey(struct ofs_layer_tree *t, const char *path,
                const struct instruction *i)
{
    const char *name = NULL;
    uint32_t dir = 0, dent = 0;
    size_t len = i->end - i->begin - OFS_WHITEOUT_PREFIX_LEN;
    int r;

    if (i->mark == OFS_MARK_BAD) {
        ofs_layer_tree_skip(t, path, "a whiteout of nothing");
        return 0;
    }
    r = ofs_tree_walk(&t->nodes, path, i->end, OFS_WALK_HIDE, &dir, &name);
    if (r < 0)
        return r;
    if (i->mark == OFS_MARK_OPAQUE) {
        ofs_inode_at(&t->nodes, dir)->flags |= OFS_INODE_OPAQUE;
        return 0;
    }
    r = ofs_dent_need(&t->nodes, dir, name + OFS_WHITEOUT_PREFIX_LEN, len,
                      &dent);
    if (r == 0)
        ofs_dent_at(&t->nodes, dent)->d.flags |= OFS_DENT_WHITEOUT;
    return r;
}

static int copy_text(struct ofs_treenodes *n, const struct ofs_tar_entry *e,
                     struct ofs_inode *inode)
{
    inode->size = e->link_len;
    return ofs_text_add(n, e->link, e->link_len, &inode->data);
}

static int copy_extents(struct ofs_treenodes *n, const struct ofs_tar_entry *e,
                        struct ofs_inode *inode)
{
    inode->size = e->size;
    inode->data = e->data;
    if (!e->extents)
        return 0;
    inode->flags |= OFS_INODE_SPARSE;
    inode->first = (uint32_t)(n->extents.len / sizeof(*e->extents));
    inode->n = (uint32_t)e->n_extents;
    return ofs_buf_add(&n->extents, e->extents,
                       e->n_extents * sizeof(*e->extents));
}

/* Of `inode` only what an entry of its own says. */
static int describe_inode(struct ofs_treenodes *n,
                          const struct ofs_tar_entry *e,
                          struct ofs_inode *inode)
{
    static const uint8_t types[] = {
        [OFS_TAR_REG] = OFS_INODE_REG,   [OFS_TAR_LINK] = OFS_INODE_PENDING,
        [OFS_TAR_SYM] = OFS_INODE_SYM,   [OFS_TAR_CHR] = OFS_INODE_CHR,
        [OFS_TAR_BLK] = OFS_INODE_BLK,   [OFS_TAR_DIR] = OFS_INODE_DIR,
        [OFS_TAR_PIPE] = OFS_INODE_PIPE,
    };

    inode->type = types[e->type];
    inode->mode = e->mode;
    inode->uid = e->uid;
    inode->gid = e->gid;
    inode->mtime_s = e->mtime_s;
    inode->mtime_ns = e->mtime_ns;
    inode->flags &= (uint8_t)~OFS_INODE_IMPLIED;
    if (e->type == OFS_TAR_CHR || e->type == OFS_TAR_BLK)
        inode->data = (uint64_t)e->major << 32 | e->minor;
    return ofs_xattrs_intern(n, e->xattrs, e->xattrs_len, &inode->xattrs);
}

static int add_inode(struct ofs_treenodes *n, uint32_t dent,
                     const struct ofs_tar_entry *e)
{
    struct ofs_inode inode = { 0 };
    uint32_t no = 0;
    int r = describe_inode(n, e, &inode);

    if (r == 0 && e->type == OFS_TAR_REG)
        r = copy_extents(n, e, &inode);
    if (r == 0 && (e->type == OFS_TAR_SYM || e->type == OFS_TAR_LINK))
        r = copy_text(n, e, &inode);
    if (r == 0)
        r = ofs_inode_add(n, &inode, &no);
    if (r == 0)
        ofs_dent_at(n, dent)->d.inode = no;
    return r;
}

/* One that is there keeps what is in it. */
static int add_dir(struct ofs_treenodes *n, uint32_t dent,
                   const struct ofs_tar_entry *e)
{
    uint32_t no = ofs_dent_at(n, dent)->d.inode;
    int r = 0;

    if (no == (uint32_t)OFS_NO_INODE ||
        ofs_inode_at(n, no)->type != OFS_INODE_DIR)
        r = ofs_dir_imply(n, dent, &no);
    return r < 0 ? r : describe_inode(n, e, ofs_inode_at(n, no));
}

/* To what is there now; else to what will be known when all layers are. */
static int add_link(struct ofs_layer_tree *t, uint32_t dent,
                    const struct ofs_tar_entry *e)
{
    struct ofs_treenodes *n = &t->nodes;
    uint32_t target = 0, no;
    int r = e->link_len > 0 ? ofs_tree_look_up(n, e->link, e->link_len, &target)
                            : -EISDIR;

    if (r == 0) {
        no = ofs_dent_at(n, target)->d.inode;
        if (ofs_inode_at(n, no)->type == OFS_INODE_DIR)
            r = -EISDIR;
        else
            ofs_dent_at(n, dent)->d.inode = no;
    }
    if (r == -ENOENT || r == -ENOTDIR)
        return add_inode(n, dent, e);
    if (r == -EISDIR)
        ofs_layer_tree_skip(t, e->path, "a hard link to a directory");
    return r == -EISDIR ? 0 : r;
}

static int add_entry(struct ofs_layer_tree *t, const struct ofs_tar_entry *e)
{
    const char *name = NULL;
    uint32_t dir = 0, dent = 0;
    int r = ofs_tree_walk(&t->nodes, e->path, e->path_len, OFS_WALK_MAKE, &dir,
                          &name);

    if (r == 0)
        r = ofs_dent_need(&t->nodes, dir, name,
                          (size_t)(e->path + e->path_len - name), &dent);
    if (r < 0)
        return r;
    if (e->type == OFS_TAR_DIR)
        return add_dir(&t->nodes, dent, e);
    return e->type == OFS_TAR_LINK ? add_link(t, dent, e)
                                   : add_inode(&t->nodes, dent, e);
}

static int add_any(struct ofs_layer_tree *t, const struct ofs_tar_entry *e)
{
    struct instruction i = find_instruction(e->path, e->path_len);

    if (i.mark != OFS_MARK_NONE)
        return obey(t, e->path, &i);
    if (e->path_len > 0)
        return add_entry(t, e);
    if (e->type == OFS_TAR_DIR)
        return describe_inode(&t->nodes, e,
                              ofs_inode_at(&t->nodes, OFS_ROOT_INODE));
    ofs_layer_tree_skip(t, "/", "not a directory");
    return 0;
}

int ofs_layer_tree_add(struct ofs_layer_tree *t, const struct ofs_tar_entry *e,
                       struct ofs_err *err)
{
    int r = add_any(t, e);

    if (r == -ENOMEM || r == -EFBIG)
        return ofs_err_set(err, r, "no room for a layer's index");
    if (r == -ELOOP)
        ofs_layer_tree_skip(t, e->path, "too many links or directories");
    else if (r < 0)
        ofs_layer_tree_skip(t, e->path, "no place for it");
    return 0;
}

int ofs_layer_tree_flatten(struct ofs_layer_tree *t,
                           struct ofs_layer_parts *ret, struct ofs_err *err)
{
    int r = ofs_layer_flatten(&t->nodes, ret);

    return r < 0 ? ofs_err_set(err, r, "no room for a layer's index") : 0;
}
