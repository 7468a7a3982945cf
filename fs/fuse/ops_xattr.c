/* SPDX-License-Identifier: Apache-2.0 */
#include "ops_priv.h"

#include "ocirfs/tree_write.h"

enum { XATTR_MAX_BYTES = 64 * 1024 }; /* the kernel's XATTR_SIZE_MAX */

/* size 0 asks how long the answer is. */
static int reply_value(struct ofs_op *op, const struct ofs_buf *b)
{
    if (op->size && b->len > op->size)
        return -ERANGE;
    ofs_op_uninterruptible(op);
    if (op->size == 0)
        (void)fuse_reply_xattr(op->req, b->len);
    else
        (void)fuse_reply_buf(op->req, b->data, b->len);
    return 0;
}

static int run_getxattr(struct ofs_op *op, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(XATTR_MAX_BYTES);
    int r = ofs_tree_getxattr(ofs_op_tree(op), &op->call, op->ino, op->name, &b,
                              err);

    return r < 0 ? r : reply_value(op, &b);
}

void ofs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
                     size_t size)
{
    struct ofs_op op = { .req = req,
                         .run = run_getxattr,
                         .what = "getxattr",
                         .ino = ino,
                         .size = size };

    /* Asked for by the kernel itself at each exec and ls; never ours. */
    if (strncmp(name, "user.", 5) != 0) {
        (void)fuse_reply_err(req, ENODATA);
        return;
    }
    ofs_op_start_named(&op, name, NULL);
}

static int run_listxattr(struct ofs_op *op, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(XATTR_MAX_BYTES);
    int r = ofs_tree_listxattr(ofs_op_tree(op), &op->call, op->ino, &b, err);

    return r < 0 ? r : reply_value(op, &b);
}

void ofs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct ofs_op op = { .req = req,
                         .run = run_listxattr,
                         .what = "listxattr",
                         .ino = ino,
                         .size = size };

    ofs_op_start(&op);
}

static int run_setxattr(struct ofs_op *op, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf value = OFS_BUF_INIT(XATTR_MAX_BYTES);
    int r = 0;

    if (op->data && ofs_buf_add(&value, op->data, op->size) < 0)
        return ofs_err_nomem(err, "an attribute");
    r = ofs_tree_setxattr(ofs_op_tree(op), &op->call, op->ino, op->name,
                          op->data ? &value : NULL, err);
    if (r == 0)
        ofs_reply_done(op);
    return r;
}

void ofs_op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
                     const char *value, size_t size, int flags)
{
    struct ofs_op op = { .req = req,
                         .run = run_setxattr,
                         .what = "setxattr",
                         .ino = ino,
                         .size = size,
                         .data = value };

    (void)flags;
    ofs_op_start_named(&op, name, NULL);
}

void ofs_op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
    struct ofs_op op = {
        .req = req, .run = run_setxattr, .what = "removexattr", .ino = ino
    };

    ofs_op_start_named(&op, name, NULL);
}
