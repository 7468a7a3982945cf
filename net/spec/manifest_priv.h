/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MANIFEST_PRIV_H
#define OFS_MANIFEST_PRIV_H

/* What the strict and the lenient decoder of manifests share. */

#include "ocirfs/json.h"
#include "ocirfs/manifest.h"

/* NULL is an empty map; values that are not strings are left out. */
int ofs_manifest_annotations(json_t *obj, struct ofs_annotations *ret,
                             struct ofs_err *err) OFS_MUST_CHECK;

/*
 * The same bytes read as two types are two images (CVE-2021-41190), so the
 * specification asks to refuse what the header contradicts.  Types that mean
 * nothing ("application/json", a file server's guess) contradict nothing.
 */
bool ofs_manifest_contradicts(const char *content_type, const char *media_type);

/* May an index, or an image, be called that? */
bool ofs_manifest_fits(bool is_index, const char *named);

/* What the server said when that means something, else by content. */
const char *ofs_manifest_default_type(const struct ofs_manifest *m,
                                      const char *content_type);

#endif
