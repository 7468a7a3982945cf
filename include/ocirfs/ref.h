/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REF_H
#define OFS_REF_H

/*
 * Names of the distribution specification.  Pure; source: OCI
 * distribution-spec v1.1.1, "Pulling manifests".
 */

#include <stdbool.h>

bool ofs_repo_is_valid(const char *name); /* "a/b-c/d__e"; at most 255 bytes */
bool ofs_repo_part_is_valid(const char *part); /* one component, no slash */
bool ofs_tag_is_valid(const char *tag);        /* at most 128 bytes */

#endif
