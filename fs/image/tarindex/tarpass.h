/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TARPASS_H
#define OFS_TARPASS_H

/*
 * Once over a layer's archive: what is in it, and where.  What Go's archive/tar
 * accepts is accepted, since that is what images are made and run with.
 * Content is passed over, not looked at.
 *
 * libarchive was tried first; fs/image/README.md, I5, says what it could not do.
 */

#include "paxrec.h"

enum ofs_tar_type {
    OFS_TAR_REG,
    OFS_TAR_LINK, /* hard */
    OFS_TAR_SYM,
    OFS_TAR_CHR,
    OFS_TAR_BLK,
    OFS_TAR_DIR,
    OFS_TAR_PIPE,
};

struct ofs_tar_entry {
    enum ofs_tar_type type;
    uint16_t mode; /* 07777 */
    uint32_t uid, gid, mtime_ns;
    int64_t mtime_s;
    uint64_t size; /* of the file, holes and all */
    uint64_t data; /* where its bytes begin in the archive */
    uint32_t major, minor;
    const char *path; /* clean (layerpath.h); "" is the root */
    size_t path_len;
    const char *link; /* as written; of a hard link clean */
    size_t link_len;
    const uint8_t *xattrs; /* a list (xattrlist.h) */
    size_t xattrs_len;
    const struct ofs_extent *extents; /* NULL: no holes */
    size_t n_extents;
};

struct ofs_tar_in {
    /* Bytes in order; *ret_n is less than `len` only at the end. */
    int (*read)(void *arg, void *buf, size_t len, size_t *ret_n,
                struct ofs_err *err);
    /* What lies in the entry goes when it returns.  Negative: ends the pass. */
    int (*entry)(void *arg, const struct ofs_tar_entry *e, struct ofs_err *err);
    /* An entry that is left out, and why; may be NULL. */
    void (*skipped)(void *arg, const char *path, const char *why);
    void *arg;
};

/*
 * To the end of the stream, not only of the archive, so that who reads may hash
 * all of it.  -EBADMSG: damaged or cut short; else what `read` and `entry` said.
 */
int ofs_tar_pass(const struct ofs_tar_in *in, uint64_t *ret_size,
                 struct ofs_err *err) OFS_MUST_CHECK;

#endif
