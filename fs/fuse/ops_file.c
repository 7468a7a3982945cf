/* SPDX-License-Identifier: Apache-2.0 */
#include "ops_priv.h"

#include "ocirfs/tree_write.h"

static int open_as_asked(struct ofs_op *op, struct ofs_file **ret,
                         struct ofs_open_how *ret_how, struct ofs_err *err)
{
    bool truncate = (op->fi.flags & O_TRUNC) != 0;

    if ((op->fi.flags & O_ACCMODE) != O_RDONLY || truncate)
        return ofs_tree_open_write(ofs_op_tree(op), &op->call, op->ino,
                                   truncate, ret, ret_how, err);
    return ofs_tree_open(ofs_op_tree(op), &op->call, op->ino, ret, ret_how,
                         err);
}

static int run_open(struct ofs_op *op, struct ofs_err *err)
{
    struct ofs_open_how how = { 0 };
    struct ofs_opened *opened;
    struct ofs_file *file;
    int r = open_as_asked(op, &file, &how, err);

    if (r < 0)
        return r;
    if (ofs_opened_add(op->session, file, NULL, &op->fi.fh) < 0)
        return ofs_err_nomem(err, "an open file");
    op->fi.keep_cache = how.keep_cache;
    op->fi.direct_io = how.direct;
    op->fi.nonseekable = 0;
    ofs_op_uninterruptible(op);
    opened = ofs_opened_of(&op->fi);
    if (fuse_reply_open(op->req, &op->fi) == -ENOENT)
        ofs_opened_end(op->session, opened); /* no release will come */
    return 0;
}

void ofs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct ofs_op op = {
        .req = req, .run = run_open, .what = "open", .ino = ino, .fi = *fi
    };

    ofs_op_start(&op);
}

/*
 * pread into a buffer that is used again, then one writev: measured twice as
 * fast here as handing file pages over by splice.
 */
static int run_read(struct ofs_op *op, struct ofs_err *err)
{
    void *buf = ofs_iobuf_get(&op->session->bufs, op->size);
    size_t n = 0;
    int r;

    if (!buf)
        return ofs_err_nomem(err, "a read");
    r = ofs_file_pread(ofs_opened_of(&op->fi)->file, &op->call, buf, op->size,
                       (uint64_t)op->off, &n, err);
    if (r == 0) {
        ofs_op_uninterruptible(op);
        (void)fuse_reply_buf(op->req, buf, n);
    }
    ofs_iobuf_put(&op->session->bufs, buf, op->size);
    return r;
}

void ofs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                 struct fuse_file_info *fi)
{
    struct ofs_op op = { .req = req,
                         .run = run_read,
                         .what = "read",
                         .ino = ino,
                         .size = size,
                         .off = off,
                         .fi = *fi };

    ofs_op_start(&op);
}

void ofs_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    ofs_opened_end(ofs_session_of(req), ofs_opened_of(fi));
    (void)fuse_reply_err(req, 0);
}
