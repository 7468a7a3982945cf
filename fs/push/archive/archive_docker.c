/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_docker.h"

#include "archive_pick.h"
#include "archive_plan.h"

#include "ocirfs/json.h"
#include "ocirfs/mediatype.h"

#include <inttypes.h>

enum {
    MAX_IMAGES = 4096,
    MAX_MANIFEST_BYTES = 4 * 1024 * 1024,
};

/* An entry of manifest.json. */
struct image {
    char *config; /* owned, as are the others; names of members */
    struct ofs_strv tags, layers;
};

static const struct ofs_json_field image_fields[] = {
    { "Config", OFS_JSON_STR, offsetof(struct image, config), true },
    { "RepoTags", OFS_JSON_STRV, offsetof(struct image, tags), false },
    { "Layers", OFS_JSON_STRV, offsetof(struct image, layers), false },
    { 0 },
};

struct images {
    struct image *at; /* owned */
    size_t n, n_names;
};

static void images_done(struct images *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->at[i].config);
        ofs_strv_done(&m->at[i].tags);
        ofs_strv_done(&m->at[i].layers);
    }
    free(m->at);
}

/* A part of the image's configuration. */
struct rootfs {
    struct ofs_strv diff_ids;
};

static const struct ofs_json_field rootfs_fields[] = {
    { "diff_ids", OFS_JSON_STRV, offsetof(struct rootfs, diff_ids), false },
    { 0 },
};

static void rootfs_done(struct rootfs *r)
{
    ofs_strv_done(&r->diff_ids);
}

/* To whoever pushes it, malformed JSON is an invalid argument. */
static int bad_doc(struct ofs_err *err, int r, const char *name)
{
    return ofs_err_wrap(err, r == -EBADMSG ? -EINVAL : r, name);
}

static int decode_images(const struct ofs_member *f, struct images *ret,
                         struct ofs_err *err)
{
    OFS_AUTOJSON json_t *doc = NULL;
    int r = ofs_json_parse(f->doc, f->doc_len, &doc, err);
    size_t n = json_array_size(doc);

    if (r == 0 && !json_is_array(doc))
        r = ofs_err_set(err, -EINVAL, "not a list");
    if (r == 0 && n > MAX_IMAGES)
        r = ofs_err_set(err, -EFBIG, "%zu images, limit %d", n, MAX_IMAGES);
    if (r < 0)
        return r;
    ret->at = calloc(n + 1, sizeof(*ret->at));
    if (!ret->at)
        return ofs_err_nomem(err, "an archive");
    while (r == 0 && ret->n < n) {
        struct image *image = &ret->at[ret->n];

        r = ofs_json_decode(json_array_get(doc, ret->n++), image_fields, image,
                            err);
        ret->n_names += image->tags.n > 0 ? image->tags.n : 1;
    }
    return r;
}

/* Entries of one configuration are one image. */
static size_t first_of(const struct images *images, const char *config)
{
    size_t i = 0;

    while (strcmp(images->at[i].config, config) != 0)
        i++;
    return i;
}

static int pick(const struct images *images, const char *repo, const char *tag,
                const struct image **ret, struct ofs_err *err)
{
    OFS_AUTOFREE struct ofs_archive_name *names =
        calloc(images->n_names + 1, sizeof(*names));
    size_t n = 0, image;
    int r;

    if (!names)
        return ofs_err_nomem(err, "an archive");
    for (size_t i = 0; i < images->n; i++) {
        const struct image *m = &images->at[i];
        size_t same = first_of(images, m->config);

        if (m->tags.n == 0)
            names[n++] = (struct ofs_archive_name){ NULL, same };
        for (size_t k = 0; k < m->tags.n; k++)
            names[n++] = (struct ofs_archive_name){ m->tags.at[k], same };
    }
    r = ofs_archive_pick(names, n, repo, tag, &image, err);
    if (r == 0)
        *ret = &images->at[image];
    return r;
}

static int decode_rootfs(const struct ofs_member *f, struct rootfs *ret,
                         struct ofs_err *err)
{
    OFS_AUTOJSON json_t *doc = NULL;
    json_t *rootfs;
    int r = ofs_json_parse(f->doc, f->doc_len, &doc, err);

    if (r < 0)
        return r;
    rootfs = json_object_get(doc, "rootfs");
    if (!rootfs)
        return ofs_err_set(err, -EINVAL, "no 'rootfs' in it");
    return ofs_json_decode(rootfs, rootfs_fields, ret, err);
}

/* "<64 hex>.json" or "blobs/sha256/<64 hex>" tell the digest as well. */
static int check_name(const char *name, const struct ofs_digest *digest,
                      struct ofs_err *err)
{
    const char *slash = strrchr(name, '/');
    const char *last = slash ? slash + 1 : name;
    OFS_AUTOFREE char *hex = strndup(last, strcspn(last, "."));
    struct ofs_digest named;

    if (!hex)
        return ofs_err_nomem(err, "a name");
    if (ofs_digest_parse_hex("sha256", hex, &named) < 0 ||
        ofs_digest_eq(&named, digest))
        return 0;
    return ofs_err_set(err, -EBADMSG, "'%.150s' does not have its digest",
                       name);
}

static int want_config(struct ofs_archive *a, struct ofs_member *f,
                       const char *name, struct ofs_err *err)
{
    struct ofs_digest digest;
    int r = ofs_digest_of(OFS_SHA256, f->doc, f->doc_len, &digest);

    if (r < 0)
        return ofs_err_nomem(err, "a configuration");
    r = check_name(name, &digest, err);
    return r < 0 ? r
                 : ofs_archive_want(a, f, &digest, /* pack= */ false,
                                    &a->config, err);
}

static int want_layer(struct ofs_archive *a, const char *name,
                      const char *diff_id, struct ofs_err *err)
{
    struct ofs_member *f = ofs_members_find(&a->members, name);
    struct ofs_digest digest;
    int r;

    if (!f)
        return ofs_err_set(err, -EINVAL, "the archive lacks '%.150s'", name);
    r = ofs_digest_parse(diff_id, &digest, err);
    if (r == 0 && digest.alg != OFS_SHA256)
        r = -EBADMSG;
    if (r < 0)
        return ofs_err_set(err, -EINVAL, "diff_id '%.80s' is no sha256",
                           diff_id);
    return ofs_archive_want(a, f, &digest, /* pack= */ true,
                            &a->layers[a->n_layers++], err);
}

static int plan(struct ofs_archive *a, const struct image *image,
                struct ofs_err *err)
{
    OFS_AUTO(rootfs_done) struct rootfs rootfs = { 0 };
    struct ofs_member *f;
    int r = ofs_members_doc(&a->members, image->config, &f, err);

    if (r < 0)
        return r;
    r = decode_rootfs(f, &rootfs, err);
    if (r < 0)
        return bad_doc(err, r, image->config);
    if (rootfs.diff_ids.n != image->layers.n)
        return ofs_err_set(err, -EINVAL,
                           "%zu layers, but the configuration knows %zu",
                           image->layers.n, rootfs.diff_ids.n);
    r = ofs_archive_reserve(a, image->layers.n + 1, 1, err);
    if (r == 0)
        r = want_config(a, f, image->config, err);
    for (size_t i = 0; r == 0 && i < image->layers.n; i++)
        r = want_layer(a, image->layers.at[i], rootfs.diff_ids.at[i], err);
    return r;
}

int ofs_archive_plan_docker(struct ofs_archive *a, const char *repo,
                            const char *tag, struct ofs_err *err)
{
    OFS_AUTO(images_done) struct images images = { 0 };
    const struct image *image = NULL;
    struct ofs_member *f;
    int r = ofs_members_doc(&a->members, "manifest.json", &f, err);

    if (r < 0)
        return r;
    r = decode_images(f, &images, err);
    if (r < 0)
        return bad_doc(err, r, "manifest.json");
    r = pick(&images, repo, tag, &image, err);
    return r < 0 ? r : plan(a, image, err);
}

static void add_blob(struct ofs_buf *b, const char *media_type,
                     const struct ofs_archive_part *part)
{
    char digest[OFS_DIGEST_TEXT_MAX];

    (void)ofs_buf_addf(
        b, "{\"mediaType\":\"%s\",\"size\":%" PRIu64 ",\"digest\":\"%s\"}",
        media_type, part->blob_size, ofs_digest_format(&part->blob, digest));
}

int ofs_archive_make_docker_manifest(struct ofs_archive *a, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MAX_MANIFEST_BYTES);

    (void)ofs_buf_adds(
        &b, "{\"schemaVersion\":2,\"mediaType\":\"" OFS_MT_DOCKER_MANIFEST
            "\",\"config\":");
    add_blob(&b, "application/vnd.docker.container.image.v1+json", a->config);
    (void)ofs_buf_adds(&b, ",\"layers\":[");
    for (size_t i = 0; i < a->n_layers; i++) {
        if (i > 0)
            (void)ofs_buf_addc(&b, ',');
        add_blob(&b, "application/vnd.docker.image.rootfs.diff.tar.gzip",
                 a->layers[i]);
    }
    (void)ofs_buf_adds(&b, "]}");
    if (b.failed)
        return ofs_err_set(err, b.failed, "a manifest");
    return ofs_archive_publish(a, OFS_MT_DOCKER_MANIFEST, b.data, b.len, err);
}
