/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The yardstick of the bench: the least that a FUSE file system can do.
 *
 *   minfuse FILE MOUNTPOINT
 *
 * Shows FILE as MOUNTPOINT/blob, read-only, by pread() into a buffer of the
 * thread and fuse_reply_buf().  Many threads, in the foreground, silent.
 */

#define FUSE_USE_VERSION 314

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOB_INO = 2, READ_MAX = 1024 * 1024 };

static const char blob_name[] = "blob";
static const double for_ever = 86400;
static int blob_fd = -1;
static struct stat blob_stat;
static _Thread_local char buffer[READ_MAX];

static void init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->max_readahead = READ_MAX;
    conn->max_background = 64;
}

static int stat_of(fuse_ino_t ino, struct stat *ret)
{
    if (ino != FUSE_ROOT_ID && ino != BLOB_INO)
        return ENOENT;
    memset(ret, 0, sizeof(*ret));
    ret->st_ino = ino;
    ret->st_nlink = 1;
    ret->st_mode = ino == BLOB_INO ? S_IFREG | 0444 : S_IFDIR | 0555;
    ret->st_size = ino == BLOB_INO ? blob_stat.st_size : 0;
    return 0;
}

static void get_attr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;
    int e = stat_of(ino, &st);

    (void)fi;
    if (e)
        (void)fuse_reply_err(req, e);
    else
        (void)fuse_reply_attr(req, &st, for_ever);
}

static void look_up(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param e = { .ino = BLOB_INO,
                                  .attr_timeout = for_ever,
                                  .entry_timeout = for_ever };

    if (parent != FUSE_ROOT_ID || strcmp(name, blob_name) != 0) {
        (void)fuse_reply_err(req, ENOENT);
        return;
    }
    (void)stat_of(BLOB_INO, &e.attr);
    (void)fuse_reply_entry(req, &e);
}

static void open_blob(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    if (ino != BLOB_INO) {
        (void)fuse_reply_err(req, EISDIR);
        return;
    }
    fi->keep_cache = 1;
    (void)fuse_reply_open(req, fi);
}

static void read_blob(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                      struct fuse_file_info *fi)
{
    ssize_t n;

    (void)ino;
    (void)fi;
    n = pread(blob_fd, buffer, size < READ_MAX ? size : READ_MAX, off);
    if (n < 0)
        (void)fuse_reply_err(req, errno);
    else
        (void)fuse_reply_buf(req, buffer, (size_t)n);
}

static const struct fuse_lowlevel_ops ops = {
    .init = init,
    .getattr = get_attr,
    .lookup = look_up,
    .open = open_blob,
    .read = read_blob,
};

static int serve(const char *program, const char *mount_point)
{
    const char *argv[] = { program, "-oro,fsname=minfuse", NULL };
    struct fuse_args args = FUSE_ARGS_INIT(2, (char **)(uintptr_t)argv);
    struct fuse_session *session =
        fuse_session_new(&args, &ops, sizeof(ops), NULL);
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    int r = 1;

    if (session && config && fuse_set_signal_handlers(session) == 0 &&
        fuse_session_mount(session, mount_point) == 0) {
        r = fuse_session_loop_mt(session, config);
        fuse_session_unmount(session);
        fuse_remove_signal_handlers(session);
    }
    if (session)
        fuse_session_destroy(session);
    fuse_loop_cfg_destroy(config);
    fuse_opt_free_args(&args);
    return r == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: minfuse FILE MOUNTPOINT\n");
        return 2;
    }
    blob_fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (blob_fd < 0 || fstat(blob_fd, &blob_stat) < 0) {
        (void)fprintf(stderr, "minfuse: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    return serve(argv[0], argv[2]);
}
