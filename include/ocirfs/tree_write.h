/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TREE_WRITE_H
#define OFS_TREE_WRITE_H

/*
 * What changes the tree.  Blocking, threads and errors as tree.h; besides
 * -EROFS on a mount that was given nothing to push with, -EPERM what a guard
 * or the nature of a registry forbids, and the errors of push.h.  `err` is
 * never NULL here.
 *
 * What is written under the name of a tag, a blob, index.json or oci-layout is
 * pushed by flush, which tells the truth; under any other name by the rename
 * to one of those.  Calls that push last as long as data move: give them a
 * call without a deadline.
 */

#include "ocirfs/tree.h"

struct ofs_push;
struct ofs_push_hooks;

/* What push wants to be told by the tree. */
void ofs_tree_push_hooks(struct ofs_tree *t, struct ofs_push_hooks *ret);
/* Make the tree writable.  Before anybody uses it; `push` outlives it. */
void ofs_tree_use_push(struct ofs_tree *t, struct ofs_push *push);

/* ---- files ---- */

struct ofs_created {
    struct ofs_entry entry; /* one kernel reference counted */
    struct ofs_file *file;  /* open for reading and writing */
    struct ofs_open_how how;
};

/* Make `name` in directory `parent`, or open it when it is being written. */
int ofs_tree_create(struct ofs_tree *t, struct ofs_call *call, uint64_t parent,
                    const char *name, mode_t mode, struct ofs_created *ret,
                    struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Open for reading and writing, empty when `truncate`.  What the registry has
 * is never changed: there is a copy under its name now, and -ESTALE makes the
 * kernel look the name up again and find that.
 */
int ofs_tree_open_write(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                        bool truncate, struct ofs_file **ret,
                        struct ofs_open_how *ret_how,
                        struct ofs_err *err) OFS_MUST_CHECK;

int ofs_file_pwrite(struct ofs_file *f, struct ofs_call *call, const void *buf,
                    size_t len, uint64_t off,
                    struct ofs_err *err) OFS_MUST_CHECK;

/*
 * close().  0: the registry has confirmed it.  Nothing written is nothing to
 * push; nothing new since the last time is that result again.
 */
int ofs_file_flush(struct ofs_file *f, struct ofs_call *call,
                   struct ofs_err *err) OFS_MUST_CHECK;
/* fsync().  The same, but what is not a whole manifest, archive or blob may
 * become one yet: that is 0, and close() judges it. */
int ofs_file_sync(struct ofs_file *f, struct ofs_call *call,
                  struct ofs_err *err) OFS_MUST_CHECK;
/* Would close() push something, of a file that was opened once?  Then the
 * number that stat() shows of it; 0: no. */
uint64_t ofs_file_unpushed(struct ofs_file *f);

/* Part of an open file, for copying. */
struct ofs_range {
    struct ofs_file *file;
    uint64_t off; /* bytes */
};
/*
 * Copy up to `len` bytes; *ret_n: how many, 0 at the end of the source.  A
 * blob of the registry is not moved through this machine where the registry
 * itself can copy it.
 */
int ofs_file_copy(const struct ofs_range *from, const struct ofs_range *to,
                  uint64_t len, struct ofs_call *call, uint64_t *ret_n,
                  struct ofs_err *err) OFS_MUST_CHECK;

/* ---- attributes ---- */

struct ofs_changes {
    const uint64_t *size; /* NULL: as it is; likewise the others */
    const mode_t *mode;
    const int64_t *mtime_s;
};
/* What has no meaning for what the registry has is accepted and ignored. */
int ofs_tree_setattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                     const struct ofs_changes *changes, struct ofs_attr *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;

/* `value` NULL: remove it.  -ENOTSUP; -ENODATA: none to remove. */
int ofs_tree_setxattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                      const char *name, const struct ofs_buf *value,
                      struct ofs_err *err) OFS_MUST_CHECK;

/* ---- names ---- */

/* `flags` of renameat2(2).  -EXDEV: copy it and remove the old one. */
int ofs_tree_rename(struct ofs_tree *t, struct ofs_call *call,
                    uint64_t from_dir, const char *from, uint64_t to_dir,
                    const char *to, unsigned flags,
                    struct ofs_err *err) OFS_MUST_CHECK;
/* The tag, manifest or file `ino` gets one more name. */
int ofs_tree_link(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                  uint64_t dir, const char *name, struct ofs_entry *ret,
                  struct ofs_err *err) OFS_MUST_CHECK;
int ofs_tree_unlink(struct ofs_tree *t, struct ofs_call *call, uint64_t dir,
                    const char *name, struct ofs_err *err) OFS_MUST_CHECK;
int ofs_tree_mkdir(struct ofs_tree *t, struct ofs_call *call, uint64_t dir,
                   const char *name, mode_t mode, struct ofs_entry *ret,
                   struct ofs_err *err) OFS_MUST_CHECK;
int ofs_tree_rmdir(struct ofs_tree *t, struct ofs_call *call, uint64_t dir,
                   const char *name, struct ofs_err *err) OFS_MUST_CHECK;

#endif
