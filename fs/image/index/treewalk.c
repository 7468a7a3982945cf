/* SPDX-License-Identifier: Apache-2.0 */
#include "treewalk.h"

#include "layerpath.h"

enum {
    MAX_LINKS = 40, /* as the kernel has it */
    MAX_WALK = 64 * 1024,
};

struct walk {
    struct ofs_treenodes *t;
    enum ofs_walk_how how;
    uint32_t dir;
    struct ofs_buf rest; /* what is left to walk, from `at` on */
    size_t at;
    unsigned n_links;
};

/* A link's target stands before what is left. */
static int follow_link(struct walk *w, const struct ofs_inode *link)
{
    OFS_AUTOBUF struct ofs_buf path = OFS_BUF_INIT(MAX_WALK);
    const char *target = w->t->texts.data + link->data;
    struct ofs_buf old = w->rest;

    if (++w->n_links > MAX_LINKS)
        return -ELOOP;
    if (link->size > 0 && target[0] == '/')
        w->dir = OFS_ROOT_INODE;
    (void)ofs_buf_add(&path, target, (size_t)link->size);
    (void)ofs_buf_addc(&path, '/');
    (void)ofs_buf_add(&path, old.data + w->at, old.len - w->at);
    if (path.failed)
        return path.failed == -EFBIG ? -ELOOP : path.failed;
    w->rest = path;
    w->at = 0;
    path = old; /* freed at the end of the block */
    return 0;
}

static int imply(struct walk *w, uint32_t dent)
{
    uint32_t dir = 0;
    int r = ofs_dir_imply(w->t, dent, &dir);

    if (r == 0)
        w->dir = dir;
    return r;
}

static int enter_name(struct walk *w, const char *name, size_t len)
{
    enum ofs_layer_mark mark = ofs_layer_mark(name, len);
    uint32_t dent = ofs_dent_find(w->t, w->dir, name, len), no;
    const struct ofs_inode *inode;
    int r = 0;

    if (mark != OFS_MARK_NONE && mark != OFS_MARK_HIDDEN)
        return -EINVAL;
    if (dent == UINT32_MAX && w->how == OFS_WALK_FIND)
        return -ENOENT;
    if (dent == UINT32_MAX)
        r = ofs_dent_need(w->t, w->dir, name, len, &dent);
    if (r < 0)
        return r;
    no = ofs_dent_at(w->t, dent)->d.inode;
    if (no == (uint32_t)OFS_NO_INODE)
        return w->how == OFS_WALK_FIND ? -ENOENT : imply(w, dent);
    inode = ofs_inode_at(w->t, no);
    if (inode->type == OFS_INODE_SYM)
        return follow_link(w, inode);
    if (inode->type == OFS_INODE_DIR) {
        w->dir = no;
        return 0;
    }
    return w->how == OFS_WALK_MAKE ? imply(w, dent) : -ENOTDIR;
}

static int enter(struct walk *w, const char *name, size_t len)
{
    if (len == 0 || (len == 1 && name[0] == '.'))
        return 0;
    if (len == 2 && name[0] == '.' && name[1] == '.') {
        w->dir = ofs_inode_at(w->t, w->dir)->up; /* of the root: itself */
        return 0;
    }
    return len > OFS_LAYER_NAME_MAX ? -EINVAL : enter_name(w, name, len);
}

static int enter_all(struct walk *w)
{
    int r = 0;

    while (r == 0 && w->at < w->rest.len) {
        OFS_AUTOFREE char *name = NULL;
        const char *begin = w->rest.data + w->at;
        size_t len = strcspn(begin, "/");

        name = strndup(begin, len); /* the text may move */
        if (!name)
            return -ENOMEM;
        w->at += len + (begin[len] == '/');
        r = enter(w, name, len);
    }
    return r;
}

int ofs_tree_walk(struct ofs_treenodes *t, const char *path, size_t len,
                  enum ofs_walk_how how, uint32_t *ret_dir,
                  const char **ret_name)
{
    struct walk w = { .t = t,
                      .how = how,
                      .dir = OFS_ROOT_INODE,
                      .rest = OFS_BUF_INIT(MAX_WALK) };
    const char *slash = memrchr(path, '/', len);
    int r = ofs_buf_add(&w.rest, path, slash ? (size_t)(slash - path) : 0);

    if (r == 0)
        r = enter_all(&w);
    ofs_buf_done(&w.rest);
    if (r < 0)
        return r;
    *ret_dir = w.dir;
    *ret_name = slash ? slash + 1 : path;
    return 0;
}

int ofs_tree_look_up(struct ofs_treenodes *t, const char *path, size_t len,
                     uint32_t *ret_dent)
{
    const char *name = NULL;
    uint32_t dir = 0, dent;
    int r = ofs_tree_walk(t, path, len, OFS_WALK_FIND, &dir, &name);

    if (r < 0)
        return r;
    dent = ofs_dent_find(t, dir, name, (size_t)(path + len - name));
    if (dent == UINT32_MAX ||
        ofs_dent_at(t, dent)->d.inode == (uint32_t)OFS_NO_INODE)
        return -ENOENT;
    *ret_dent = dent;
    return 0;
}
