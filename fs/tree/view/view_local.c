/* SPDX-License-Identifier: Apache-2.0 */
/* What exists here only: files that are being written, scratch directories. */
#include "view_local.h"

#include "ocirfs/push.h"

#include "overlay.h"

#include <sys/stat.h>

struct ofs_local *ofs_local_of(struct ofs_tree *t, const struct ofs_node *node)
{
    return node->view->local ? ofs_local_get(&t->overlay, node->name) : NULL;
}

void ofs_local_found(const struct ofs_local *s, struct ofs_found *ret)
{
    /* Its number is all it is known by: the path it belongs to may change. */
    ofs_found_set(
        ret, ofs_local_is_dir(s) ? &ofs_view_local_dir : &ofs_view_local_file,
        "", ofs_local_id(s));
    ret->valid_ms = 0;
}

/* They change at any time, so nobody may believe anything. */
static void scratch_attr(struct ofs_tree *t, const struct ofs_node *node,
                         struct ofs_attr *ret)
{
    OFS_LOCAL_HOLD(held, &t->overlay, ofs_local_of(t, node));
    struct ofs_local_now now;

    ret->valid_ms = 0;
    if (!held.s)
        return;
    ofs_local_look(&t->overlay, held.s, &now);
    ret->mode = node->view->type | (now.mode & ~t->umask);
    ret->mtime_s = now.mtime_s;
    if (now.shown_ino)
        ret->shown_ino = now.shown_ino;
    if (!ofs_local_is_dir(held.s))
        ret->size = ofs_draft_size(ofs_local_draft(held.s));
}

static int draft_open(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_file *f, struct ofs_err *err)
{
    (void)call;
    f->scratch = ofs_local_of(t, f->node);
    return f->scratch ? 0 : ofs_err_set(err, -ESTALE, "the file has gone");
}

/* The names in it are found where all such names are. */
static int scratch_lookup(struct ofs_tree *t, struct ofs_call *call,
                          const struct ofs_node *dir, const char *name,
                          struct ofs_found *ret, struct ofs_err *err)
{
    (void)t;
    (void)call;
    (void)dir;
    (void)name;
    (void)ret;
    (void)err;
    return -ENOENT;
}

static int overlay_list(struct ofs_tree *t, struct ofs_call *call,
                        struct ofs_dir *d, struct ofs_err *err)
{
    (void)t;
    (void)call;
    (void)d;
    (void)err;
    return 0;
}

const struct ofs_view ofs_view_local_file = {
    .kind = "draft",
    .type = S_IFREG,
    .path = "%n",
    .local = true,
    .attr = scratch_attr,
    .open = draft_open,
    .direct = true,
};

const struct ofs_view ofs_view_local_dir = {
    .kind = "scratch",
    .type = S_IFDIR,
    .path = "%n",
    .place = OFS_PLACE_SCRATCH,
    .local = true,
    .attr = scratch_attr,
    .lookup = scratch_lookup,
    .list = overlay_list,
};
