/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ARCHIVE_MEMBERS_H
#define OFS_ARCHIVE_MEMBERS_H

/*
 * What is in an archive, from one walk through it: all names, and the contents
 * of what looks like small JSON, because what describes an archive may be its
 * last member or be named by it.  Immutable when read.  Bounds: 65,536 members,
 * 8 MiB of names, 4 MiB for one document and 16 MiB for all.
 */

#include "ocirfs/map.h"

#include <stdint.h>

struct ofs_archive_part;
struct ofs_tarball;

struct ofs_member {
    char *target;  /* owned; a link to that member; NULL: a file */
    uint64_t size; /* bytes */
    size_t place;  /* it is the n-th in the tar, from 1 */
    char *doc;     /* owned; NULL: not kept */
    size_t doc_len;
    struct ofs_archive_part *part; /* what becomes of it; not ours */
};

struct ofs_members {
    struct ofs_map *by_name; /* of struct ofs_member */
    size_t n, name_bytes, doc_bytes;
};

/* -EINVAL a name that leads outside; -EFBIG; those of the walk. */
int ofs_members_read(struct ofs_members *m, struct ofs_tarball *t,
                     struct ofs_err *err) OFS_MUST_CHECK;
void ofs_members_done(struct ofs_members *m);
#define OFS_AUTOMEMBERS OFS_AUTO(ofs_members_done)

/* The file of that name, through links; NULL: there is none. */
struct ofs_member *ofs_members_find(const struct ofs_members *m,
                                    const char *name);
/* Its content as well.  -EINVAL not there, not JSON; -EFBIG. */
int ofs_members_doc(const struct ofs_members *m, const char *name,
                    struct ofs_member **ret,
                    struct ofs_err *err) OFS_MUST_CHECK;

#endif
