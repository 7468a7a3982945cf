/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_details.h"

#include "tenancy_priv.h"

static int fetch_details(void *arg, const char *path, struct ofs_call *call,
                         void **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_repo_ocids_done) struct ofs_repo_ocids ocids = { 0 };
    struct ofs_tenancy *n = arg;
    struct ofs_ora_repository *repo;
    int r = ofs_tenancy_find(n, call, path, &ocids, err);

    if (r < 0)
        return r;
    repo = calloc(1, sizeof(*repo));
    if (!repo)
        return ofs_err_nomem(err, "a repository");
    r = ofs_ora_get_repository(n->ora, call, ocids.id, repo, err);
    if (r < 0)
        ofs_tenancy_repo_free(repo);
    else
        *ret = repo;
    return r;
}

const struct ofs_ttlcache_ops ofs_repo_details_ops = {
    .name = "repository",
    .max = 1024,
    .fetch = fetch_details,
    .free = ofs_tenancy_repo_free,
};

bool ofs_repo_details_immutable(struct ofs_tenancy *n, const char *path)
{
    OFS_AUTO(ofs_ttlvalue_done)
    struct ofs_ttlvalue v = ofs_ttlcache_look(n->repo_details, path);

    return v.value && ofs_repo_details(&v)->is_immutable == 1;
}
