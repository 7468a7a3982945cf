/* SPDX-License-Identifier: Apache-2.0 */
#include "ocir_xattrs.h"

#include "ocirfs/clock.h"

#include "image_details.h"
#include "repo_details.h"
#include "tenancy_priv.h"

#include <inttypes.h>

static int add(struct ofs_xattrs *x, const char *name, const char *value)
{
    OFS_AUTOFREE char *whole = ofs_strf(OFS_BACKEND_XATTR "%s", name);

    if (!value || !*value)
        return 0;
    return whole ? ofs_xattrs_add(x, whole, value) : -ENOMEM;
}

static int add_number(struct ofs_xattrs *x, const char *name, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    return add(x, name, text);
}

static int add_time(struct ofs_xattrs *x, const char *name, int64_t s)
{
    char text[32];

    return s > 0 ? add(x, name, ofs_time_format(s, text)) : 0;
}

static const char *word_of(bool value)
{
    return value ? "true" : "false";
}

/* ---- repositories ---- */

static int fill_repo(const struct ofs_ora_repository *repo,
                     struct ofs_xattrs *x)
{
    bool told = repo->is_immutable >= 0;

    return add(x, "id", repo->id) < 0 ||
                   add(x, "compartmentId", repo->compartment_id) < 0 ||
                   add(x, "displayName", repo->name) < 0 ||
                   add(x, "namespace", repo->namespace_name) < 0 ||
                   add(x, "isPublic", word_of(repo->is_public)) < 0 ||
                   (told && add(x, "isImmutable",
                                word_of(repo->is_immutable == 1)) < 0) ||
                   add_number(x, "imageCount", repo->n_images) < 0 ||
                   add_number(x, "layerCount", repo->n_layers) < 0 ||
                   add_number(x, "layersSizeInBytes", repo->layers_bytes) < 0 ||
                   add(x, "createdBy", repo->created_by) < 0 ||
                   add_time(x, "timeCreated", repo->created_s) < 0 ||
                   add_time(x, "timeLastPushed", repo->pushed_s) < 0 ||
                   add(x, "readme", repo->readme) < 0
               ? -ENOMEM
               : 0;
}

static int repo_xattrs(struct ofs_tenancy *n, struct ofs_call *call,
                       const char *path, struct ofs_xattrs *ret,
                       struct ofs_err *err)
{
    OFS_AUTO(ofs_ttlvalue_done) struct ofs_ttlvalue v = { 0 };
    int r = ofs_ttlcache_want(n->repo_details, call, path, err);

    if (r < 0)
        return r;
    v = ofs_ttlcache_look(n->repo_details, path);
    return v.value && fill_repo(ofs_repo_details(&v), ret) < 0
               ? ofs_err_nomem(err, "attributes")
               : 0;
}

/* ---- compartments ---- */

static int compartment_xattrs(struct ofs_tenancy *n, uint64_t scope,
                              struct ofs_xattrs *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *id = ofs_tenancy_ocid(n, scope), *above = NULL;

    if (scope != OFS_SCOPE_TOP)
        above = ofs_tenancy_ocid(n, ofs_tenancy_above(n, scope));
    if (add(ret, "id", id) < 0 || add(ret, "compartmentId", above) < 0)
        return ofs_err_nomem(err, "attributes");
    return 0;
}

int ofs_ocir_dir_xattrs(struct ofs_tenancy *n, struct ofs_call *call,
                        const struct ofs_where *at, struct ofs_xattrs *ret,
                        struct ofs_err *err)
{
    return *at->path ? repo_xattrs(n, call, at->path, ret, err)
                     : compartment_xattrs(n, at->scope, ret, err);
}

/* ---- tags ---- */

/* When this tag was set; the image may have been pushed long before. */
static int64_t tagged_s(const struct ofs_ora_image *image, const char *tag)
{
    for (size_t i = 0; i < image->n_versions; i++)
        if (strcmp(image->versions[i].tag, tag) == 0)
            return image->versions[i].created_s;
    return image->created_s;
}

static int fill_tag(const struct ofs_ora_image *image, const char *tag,
                    struct ofs_xattrs *x)
{
    return add(x, "id", image->id) < 0 ||
                   add_number(x, "pullCount", image->n_pulls) < 0 ||
                   add_number(x, "layersSizeInBytes", image->layers_bytes) <
                       0 ||
                   add_time(x, "timeCreated", tagged_s(image, tag)) < 0 ||
                   add_time(x, "timeLastPulled", image->pulled_s) < 0
               ? -ENOMEM
               : 0;
}

int ofs_ocir_tag_xattrs(struct ofs_tenancy *n, struct ofs_call *call,
                        const char *repo, const char *tag,
                        struct ofs_xattrs *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_ttlvalue_done) struct ofs_ttlvalue v = { 0 };
    OFS_AUTOFREE char *uri = ofs_strf("%s:%s", repo, tag);
    int r = uri ? ofs_ttlcache_want(n->image_details, call, uri, err)
                : ofs_err_nomem(err, "attributes");

    if (r < 0)
        return r;
    v = ofs_ttlcache_look(n->image_details, uri);
    return v.value && fill_tag(ofs_image_details(&v), tag, ret) < 0
               ? ofs_err_nomem(err, "attributes")
               : 0;
}

/* ---- setting ---- */

static int parse_bool(const char *name, const char *text, int *ret,
                      struct ofs_err *err)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return ofs_err_set(err, -EINVAL, "%s is \"true\" or \"false\"", name);
    *ret = strcmp(text, "true") == 0;
    return 0;
}

static int describe(const char *name, const struct ofs_buf *value,
                    struct ofs_ora_repository_change *ret, struct ofs_err *err)
{
    const char *text = value ? ofs_buf_str(value) : "";
    const char *word = name + strlen(OFS_BACKEND_XATTR);

    *ret = (struct ofs_ora_repository_change){ .is_public = -1,
                                               .is_immutable = -1 };
    if (value && strlen(text) != value->len)
        return ofs_err_set(err, -EINVAL, "%s has a NUL in it", name);
    if (strcmp(word, "isPublic") == 0)
        return parse_bool(name, text, &ret->is_public, err);
    if (strcmp(word, "isImmutable") == 0)
        return parse_bool(name, text, &ret->is_immutable, err);
    if (strcmp(word, "readme") != 0)
        return ofs_err_set(err, -EPERM, "%s cannot be set", name);
    ret->readme = text;
    return 0;
}

int ofs_ocir_set_xattr(struct ofs_tenancy *n, struct ofs_call *call,
                       const char *repo, const char *name,
                       const struct ofs_buf *value, struct ofs_err *err)
{
    struct ofs_ora_repository_change change;
    int r;

    if (!ofs_str_starts(name, OFS_BACKEND_XATTR))
        return -ENOTSUP;
    r = describe(name, value, &change, err);
    return r < 0 ? r : ofs_tenancy_update(n, call, repo, &change, err);
}
