/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TARBALL_H
#define OFS_TARBALL_H

/*
 * One walk through a tar, plain, gzip or zstd, by libarchive.  Reads with
 * pread(), so that walks do not disturb each other; skips what nobody reads
 * where the tar is plain.  -EINVAL no tar, damaged or cut short; what `call`
 * says, every 256 KiB.  Not thread-safe.
 */

#include "ocirfs/call.h"

#include <stddef.h>
#include <stdint.h>

struct ofs_tarball;

enum ofs_tar_kind {
    OFS_TAR_FILE,
    OFS_TAR_HARDLINK, /* `target` is a member's name */
    OFS_TAR_SYMLINK,  /* `target` is relative to the link */
    OFS_TAR_OTHER,
};

struct ofs_tar_member {
    const char *name, *target; /* as they stand there; until the next one */
    enum ofs_tar_kind kind;
    uint64_t size; /* bytes; of a file */
};

/* `fd` and `call` stay the caller's. */
int ofs_tarball_open(int fd, uint64_t size, struct ofs_call *call,
                     struct ofs_tarball **ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
void ofs_tarball_close(struct ofs_tarball *t);
OFS_DEFINE_AUTO(struct ofs_tarball, ofs_tarball_close)

/* 1: the next member; 0: that was the last one. */
int ofs_tarball_next(struct ofs_tarball *t, struct ofs_tar_member *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* Of the current file; *ret_n is 0 only at its end. */
int ofs_tarball_read(struct ofs_tarball *t, void *buf, size_t len,
                     size_t *ret_n, struct ofs_err *err) OFS_MUST_CHECK;

#endif
