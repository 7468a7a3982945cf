/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing files.  What is written goes to the disk on the session's thread,
 * from libfuse's buffer; what pushes waits in the pool, without a deadline:
 * silence of the network ends it, or Ctrl-C.
 */
#include "holders.h"
#include "ops_priv.h"

#include "ocirfs/clock.h"
#include "ocirfs/tree_write.h"

static int run_create(struct ofs_op *op, struct ofs_err *err)
{
    struct fuse_entry_param param;
    struct ofs_created made;
    struct ofs_opened *opened;
    int r = ofs_tree_create(ofs_op_tree(op), &op->call, op->ino, op->name,
                            op->attr.st_mode, &made, err);

    if (r < 0)
        return r;
    if (ofs_opened_add(op->session, made.file, NULL, &op->fi.fh) < 0) {
        ofs_tree_forget(ofs_op_tree(op), made.entry.attr.ino, 1);
        return ofs_err_nomem(err, "an open file");
    }
    op->fi.direct_io = made.how.direct;
    ofs_entry_to_param(&made.entry, &param);
    ofs_op_uninterruptible(op);
    opened = ofs_opened_of(&op->fi);
    if (fuse_reply_create(op->req, &param, &op->fi) == -ENOENT) {
        /* No release and no forget will come. */
        ofs_opened_end(op->session, opened);
        ofs_tree_forget(ofs_op_tree(op), param.ino, 1);
    }
    return 0;
}

void ofs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name,
                   mode_t mode, struct fuse_file_info *fi)
{
    struct ofs_op op = { .req = req,
                         .run = run_create,
                         .what = "create",
                         .ino = parent,
                         .attr = { .st_mode = mode },
                         .fi = *fi };

    ofs_op_start_named(&op, name, NULL);
}

static int run_write(struct ofs_op *op, struct ofs_err *err)
{
    int r = ofs_file_pwrite(ofs_opened_of(&op->fi)->file, &op->call, op->data,
                            op->size, (uint64_t)op->off, err);

    if (r < 0)
        return r;
    ofs_op_uninterruptible(op);
    (void)fuse_reply_write(op->req, op->size);
    return 0;
}

void ofs_op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
                  off_t off, struct fuse_file_info *fi)
{
    struct ofs_op op = { .req = req,
                         .run = run_write,
                         .what = "write",
                         .ino = ino,
                         .size = size,
                         .off = off,
                         .data = buf,
                         .fi = *fi,
                         .pushes = true }; /* or waits for who does */

    ofs_op_start(&op);
}

/* Somebody goes on writing to what the process has closed its copy of. */
static int close_copy(struct ofs_op *op, struct ofs_file *f, bool *ret)
{
    uint64_t ino = ofs_file_unpushed(f);

    *ret = false;
    if (ino == 0)
        return 0;
    if (!op->call.may_wait)
        return -EAGAIN;
    *ret = ofs_holders_above(op->call.who, ino);
    return 0;
}

static int run_flush(struct ofs_op *op, struct ofs_err *err)
{
    struct ofs_file *f = ofs_opened_of(&op->fi)->file;
    bool is_copy = false;
    int r = close_copy(op, f, &is_copy);

    if (r == 0 && !is_copy)
        r = ofs_file_flush(f, &op->call, err);
    if (r == 0)
        ofs_reply_done(op);
    return r;
}

static int run_fsync(struct ofs_op *op, struct ofs_err *err)
{
    int r = ofs_file_sync(ofs_opened_of(&op->fi)->file, &op->call, err);

    if (r == 0)
        ofs_reply_done(op);
    return r;
}

static void start_flush(fuse_req_t req, fuse_ino_t ino, const char *what,
                        const struct fuse_file_info *fi, ofs_op_fn *run)
{
    struct ofs_op op = { .req = req,
                         .run = run,
                         .what = what,
                         .ino = ino,
                         .fi = *fi,
                         .pushes = true };

    ofs_op_start(&op);
}

void ofs_op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    start_flush(req, ino, "close", fi, run_flush);
}

void ofs_op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
                  struct fuse_file_info *fi)
{
    (void)datasync;
    start_flush(req, ino, "fsync", fi, run_fsync);
}

/* Names are the registry's, or live no longer than this mount. */
void ofs_op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
                     struct fuse_file_info *fi)
{
    (void)ino;
    (void)datasync;
    (void)fi;
    (void)fuse_reply_err(req, 0);
}

static int run_copy(struct ofs_op *op, struct ofs_err *err)
{
    const struct ofs_range from = { .file = ofs_opened_of(&op->fi)->file,
                                    .off = (uint64_t)op->off };
    const struct ofs_range to = { .file = ofs_opened_of(&op->to.fi)->file,
                                  .off = (uint64_t)op->to.off };
    uint64_t n = 0;
    int r = ofs_file_copy(&from, &to, op->size, &op->call, &n, err);

    if (r < 0)
        return r;
    ofs_op_uninterruptible(op);
    (void)fuse_reply_write(op->req, (size_t)n);
    return 0;
}

void ofs_op_copy_file_range(fuse_req_t req, fuse_ino_t ino, off_t off,
                            struct fuse_file_info *fi, fuse_ino_t to_ino,
                            off_t to_off, struct fuse_file_info *to_fi,
                            size_t len, int flags)
{
    /* The answer has 32 bits for its number of bytes. */
    enum { MOST = 1 << 30 };
    struct ofs_op op = { .req = req,
                         .run = run_copy,
                         .what = "copy_file_range",
                         .ino = ino,
                         .size = len < MOST ? len : MOST,
                         .off = off,
                         .fi = *fi,
                         .to = { .ino = to_ino, .off = to_off, .fi = *to_fi },
                         .pushes = true };

    (void)flags;
    ofs_op_start(&op);
}

/* Seconds of a time to be set; false: it is not to be. */
static bool time_of(const struct ofs_op *op, int64_t *ret_s)
{
    if (op->flags & FUSE_SET_ATTR_MTIME_NOW)
        *ret_s = ofs_wall_s();
    else if (op->flags & FUSE_SET_ATTR_MTIME)
        *ret_s = op->attr.st_mtim.tv_sec;
    else
        return false;
    return true;
}

static int run_setattr(struct ofs_op *op, struct ofs_err *err)
{
    uint64_t size = (uint64_t)op->attr.st_size;
    mode_t mode = op->attr.st_mode & 07777;
    struct ofs_changes changes = { 0 };
    struct ofs_attr attr;
    struct stat st;
    int64_t mtime_s;
    int r;

    if (op->flags & FUSE_SET_ATTR_SIZE)
        changes.size = &size;
    if (op->flags & FUSE_SET_ATTR_MODE)
        changes.mode = &mode;
    if (time_of(op, &mtime_s))
        changes.mtime_s = &mtime_s;
    r = ofs_tree_setattr(ofs_op_tree(op), &op->call, op->ino, &changes, &attr,
                         err);
    if (r < 0)
        return r;
    ofs_attr_to_stat(&attr, &st);
    ofs_op_uninterruptible(op);
    (void)fuse_reply_attr(op->req, &st, ofs_valid_s(attr.valid_ms));
    return 0;
}

void ofs_op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
                    int to_set, struct fuse_file_info *fi)
{
    struct ofs_op op = { .req = req,
                         .run = run_setattr,
                         .what = "setattr",
                         .ino = ino,
                         .attr = *attr,
                         .flags = (unsigned)to_set };

    (void)fi;
    ofs_op_start(&op);
}
