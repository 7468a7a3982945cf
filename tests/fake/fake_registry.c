/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry.h"

#include "fake_registry_priv.h"

#include <inttypes.h>

enum { LAYERS_MAX = OFS_COUNT_OF(((struct fake_image *)0)->layers) };

static void copy_cfg(struct fake_registry *r,
                     const struct fake_registry_cfg *cfg)
{
    if (cfg)
        r->cfg = *cfg;
    r->prefix = fake_strdup(r->cfg.prefix ? r->cfg.prefix : "");
    r->cfg.prefix = r->prefix;
    r->cfg.user = fake_strdup(r->cfg.user);
    r->cfg.password = fake_strdup(r->cfg.password);
    r->cfg.identity_token = fake_strdup(r->cfg.identity_token);
}

struct fake_registry *fake_registry_start(const struct fake_registry_cfg *cfg)
{
    struct fake_registry *r = fake_alloc(sizeof(*r));
    OFS_AUTOFREE char *match = NULL;

    copy_cfg(r, cfg);
    match = fake_strf("* %s/v2/*", r->prefix);
    r->server = fake_server_start();
    r->storage = fake_server_start();
    r->content = fake_content_new();
    r->tokens = fake_tokens_new(&r->cfg, fake_server_url(r->server));
    r->targets = fake_targets_new(r->cfg.target_uses);
    r->uploads = fake_uploads_new(r);
    r->url = fake_strf("%s%s", fake_server_url(r->server), r->prefix);
    fake_server_route(r->server, match, fake_registry_serve, r);
    fake_server_route(r->server, "* /token", fake_tokens_serve, r->tokens);
    fake_server_route(r->storage, "* /data/*", fake_targets_serve, r->targets);
    fake_server_route(r->storage, "* /upload/*", fake_uploads_serve,
                      r->uploads);
    return r;
}

void fake_registry_free(struct fake_registry *r)
{
    if (!r)
        return;
    fake_server_free(r->server);
    fake_server_free(r->storage);
    fake_uploads_free(r->uploads);
    fake_targets_free(r->targets);
    fake_tokens_free(r->tokens);
    fake_content_free(r->content);
    free(r->prefix);
    free((void *)(uintptr_t)r->cfg.user);
    free((void *)(uintptr_t)r->cfg.password);
    free((void *)(uintptr_t)r->cfg.identity_token);
    free(r->url);
    free(r);
}

const char *fake_registry_url(const struct fake_registry *r)
{
    return r->url;
}

struct fake_server *fake_registry_server(struct fake_registry *r)
{
    return r->server;
}

struct fake_server *fake_registry_storage(struct fake_registry *r)
{
    return r->storage;
}

void fake_registry_repo(struct fake_registry *r, const char *repo)
{
    if (!fake_content_get(r->content, FAKE_KIND_REPO, repo, ""))
        fake_content_put(r->content, FAKE_KIND_REPO, repo, "",
                         &(struct fake_thing){ 0 });
}

/* Put `thing` under its digest; takes what it points to. */
static void add(struct fake_registry *r, enum fake_kind kind, const char *repo,
                struct fake_thing *thing, const struct ofs_digest *digest)
{
    fake_registry_repo(r, repo);
    (void)ofs_digest_format(digest, thing->digest);
    fake_content_put(r->content, kind, repo, thing->digest, thing);
}

static struct ofs_digest add_bytes(struct fake_registry *r, enum fake_kind kind,
                                   const char *repo, const char *media_type,
                                   const void *data, size_t len)
{
    struct fake_thing thing = { .size = len };
    struct ofs_digest digest;

    fake_must(ofs_digest_of(OFS_SHA256, data, len, &digest) == 0, "no digest");
    thing.media_type = fake_strdup(media_type);
    thing.data = fake_alloc(len + 1);
    if (len > 0)
        memcpy(thing.data, data, len);
    add(r, kind, repo, &thing, &digest);
    return digest;
}

struct ofs_digest fake_registry_blob(struct fake_registry *r, const char *repo,
                                     const void *data, size_t len)
{
    return add_bytes(r, FAKE_KIND_BLOB, repo, NULL, data, len);
}

struct ofs_digest fake_registry_manifest(struct fake_registry *r,
                                         const char *repo,
                                         const char *media_type,
                                         const void *bytes, size_t len)
{
    return add_bytes(r, FAKE_KIND_MANIFEST, repo, media_type, bytes, len);
}

struct ofs_digest fake_registry_seeded(struct fake_registry *r,
                                       const char *repo, uint64_t seed,
                                       uint64_t size)
{
    enum { STEP = 256 * 1024 };
    OFS_AUTOFREE char *piece = fake_alloc(STEP);
    OFS_AUTO(ofs_hash_freep) struct ofs_hash *hash = ofs_hash_new(OFS_SHA256);
    struct fake_thing thing = { .size = size, .seed = seed };
    struct ofs_digest digest;

    fake_must(hash != NULL, "no hash");
    for (uint64_t off = 0, n; off < size; off += n) {
        n = size - off < STEP ? size - off : STEP;
        fake_blob_fill(seed, piece, (size_t)n, off);
        ofs_hash_update(hash, piece, (size_t)n);
    }
    ofs_hash_final(hash, &digest);
    add(r, FAKE_KIND_BLOB, repo, &thing, &digest);
    return digest;
}

void fake_registry_tag(struct fake_registry *r, const char *repo,
                       const char *tag, const struct ofs_digest *to,
                       int64_t modified_s)
{
    struct fake_thing thing = { .modified_s = modified_s };

    fake_registry_repo(r, repo);
    (void)ofs_digest_format(to, thing.digest);
    fake_content_put(r->content, FAKE_KIND_TAG, repo, tag, &thing);
}

void fake_registry_untag(struct fake_registry *r, const char *repo,
                         const char *tag)
{
    fake_content_remove(r->content, FAKE_KIND_TAG, repo, tag);
}

void fake_registry_remove(struct fake_registry *r, const char *repo,
                          const struct ofs_digest *digest)
{
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_digest_format(digest, text);
    fake_content_remove(r->content, FAKE_KIND_BLOB, repo, text);
    fake_content_remove(r->content, FAKE_KIND_MANIFEST, repo, text);
}

void fake_registry_referrer(struct fake_registry *r, const char *repo,
                            const struct ofs_digest *subject,
                            const char *descriptor)
{
    OFS_AUTOFREE char *key = NULL;
    char text[OFS_DIGEST_TEXT_MAX];

    fake_registry_repo(r, repo);
    key = fake_strf("%s\n%s", repo, ofs_digest_format(subject, text));
    fake_content_put(r->content, FAKE_KIND_REFERRERS, key, descriptor,
                     &(struct fake_thing){ 0 });
}

static void add_descriptor(struct ofs_buf *json, const char *media_type,
                           const struct ofs_digest *digest, uint64_t size)
{
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_buf_addf(json,
                       "{\"mediaType\":\"%s\",\"digest\":\"%s\","
                       "\"size\":%" PRIu64 "}",
                       media_type, ofs_digest_format(digest, text), size);
}

struct fake_image fake_registry_image(struct fake_registry *r, const char *repo,
                                      const char *tag, uint64_t seed,
                                      unsigned n_layers, uint64_t layer_size)
{
    struct ofs_buf config OFS_AUTOBUF = OFS_BUF_INIT(64 * 1024);
    struct ofs_buf json OFS_AUTOBUF = OFS_BUF_INIT(64 * 1024);
    struct fake_image image = { .config_size = 0 };

    fake_must(n_layers <= LAYERS_MAX, "too many layers");
    (void)ofs_buf_addf(&config,
                       "{\"created\":\"2026-01-05T21:31:40Z\","
                       "\"architecture\":\"amd64\",\"os\":\"linux\","
                       "\"config\":{\"Labels\":{\"seed\":\"%" PRIu64 "\"}},"
                       "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
                       seed);
    image.config_size = config.len;
    image.config = fake_registry_blob(r, repo, config.data, config.len);
    (void)ofs_buf_adds(&json,
                       "{\"schemaVersion\":2,\"mediaType\":\"application/"
                       "vnd.oci.image.manifest.v1+json\",\"config\":");
    add_descriptor(&json, "application/vnd.oci.image.config.v1+json",
                   &image.config, config.len);
    (void)ofs_buf_adds(&json, ",\"layers\":[");
    for (unsigned i = 0; i < n_layers; i++) {
        image.layers[i] = fake_registry_seeded(r, repo, seed + i, layer_size);
        (void)ofs_buf_adds(&json, i ? "," : "");
        add_descriptor(&json, "application/vnd.oci.image.layer.v1.tar",
                       &image.layers[i], layer_size);
    }
    (void)ofs_buf_adds(&json, "]}");
    fake_must(json.failed == 0 && config.failed == 0, "image too big");
    image.manifest_size = json.len;
    image.manifest = fake_registry_manifest(
        r, repo, "application/vnd.oci.image.manifest.v1+json", json.data,
        json.len);
    if (tag)
        fake_registry_tag(r, repo, tag, &image.manifest, 0);
    return image;
}

void fake_registry_many_tags(struct fake_registry *r, const char *repo,
                             const char *prefix, unsigned n,
                             const struct ofs_digest *to)
{
    for (unsigned i = 0; i < n; i++) {
        OFS_AUTOFREE char *tag = fake_strf("%s%04u", prefix, i);

        fake_registry_tag(r, repo, tag, to, 0);
    }
}

bool fake_registry_has(struct fake_registry *r, const char *repo,
                       const struct ofs_digest *digest)
{
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_digest_format(digest, text);
    return fake_content_get(r->content, FAKE_KIND_BLOB, repo, text) ||
           fake_content_get(r->content, FAKE_KIND_MANIFEST, repo, text);
}

bool fake_registry_tagged(struct fake_registry *r, const char *repo,
                          const char *tag, struct ofs_digest *ret)
{
    const struct fake_thing *thing =
        fake_content_get(r->content, FAKE_KIND_TAG, repo, tag);

    return thing && ofs_digest_parse(thing->digest, ret, NULL) == 0;
}

unsigned fake_registry_sessions(struct fake_registry *r)
{
    return fake_uploads_open(r->uploads);
}

void fake_registry_expire_tokens(struct fake_registry *r)
{
    fake_tokens_expire(r->tokens);
}

void fake_registry_expire_targets(struct fake_registry *r)
{
    fake_targets_expire(r->targets);
}

void fake_registry_password(struct fake_registry *r, const char *user,
                            const char *password)
{
    fake_tokens_password(r->tokens, user, password);
}

unsigned fake_registry_tokens(struct fake_registry *r)
{
    return fake_tokens_given(r->tokens);
}
