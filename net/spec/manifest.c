/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest_priv.h"

#include "ocirfs/mediatype.h"

/* As in the JSON; what is not borrowed moves on into struct ofs_descriptor. */
struct raw_descriptor {
    char *media_type, *digest, *artifact_type;
    uint64_t size;
    json_t *platform, *annotations; /* borrowed */
};

static const struct ofs_json_field descriptor_fields[] = {
    { "mediaType", OFS_JSON_STR, offsetof(struct raw_descriptor, media_type),
      true },
    { "digest", OFS_JSON_STR, offsetof(struct raw_descriptor, digest), true },
    { "size", OFS_JSON_U64, offsetof(struct raw_descriptor, size), true },
    { "artifactType", OFS_JSON_STR,
      offsetof(struct raw_descriptor, artifact_type), false },
    { "platform", OFS_JSON_OBJ, offsetof(struct raw_descriptor, platform),
      false },
    { "annotations", OFS_JSON_OBJ, offsetof(struct raw_descriptor, annotations),
      false },
    { 0 },
};

static const struct ofs_json_field platform_fields[] = {
    { "os", OFS_JSON_STR, offsetof(struct ofs_platform, os), false },
    { "architecture", OFS_JSON_STR, offsetof(struct ofs_platform, architecture),
      false },
    { "variant", OFS_JSON_STR, offsetof(struct ofs_platform, variant), false },
    { 0 },
};

static void raw_descriptor_done(struct raw_descriptor *raw)
{
    free(raw->media_type);
    free(raw->digest);
    free(raw->artifact_type);
}

static bool is_text(const json_t *value)
{
    const char *text = json_string_value(value);

    return text && strlen(text) == json_string_length(value);
}

int ofs_manifest_annotations(json_t *obj, struct ofs_annotations *ret,
                             struct ofs_err *err)
{
    const char *key;
    json_t *value;

    if (!obj || json_object_size(obj) == 0)
        return 0;
    ret->at = calloc(json_object_size(obj), sizeof(*ret->at));
    if (!ret->at)
        return ofs_err_nomem(err, "annotations");
    json_object_foreach(obj, key, value)
    {
        struct ofs_annotation *a = &ret->at[ret->n];

        if (!is_text(value))
            continue;
        ret->n++;
        a->key = strdup(key);
        a->value = strdup(json_string_value(value));
        if (!a->key || !a->value)
            return ofs_err_nomem(err, "annotations");
    }
    return 0;
}

static void annotations_done(struct ofs_annotations *a)
{
    for (size_t i = 0; i < a->n; i++) {
        free(a->at[i].key);
        free(a->at[i].value);
    }
    free(a->at);
    *a = (struct ofs_annotations){ 0 };
}

const char *ofs_annotation_get(const struct ofs_annotations *a, const char *key)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->at[i].key, key) == 0)
            return a->at[i].value;
    return NULL;
}

static int decode_descriptor(const json_t *obj, struct ofs_descriptor *ret,
                             struct ofs_err *err)
{
    OFS_AUTO(raw_descriptor_done) struct raw_descriptor raw = { 0 };
    int r = ofs_json_decode(obj, descriptor_fields, &raw, err);

    if (r < 0)
        return r;
    r = ofs_digest_parse(raw.digest, &ret->digest, err);
    if (r < 0)
        return r;
    ret->size = raw.size;
    ret->media_type = ofs_take(&raw.media_type);
    ret->artifact_type = ofs_take(&raw.artifact_type);
    if (raw.platform) {
        r = ofs_json_decode(raw.platform, platform_fields, &ret->platform, err);
        if (r < 0)
            return ofs_err_wrap(err, r, "'platform'");
    }
    return ofs_manifest_annotations(raw.annotations, &ret->annotations, err);
}

void ofs_descriptor_done(struct ofs_descriptor *d)
{
    free(d->media_type);
    free(d->artifact_type);
    free(d->platform.os);
    free(d->platform.architecture);
    free(d->platform.variant);
    annotations_done(&d->annotations);
    *d = (struct ofs_descriptor){ 0 };
}

/* The outer object; everything borrowed but the strings. */
struct raw {
    char *media_type, *artifact_type;
    json_t *config, *layers, *manifests, *subject, *annotations;
    json_t *fs_layers; /* schema 1 has them */
};

static const struct ofs_json_field raw_fields[] = {
    { "mediaType", OFS_JSON_STR, offsetof(struct raw, media_type), false },
    { "artifactType", OFS_JSON_STR, offsetof(struct raw, artifact_type),
      false },
    { "config", OFS_JSON_OBJ, offsetof(struct raw, config), false },
    { "layers", OFS_JSON_OBJ, offsetof(struct raw, layers), false },
    { "manifests", OFS_JSON_OBJ, offsetof(struct raw, manifests), false },
    { "subject", OFS_JSON_OBJ, offsetof(struct raw, subject), false },
    { "annotations", OFS_JSON_OBJ, offsetof(struct raw, annotations), false },
    { "fsLayers", OFS_JSON_OBJ, offsetof(struct raw, fs_layers), false },
    { 0 },
};

static void raw_done(struct raw *raw)
{
    free(raw->media_type);
    free(raw->artifact_type);
}

static bool is_schema1(const json_t *doc, const struct raw *raw,
                       const char *content_type)
{
    return json_integer_value(json_object_get(doc, "schemaVersion")) == 1 ||
           raw->fs_layers ||
           ofs_media_of(raw->media_type) == OFS_MEDIA_SCHEMA1 ||
           ofs_media_of(content_type) == OFS_MEDIA_SCHEMA1;
}

bool ofs_manifest_contradicts(const char *content_type, const char *media_type)
{
    return content_type && media_type &&
           ofs_str_starts(content_type, "application/vnd.") &&
           !ofs_str_ieq(content_type, media_type);
}

static int check_version(const json_t *doc, const struct raw *raw,
                         const char *content_type, struct ofs_err *err)
{
    const json_t *version = json_object_get(doc, "schemaVersion");

    if (is_schema1(doc, raw, content_type))
        return ofs_err_set(err, -EBADMSG,
                           "a docker schema 1 manifest, which is too old");
    if (version && json_integer_value(version) != 2)
        return ofs_err_set(err, -EBADMSG, "'schemaVersion' is not 2");
    if (ofs_manifest_contradicts(content_type, raw->media_type))
        return ofs_err_set(err, -EBADMSG,
                           "'mediaType' is '%.80s', but it was served as "
                           "'%.80s'",
                           raw->media_type, content_type);
    return 0;
}

bool ofs_manifest_fits(bool is_index, const char *named)
{
    return ofs_media_of(named) !=
           (is_index ? OFS_MEDIA_MANIFEST : OFS_MEDIA_INDEX);
}

/* By what is in it; the names of types only have to agree with that. */
static int kind_of(const struct raw *raw, const char *content_type,
                   enum ofs_manifest_kind *ret, struct ofs_err *err)
{
    const char *named = raw->media_type ? raw->media_type : content_type;
    bool index = raw->manifests, image = raw->config || raw->layers;

    if (index && image)
        return ofs_err_set(err, -EBADMSG,
                           "both an index and an image manifest");
    if (!image && ofs_media_of(named) == OFS_MEDIA_INDEX)
        index = true; /* "manifests": null, as Go writes an empty list */
    if (!index && !raw->config)
        return ofs_err_set(err, -EBADMSG, "neither 'manifests' nor 'config'");
    if (!ofs_manifest_fits(index, named))
        return ofs_err_set(err, -EBADMSG,
                           "its content does not fit its media type");
    *ret = index ? OFS_MANIFEST_INDEX : OFS_MANIFEST_IMAGE;
    return 0;
}

static int decode_list(const json_t *list, const char *what,
                       struct ofs_manifest *m, struct ofs_err *err)
{
    size_t n = json_array_size(list);

    if (list && !json_is_array(list))
        return ofs_err_set(err, -EBADMSG, "'%s' is not a list", what);
    if (n > OFS_MANIFEST_MAX_ENTRIES)
        return ofs_err_set(err, -EFBIG, "%zu entries in '%s', limit %d", n,
                           what, OFS_MANIFEST_MAX_ENTRIES);
    m->layers = calloc(n + 1, sizeof(*m->layers));
    if (!m->layers)
        return ofs_err_nomem(err, what);
    for (m->n_layers = 0; m->n_layers < n;) {
        size_t i = m->n_layers++;
        int r = decode_descriptor(json_array_get(list, i), &m->layers[i], err);

        if (r < 0) {
            char place[32];

            (void)snprintf(place, sizeof(place), "%s[%zu]", what, i);
            return ofs_err_wrap(err, r, place);
        }
    }
    return 0;
}

static int decode_content(const struct raw *raw, struct ofs_manifest *m,
                          struct ofs_err *err)
{
    int r;

    if (m->kind == OFS_MANIFEST_INDEX)
        return decode_list(raw->manifests, "manifests", m, err);
    r = decode_descriptor(raw->config, &m->config, err);
    if (r < 0)
        return ofs_err_wrap(err, r, "'config'");
    return decode_list(raw->layers, "layers", m, err);
}

const char *ofs_manifest_default_type(const struct ofs_manifest *m,
                                      const char *content_type)
{
    if (content_type && ofs_str_starts(content_type, "application/vnd.") &&
        ofs_media_is_type(content_type))
        return content_type;
    return m->kind == OFS_MANIFEST_INDEX ? OFS_MT_OCI_INDEX
                                         : OFS_MT_OCI_MANIFEST;
}

static int decode_rest(struct raw *raw, const char *content_type,
                       struct ofs_manifest *m, struct ofs_err *err)
{
    int r;

    m->artifact_type = ofs_take(&raw->artifact_type);
    m->media_type = ofs_take(&raw->media_type);
    if (!m->media_type)
        m->media_type = strdup(ofs_manifest_default_type(m, content_type));
    if (!m->media_type)
        return ofs_err_nomem(err, "a media type");
    if (raw->subject) {
        r = decode_descriptor(raw->subject, &m->subject, err);
        m->has_subject = true;
        if (r < 0)
            return ofs_err_wrap(err, r, "'subject'");
    }
    return ofs_manifest_annotations(raw->annotations, &m->annotations, err);
}

static int decode(const json_t *doc, const char *content_type,
                  struct ofs_manifest *m, struct ofs_err *err)
{
    OFS_AUTO(raw_done) struct raw raw = { 0 };
    int r = ofs_json_decode(doc, raw_fields, &raw, err);

    if (r < 0)
        return r;
    r = check_version(doc, &raw, content_type, err);
    if (r < 0)
        return r;
    r = kind_of(&raw, content_type, &m->kind, err);
    if (r < 0)
        return r;
    r = decode_content(&raw, m, err);
    return r < 0 ? r : decode_rest(&raw, content_type, m, err);
}

int ofs_manifest_decode(const char *json, size_t len, const char *content_type,
                        struct ofs_manifest *ret, struct ofs_err *err)
{
    OFS_AUTOJSON json_t *doc = NULL;
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    int r = ofs_json_parse(json, len, &doc, err);

    if (r == 0)
        r = decode(doc, content_type, &m, err);
    if (r < 0)
        return ofs_err_wrap(err, r, "manifest");
    *ret = m;
    m = (struct ofs_manifest){ 0 };
    return 0;
}

void ofs_manifest_done(struct ofs_manifest *m)
{
    for (size_t i = 0; i < m->n_layers; i++)
        ofs_descriptor_done(&m->layers[i]);
    free(m->layers);
    free(m->media_type);
    free(m->artifact_type);
    ofs_descriptor_done(&m->config);
    ofs_descriptor_done(&m->subject);
    annotations_done(&m->annotations);
    *m = (struct ofs_manifest){ 0 };
}
