/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PAXREC_H
#define OFS_PAXREC_H

/*
 * The records of an extended header, "LEN KEY=VALUE\n" each.  Pure.
 *
 * Sources: POSIX.1-2017, pax, "pax Extended Header"; GNU tar manual, "Storing
 * Sparse Files".
 */

#include "ocirfs/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* A piece of a sparse file that is there. */
struct ofs_extent {
    uint64_t off, len; /* bytes, in the file */
};

struct ofs_pax {
    struct ofs_buf path, link; /* empty: as in the header */
    bool has_size, has_uid, has_gid, has_mtime;
    uint64_t size;
    int64_t uid, gid, mtime_s;
    uint32_t mtime_ns;
    struct ofs_buf xattrs; /* a list (xattrlist.h) */
    /* GNU.sparse.*: whose map may be here or before the file's bytes. */
    bool sparse, map_in_data;
    uint64_t real_size;
    struct ofs_buf extents; /* of struct ofs_extent; as written, unproven */
};

void ofs_pax_init(struct ofs_pax *p);
void ofs_pax_done(struct ofs_pax *p);
int ofs_pax_parse(const char *data, size_t len,
                  struct ofs_pax *ret) OFS_MUST_CHECK; /* -EBADMSG, -ENOMEM */

/* Seconds with a fraction of any length: "-1000.5" is -1001 s and 5e8 ns. */
int ofs_pax_time(const char *text, size_t len, int64_t *ret_s,
                 uint32_t *ret_ns) OFS_MUST_CHECK;

#endif
