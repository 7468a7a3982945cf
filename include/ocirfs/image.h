/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_IMAGE_H
#define OFS_IMAGE_H

/*
 * An image as files: layers that are read in place, one over the other.  Knows
 * no registry, no store and no FUSE.  Thread-safe; what is open never changes,
 * so names and attributes are answered without a lock and without waiting.
 */

#include "ocirfs/buf.h"
#include "ocirfs/layers.h"

#include <sys/types.h>

struct ofs_image;

/*
 * `n` layers, the lowest first; they stay open until the image is freed.
 * `created`: the time of directories that no layer has an entry for.  -E2BIG:
 * more than 256.
 */
int ofs_image_merge(struct ofs_layer *const *layers, size_t n, int64_t created,
                    struct ofs_image **ret, struct ofs_err *err) OFS_MUST_CHECK;
void ofs_image_free(struct ofs_image *image);
OFS_DEFINE_AUTO(struct ofs_image, ofs_image_free)

/* What is at a path: the same in every mount of the image.  Plain data. */
struct ofs_image_node {
    uint32_t layer, inode;
};

struct ofs_image_node ofs_image_root(const struct ofs_image *image);

/* -ENOENT, -ENOTDIR. */
int ofs_image_lookup(const struct ofs_image *image, struct ofs_image_node dir,
                     const char *name, struct ofs_image_node *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;

/* Names by bytes, not terminated; stops at the first that `fn` refuses. */
typedef int ofs_image_name_fn(void *arg, const char *name, size_t len,
                              struct ofs_image_node node);
int ofs_image_list(const struct ofs_image *image, struct ofs_image_node dir,
                   ofs_image_name_fn *fn, void *arg,
                   struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_image_stat {
    mode_t mode; /* type, too */
    uint32_t uid, gid, nlink;
    uint64_t size, ino;    /* ino: of the layer's digest and the inode */
    uint32_t major, minor; /* of a device */
    int64_t mtime_s;
    uint32_t mtime_ns;
};
int ofs_image_stat(const struct ofs_image *image, struct ofs_image_node node,
                   struct ofs_image_stat *ret) OFS_MUST_CHECK; /* -ENOENT */

/* The text of a symbolic link; -EINVAL. */
int ofs_image_readlink(const struct ofs_image *image,
                       struct ofs_image_node node,
                       struct ofs_buf *ret) OFS_MUST_CHECK;

/* The value; -ENODATA.  `user.` ones are of files and directories only. */
int ofs_image_xattr(const struct ofs_image *image, struct ofs_image_node node,
                    const char *name, struct ofs_buf *ret) OFS_MUST_CHECK;
/* All names, each with its NUL. */
int ofs_image_xattr_names(const struct ofs_image *image,
                          struct ofs_image_node node,
                          struct ofs_buf *ret) OFS_MUST_CHECK;

/*
 * Up to `len` bytes of a file at `off`; *ret_n is less only at its end.  Blocks
 * as `call` allows.  -EINVAL: no file; -EBADMSG: the layer is not that of its
 * index; else what `packed` says.
 */
int ofs_image_read(const struct ofs_image *image, struct ofs_image_node node,
                   struct ofs_call *call, void *buf, size_t len, uint64_t off,
                   size_t *ret_n, struct ofs_err *err) OFS_MUST_CHECK;

#endif
