/* SPDX-License-Identifier: Apache-2.0 */
#include "ops_priv.h"

static int run_lookup(struct ofs_op *op, struct ofs_err *err)
{
    struct ofs_entry entry;
    int r = ofs_tree_lookup(ofs_op_tree(op), &op->call, op->ino, op->name,
                            &entry, err);

    if (r == 0)
        ofs_reply_entry(op, &entry);
    return r;
}

void ofs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct ofs_op op = {
        .req = req, .run = run_lookup, .what = "lookup", .ino = parent
    };

    ofs_op_start_named(&op, name, NULL);
}

void ofs_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
    ofs_tree_forget(ofs_session_of(req)->tree, ino, n);
    fuse_reply_none(req);
}

void ofs_op_forget_multi(fuse_req_t req, size_t count,
                         struct fuse_forget_data *forgets)
{
    struct ofs_tree *tree = ofs_session_of(req)->tree;

    for (size_t i = 0; i < count; i++)
        ofs_tree_forget(tree, forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

static int run_getattr(struct ofs_op *op, struct ofs_err *err)
{
    struct ofs_attr attr;
    struct stat st;
    int r = ofs_tree_getattr(ofs_op_tree(op), &op->call, op->ino, &attr, err);

    if (r < 0)
        return r;
    ofs_attr_to_stat(&attr, &st);
    ofs_op_uninterruptible(op);
    (void)fuse_reply_attr(op->req, &st, ofs_valid_s(attr.valid_ms));
    return 0;
}

void ofs_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct ofs_op op = {
        .req = req, .run = run_getattr, .what = "getattr", .ino = ino
    };

    (void)fi;
    ofs_op_start(&op);
}

void ofs_op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    enum { BLOCK = 4096 };
    struct ofs_statfs fs;
    struct statvfs st;

    (void)ino;
    ofs_tree_statfs(ofs_session_of(req)->tree, &fs);
    st = (struct statvfs){
        .f_bsize = BLOCK,
        .f_frsize = BLOCK,
        .f_blocks = fs.total_bytes / BLOCK,
        .f_bfree = fs.free_bytes / BLOCK,
        .f_bavail = fs.free_bytes / BLOCK,
        .f_files = fs.nodes,
        .f_namemax = 255,
    };
    (void)fuse_reply_statfs(req, &st);
}
