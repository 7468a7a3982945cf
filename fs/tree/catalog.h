/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CATALOG_H
#define OFS_CATALOG_H

/*
 * Which repositories a plain registry has: those the user named, those of its
 * catalog, or nobody knows.  ns.h asks here.  Thread-safe.
 */

#include "tree_priv.h"

int ofs_catalog_init(struct ofs_tree *t, const struct ofs_strv *named);
void ofs_catalog_done(struct ofs_tree *t);

/* Have the names as ofs_listing_want has a listing. */
int ofs_catalog_want(struct ofs_tree *t, struct ofs_call *call,
                     struct ofs_err *err) OFS_MUST_CHECK;
bool ofs_catalog_is_known(struct ofs_tree *t);
/* What the names say of `path`, and for how long; no network. */
void ofs_catalog_search(struct ofs_tree *t, const char *path,
                        struct ofs_ns *ret);
int ofs_catalog_parts(struct ofs_tree *t, const char *path,
                      struct ofs_strv *ret) OFS_MUST_CHECK;

#endif
