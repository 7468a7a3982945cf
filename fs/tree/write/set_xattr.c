/* SPDX-License-Identifier: Apache-2.0 */
/* What setfattr may change. */
#include "ocirfs/tree_write.h"

#include "flush.h"

/*
 * `cp -a` and `rsync -X` carry along what they found, and what we show will
 * show itself again.
 */
static bool is_carried(const struct ofs_node *node, const char *name)
{
    return ofs_str_starts(name, "user.ocirfs.") ||
           (ofs_str_starts(name, "user.oci") && node->view->local);
}

static int set_xattr(struct ofs_tree *t, struct ofs_call *call,
                     const struct ofs_node *node, const char *name,
                     const struct ofs_buf *value, struct ofs_err *err)
{
    int r = -ENOTSUP;

    if (node->view->set_xattr)
        r = node->view->set_xattr(t, call, node, name, value, err);
    /* The backend's own word, or the service's. */
    if (r != -ENOTSUP || (err && err->http_status))
        return r;
    if (is_carried(node, name))
        return 0;
    if (!ofs_str_starts(name, "user.oci"))
        return -ENOTSUP;
    return ofs_err_set(err, -EPERM, "'%s' is not to be set", name);
}

int ofs_tree_setxattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                      const char *name, const struct ofs_buf *value,
                      struct ofs_err *err)
{
    OFS_NODE_HOLD(held, t, ofs_nodes_use(&t->nodes, ino));
    int r = held.node ? ofs_need_writable(t, err) : -ESTALE;

    if (r == 0)
        r = set_xattr(t, call, held.node, name, value, err);
    return ofs_told(r, err, name);
}
