/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of repositories, by the control plane. */
#include "tenancy_priv.h"

int ofs_tenancy_create(struct ofs_tenancy *n, struct ofs_call *call,
                       const char *compartment, const char *display,
                       struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_repository_done) struct ofs_ora_repository repo = { 0 };
    int r = ofs_ora_create_repository(n->ora, call, compartment, display, &repo,
                                      err);

    if (r < 0)
        return r;
    return ofs_tenancy_put(n, &repo) < 0 ? ofs_err_nomem(err, "a repository")
                                         : 0;
}

/* "Not there or not for us": it was there, so ask. */
static bool is_gone(struct ofs_tenancy *n, struct ofs_call *call,
                    const char *id, const struct ofs_err *why)
{
    OFS_AUTO(ofs_ora_repository_done) struct ofs_ora_repository repo = { 0 };

    return why->http_status == 404 &&
           ofs_ora_get_repository(n->ora, call, id, &repo, NULL) == -ENOENT;
}

int ofs_tenancy_delete(struct ofs_tenancy *n, struct ofs_call *call,
                       const char *path, const char *id, const char *etag,
                       struct ofs_err *err)
{
    int r = ofs_ora_delete_repository(n->ora, call, id, etag, err);

    if (r < 0 && is_gone(n, call, id, err))
        r = ofs_err_set(err, -ENOENT, "repository '%s' has gone", path);
    if (r < 0 && r != -ENOENT)
        return r;
    ofs_tenancy_remove(n, path);
    ofs_ttlcache_forget(n->repo_details, path);
    return r;
}

int ofs_tenancy_move(struct ofs_tenancy *n, struct ofs_call *call,
                     const char *path, const char *compartment,
                     struct ofs_err *err)
{
    OFS_AUTO(ofs_repo_ocids_done) struct ofs_repo_ocids ocids = { 0 };
    int r = ofs_tenancy_find(n, call, path, &ocids, err);

    if (r == 0)
        r = ofs_ora_move_repository(n->ora, call, ocids.id, compartment, err);
    if (r < 0)
        return r;
    ofs_ttlcache_forget(n->repo_details, path);
    return ofs_tenancy_moved(n, path, compartment) < 0
               ? ofs_err_nomem(err, "a repository")
               : 0;
}

int ofs_tenancy_update(struct ofs_tenancy *n, struct ofs_call *call,
                       const char *path,
                       const struct ofs_ora_repository_change *change,
                       struct ofs_err *err)
{
    OFS_AUTO(ofs_repo_ocids_done) struct ofs_repo_ocids ocids = { 0 };
    int r = ofs_tenancy_find(n, call, path, &ocids, err);

    if (r == 0)
        r = ofs_ora_update_repository(n->ora, call, ocids.id, change, err);
    if (r == 0)
        ofs_ttlcache_forget(n->repo_details, path);
    return r;
}

static int untag(struct ofs_tenancy *n, struct ofs_call *call, const char *uri,
                 const char *tag, struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_image_done) struct ofs_ora_image image = { 0 };
    int r = ofs_ora_lookup_image(n->ora, call, uri, &image, err);

    if (r < 0)
        return r;
    return ofs_ora_remove_version(n->ora, call, &image, tag, err);
}

int ofs_tenancy_untag(struct ofs_tenancy *n, struct ofs_call *call,
                      const char *path, const char *tag, struct ofs_err *err)
{
    OFS_AUTOFREE char *uri = ofs_strf("%s:%s", path, tag);
    int r =
        uri ? untag(n, call, uri, tag, err) : ofs_err_nomem(err, "a request");

    /* Somebody tagged the same image meanwhile: look again, once. */
    return r == -ESTALE ? untag(n, call, uri, tag, err) : r;
}
