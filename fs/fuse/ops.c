/* SPDX-License-Identifier: Apache-2.0 */
#include "ops_priv.h"

/*
 * Background requests are the kernel's read-ahead.  With its default of 12, a
 * dozen reads of a silent registry would hold up every other reader.
 */
enum { MAX_BACKGROUND = 512 };

static void on_init(void *userdata, struct fuse_conn_info *conn)
{
    struct ofs_session *s = userdata;

    conn->max_background = MAX_BACKGROUND;
    conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
    conn->max_readahead = s->max_readahead_bytes;
    conn->want |=
        conn->capable & (FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
                         FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
                         FUSE_CAP_CACHE_SYMLINKS);
    /* Tags change behind the kernel's back; we say when, by inode. */
    conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
    ofs_raise_readahead(s);
}

const struct fuse_lowlevel_ops ofs_fuse_ops = {
    .init = on_init,
    .lookup = ofs_op_lookup,
    .forget = ofs_op_forget,
    .forget_multi = ofs_op_forget_multi,
    .getattr = ofs_op_getattr,
    .statfs = ofs_op_statfs,
    .opendir = ofs_op_opendir,
    .readdir = ofs_op_readdir,
    .readdirplus = ofs_op_readdirplus,
    .releasedir = ofs_op_releasedir,
    .open = ofs_op_open,
    .create = ofs_op_create,
    .read = ofs_op_read,
    .write = ofs_op_write,
    .copy_file_range = ofs_op_copy_file_range,
    .flush = ofs_op_flush,
    .fsync = ofs_op_fsync,
    .fsyncdir = ofs_op_fsyncdir,
    .release = ofs_op_release,
    .setattr = ofs_op_setattr,
    .mkdir = ofs_op_mkdir,
    .rmdir = ofs_op_rmdir,
    .unlink = ofs_op_unlink,
    .rename = ofs_op_rename,
    .link = ofs_op_link,
    .symlink = ofs_op_symlink,
    .mknod = ofs_op_mknod,
    .getxattr = ofs_op_getxattr,
    .listxattr = ofs_op_listxattr,
    .setxattr = ofs_op_setxattr,
    .removexattr = ofs_op_removexattr,
};
