/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry_priv.h"

#include "ocirfs/json.h"

/* What a manifest names must be in its repository; a subject need not. */
static bool has(struct fake_registry *r, const char *repo, const json_t *desc)
{
    const char *digest = json_string_value(json_object_get(desc, "digest"));

    return digest &&
           (fake_content_get(r->content, FAKE_KIND_BLOB, repo, digest) ||
            fake_content_get(r->content, FAKE_KIND_MANIFEST, repo, digest));
}

static bool has_all(struct fake_registry *r, const char *repo,
                    const json_t *manifest, const char *member)
{
    const json_t *list = json_object_get(manifest, member);
    const json_t *desc;
    size_t i;

    json_array_foreach(list, i, desc) if (!has(r, repo, desc)) return false;
    return true;
}

static bool is_complete(struct fake_registry *r, const char *repo,
                        const json_t *manifest)
{
    const json_t *config = json_object_get(manifest, "config");

    return (!config || has(r, repo, config)) &&
           has_all(r, repo, manifest, "layers") &&
           has_all(r, repo, manifest, "manifests");
}

/* False: the refusal is in `resp`. */
static bool is_good(struct fake_registry *r, const char *repo, const char *type,
                    const struct fake_request *req, struct fake_response *resp)
{
    OFS_AUTOJSON json_t *manifest = NULL;
    const char *told;

    if (ofs_json_parse(req->body, (size_t)req->body_len, &manifest, NULL) < 0) {
        fake_error(resp, 400, "MANIFEST_INVALID", "manifest invalid");
        return false;
    }
    told = json_string_value(json_object_get(manifest, "mediaType"));
    if (!type || (told && strcmp(told, type) != 0)) {
        fake_error(resp, 400, "MANIFEST_INVALID", "media types differ");
        return false;
    }
    if (!is_complete(r, repo, manifest)) {
        fake_error(resp, 400, "MANIFEST_BLOB_UNKNOWN",
                   "blob unknown to registry");
        return false;
    }
    return true;
}

/* May `ref` name this digest? */
static bool may_name(struct fake_registry *r, const char *repo, const char *ref,
                     const char *digest, struct fake_response *resp)
{
    const struct fake_thing *tag =
        fake_content_get(r->content, FAKE_KIND_TAG, repo, ref);

    if (strchr(ref, ':') && strcmp(ref, digest) != 0) {
        fake_error(resp, 400, "DIGEST_INVALID", "other bytes than that");
        return false;
    }
    if (tag && r->cfg.immutable && strcmp(tag->digest, digest) != 0) {
        fake_error(resp, 412, "PRECONDITION", "tag configured as immutable");
        return false;
    }
    return true;
}

void fake_publish_put(struct fake_registry *r, const char *repo,
                      const char *ref, const struct fake_request *req,
                      struct fake_response *resp)
{
    OFS_AUTOFREE char *type = fake_request_header(req, "Content-Type");
    char text[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest digest;

    fake_must(ofs_digest_of(OFS_SHA256, req->body, (size_t)req->body_len,
                            &digest) == 0,
              "no digest");
    (void)ofs_digest_format(&digest, text);
    if (!is_good(r, repo, type, req, resp) ||
        !may_name(r, repo, ref, text, resp))
        return;
    (void)fake_registry_manifest(r, repo, type, req->body,
                                 (size_t)req->body_len);
    if (!strchr(ref, ':'))
        fake_registry_tag(r, repo, ref, &digest, 0);
    resp->status = 201;
    fake_response_header(resp, "Location: %s/v2/%s/manifests/%s", r->prefix,
                         repo, text);
    fake_response_header(resp, "Docker-Content-Digest: %s", text);
}

/* The manifest, and all tags on it. */
static void delete_digest(struct fake_registry *r, const char *repo,
                          const char *digest)
{
    struct ofs_strv tags OFS_AUTOSTRV = { 0 };

    fake_content_names(r->content, FAKE_KIND_TAG, repo, &tags);
    for (size_t i = 0; i < tags.n; i++) {
        const struct fake_thing *tag =
            fake_content_get(r->content, FAKE_KIND_TAG, repo, tags.at[i]);

        if (tag && strcmp(tag->digest, digest) == 0)
            fake_registry_untag(r, repo, tags.at[i]);
    }
    fake_content_remove(r->content, FAKE_KIND_MANIFEST, repo, digest);
}

void fake_publish_delete(struct fake_registry *r, const char *repo,
                         const char *ref, struct fake_response *resp)
{
    bool by_digest = strchr(ref, ':');
    enum fake_kind kind = by_digest ? FAKE_KIND_MANIFEST : FAKE_KIND_TAG;

    if (r->cfg.no_delete) {
        fake_error(resp, 405, "UNSUPPORTED", "the operation is unsupported");
        return;
    }
    if (!by_digest && r->cfg.no_tag_delete) {
        fake_error(resp, 400, "DIGEST_INVALID",
                   "provided digest did not match uploaded content");
        return;
    }
    if (!fake_content_get(r->content, kind, repo, ref)) {
        fake_error(resp, 404, "MANIFEST_UNKNOWN", "manifest unknown");
        return;
    }
    if (by_digest)
        delete_digest(r, repo, ref);
    else
        fake_registry_untag(r, repo, ref);
    resp->status = 202;
}
