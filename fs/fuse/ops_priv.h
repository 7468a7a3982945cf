/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OPS_PRIV_H
#define OFS_OPS_PRIV_H

/*
 * Inside fs/fuse.  One request of the kernel is a struct ofs_op: it is tried on
 * the session's thread with a call that may not wait; when that says -EAGAIN,
 * the op moves to the heap and to a pool whose threads may wait.
 */

#define FUSE_USE_VERSION 314

#include "ocirfs/call.h"
#include "ocirfs/list.h"
#include "ocirfs/ops.h"
#include "ocirfs/tree.h"
#include "ocirfs/workers.h"

#include <fuse_lowlevel.h>

struct ofs_op;

enum { OFS_IOBUF_BYTES = 1024 * 1024, OFS_IOBUF_KEPT = 12 };

/* A few buffers of OFS_IOBUF_BYTES that are used again; see iobuf.c. */
struct ofs_iobufs {
    struct ofs_mutex mtx;       /* rank WORKERS */
    void *kept[OFS_IOBUF_KEPT]; /* guarded by mtx */
    unsigned n_kept;            /* guarded by mtx */
};

/* The work of one request.  0: has replied.  Else a negative errno: has not. */
typedef int ofs_op_fn(struct ofs_op *op, struct ofs_err *err);

/* Where something goes: of rename, link and copy_file_range. */
struct ofs_op_to {
    fuse_ino_t ino;
    char *name; /* as ofs_op.name */
    off_t off;
    struct fuse_file_info fi;
};

struct ofs_op {
    fuse_req_t req;
    ofs_op_fn *run;
    const char *what; /* "lookup"; for the log */
    fuse_ino_t ino;
    char *name; /* borrowed while tried, owned once handed over */
    size_t size;
    off_t off;
    struct fuse_file_info fi;
    struct ofs_op_to to;
    const void *data; /* `size` bytes to write; NULL: none */
    void *copy;       /* of them, once handed over */
    unsigned flags;   /* of rename and setattr */
    struct stat attr; /* of setattr; mode of create and mkdir */
    bool pushes;      /* lasts as long as data move, so it has no deadline */
    struct ofs_session *session;
    struct ofs_call call;
    bool waits;    /* handed over; its interrupt is armed */
    bool doubtful; /* interrupted by what means nothing; guarded likewise */
    struct ofs_op *next, **link; /* guarded by session.mtx */
};

/* One open file or directory; fi->fh points to it. */
struct ofs_opened {
    struct ofs_file *file;           /* or */
    struct ofs_dir *dir;             /* the other is NULL */
    struct ofs_opened *next, **link; /* guarded by session.mtx */
};

struct ofs_session {
    struct ofs_tree *tree; /* borrowed */
    struct fuse_session *fuse;
    char *mountpoint;
    int64_t timeout_ms;
    unsigned max_waiting;
    unsigned max_readahead_bytes;
    bool mounted;
    atomic_bool introduced;       /* INIT was answered */
    struct ofs_workers *pool;     /* for what has to wait */
    struct ofs_workers *notifier; /* tells the kernel; see notify.c */
    struct ofs_workers *watcher;  /* of who was interrupted; see giveup.c */
    struct ofs_iobufs bufs;
    struct ofs_mutex mtx;      /* rank TREE, never held with the tree's */
    struct ofs_op *waiting;    /* guarded by mtx */
    struct ofs_opened *opened; /* guarded by mtx */
    bool stopping;             /* guarded by mtx */
    bool watching;             /* guarded by mtx */
};

/* ---- devio.c ---- */

/* Between mount and loop: how libfuse talks to the kernel.  0 or -errno. */
int ofs_devio_use(struct ofs_session *s);

/* ---- op.c ---- */

/* Do the request, now or on the pool; replies in any case. */
void ofs_op_start(struct ofs_op *op);
/* The same with its own copies of these names, since libfuse's end with the
 * request's first call; `to` may be NULL. */
void ofs_op_start_named(struct ofs_op *op, const char *name, const char *to);
/* Make every waiting operation end with -EINTR, and all that follow. */
void ofs_ops_cancel(struct ofs_session *s);

static inline struct ofs_session *ofs_session_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static inline struct ofs_tree *ofs_op_tree(const struct ofs_op *op)
{
    return op->session->tree;
}

/* ---- opened.c ---- */

/* Takes over `file` or `dir`, also when it fails.  0 or -ENOMEM. */
int ofs_opened_add(struct ofs_session *s, struct ofs_file *file,
                   struct ofs_dir *dir, uint64_t *ret_fh);
void ofs_opened_end(struct ofs_session *s, struct ofs_opened *o);
/* When no request is under way any more. */
void ofs_opened_end_all(struct ofs_session *s);

static inline struct ofs_opened *ofs_opened_of(const struct fuse_file_info *fi)
{
    return (struct ofs_opened *)(uintptr_t)fi->fh;
}

/* ---- reply.c: exactly one of these for each request ---- */

/* Before any reply: no interrupt can reach the op from here on. */
void ofs_op_uninterruptible(struct ofs_op *op);
void ofs_reply_fail(struct ofs_op *op, int code, const struct ofs_err *err);
void ofs_reply_done(struct ofs_op *op); /* success, and nothing to tell */
/* What was found or made; the kernel's reference is dropped if it is not
 * interested any more. */
void ofs_reply_entry(struct ofs_op *op, const struct ofs_entry *entry);
void ofs_attr_to_stat(const struct ofs_attr *a, struct stat *st);
void ofs_entry_to_param(const struct ofs_entry *e,
                        struct fuse_entry_param *ret);
double ofs_valid_s(int64_t valid_ms);

/* ---- iobuf.c ---- */

void ofs_iobufs_init(struct ofs_iobufs *p);
void ofs_iobufs_done(struct ofs_iobufs *p);
void *ofs_iobuf_get(struct ofs_iobufs *p, size_t len); /* NULL: no memory */
void ofs_iobuf_put(struct ofs_iobufs *p, void *buf, size_t len);

/* ---- the operations, by file ---- */

extern const struct fuse_lowlevel_ops ofs_fuse_ops;

void ofs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void ofs_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n);
void ofs_op_forget_multi(fuse_req_t req, size_t count,
                         struct fuse_forget_data *forgets);
void ofs_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ofs_op_statfs(fuse_req_t req, fuse_ino_t ino);

void ofs_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ofs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi);
void ofs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                        struct fuse_file_info *fi);
void ofs_op_releasedir(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *fi);

void ofs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ofs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                 struct fuse_file_info *fi);
void ofs_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

void ofs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
                     size_t size);
void ofs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void ofs_op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
                     const char *value, size_t size, int flags);
void ofs_op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

void ofs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name,
                   mode_t mode, struct fuse_file_info *fi);
void ofs_op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
                  off_t off, struct fuse_file_info *fi);
void ofs_op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ofs_op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
                  struct fuse_file_info *fi);
void ofs_op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
                     struct fuse_file_info *fi);
void ofs_op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
                    int to_set, struct fuse_file_info *fi);
void ofs_op_copy_file_range(fuse_req_t req, fuse_ino_t ino, off_t off,
                            struct fuse_file_info *fi, fuse_ino_t to_ino,
                            off_t to_off, struct fuse_file_info *to_fi,
                            size_t len, int flags);

void ofs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
                  mode_t mode);
void ofs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void ofs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void ofs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
                   fuse_ino_t to_parent, const char *to, unsigned flags);
void ofs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
                    const char *name);
void ofs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
                  mode_t mode, dev_t device);
void ofs_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t to_parent,
                 const char *to);

/* ---- notify.c ---- */

/* Raise the kernel's read-ahead for this mount, where we are allowed to. */
void ofs_raise_readahead(const struct ofs_session *s);

#endif
