/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry_priv.h"

static const char index_type[] = "application/vnd.oci.image.index.v1+json";

/* What a path below /v2/ asks for. */
enum endpoint {
    END_NONE,
    END_ROOT,
    END_CATALOG,
    END_TAGS,
    END_MANIFEST,
    END_BLOB,
    END_REFERRERS,
    END_UPLOADS,
};

struct asked {
    enum endpoint endpoint;
    char *repo; /* owned; "" where there is none */
    const char *ref;
};

void fake_error(struct fake_response *resp, int status, const char *code,
                const char *message)
{
    OFS_AUTOFREE char *json = fake_strf(
        "{\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}", code, message);

    fake_response_body(resp, status, "application/json", json, strlen(json));
}

/* The last `word` in `path`, which may well be part of a repository's name. */
static const char *find_last(const char *path, const char *word)
{
    const char *found = NULL;

    for (const char *p = path; (p = strstr(p, word)); p++)
        found = p;
    return found;
}

static struct asked parse(const char *rest)
{
    static const struct {
        const char *word;
        enum endpoint endpoint;
    } words[] = { { "/blobs/uploads/", END_UPLOADS },
                  { "/manifests/", END_MANIFEST },
                  { "/blobs/", END_BLOB },
                  { "/referrers/", END_REFERRERS } };

    if (*rest == '\0')
        return (struct asked){ END_ROOT, fake_strdup(""), NULL };
    if (strcmp(rest, "_catalog") == 0)
        return (struct asked){ END_CATALOG, fake_strdup(""), NULL };
    if (ofs_str_ends(rest, "/tags/list")) {
        int n = (int)(strlen(rest) - strlen("/tags/list"));

        return (struct asked){ END_TAGS, fake_strf("%.*s", n, rest), NULL };
    }
    for (size_t i = 0; i < OFS_COUNT_OF(words); i++) {
        const char *at = find_last(rest, words[i].word);

        if (at && !strchr(at + strlen(words[i].word), '/'))
            return (struct asked){ words[i].endpoint,
                                   fake_strf("%.*s", (int)(at - rest), rest),
                                   at + strlen(words[i].word) };
    }
    return (struct asked){ END_NONE, fake_strdup(""), NULL };
}

static void list_tags(struct fake_registry *r, const char *repo,
                      const struct fake_request *req,
                      struct fake_response *resp)
{
    struct ofs_strv names OFS_AUTOSTRV = { 0 };

    fake_content_names(r->content, FAKE_KIND_TAG, repo, &names);
    fake_page_serve(&(struct fake_page){ .key = "tags",
                                         .name = repo,
                                         .all = &names,
                                         .origin = fake_server_url(r->server),
                                         .most = r->cfg.page,
                                         .link = r->cfg.link },
                    req, resp);
}

static void list_repos(struct fake_registry *r, const struct fake_request *req,
                       struct fake_response *resp)
{
    struct ofs_strv names OFS_AUTOSTRV = { 0 };

    if (r->cfg.no_catalog) {
        fake_error(resp, 404, "UNSUPPORTED", "no catalog here");
        return;
    }
    fake_content_names(r->content, FAKE_KIND_REPO, NULL, &names);
    fake_page_serve(&(struct fake_page){ .key = "repositories",
                                         .all = &names,
                                         .origin = fake_server_url(r->server),
                                         .most = r->cfg.page,
                                         .link = r->cfg.link },
                    req, resp);
}

static void serve_manifest(struct fake_registry *r, const struct asked *a,
                           struct fake_response *resp)
{
    const struct fake_thing *tag, *manifest;

    tag = fake_content_get(r->content, FAKE_KIND_TAG, a->repo, a->ref);
    manifest = fake_content_get(r->content, FAKE_KIND_MANIFEST, a->repo,
                                tag ? tag->digest : a->ref);
    if (!manifest) {
        fake_error(resp, 404, "MANIFEST_UNKNOWN", "manifest unknown");
        return;
    }
    fake_response_header(resp, "Content-Type: %s", manifest->media_type);
    fake_response_header(resp, "Docker-Content-Digest: %s", manifest->digest);
    fake_response_header(resp, "ETag: \"%s\"", manifest->digest);
    if (tag && tag->modified_s > 0) {
        char text[64];
        struct tm tm;

        (void)gmtime_r(&(time_t){ tag->modified_s }, &tm);
        (void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        fake_response_header(resp, "Last-Modified: %s", text);
    }
    fake_thing_serve(manifest, resp);
}

static void serve_blob(struct fake_registry *r, const struct asked *a,
                       const struct fake_request *req,
                       struct fake_response *resp)
{
    const struct fake_thing *blob =
        fake_content_get(r->content, FAKE_KIND_BLOB, a->repo, a->ref);

    /* docker-registry serves manifests as blobs, too. */
    if (!blob)
        blob =
            fake_content_get(r->content, FAKE_KIND_MANIFEST, a->repo, a->ref);
    if (!blob) {
        fake_error(resp, 404, "BLOB_UNKNOWN", "blob unknown to registry");
        return;
    }
    if (r->cfg.storage && strcmp(req->method, "GET") == 0) {
        OFS_AUTOFREE char *target = fake_targets_make(r->targets, blob);

        resp->status = 307;
        fake_response_header(resp, "Location: %s%s",
                             fake_server_url(r->storage), target);
        return;
    }
    fake_response_header(resp, "Content-Type: application/octet-stream");
    fake_response_header(resp, "Docker-Content-Digest: %s", blob->digest);
    fake_thing_serve(blob, resp);
    resp->ranges = true;
}

/* Descriptors from the `start`th on, at most a page of them, into `json`. */
static bool add_descriptors(const struct ofs_strv *all, uint64_t start,
                            unsigned most, struct ofs_buf *json)
{
    for (uint64_t i = start; i < all->n; i++) {
        if (most && i - start == most)
            return true;
        (void)ofs_buf_addf(json, "%s%s", i == start ? "" : ",", all->at[i]);
    }
    return false;
}

static void serve_referrers(struct fake_registry *r, const struct asked *a,
                            const struct fake_request *req,
                            struct fake_response *resp)
{
    OFS_AUTOFREE char *last = fake_request_param(req, "last");
    OFS_AUTOFREE char *key = fake_strf("%s\n%s", a->repo, a->ref);
    struct ofs_strv all OFS_AUTOSTRV = { 0 };
    struct ofs_buf json OFS_AUTOBUF = OFS_BUF_INIT(16 * 1024 * 1024);
    uint64_t start = 0;
    bool more;

    if (r->cfg.no_referrers) {
        fake_error(resp, 404, "NOT_FOUND", "no such endpoint");
        return;
    }
    if (last && ofs_str_u64(last, &start) < 0)
        start = 0;
    fake_content_names(r->content, FAKE_KIND_REFERRERS, key, &all);
    (void)ofs_buf_addf(&json,
                       "{\"schemaVersion\":2,\"mediaType\":\"%s\","
                       "\"manifests\":[",
                       index_type);
    more = add_descriptors(&all, start, r->cfg.page, &json);
    (void)ofs_buf_adds(&json, "]}");
    if (more) {
        OFS_AUTOFREE char *next =
            fake_strf("%s?last=%llu", req->path,
                      (unsigned long long)(start + r->cfg.page));

        fake_page_link(resp, r->cfg.link, fake_server_url(r->server), next);
    }
    fake_response_body(resp, 200, index_type, json.data, json.len);
}

static bool reads(const struct fake_request *req)
{
    return strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;
}

static char *scope_of(const struct asked *a, const struct fake_request *req)
{
    OFS_AUTOFREE char *from = fake_request_param(req, "from");

    if (a->endpoint == END_CATALOG)
        return fake_strdup("registry:catalog:*");
    if (a->endpoint == END_ROOT)
        return fake_strdup("");
    if (a->endpoint == END_UPLOADS && from)
        return fake_strf("repository:%s:push repository:%s:pull", a->repo,
                         from);
    return fake_strf("repository:%s:%s", a->repo,
                     strcmp(req->method, "DELETE") == 0 &&
                             a->endpoint == END_MANIFEST
                         ? "delete"
                     : reads(req) && a->endpoint != END_UPLOADS ? "pull"
                                                                : "push");
}

static bool is_admitted(struct fake_registry *r, const struct asked *a,
                        const struct fake_request *req,
                        struct fake_response *resp)
{
    OFS_AUTOFREE char *scope = scope_of(a, req);

    return fake_tokens_admit(r->tokens, req, scope, resp);
}

/* What is not reading. */
static void change(struct fake_registry *r, const struct asked *a,
                   const struct fake_request *req, struct fake_response *resp)
{
    bool put = strcmp(req->method, "PUT") == 0;
    bool begin = strcmp(req->method, "POST") == 0;

    if (a->endpoint == END_UPLOADS && begin && *a->ref == '\0')
        fake_uploads_begin(r->uploads, a->repo, req, resp);
    else if (a->endpoint == END_UPLOADS && !begin && *a->ref)
        fake_uploads_go_on(r->uploads, a->ref, req, resp);
    else if (a->endpoint == END_MANIFEST && put)
        fake_publish_put(r, a->repo, a->ref, req, resp);
    else if (a->endpoint == END_MANIFEST && strcmp(req->method, "DELETE") == 0)
        fake_publish_delete(r, a->repo, a->ref, resp);
    else
        fake_error(resp, 405, "UNSUPPORTED", "the operation is unsupported");
}

static void dispatch(struct fake_registry *r, const struct asked *a,
                     const struct fake_request *req, struct fake_response *resp)
{
    if (a->endpoint > END_CATALOG &&
        !fake_content_get(r->content, FAKE_KIND_REPO, a->repo, "")) {
        fake_error(resp, 404, "NAME_UNKNOWN",
                   "repository name not known to registry");
        return;
    }
    switch (a->endpoint) {
    case END_ROOT:
        fake_response_body(resp, 200, "application/json", "{}", 2);
        break;
    case END_CATALOG:
        list_repos(r, req, resp);
        break;
    case END_TAGS:
        list_tags(r, a->repo, req, resp);
        break;
    case END_MANIFEST:
        serve_manifest(r, a, resp);
        break;
    case END_BLOB:
        serve_blob(r, a, req, resp);
        break;
    case END_REFERRERS:
        serve_referrers(r, a, req, resp);
        break;
    case END_UPLOADS:
    case END_NONE:
        fake_error(resp, 404, "NOT_FOUND", "no such endpoint");
        break;
    }
}

void fake_registry_serve(void *arg, const struct fake_request *req,
                         struct fake_response *resp)
{
    struct fake_registry *r = arg;
    struct asked a = parse(req->path + strlen(r->prefix) + strlen("/v2/"));

    if (fake_request_fault(req, FAKE_EXPIRE_TOKENS))
        fake_tokens_expire(r->tokens);
    fake_response_header(resp, "Docker-Distribution-Api-Version: registry/2.0");
    if (is_admitted(r, &a, req, resp)) {
        if (reads(req) && a.endpoint != END_UPLOADS)
            dispatch(r, &a, req, resp);
        else
            change(r, &a, req, resp);
    }
    free(a.repo);
}
