/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of the control plane <-> structs.  Unknown fields and enum values are
 * skipped: services grow. */
#include "oracle_priv.h"

#include "ocirfs/clock.h"

/* 0 where it is absent or in a form we do not know. */
static int64_t time_in(const json_t *j, const char *name)
{
    const char *text = json_string_value(json_object_get(j, name));
    int64_t at_s = 0;

    if (!text || ofs_time_parse(text, &at_s) < 0)
        return 0;
    return at_s;
}

static int copy_optional(const json_t *j, const char *name, char **ret)
{
    const char *text = json_string_value(json_object_get(j, name));

    if (!text)
        return 0;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

static const struct ofs_json_field compartment_fields[] = {
    { "id", OFS_JSON_STR, offsetof(struct ofs_ora_compartment, id), true },
    { "compartmentId", OFS_JSON_STR,
      offsetof(struct ofs_ora_compartment, parent_id), true },
    { "name", OFS_JSON_STR, offsetof(struct ofs_ora_compartment, name), true },
    { 0 },
};

int ofs_ora_compartment_decode(const json_t *j, struct ofs_ora_compartment *ret,
                               struct ofs_err *err)
{
    const char *state = json_string_value(json_object_get(j, "lifecycleState"));
    struct ofs_ora_compartment c = { .created_s = time_in(j, "timeCreated") };
    int r = ofs_json_decode(j, compartment_fields, &c, err);

    if (r == 0 && (!state || ofs_str_ieq(state, "ACTIVE"))) {
        *ret = c;
        return 0;
    }
    ofs_ora_compartment_done(&c);
    return r < 0 ? r : 1;
}

void ofs_ora_compartment_done(struct ofs_ora_compartment *c)
{
    free(c->id);
    free(c->parent_id);
    free(c->name);
}

static const struct ofs_json_field repository_fields[] = {
    { "id", OFS_JSON_STR, offsetof(struct ofs_ora_repository, id), true },
    { "compartmentId", OFS_JSON_STR,
      offsetof(struct ofs_ora_repository, compartment_id), true },
    { "displayName", OFS_JSON_STR, offsetof(struct ofs_ora_repository, name),
      true },
    { "namespace", OFS_JSON_STR,
      offsetof(struct ofs_ora_repository, namespace_name), true },
    { "isPublic", OFS_JSON_BOOL, offsetof(struct ofs_ora_repository, is_public),
      false },
    { "createdBy", OFS_JSON_STR,
      offsetof(struct ofs_ora_repository, created_by), false },
    { "imageCount", OFS_JSON_U64, offsetof(struct ofs_ora_repository, n_images),
      false },
    { "layerCount", OFS_JSON_U64, offsetof(struct ofs_ora_repository, n_layers),
      false },
    { "layersSizeInBytes", OFS_JSON_U64,
      offsetof(struct ofs_ora_repository, layers_bytes), false },
    { 0 },
};

int ofs_ora_repository_decode(const json_t *j, struct ofs_ora_repository *ret,
                              struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_repository_done) struct ofs_ora_repository repo = { 0 };
    const json_t *immutable = json_object_get(j, "isImmutable");
    const json_t *readme = json_object_get(j, "readme");
    int r = ofs_json_decode(j, repository_fields, &repo, err);

    if (r < 0)
        return r;
    repo.is_immutable =
        json_is_boolean(immutable) ? json_is_true(immutable) : -1;
    repo.created_s = time_in(j, "timeCreated");
    repo.pushed_s = time_in(j, "timeLastPushed");
    if (copy_optional(readme, "content", &repo.readme) < 0 ||
        copy_optional(readme, "format", &repo.readme_format) < 0)
        return ofs_err_nomem(err, "a repository");
    *ret = repo;
    repo = (struct ofs_ora_repository){ 0 };
    return 0;
}

void ofs_ora_repository_done(struct ofs_ora_repository *r)
{
    free(r->id);
    free(r->compartment_id);
    free(r->name);
    free(r->namespace_name);
    free(r->readme);
    free(r->readme_format);
    free(r->created_by);
    free(r->etag);
    *r = (struct ofs_ora_repository){ 0 };
}

static const struct ofs_json_field image_fields[] = {
    { "id", OFS_JSON_STR, offsetof(struct ofs_ora_image, id), true },
    { "repositoryId", OFS_JSON_STR,
      offsetof(struct ofs_ora_image, repository_id), false },
    { "manifestSizeInBytes", OFS_JSON_U64,
      offsetof(struct ofs_ora_image, manifest_bytes), false },
    { "layersSizeInBytes", OFS_JSON_U64,
      offsetof(struct ofs_ora_image, layers_bytes), false },
    { "pullCount", OFS_JSON_U64, offsetof(struct ofs_ora_image, n_pulls),
      false },
    { 0 },
};

static int add_version(struct ofs_ora_image *i, size_t room, const char *tag,
                       int64_t created_s)
{
    struct ofs_ora_version *v = &i->versions[i->n_versions];

    if (!tag || i->n_versions == room)
        return 0;
    v->tag = strdup(tag);
    if (!v->tag)
        return -ENOMEM;
    v->created_s = created_s;
    i->n_versions++;
    return 0;
}

/* A list has the latest tag only, in `version`; a single image has them all. */
static int decode_versions(const json_t *j, struct ofs_ora_image *i)
{
    const json_t *all = json_object_get(j, "versions");
    const char *only = json_string_value(json_object_get(j, "version"));
    size_t n = json_is_array(all) ? json_array_size(all) : only ? 1 : 0;
    int r = 0;

    if (n == 0)
        return 0;
    i->versions = calloc(n, sizeof(*i->versions));
    if (!i->versions)
        return -ENOMEM;
    if (!json_is_array(all))
        return add_version(i, n, only, i->created_s);
    for (size_t k = 0; r == 0 && k < n; k++) {
        const json_t *v = json_array_get(all, k);

        r = add_version(i, n, json_string_value(json_object_get(v, "version")),
                        time_in(v, "timeCreated"));
    }
    return r;
}

int ofs_ora_image_decode(const json_t *j, struct ofs_ora_image *ret,
                         struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_image_done) struct ofs_ora_image image = { 0 };
    const char *digest = json_string_value(json_object_get(j, "digest"));
    int r = ofs_json_decode(j, image_fields, &image, err);

    if (r == 0)
        r = ofs_digest_parse(digest ? digest : "", &image.digest, err);
    if (r < 0)
        return r;
    image.created_s = time_in(j, "timeCreated");
    image.pulled_s = time_in(j, "timeLastPulled");
    if (decode_versions(j, &image) < 0)
        return ofs_err_nomem(err, "an image");
    *ret = image;
    image = (struct ofs_ora_image){ 0 };
    return 0;
}

void ofs_ora_image_done(struct ofs_ora_image *i)
{
    for (size_t k = 0; k < i->n_versions; k++)
        free(i->versions[k].tag);
    free(i->versions);
    free(i->id);
    free(i->repository_id);
    free(i->etag);
    *i = (struct ofs_ora_image){ 0 };
}
