/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TARHEAD_H
#define OFS_TARHEAD_H

/*
 * One header block of a tar archive.  Pure.  Formats: v7, POSIX ustar, GNU and
 * star.
 *
 * Sources: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual,
 * "Basic Tar Format".
 */

#include "ocirfs/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { OFS_TAR_BLOCK = 512 };

struct ofs_tar_head {
    char type; /* '0' to '7', 'x', 'L', ...; '\0' of the oldest */
    bool gnu;  /* no prefix, sparse map in the block */
    uint16_t mode;
    int64_t uid, gid, mtime;
    uint64_t size; /* bytes of data that follow */
    uint32_t major, minor;
    char name[257], link[101]; /* NUL-terminated */
};

/* A field of octal digits or, if its first bit is set, base 256.  -EBADMSG. */
int ofs_tar_number(const uint8_t *field, size_t len,
                   int64_t *ret) OFS_MUST_CHECK;

bool ofs_tar_is_zero(const uint8_t block[OFS_TAR_BLOCK]);
/* -EBADMSG: its checksum or a number is wrong. */
int ofs_tar_head_parse(const uint8_t block[OFS_TAR_BLOCK],
                       struct ofs_tar_head *ret) OFS_MUST_CHECK;

#endif
