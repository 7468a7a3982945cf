/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_IMAGE_LIST_H
#define OFS_IMAGE_LIST_H

/*
 * One list of images instead of a question for each tag: what the control
 * plane says of a repository's tags.  In tenancy.image_lists, by path.
 */

#include "backend.h"
#include "ttlcache.h"

struct ofs_tenancy;

extern const struct ofs_ttlcache_ops ofs_image_list_ops;

/* As images_want, images_hint and images_time of backend.h. */
int ofs_image_list_want(struct ofs_tenancy *n, struct ofs_call *call,
                        const char *path, struct ofs_err *err) OFS_MUST_CHECK;
bool ofs_image_list_hint(struct ofs_tenancy *n, const char *path,
                         const char *tag, struct ofs_image_hint *ret);
int64_t ofs_image_list_time(struct ofs_tenancy *n, const char *path,
                            const struct ofs_digest *digest);

#endif
