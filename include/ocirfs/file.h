/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FILE_H
#define OFS_FILE_H

/*
 * Files: whole reads and writes, atomic replacement.  Every descriptor is
 * close-on-exec.  Blocks on the local disk only.  Failures: the errno of the
 * system call, negative.
 */

#include "ocirfs/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Exactly `len` bytes at `off`; -EIO when the file ends before. */
int ofs_pread_full(int fd, void *buf, size_t len, uint64_t off) OFS_MUST_CHECK;
int ofs_pwrite_full(int fd, const void *buf, size_t len,
                    uint64_t off) OFS_MUST_CHECK;

/* The whole file into `b`; -EFBIG beyond b->limit. */
int ofs_file_read(int dirfd, const char *path,
                  struct ofs_buf *b) OFS_MUST_CHECK;

/* How the temporary names of ofs_file_replace() begin; what a killed process
 * left of them may be removed when nobody writes. */
#define OFS_FILE_TMP_PREFIX ".ofs-tmp-"

/*
 * Replace `path` below `dirfd` by these bytes, mode 0600: written to a
 * temporary name beside it and renamed, so that a reader sees the old file or
 * the new one.  `durable`: survives a power failure (fsync before rename).
 */
int ofs_file_replace(int dirfd, const char *path, const void *data, size_t len,
                     bool durable) OFS_MUST_CHECK;

/* mkdir -p with mode 0700 for what is made; -ENOTDIR. */
int ofs_mkdirs(const char *path) OFS_MUST_CHECK;

/*
 * Open the directory `name` below `dirfd` (the caller closes it), made with
 * mode 0700 if it is not there.  -EACCES: it is another user's, or others have
 * access to it.
 */
int ofs_private_dir(int dirfd, const char *name,
                    struct ofs_err *err) OFS_MUST_CHECK;

#endif
