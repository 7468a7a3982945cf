/* SPDX-License-Identifier: Apache-2.0 */
/* From a directory's number and a name to what it stands for. */
#include "lookup.h"

#include "attrs.h"
#include "overlay.h"
#include "view_local.h"

#include <sys/stat.h>

struct ofs_node *ofs_dir_use(struct ofs_tree *t, uint64_t ino, int *ret_code)
{
    struct ofs_node *node = ofs_nodes_use(&t->nodes, ino);

    *ret_code = !node ? -ESTALE : S_ISDIR(node->view->type) ? 0 : -ENOTDIR;
    return node;
}

int ofs_enter(struct ofs_tree *t, const struct ofs_found *found,
              struct ofs_entry *ret)
{
    struct ofs_node *node;
    int r = ofs_nodes_make(&t->nodes, &found->spec, 1, &node);

    if (r < 0)
        return r;
    ofs_attr_of(t, node, &ret->attr);
    ret->valid_ms = found->valid_ms;
    ofs_nodes_unuse(&t->nodes, node);
    return 0;
}

/* A new tag that somebody else writes: there is nothing else to be seen. */
static int find_others(struct ofs_tree *t, const struct ofs_node *dir,
                       const char *name, struct ofs_found *ret)
{
    OFS_LOCAL_HOLD(held, &t->overlay,
                   ofs_local_at(&t->overlay, dir->ino, name));
    struct ofs_local_now now;

    if (!held.s)
        return -ENOENT;
    ofs_local_look(&t->overlay, held.s, &now);
    if (now.target.kind != OFS_TARGET_TAG)
        return -ENOENT;
    ofs_local_found(held.s, ret);
    return 0;
}

/* What exists here only lies over what the registry has, for who writes it. */
int ofs_dir_find(struct ofs_tree *t, struct ofs_call *call,
                 const struct ofs_node *dir, const char *name,
                 struct ofs_found *ret, struct ofs_err *err)
{
    OFS_LOCAL_HOLD(held, &t->overlay,
                   ofs_local_seen(&t->overlay, dir->ino, name, call->who));
    int r;

    if (held.s) {
        ofs_local_found(held.s, ret);
        return 0;
    }
    /* Containers/image looks for its own scratch names before it makes them;
     * that costs no request. */
    if (t->push && ofs_str_starts(name, "oci-put-blob"))
        return -ENOENT;
    r = dir->view->lookup(t, call, dir, name, ret, err);
    return r == -ENOENT ? find_others(t, dir, name, ret) : r;
}

static int look_up(struct ofs_tree *t, struct ofs_call *call,
                   const struct ofs_node *dir, const char *name,
                   struct ofs_entry *ret, struct ofs_err *err)
{
    struct ofs_found found = { 0 };
    int r;

    if (strlen(name) > NAME_MAX)
        return -ENAMETOOLONG;
    r = ofs_dir_find(t, call, dir, name, &found, err);
    if (r == -ENOENT) {
        *ret = (struct ofs_entry){ .valid_ms =
                                       t->push ? 0 : t->sync.negative_ttl_ms };
        return 0;
    }
    return r < 0 ? r : ofs_enter(t, &found, ret);
}

int ofs_tree_lookup(struct ofs_tree *t, struct ofs_call *call, uint64_t parent,
                    const char *name, struct ofs_entry *ret,
                    struct ofs_err *err)
{
    int r;
    struct ofs_node *dir = ofs_dir_use(t, parent, &r);

    if (r == 0)
        r = look_up(t, call, dir, name, ret, err);
    ofs_nodes_unuse(&t->nodes, dir);
    return ofs_told(r, err, name);
}

void ofs_tree_forget(struct ofs_tree *t, uint64_t ino, uint64_t n)
{
    if (ino != OFS_ROOT_INO)
        ofs_nodes_forget(&t->nodes, ino, n);
}
