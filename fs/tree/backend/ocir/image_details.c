/* SPDX-License-Identifier: Apache-2.0 */
#include "image_details.h"

#include "tenancy_priv.h"

static void image_free(void *image)
{
    ofs_ora_image_done(image);
    free(image);
}

static int fetch_image(void *arg, const char *uri, struct ofs_call *call,
                       void **ret, struct ofs_err *err)
{
    struct ofs_ora_image *image = calloc(1, sizeof(*image));
    struct ofs_tenancy *n = arg;
    int r;

    if (!image)
        return ofs_err_nomem(err, "attributes");
    r = ofs_ora_lookup_image(n->ora, call, uri, image, err);
    if (r < 0)
        image_free(image);
    else
        *ret = image;
    return r;
}

const struct ofs_ttlcache_ops ofs_image_details_ops = {
    .name = "image",
    .max = 16,
    .exact = true,
    .fetch = fetch_image,
    .free = image_free,
};
