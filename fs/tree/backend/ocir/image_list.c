/* SPDX-License-Identifier: Apache-2.0 */
#include "image_list.h"

#include "imagetable.h"
#include "tenancy_priv.h"

#include "ocirfs/errclass.h"

static void table_free(void *table)
{
    ofs_imagetable_done(table);
    free(table);
}

/* Does it matter whether tags can be moved, and does nobody know? */
static bool wants_details(struct ofs_tenancy *n, const char *path)
{
    OFS_AUTO(ofs_ttlvalue_done)
    struct ofs_ttlvalue v = ofs_ttlcache_look(n->repo_details, path);

    return n->base.writes && !v.value;
}

static int ask(struct ofs_tenancy *n, struct ofs_call *call, const char *path,
               struct ofs_imagetable *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_repo_ocids_done) struct ofs_repo_ocids ocids = { 0 };
    OFS_AUTO(ofs_ora_images_done) struct ofs_ora_images images = { 0 };
    int r = ofs_tenancy_find(n, call, path, &ocids, err);

    if (r == 0 && wants_details(n, path))
        (void)!ofs_ttlcache_want(n->repo_details, call, path, NULL);
    if (r == 0)
        r = ofs_ora_list_images(n->ora, call, ocids.compartment, ocids.id,
                                &images, err);
    if (r == 0 && ofs_imagetable_build(&images, ret) < 0)
        r = ofs_err_nomem(err, "a list of images");
    return r;
}

/*
 * Whatever the service says, nobody needs to ask again for a while; what an
 * earlier list said of times stays true.
 */
static int fetch_list(void *arg, const char *path, struct ofs_call *call,
                      void **ret, struct ofs_err *err)
{
    struct ofs_imagetable *table = calloc(1, sizeof(*table));
    int r;

    if (!table)
        return ofs_err_nomem(err, "a list of images");
    r = ask(arg, call, path, table, err);
    if (r == 0)
        *ret = table;
    else
        table_free(table);
    return ofs_err_is(r, OFS_ERR_OWN) ? r : 0;
}

const struct ofs_ttlcache_ops ofs_image_list_ops = {
    .name = "images",
    .max = 1024,
    .exact = true,
    .fetch = fetch_list,
    .free = table_free,
};

int ofs_image_list_want(struct ofs_tenancy *n, struct ofs_call *call,
                        const char *path, struct ofs_err *err)
{
    return ofs_ttlcache_want(n->image_lists, call, path, err);
}

bool ofs_image_list_hint(struct ofs_tenancy *n, const char *path,
                         const char *tag, struct ofs_image_hint *ret)
{
    OFS_AUTO(ofs_ttlvalue_done)
    struct ofs_ttlvalue v = ofs_ttlcache_look(n->image_lists, path);
    const struct ofs_sync *sync = n->base.sync;
    const struct ofs_digest *digest;

    if (!v.value ||
        ofs_fresh_left(v.asked_ms, ofs_sync_now(sync), sync->ttl_ms) == 0)
        return false;
    digest = ofs_imagetable_of_tag(v.value, tag);
    if (!digest)
        return false;
    *ret = (struct ofs_image_hint){ .digest = *digest, .at_ms = v.asked_ms };
    return true;
}

int64_t ofs_image_list_time(struct ofs_tenancy *n, const char *path,
                            const struct ofs_digest *digest)
{
    OFS_AUTO(ofs_ttlvalue_done)
    struct ofs_ttlvalue v = ofs_ttlcache_look(n->image_lists, path);

    return v.value ? ofs_imagetable_created(v.value, digest) : 0;
}
