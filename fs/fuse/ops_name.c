/* SPDX-License-Identifier: Apache-2.0 */
/* Changing names.  Most of these push, or ask the registry for a change. */
#include "ops_priv.h"

#include "ocirfs/tree_write.h"

static int run_mkdir(struct ofs_op *op, struct ofs_err *err)
{
    struct ofs_entry entry = { .valid_ms = 0 };
    int r = ofs_tree_mkdir(ofs_op_tree(op), &op->call, op->ino, op->name,
                           op->attr.st_mode, &entry, err);

    if (r == 0)
        ofs_reply_entry(op, &entry);
    return r;
}

void ofs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
                  mode_t mode)
{
    struct ofs_op op = { .req = req,
                         .run = run_mkdir,
                         .what = "mkdir",
                         .ino = parent,
                         .attr = { .st_mode = mode } };

    ofs_op_start_named(&op, name, NULL);
}

static int run_rmdir(struct ofs_op *op, struct ofs_err *err)
{
    int r = ofs_tree_rmdir(ofs_op_tree(op), &op->call, op->ino, op->name, err);

    if (r == 0)
        ofs_reply_done(op);
    return r;
}

void ofs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct ofs_op op = {
        .req = req, .run = run_rmdir, .what = "rmdir", .ino = parent
    };

    ofs_op_start_named(&op, name, NULL);
}

static int run_unlink(struct ofs_op *op, struct ofs_err *err)
{
    int r = ofs_tree_unlink(ofs_op_tree(op), &op->call, op->ino, op->name, err);

    if (r == 0)
        ofs_reply_done(op);
    return r;
}

void ofs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct ofs_op op = {
        .req = req, .run = run_unlink, .what = "unlink", .ino = parent
    };

    ofs_op_start_named(&op, name, NULL);
}

static int run_rename(struct ofs_op *op, struct ofs_err *err)
{
    int r = ofs_tree_rename(ofs_op_tree(op), &op->call, op->ino, op->name,
                            op->to.ino, op->to.name, op->flags, err);

    if (r == 0)
        ofs_reply_done(op);
    return r;
}

void ofs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
                   fuse_ino_t to_parent, const char *to, unsigned flags)
{
    struct ofs_op op = { .req = req,
                         .run = run_rename,
                         .what = "rename",
                         .ino = parent,
                         .to = { .ino = to_parent },
                         .flags = flags,
                         .pushes = true };

    ofs_op_start_named(&op, name, to);
}

static int run_link(struct ofs_op *op, struct ofs_err *err)
{
    struct ofs_entry entry = { .valid_ms = 0 };
    int r = ofs_tree_link(ofs_op_tree(op), &op->call, op->ino, op->to.ino,
                          op->to.name, &entry, err);

    if (r == 0)
        ofs_reply_entry(op, &entry);
    return r;
}

void ofs_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t to_parent,
                 const char *to)
{
    struct ofs_op op = { .req = req,
                         .run = run_link,
                         .what = "link",
                         .ino = ino,
                         .to = { .ino = to_parent },
                         .pushes = true };

    ofs_op_start_named(&op, NULL, to);
}

/* No registry has such things; without these two it would be ENOSYS. */

static int run_symlink(struct ofs_op *op, struct ofs_err *err)
{
    return ofs_err_set(err, -EPERM,
                       "'%s': a registry has no symbolic links; copy what they "
                       "lead to (cp -rL, rsync -L, tar -h)",
                       op->name);
}

void ofs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
                    const char *name)
{
    struct ofs_op op = {
        .req = req, .run = run_symlink, .what = "symlink", .ino = parent
    };

    (void)target;
    ofs_op_start_named(&op, name, NULL);
}

void ofs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
                  mode_t mode, dev_t device)
{
    (void)parent;
    (void)name;
    (void)mode;
    (void)device;
    (void)fuse_reply_err(req, EPERM);
}
