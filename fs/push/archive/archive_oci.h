/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ARCHIVE_OCI_H
#define OFS_ARCHIVE_OCI_H

/*
 * An image layout in a tar.  Source: OCI image-spec v1.1, image-layout.md.
 */

#include "ocirfs/err.h"

#include <stdbool.h>

struct ofs_archive;

/*
 * Choose the image and plan to send all of it as it is.  1, and nothing is
 * planned: `unless_plain` was asked for, and layers of it are not compressed.
 * Errors as ofs_archive_open().
 */
int ofs_archive_plan_oci(struct ofs_archive *a, const char *repo,
                         const char *tag, bool unless_plain,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
