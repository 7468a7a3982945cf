/* SPDX-License-Identifier: Apache-2.0 */
#include "ops_priv.h"

static struct ofs_dir *dir_of(const struct fuse_file_info *fi)
{
    return ofs_opened_of(fi)->dir;
}

static int run_opendir(struct ofs_op *op, struct ofs_err *err)
{
    struct ofs_opened *opened;
    struct ofs_dir *dir;
    int r = ofs_tree_opendir(ofs_op_tree(op), &op->call, op->ino, &dir, err);

    if (r < 0)
        return r;
    if (ofs_opened_add(op->session, NULL, dir, &op->fi.fh) < 0)
        return ofs_err_nomem(err, "an open file");
    opened = ofs_opened_of(&op->fi);
    ofs_op_uninterruptible(op);
    if (fuse_reply_open(op->req, &op->fi) == -ENOENT)
        ofs_opened_end(op->session, opened); /* no release will come */
    return 0;
}

void ofs_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct ofs_op op = {
        .req = req, .run = run_opendir, .what = "opendir", .ino = ino, .fi = *fi
    };

    ofs_op_start(&op);
}

void ofs_op_releasedir(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *fi)
{
    (void)ino;
    ofs_opened_end(ofs_session_of(req), ofs_opened_of(fi));
    (void)fuse_reply_err(req, 0);
}

/* One entry into buf; its size, or 0 when it does not fit. */
static size_t add_plain(fuse_req_t req, const struct ofs_dirent *e, char *buf,
                        size_t room, off_t next)
{
    struct stat st = { .st_ino = e->ino, .st_mode = e->type };
    size_t need = fuse_add_direntry(req, buf, room, e->name, &st, next);

    return need <= room ? need : 0;
}

/*
 * The same with attributes.  An entry whose attributes are not at hand goes
 * out with inode number 0 in the reference part: the kernel then takes the
 * name only, and `ls` costs no request for each tag.
 */
static size_t add_plus(fuse_req_t req, struct ofs_dir *dir, size_t i,
                       const struct ofs_dirent *e, char *buf, size_t room)
{
    struct fuse_entry_param param = { 0 };
    struct ofs_entry entry;
    size_t need = fuse_add_direntry_plus(req, NULL, 0, e->name, NULL, 0);

    if (need > room)
        return 0;
    if (ofs_dir_entry(dir, i, &entry))
        ofs_entry_to_param(&entry, &param);
    else
        param.attr = (struct stat){ .st_ino = e->ino, .st_mode = e->type };
    return fuse_add_direntry_plus(req, buf, room, e->name, &param,
                                  (off_t)i + 1);
}

static void list(fuse_req_t req, size_t size, off_t off, struct ofs_dir *dir,
                 bool plus)
{
    OFS_AUTOFREE char *buf = malloc(size);
    struct ofs_dirent e;
    size_t used = 0;

    if (!buf) {
        (void)fuse_reply_err(req, ENOMEM);
        return;
    }
    for (size_t i = (size_t)off; ofs_dir_get(dir, i, &e); i++) {
        size_t n =
            plus ? add_plus(req, dir, i, &e, buf + used, size - used)
                 : add_plain(req, &e, buf + used, size - used, (off_t)i + 1);

        if (n == 0)
            break;
        used += n;
    }
    (void)fuse_reply_buf(req, buf, used);
}

void ofs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    (void)ino;
    list(req, size, off, dir_of(fi), false);
}

void ofs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                        struct fuse_file_info *fi)
{
    (void)ino;
    list(req, size, off, dir_of(fi), true);
}
