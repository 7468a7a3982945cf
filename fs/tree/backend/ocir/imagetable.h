/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_IMAGETABLE_H
#define OFS_IMAGETABLE_H

/*
 * What one list of a repository's images tells: which digests there are, when
 * each was pushed, and of some tags what they name.  Pure.
 *
 * The service may give a row for each image or one for each tag; either way a
 * tag that is not in the table may exist.
 */

#include "ocirfs/oracle.h"

struct ofs_image_row {
    struct ofs_digest digest;
    int64_t created_s; /* when the digest was first pushed */
    char *tag;         /* owned; NULL: not told */
};

struct ofs_imagetable {
    struct ofs_image_row *by_digest; /* owned; sorted */
    struct ofs_image_row **by_tag;   /* those with a tag; sorted */
    size_t n, n_tags;
};

void ofs_imagetable_done(struct ofs_imagetable *t);
/* Tags are taken out of `images`.  -ENOMEM. */
int ofs_imagetable_build(struct ofs_ora_images *images,
                         struct ofs_imagetable *ret) OFS_MUST_CHECK;

/* NULL: not told. */
const struct ofs_digest *ofs_imagetable_of_tag(const struct ofs_imagetable *t,
                                               const char *tag);
/* 0: not told. */
int64_t ofs_imagetable_created(const struct ofs_imagetable *t,
                               const struct ofs_digest *digest);

#endif
