/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TREE_H
#define OFS_TREE_H

/*
 * The namespace: what the mount shows.  Knows repositories, tags, manifests
 * and blobs, inode numbers and how long an answer stays good; knows nothing
 * of FUSE.  Thread-safe.
 *
 * Every function that takes an ofs_call may have to ask the registry: it
 * blocks as the call allows and returns -EAGAIN when it may not, having done
 * nothing.  Functions without one never touch the network.
 *
 * Inode numbers derive from what a node stands for (a tag's from repository,
 * tag and manifest digest; a blob's from repository and digest), so they are
 * the same after a remount, and a tag that moves becomes a new inode.
 *
 * What changes something is in tree_write.h.
 */

#include "ocirfs/buf.h"
#include "ocirfs/call.h"
#include "ocirfs/clock.h"
#include "ocirfs/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ofs_digest;
struct ofs_ora;
struct ofs_registry;
struct ofs_store;
struct ofs_tree;

enum { OFS_ROOT_INO = 1 };

/* A file of /.ocirfs/, made anew at each open. */
struct ofs_control_file {
    const char *name;
    int (*render)(void *arg, struct ofs_buf *b); /* no network; 0 or -errno */
    void *arg;
};

/* Oracle's control plane, where the registry is OCIR. */
struct ofs_ocir_cfg {
    struct ofs_ora *ora;        /* NULL: a plain registry; the rest is unused */
    const char *tenancy;        /* its OCID, which is the root compartment's */
    const char *namespace_name; /* NULL: asked for when it is needed */
    /* What is mounted: an OCID, or names from the root on ("prod/eu"); NULL:
     * the tenancy. */
    const char *compartment;
    /* Told once: what the service does not show us, and which policy would
     * make it.  From any thread; NULL: nobody listens. */
    void (*warn)(void *arg, const char *sentence);
    void *warn_arg;
};

struct ofs_tree_cfg {
    struct ofs_registry *registry;
    struct ofs_ocir_cfg ocir;
    struct ofs_store *store;
    const struct ofs_clock *clock; /* NULL: the system's */
    const char *url; /* of the registry, names the notes; NULL: its host */
    const struct ofs_strv
        *repos;              /* named by the user; empty: use the catalog */
    int64_t ttl_ms;          /* how old an answer about names and tags may be */
    int64_t negative_ttl_ms; /* the same for "not there" */
    unsigned max_parallel;   /* requests at a time for one listing; 0: 64 */
    bool use_mirror;         /* a mirror is configured */
    bool allow_delete;       /* tags and repositories may be taken away */
    uid_t uid;
    gid_t gid;
    mode_t umask; /* bits that are taken away from all modes */
    /* Told once: what is not shown although the registry may have it, and why.
     * From any thread; NULL: nobody listens. */
    void (*warn)(void *arg, const char *sentence);
    void *warn_arg;
    const struct ofs_control_file *control; /* ends with a nameless one */
};

struct ofs_attr {
    uint64_t ino;
    uint64_t shown_ino; /* what stat() says: of what it is written over */
    mode_t mode;        /* type and permissions */
    nlink_t nlink;
    uid_t uid;
    gid_t gid;
    uint64_t size;    /* bytes */
    int64_t mtime_s;  /* seconds since 1970 */
    int64_t valid_ms; /* how long the kernel may believe this; OFS_NEVER */
};

struct ofs_entry {
    struct ofs_attr attr; /* attr.ino 0: there is no such name */
    int64_t valid_ms;     /* how long the name may be believed, also "no" */
};

struct ofs_tree *ofs_tree_new(const struct ofs_tree_cfg *cfg,
                              struct ofs_err *err);
/*
 * Ask the control plane, if there is one, for what is to be mounted: before
 * the mount, so that a sentence can be told.  Blocks as `call` allows.
 * -ENOENT there is no such compartment, -EACCES nothing is shown to us; else
 * what signing in or the network says.  What is missing beside other things
 * is 0 and told by ocir.warn.
 */
int ofs_tree_check(struct ofs_tree *t, struct ofs_call *call,
                   struct ofs_err *err) OFS_MUST_CHECK;
/* Make the threads that fetch in parallel; after daemonising. */
int ofs_tree_start(struct ofs_tree *t, struct ofs_err *err) OFS_MUST_CHECK;
void ofs_tree_stop(struct ofs_tree *t);
void ofs_tree_free(struct ofs_tree *t);
OFS_DEFINE_AUTO(struct ofs_tree, ofs_tree_free)

/*
 * Find `name` in directory `parent` and count one kernel reference for what
 * is found.  0 also when it is not there (attr.ino is 0, no reference).
 * Else -ENOTDIR, -ENAMETOOLONG, -ESTALE unknown parent, or the registry's
 * error.  "." and ".." are not asked for here.
 */
int ofs_tree_lookup(struct ofs_tree *t, struct ofs_call *call, uint64_t parent,
                    const char *name, struct ofs_entry *ret,
                    struct ofs_err *err) OFS_MUST_CHECK;

/* Drop `n` kernel references. */
void ofs_tree_forget(struct ofs_tree *t, uint64_t ino, uint64_t n);

/* The root never asks the network. */
int ofs_tree_getattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                     struct ofs_attr *ret, struct ofs_err *err) OFS_MUST_CHECK;

/* ---- directories: a snapshot of the names at opendir ---- */

struct ofs_dir;

struct ofs_dirent {
    const char *name; /* borrowed from the snapshot */
    uint64_t ino;
    mode_t type; /* S_IFREG or S_IFDIR */
};

int ofs_tree_opendir(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                     struct ofs_dir **ret, struct ofs_err *err) OFS_MUST_CHECK;
void ofs_dir_close(struct ofs_dir *d);
OFS_DEFINE_AUTO(struct ofs_dir, ofs_dir_close)

/* The i-th entry, "." and ".." first; false past the end. */
bool ofs_dir_get(const struct ofs_dir *d, size_t i, struct ofs_dirent *ret);

/*
 * Attributes of the i-th entry with one kernel reference counted, as lookup
 * gives it, when they are known without the network; else false and nothing
 * counted.  False for "." and "..".
 */
bool ofs_dir_entry(struct ofs_dir *d, size_t i, struct ofs_entry *ret);

/* ---- files ---- */

struct ofs_file;

struct ofs_open_how {
    bool keep_cache; /* pages of an earlier open are still right */
    bool direct;     /* size unknown beforehand: control files */
};

/*
 * Open for reading.  A tag older than the ttl is asked for anew: when it has
 * moved, -ESTALE, which makes the kernel look the name up again.  An open
 * file is the version that was opened.
 */
int ofs_tree_open(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                  struct ofs_file **ret, struct ofs_open_how *ret_how,
                  struct ofs_err *err) OFS_MUST_CHECK;
/* As ofs_blob_read: *ret_n short only at the end of the file. */
int ofs_file_pread(struct ofs_file *f, struct ofs_call *call, void *buf,
                   size_t len, uint64_t off, size_t *ret_n,
                   struct ofs_err *err) OFS_MUST_CHECK;
void ofs_file_close(struct ofs_file *f);
OFS_DEFINE_AUTO(struct ofs_file, ofs_file_close)

/* ---- the rest ---- */

/* One value into `b`; -ENODATA: no such name. */
int ofs_tree_getxattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                      const char *name, struct ofs_buf *b,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* All names, each with its NUL, into `b`. */
int ofs_tree_listxattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                       struct ofs_buf *b, struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_statfs {
    uint64_t total_bytes, free_bytes; /* of the cache */
    uint64_t nodes;                   /* known to the kernel */
};
void ofs_tree_statfs(struct ofs_tree *t, struct ofs_statfs *ret);

/* Add the path of `ino` below the mount point, "." for the root; nothing when
 * the number is unknown.  For people: it may be another one than they took. */
void ofs_tree_path(struct ofs_tree *t, uint64_t ino, struct ofs_buf *b);

/* Where a policy for a repository has to be ("compartment prod:eu"); nothing:
 * there are no policies, or nobody knows. */
void ofs_tree_policy_place(struct ofs_tree *t, const char *repo,
                           struct ofs_buf *ret);

/* Remember why an operation on `ino` failed, for user.ocirfs.error. */
void ofs_tree_note_error(struct ofs_tree *t, uint64_t ino,
                         const struct ofs_err *err);

/* Inodes of a damaged blob whose pages the kernel must drop; count written. */
size_t ofs_tree_inodes_of(struct ofs_tree *t, const struct ofs_digest *digest,
                          uint64_t *ret, size_t max);

#endif
