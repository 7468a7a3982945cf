/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_IMAGE_DETAILS_H
#define OFS_IMAGE_DETAILS_H

/*
 * What the control plane tells of the image behind a tag.  In
 * tenancy.image_details, by "<path>:<tag>"; the last few only, because whoever
 * reads the attributes of a file reads them one by one.
 */

#include "ocirfs/oracle.h"

#include "ttlcache.h"

extern const struct ofs_ttlcache_ops ofs_image_details_ops;

static inline const struct ofs_ora_image *
ofs_image_details(const struct ofs_ttlvalue *v)
{
    return v->value;
}

#endif
