/* SPDX-License-Identifier: Apache-2.0 */
#include "ocir_lifecycle.h"

#include "repo_details.h"
#include "tenancy_priv.h"

/* The name that the service has for it: what follows the namespace. */
static const char *display_of(const char *path)
{
    const char *slash = strchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The OCID of a directory's compartment: *ret (owned). */
static int find_compartment(struct ofs_tenancy *n, struct ofs_call *call,
                            uint64_t scope, char **ret, struct ofs_err *err)
{
    int r;

    *ret = ofs_tenancy_ocid(n, scope);
    if (*ret)
        return 0;
    /* With repos= nobody has asked for compartments yet. */
    r = ofs_tenancy_learn(n, call, err);
    if (r < 0)
        return r;
    *ret = ofs_tenancy_ocid(n, scope);
    return *ret ? 0 : ofs_err_set(err, -ENOENT, "the compartment is not there");
}

/* ---- making ---- */

/* A name is unique in a tenancy, so it may be taken where nobody looks. */
static int tell_taken(struct ofs_tenancy *n, const char *path,
                      struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf where = OFS_BUF_INIT(PATH_MAX);
    struct ofs_err told = *err;

    ofs_tenancy_policy_of(n, path, &where);
    (void)ofs_err_set(
        &told, -EEXIST, "repository '%s' exists already in this tenancy%s%s",
        display_of(path), where.len > 0 ? ", in " : "", ofs_buf_str(&where));
    memcpy(err->text, told.text, sizeof(err->text));
    return err->code;
}

int ofs_ocir_create(struct ofs_tenancy *n, struct ofs_call *call,
                    const struct ofs_where *at, struct ofs_err *err)
{
    OFS_AUTOFREE char *compartment = NULL;
    int r = find_compartment(n, call, at->scope, &compartment, err);

    if (r == 0)
        r = ofs_tenancy_create(n, call, compartment, display_of(at->path), err);
    return r == -EEXIST ? tell_taken(n, at->path, err) : r;
}

/* ---- taking away ---- */

int ofs_ocir_remove(struct ofs_tenancy *n, struct ofs_call *call,
                    const char *path, struct ofs_err *err)
{
    OFS_AUTO(ofs_ttlvalue_done) struct ofs_ttlvalue v = { 0 };
    const struct ofs_ora_repository *repo;
    int r = ofs_ttlcache_ask(n->repo_details, call, path, err);

    if (r < 0)
        return r;
    v = ofs_ttlcache_look(n->repo_details, path);
    repo = ofs_repo_details(&v);
    if (!repo)
        return ofs_err_nomem(err, "a repository");
    if (repo->n_images > 0)
        return ofs_err_set(err, -ENOTEMPTY, "'%s' holds %llu images",
                           display_of(path),
                           (unsigned long long)repo->n_images);
    /* As it was when it was empty: not after a push of somebody else's. */
    r = ofs_tenancy_delete(n, call, path, repo->id, repo->etag, err);
    if (r == -ESTALE)
        return ofs_err_set(err, -ENOTEMPTY, "'%s' has changed meanwhile",
                           display_of(path));
    return r;
}

/* ---- moving ---- */

static int move_all(struct ofs_tenancy *n, struct ofs_call *call,
                    const struct ofs_strv *paths, const char *compartment,
                    struct ofs_err *err)
{
    for (size_t i = 0; i < paths->n; i++) {
        int r = ofs_tenancy_move(n, call, paths->at[i], compartment, err);

        if (r < 0 && i > 0)
            return ofs_err_wrap(err, r, "some were moved, but not all");
        if (r < 0)
            return r;
    }
    return 0;
}

int ofs_ocir_move(struct ofs_tenancy *n, struct ofs_call *call,
                  const struct ofs_where *from, uint64_t to_scope,
                  struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv paths = { 0 };
    OFS_AUTOFREE char *compartment = NULL;
    int r;

    if (ofs_tenancy_names(n, from->scope, from->path, &paths) < 0)
        return ofs_err_nomem(err, "a directory");
    if (paths.n == 0)
        return ofs_err_set(err, -ENOENT, "there is no repository '%s'",
                           display_of(from->path));
    r = find_compartment(n, call, to_scope, &compartment, err);
    return r < 0 ? r : move_all(n, call, &paths, compartment, err);
}

/* ---- tags ---- */

int ofs_ocir_untag(struct ofs_tenancy *n, struct ofs_call *call,
                   const char *repo, const char *tag, struct ofs_err *err)
{
    int r = ofs_tenancy_untag(n, call, repo, tag, err);

    if (r < 0 && ofs_repo_details_immutable(n, repo) && err &&
        err->http_status / 100 == 4 && r != -ENOENT)
        return ofs_err_wrap(err, -EPERM, "the repository is immutable");
    return r;
}

int ofs_ocir_may_move(struct ofs_tenancy *n, struct ofs_call *call,
                      const char *repo, const char *tag, struct ofs_err *err)
{
    /* Who may push need not be allowed to ask; the registry tells then. */
    if (ofs_ttlcache_want(n->repo_details, call, repo, NULL) == -EAGAIN)
        return -EAGAIN;
    if (!ofs_repo_details_immutable(n, repo))
        return 0;
    return ofs_err_set(
        err, -EPERM, "'%s' is immutable: tag '%s' cannot be moved", repo, tag);
}
