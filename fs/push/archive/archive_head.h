/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ARCHIVE_HEAD_H
#define OFS_ARCHIVE_HEAD_H

/* What a file will be, by its first bytes.  Pure. */

#include <stdbool.h>
#include <stddef.h>

/* How much of the beginning tells it, bytes. */
enum { OFS_ARCHIVE_HEAD = 512 };

enum ofs_head {
    OFS_HEAD_SHORT,   /* not to be told yet */
    OFS_HEAD_JSON,    /* a manifest, perhaps */
    OFS_HEAD_ARCHIVE, /* a tar; gzip or zstd, with one in it perhaps */
    OFS_HEAD_XZ,      /* those two we do not take */
    OFS_HEAD_BZIP2,
    OFS_HEAD_OTHER, /* nothing that can become an image */
};

enum ofs_head ofs_head_of(const void *head, size_t len);

/* Do these first bytes of a file promise an archive? */
bool ofs_archive_is(const void *head, size_t len);

#endif
