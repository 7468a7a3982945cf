/* SPDX-License-Identifier: Apache-2.0 */
#include "manage.h"
#include "view.h"

#include <sys/stat.h>

enum {
    DIR_MODE = 0555,
    FILE_MODE = 0444,
    OWNER_WRITES = 0200,
    /* "Not known": a count of 2 would say that there are no directories. */
    DIR_NLINK = 1,
};

/* May its owner write it?  Modes tell the truth, as far as they can. */
static bool is_writable(struct ofs_tree *t, const struct ofs_node *node)
{
    const struct ofs_view *view = node->view;

    if (!t->push || view->fixed)
        return false;
    return view != &ofs_view_tag || !ofs_manage_is_immutable(t, node->path);
}

void ofs_attr_of(struct ofs_tree *t, const struct ofs_node *node,
                 struct ofs_attr *ret)
{
    const struct ofs_view *view = node->view;
    bool dir = S_ISDIR(view->type);
    mode_t mode = (dir ? DIR_MODE : FILE_MODE) |
                  (is_writable(t, node) ? OWNER_WRITES : 0);

    *ret = (struct ofs_attr){
        .ino = node->ino,
        .mode = view->type | (mode & ~t->umask),
        .nlink = dir ? DIR_NLINK : 1,
        .uid = t->uid,
        .gid = t->gid,
        .size = node->size,
        .mtime_s = node->mtime_s > 0 ? node->mtime_s : OFS_NO_TIME_S,
        .valid_ms = OFS_NEVER,
    };
    /* A repository may become immutable. */
    if (t->tenancy && t->push && view == &ofs_view_tag)
        ret->valid_ms = t->sync.ttl_ms;
    if (view->attr)
        view->attr(t, node, ret);
}

void ofs_found_set(struct ofs_found *ret, const struct ofs_view *view,
                   const char *path, const char *name)
{
    assert(strlen(path) <= NAME_MAX && strlen(name) <= NAME_MAX);
    memset(&ret->spec, 0, sizeof(ret->spec));
    ret->spec.view = view;
    ret->spec.kind = view->kind;
    memcpy(ret->spec.path, path, strlen(path) + 1);
    memcpy(ret->spec.name, name, strlen(name) + 1);
    ret->valid_ms = OFS_NEVER;
}

void ofs_found_dir(struct ofs_found *ret, uint64_t scope, const char *path)
{
    ofs_found_set(ret, &ofs_view_dir, path, "");
    ret->spec.scope = scope;
}
