/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests that are not quite as the specifications want them, as other
 * clients read them: by what is in them, one member after the other.
 */
#include "manifest_priv.h"

#include "ocirfs/mediatype.h"

#include <strings.h>

/* One document and what could not be read of it. */
struct odd {
    const json_t *doc;
    const char *content_type;
    struct ofs_manifest *m;
    unsigned n_left_out;
    struct ofs_err *err; /* of the first that was left out */
};

/* Go matches names whatever their case; the exact one first. */
static json_t *member(const json_t *obj, const char *name)
{
    json_t *value = json_object_get(obj, name);
    const char *key;

    if (value)
        return value;
    json_object_foreach((json_t *)(uintptr_t)obj, key,
                        value) if (strcasecmp(key, name) == 0) return value;
    return NULL;
}

/* A copy; NULL: there is none that is a text. */
static char *text_of(const json_t *obj, const char *name)
{
    const json_t *value = member(obj, name);
    const char *text = json_string_value(value);

    return text && *text && strlen(text) == json_string_length(value)
               ? strdup(text)
               : NULL;
}

static uint64_t size_of(const json_t *obj)
{
    const json_t *value = member(obj, "size");

    return json_is_integer(value) && json_integer_value(value) >= 0
               ? (uint64_t)json_integer_value(value)
               : OFS_SIZE_UNKNOWN;
}

/* -EBADMSG: nobody can tell what it refers to. */
static int read_descriptor(const json_t *obj, struct ofs_descriptor *ret,
                           struct ofs_err *err)
{
    const json_t *platform = member(obj, "platform");
    OFS_AUTOFREE char *digest = text_of(obj, "digest");
    int r;

    if (!digest)
        return ofs_err_set(err, -EBADMSG, "no digest");
    r = ofs_digest_parse(digest, &ret->digest, err);
    if (r < 0)
        return r;
    ret->size = size_of(obj);
    ret->media_type = text_of(obj, "mediaType");
    if (!ret->media_type)
        ret->media_type = strdup("");
    ret->artifact_type = text_of(obj, "artifactType");
    ret->platform.os = text_of(platform, "os");
    ret->platform.architecture = text_of(platform, "architecture");
    ret->platform.variant = text_of(platform, "variant");
    if (!ret->media_type)
        return ofs_err_nomem(err, "a manifest");
    return ofs_manifest_annotations(member(obj, "annotations"),
                                    &ret->annotations, err);
}

static int leave_out(struct odd *o, const char *what, size_t i,
                     const struct ofs_err *why)
{
    if (why->code == -ENOMEM)
        return ofs_err_nomem(o->err, what);
    if (o->n_left_out++ == 0)
        (void)ofs_err_set(o->err, -EBADMSG, "manifest: %s[%zu]: %s", what, i,
                          why->text);
    return 0;
}

static int read_list(struct odd *o, const json_t *list, const char *what)
{
    struct ofs_manifest *m = o->m;
    size_t n = json_array_size(list);

    if (n > OFS_MANIFEST_MAX_ENTRIES)
        return ofs_err_set(o->err, -EFBIG, "%zu entries in '%s', limit %d", n,
                           what, OFS_MANIFEST_MAX_ENTRIES);
    m->layers = calloc(n + 1, sizeof(*m->layers));
    if (!m->layers)
        return ofs_err_nomem(o->err, what);
    for (size_t i = 0; i < n; i++) {
        struct ofs_descriptor *d = &m->layers[m->n_layers];
        struct ofs_err why = { 0 };
        int r = read_descriptor(json_array_get(list, i), d, &why);

        if (r == 0)
            m->n_layers++;
        else
            ofs_descriptor_done(d);
        if (r < 0 && leave_out(o, what, i, &why) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Some images have none, or an empty one. */
static int read_config(struct odd *o)
{
    const json_t *config = member(o->doc, "config");
    struct ofs_err why = { 0 };
    int r;

    if (json_object_size(config) == 0)
        return 0;
    r = read_descriptor(config, &o->m->config, &why);
    if (r == 0)
        return 0;
    ofs_descriptor_done(&o->m->config);
    return leave_out(o, "config", 0, &why);
}

static bool is_schema1(const json_t *doc, const char *media_type,
                       const char *content_type)
{
    return json_integer_value(member(doc, "schemaVersion")) == 1 ||
           member(doc, "fsLayers") ||
           ofs_media_of(media_type) == OFS_MEDIA_SCHEMA1 ||
           ofs_media_of(content_type) == OFS_MEDIA_SCHEMA1;
}

/* The list of an image: layers; "blobs" of the artifacts that once were. */
static const json_t *layers_of(const json_t *doc)
{
    const json_t *layers = member(doc, "layers");

    return json_is_array(layers) ? layers : member(doc, "blobs");
}

/* What it is, by what is in it.  What may be read in two ways is refused. */
static int judge(struct odd *o)
{
    const char *type = o->m->media_type;
    bool index = json_is_array(member(o->doc, "manifests"));
    bool image = json_is_array(layers_of(o->doc)) ||
                 json_is_object(member(o->doc, "config"));

    if (is_schema1(o->doc, type, o->content_type))
        return ofs_err_set(o->err, -EBADMSG, "manifest: docker schema 1");
    if (index == image)
        return ofs_err_set(o->err, -EBADMSG, "manifest: %s",
                           index ? "both an index and an image manifest"
                                 : "neither 'manifests' nor 'layers'");
    if (ofs_manifest_contradicts(o->content_type, type) ||
        !ofs_manifest_fits(index, type ? type : o->content_type))
        return ofs_err_set(o->err, -EBADMSG,
                           "manifest: its content does not fit its type");
    o->m->kind = index ? OFS_MANIFEST_INDEX : OFS_MANIFEST_IMAGE;
    return 0;
}

static int read_all(struct odd *o)
{
    struct ofs_manifest *m = o->m;
    int r;

    m->media_type = text_of(o->doc, "mediaType");
    m->artifact_type = text_of(o->doc, "artifactType");
    r = judge(o);
    if (r == 0 && m->kind == OFS_MANIFEST_INDEX)
        r = read_list(o, member(o->doc, "manifests"), "manifests");
    else if (r == 0)
        r = read_list(o, layers_of(o->doc), "layers");
    if (r == 0 && m->kind == OFS_MANIFEST_IMAGE)
        r = read_config(o);
    if (r < 0)
        return r;
    if (!m->media_type)
        m->media_type = strdup(ofs_manifest_default_type(m, o->content_type));
    if (!m->media_type)
        return ofs_err_nomem(o->err, "a manifest");
    return ofs_manifest_annotations(member(o->doc, "annotations"),
                                    &m->annotations, o->err);
}

static int decode_odd(const char *json, size_t len, const char *content_type,
                      struct ofs_manifest *ret, struct ofs_err *err)
{
    OFS_AUTOJSON json_t *doc = NULL;
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct odd o = { .content_type = content_type, .m = &m, .err = err };
    int r = ofs_json_parse_odd(json, len, &doc, err);

    o.doc = doc;
    if (r == 0)
        r = read_all(&o);
    if (r < 0)
        return r;
    *ret = m;
    m = (struct ofs_manifest){ 0 };
    return o.n_left_out > 0;
}

int ofs_manifest_decode_odd(const char *json, size_t len,
                            const char *content_type, struct ofs_manifest *ret,
                            struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest strict = { 0 };
    struct ofs_err why = { 0 };
    int r = ofs_manifest_decode(json, len, content_type, &strict, err), odd;

    if (r == -ENOMEM || r == -EFBIG || (r == 0 && strict.n_layers > 0)) {
        *ret = strict;
        strict = (struct ofs_manifest){ 0 };
        return r;
    }
    odd = decode_odd(json, len, content_type, ret, &why);
    if (odd < 0 && r == 0) {
        *ret = strict;
        strict = (struct ofs_manifest){ 0 };
        return 0;
    }
    if (odd != 0 && err)
        *err = why;
    return odd;
}
