/* SPDX-License-Identifier: Apache-2.0 */
/* /.ocirfs/: about the mount itself.  Nothing here asks the network. */
#include "ocirfs/clock.h"

#include "handle.h"
#include "names.h"
#include "view.h"

#include <sys/stat.h>

enum { MAX_CONTROL_BYTES = 16 * 1024 * 1024 };

static const struct ofs_control_file *control_find(const struct ofs_tree *t,
                                                   const char *name)
{
    for (const struct ofs_control_file *f = t->control; f && f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static void dir_attr(struct ofs_tree *t, const struct ofs_node *node,
                     struct ofs_attr *ret)
{
    (void)node;
    ret->mtime_s = t->start_s;
}

/* Made anew at each open, so the time is now and the size nobody's guess. */
static void file_attr(struct ofs_tree *t, const struct ofs_node *node,
                      struct ofs_attr *ret)
{
    (void)t;
    (void)node;
    ret->mtime_s = ofs_wall_s();
    ret->valid_ms = 0;
}

static int control_lookup(struct ofs_tree *t, struct ofs_call *call,
                          const struct ofs_node *dir, const char *name,
                          struct ofs_found *ret, struct ofs_err *err)
{
    const struct ofs_control_file *f = control_find(t, name);

    (void)call;
    (void)dir;
    (void)err;
    if (!f)
        return -ENOENT;
    ofs_found_set(ret, &ofs_view_control_file, "", f->name);
    return 0;
}

static int control_list(struct ofs_tree *t, struct ofs_call *call,
                        struct ofs_dir *d, struct ofs_err *err)
{
    struct ofs_found found;

    (void)call;
    for (const struct ofs_control_file *f = t->control; f && f->name; f++) {
        ofs_found_set(&found, &ofs_view_control_file, "", f->name);
        if (ofs_dir_add(d, f->name, &found.spec) < 0)
            return ofs_err_nomem(err, "a directory");
    }
    return 0;
}

static int control_open(struct ofs_tree *t, struct ofs_call *call,
                        struct ofs_file *f, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(MAX_CONTROL_BYTES);
    const struct ofs_control_file *file = control_find(t, f->node->name);
    int r;

    (void)call;
    if (!file)
        return ofs_err_set(err, -ESTALE, "no such file any more");
    r = file->render(file->arg, &text);
    if (r < 0)
        return ofs_err_set(err, r, "'%s' could not be made", file->name);
    f->bytes = ofs_bytes_new(text.data, text.len);
    return f->bytes ? 0 : ofs_err_nomem(err, file->name);
}

const struct ofs_view ofs_view_control = {
    .kind = "control",
    .type = S_IFDIR,
    .path = OFS_CONTROL_NAME,
    .attr = dir_attr,
    .fixed = true,
    .lookup = control_lookup,
    .list = control_list,
};

const struct ofs_view ofs_view_control_file = {
    .kind = "control-file",
    .type = S_IFREG,
    .path = OFS_CONTROL_NAME "/%n",
    .attr = file_attr,
    .open = control_open,
    .direct = true,
    .fixed = true,
};
