/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ARCHIVE_MANIFEST_H
#define OFS_ARCHIVE_MANIFEST_H

/* A manifest that an archive brings, or that is made for it. */

#include "ocirfs/digest.h"

#include <stddef.h>

struct ofs_archive_manifest {
    struct ofs_digest digest; /* of `bytes` */
    char *media_type;
    char *bytes; /* exact */
    size_t len;
};

#endif
