/* SPDX-License-Identifier: Apache-2.0 */
/* What fs/fuse reads with: find the node, let its view do it. */
#include "ocirfs/tree.h"

#include "ocirfs/process.h"

#include "attrs.h"
#include "handle.h"
#include "lookup.h"

int ofs_tree_getattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                     struct ofs_attr *ret, struct ofs_err *err)
{
    struct ofs_node *node = ofs_nodes_use(&t->nodes, ino);

    (void)call;
    if (!node)
        return ofs_told(-ESTALE, err, "getattr");
    ofs_attr_of(t, node, ret);
    ofs_nodes_unuse(&t->nodes, node);
    return 0;
}

int ofs_tree_opendir(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                     struct ofs_dir **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_dir_closep) struct ofs_dir *d = NULL;
    int r;
    struct ofs_node *node = ofs_dir_use(t, ino, &r);

    if (r == 0 && t->space.allow_delete)
        ofs_runs_listed(&t->runs, node->path, ofs_process_of(call->who));
    if (r == 0)
        r = ofs_dir_new(t, ofs_take(&node), &d, err);
    if (r == 0)
        r = ofs_dir_node(d)->view->list(t, call, d, err);
    if (r == 0 && ofs_dir_add_scratch(d) < 0)
        r = ofs_err_nomem(err, "a directory");
    if (r == 0)
        *ret = ofs_take(&d);
    ofs_nodes_unuse(&t->nodes, node);
    return ofs_told(r, err, "opendir");
}

static int open_node(struct ofs_tree *t, struct ofs_call *call,
                     struct ofs_file *f, struct ofs_open_how *ret_how,
                     struct ofs_err *err)
{
    const struct ofs_view *view = f->node->view;
    int r = view->open ? view->open(t, call, f, err) : -EISDIR;

    if (r < 0)
        return r;
    /* An inode is its content, so pages of it are always right. */
    ret_how->keep_cache = !view->direct;
    ret_how->direct = view->direct;
    return 0;
}

int ofs_tree_open(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                  struct ofs_file **ret, struct ofs_open_how *ret_how,
                  struct ofs_err *err)
{
    OFS_AUTO(ofs_file_closep) struct ofs_file *f = NULL;
    struct ofs_node *node = ofs_nodes_use(&t->nodes, ino);
    int r;

    if (!node)
        return ofs_told(-ESTALE, err, "open");
    f = ofs_file_new(t, node);
    if (!f)
        return ofs_err_nomem(err, "a file");
    r = open_node(t, call, f, ret_how, err);
    if (r < 0)
        return ofs_told(r, err, "open");
    *ret = ofs_take(&f);
    return 0;
}

void ofs_tree_statfs(struct ofs_tree *t, struct ofs_statfs *ret)
{
    struct ofs_store_stat st;

    ofs_store_stat(t->store, &st);
    ret->total_bytes = st.max_bytes && st.max_bytes < st.disk_bytes
                           ? st.max_bytes
                           : st.disk_bytes;
    ret->free_bytes = st.free_bytes;
    ret->nodes = ofs_nodes_count(&t->nodes);
}

void ofs_tree_note_error(struct ofs_tree *t, uint64_t ino,
                         const struct ofs_err *err)
{
    char line[OFS_ERR_LINE_MAX];

    ofs_nodes_set_error(&t->nodes, ino, ofs_err_line(err, line));
}

size_t ofs_tree_inodes_of(struct ofs_tree *t, const struct ofs_digest *digest,
                          uint64_t *ret, size_t max)
{
    return ofs_nodes_of_digest(&t->nodes, digest, ret, max);
}
