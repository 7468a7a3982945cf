/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every failure leaves through here: one errno for the user, one line in the
 * log with the registry's own words, and the text for user.ocirfs.error.
 */
#include "ops_priv.h"

#include "ocirfs/errclass.h"
#include "ocirfs/log.h"
#include "ocirfs/metrics.h"

#include <limits.h>

static struct ofs_metric failures =
    OFS_COUNTER("ocirfs_fuse_errors_total", "Requests answered with an error.");

/* The kernel counts in seconds; for ever is as long as it takes safely. */
enum { FOREVER_S = 365 * 24 * 3600 };

void ofs_op_uninterruptible(struct ofs_op *op)
{
    if (op->waits)
        fuse_req_interrupt_func(op->req, NULL, NULL);
}

/* Answers that are part of ordinary life are nobody's trouble. */
static bool is_trouble(const struct ofs_op *op, int code,
                       const struct ofs_err *err)
{
    if (code == -ENOENT)
        return op->pushes; /* something that a manifest names is nowhere */
    if (code == -ENOTSUP || code == -EEXIST)
        return err->http_status != 0; /* a service refuses a change */
    return !ofs_err_is(code, OFS_ERR_ORDINARY);
}

static void log_failure(const struct ofs_op *op, int code,
                        const struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf path = OFS_BUF_INIT(PATH_MAX);
    char line[OFS_ERR_LINE_MAX];
    const char *text = err->text[0] ? ofs_err_line(err, line) : strerror(-code);
    enum ofs_log_level level = is_trouble(op, code, err) ? OFS_WARN : OFS_DEBUG;

    if (!ofs_log_on(level))
        return;
    ofs_tree_path(ofs_op_tree(op), op->ino, &path);
    if (path.len == 0)
        (void)ofs_buf_addf(&path, "inode %llu", (unsigned long long)op->ino);
    ofs_log(level, "%s%s%s%s of '%s': %s", op->what, op->name ? " '" : "",
            op->name ? op->name : "", op->name ? "'" : "", ofs_buf_str(&path),
            text);
}

/* A writer whose bytes do not match their name must not take it for bad luck. */
static int errno_for(const struct ofs_op *op, int code)
{
    if (op->pushes && code == -EBADMSG)
        return EBADMSG;
    return ofs_err_is(code, OFS_ERR_SHOWN) ? -code : EIO;
}

void ofs_reply_fail(struct ofs_op *op, int code, const struct ofs_err *err)
{
    ofs_metric_add(&failures, 1);
    log_failure(op, code, err);
    if (is_trouble(op, code, err))
        ofs_tree_note_error(ofs_op_tree(op), op->ino, err);
    ofs_op_uninterruptible(op);
    (void)fuse_reply_err(op->req, errno_for(op, code));
}

void ofs_reply_done(struct ofs_op *op)
{
    ofs_op_uninterruptible(op);
    (void)fuse_reply_err(op->req, 0);
}

void ofs_reply_entry(struct ofs_op *op, const struct ofs_entry *entry)
{
    struct fuse_entry_param param;

    ofs_entry_to_param(entry, &param);
    ofs_op_uninterruptible(op);
    /* The kernel did not take the entry when the request was interrupted. */
    if (fuse_reply_entry(op->req, &param) == -ENOENT && param.ino)
        ofs_tree_forget(ofs_op_tree(op), param.ino, 1);
}

double ofs_valid_s(int64_t valid_ms)
{
    if (valid_ms >= (int64_t)FOREVER_S * 1000)
        return FOREVER_S;
    return valid_ms <= 0 ? 0.0 : (double)valid_ms / 1000.0;
}

void ofs_attr_to_stat(const struct ofs_attr *a, struct stat *st)
{
    *st = (struct stat){
        .st_ino = a->shown_ino,
        .st_mode = a->mode,
        .st_nlink = a->nlink,
        .st_uid = a->uid,
        .st_gid = a->gid,
        .st_size = (off_t)a->size,
        .st_blksize = 4096,
        .st_blocks = (blkcnt_t)((a->size + 511) / 512),
        .st_mtim.tv_sec = a->mtime_s,
        .st_ctim.tv_sec = a->mtime_s,
        .st_atim.tv_sec = a->mtime_s,
    };
}

void ofs_entry_to_param(const struct ofs_entry *e, struct fuse_entry_param *ret)
{
    *ret = (struct fuse_entry_param){
        .ino = e->attr.ino,
        .attr_timeout = ofs_valid_s(e->attr.valid_ms),
        .entry_timeout = ofs_valid_s(e->valid_ms),
    };
    ofs_attr_to_stat(&e->attr, &ret->attr);
}
