/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry_priv.h"

#include <inttypes.h>

enum { SESSION_MAX = 1024 * 1024 * 1024 };

/* A session takes what comes in order; its URL tells a state that must come
 * back unchanged, as distribution's does. */
struct session {
    struct session *next;
    char *id, *repo;
    struct ofs_buf data;
    unsigned n; /* answers so far, told in its URL */
    bool over;
};

struct fake_uploads {
    struct fake_registry *r;
    pthread_mutex_t mtx;
    struct session *sessions; /* guarded by mtx, all of it */
    unsigned made;            /* guarded by mtx */
};

struct fake_uploads *fake_uploads_new(struct fake_registry *r)
{
    struct fake_uploads *uploads = fake_alloc(sizeof(*uploads));

    (void)pthread_mutex_init(&uploads->mtx, NULL);
    uploads->r = r;
    return uploads;
}

void fake_uploads_free(struct fake_uploads *uploads)
{
    struct session *s;

    while ((s = uploads->sessions)) {
        uploads->sessions = s->next;
        free(s->id);
        free(s->repo);
        ofs_buf_done(&s->data);
        free(s);
    }
    (void)pthread_mutex_destroy(&uploads->mtx);
    free(uploads);
}

unsigned fake_uploads_open(struct fake_uploads *uploads)
{
    unsigned n = 0;

    (void)pthread_mutex_lock(&uploads->mtx);
    for (const struct session *s = uploads->sessions; s; s = s->next)
        n += !s->over;
    (void)pthread_mutex_unlock(&uploads->mtx);
    return n;
}

/* --- answers; with the mutex held ---------------------------------------- */

static void add_location(struct fake_uploads *uploads, struct session *s,
                         struct fake_response *resp)
{
    const struct fake_registry *r = uploads->r;
    OFS_AUTOFREE char *path =
        fake_strf("%s/v2/%s/blobs/uploads/%s", r->prefix, s->repo, s->id);
    OFS_AUTOFREE char *state = fake_strf("_state=%s%%2Fx&n=%u", s->id, s->n++);

    switch (r->cfg.location) {
    case FAKE_LOCATION_ABSOLUTE:
        fake_response_header(resp, "Location: %s%s?%s",
                             fake_server_url(r->server), path, state);
        break;
    case FAKE_LOCATION_RELATIVE:
        fake_response_header(resp, "Location: %s?%s", path, state);
        break;
    case FAKE_LOCATION_BARE:
        fake_response_header(resp, "Location: %s", path);
        break;
    case FAKE_LOCATION_STORAGE:
        fake_response_header(resp, "Location: %s/upload/%s?%s",
                             fake_server_url(r->storage), s->id, state);
        break;
    }
}

/* Where it goes on and how far it got. */
static void tell(struct fake_uploads *uploads, struct session *s, int status,
                 struct fake_response *resp)
{
    uint64_t last = s->data.len > 0 ? s->data.len - 1 : 0;

    resp->status = status;
    add_location(uploads, s, resp);
    fake_response_header(resp, "Docker-Upload-UUID: %s", s->id);
    fake_response_header(resp, "Range: %s0-%" PRIu64,
                         uploads->r->cfg.range_unit ? "bytes=" : "", last);
}

static struct session *add_session(struct fake_uploads *uploads,
                                   const char *repo)
{
    struct session *s = fake_alloc(sizeof(*s));

    s->id = fake_strf("u%u", ++uploads->made);
    s->repo = fake_strdup(repo);
    ofs_buf_init(&s->data, SESSION_MAX);
    s->next = uploads->sessions;
    uploads->sessions = s;
    return s;
}

/* Did the request bring the state back? */
static bool knows_state(const struct fake_uploads *uploads,
                        const struct session *s, const struct fake_request *req)
{
    OFS_AUTOFREE char *state = fake_request_param(req, "_state");
    OFS_AUTOFREE char *want = fake_strf("%s/x", s->id);

    return uploads->r->cfg.location == FAKE_LOCATION_BARE ||
           (state && strcmp(state, want) == 0);
}

static struct session *find(struct fake_uploads *uploads, const char *id,
                            const struct fake_request *req)
{
    struct session *s = uploads->sessions;

    while (s && (s->over || strcmp(s->id, id) != 0))
        s = s->next;
    if (s && fake_request_fault(req, FAKE_LOSE_SESSION))
        s->over = true;
    return s && !s->over && knows_state(uploads, s, req) ? s : NULL;
}

/* --- requests; with the mutex held --------------------------------------- */

/* "<first>-<last>" must go on where the session is. */
static bool is_in_order(const struct session *s, const struct fake_request *req)
{
    OFS_AUTOFREE char *range = fake_request_header(req, "Content-Range");
    OFS_AUTOFREE char *want = NULL;

    if (!range)
        return true;
    want = fake_strf("%zu-", s->data.len);
    return ofs_str_starts(range, want);
}

/* The body, or what a fault leaves of it; false: the answer is made. */
static bool take_body(struct fake_uploads *uploads, struct session *s,
                      const struct fake_request *req,
                      struct fake_response *resp)
{
    const struct fake_fault *less = fake_request_fault(req, FAKE_KEEP_LESS);
    uint64_t n = req->body_len;
    uint64_t max = uploads->r->cfg.max_body;

    if (max && n > max) {
        fake_error(resp, 413, "SIZE_INVALID", "too large for this proxy");
        return false;
    }
    if (!is_in_order(s, req)) {
        fake_error(resp, 416, "RANGE_INVALID", "not where it goes on");
        return false;
    }
    if (less)
        n = n > (uint64_t)less->n ? n - (uint64_t)less->n : 0;
    fake_must(ofs_buf_add(&s->data, req->body, (size_t)n) == 0,
              "upload too large");
    return true;
}

static void finish(struct fake_uploads *uploads, struct session *s,
                   const struct fake_request *req, struct fake_response *resp)
{
    struct fake_registry *r = uploads->r;
    OFS_AUTOFREE char *want = fake_request_param(req, "digest");
    char text[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest is;

    if (req->cut)
        return;
    fake_must(ofs_digest_of(OFS_SHA256, s->data.data, s->data.len, &is) == 0,
              "no digest");
    if (!want || strcmp(want, ofs_digest_format(&is, text)) != 0) {
        fake_error(resp, 400, "DIGEST_INVALID",
                   "provided digest did not match uploaded content");
        return;
    }
    (void)fake_registry_blob(r, s->repo, s->data.data, s->data.len);
    s->over = true;
    ofs_buf_done(&s->data);
    resp->status = r->cfg.done_status ? r->cfg.done_status : 201;
    fake_response_header(resp, "Location: %s/v2/%s/blobs/%s", r->prefix,
                         s->repo, text);
    fake_response_header(resp, "Docker-Content-Digest: %s", text);
}

static void go_on(struct fake_uploads *uploads, struct session *s,
                  const struct fake_request *req, struct fake_response *resp)
{
    if (strcmp(req->method, "PATCH") == 0) {
        if (take_body(uploads, s, req, resp))
            tell(uploads, s, 202, resp);
    } else if (strcmp(req->method, "PUT") == 0) {
        if (take_body(uploads, s, req, resp))
            finish(uploads, s, req, resp);
    } else if (strcmp(req->method, "GET") == 0 && !uploads->r->cfg.no_status) {
        tell(uploads, s, 204, resp);
    } else if (strcmp(req->method, "DELETE") == 0) {
        s->over = true;
        resp->status = 204;
    }
}

/* --- the two ways in ------------------------------------------------------ */

/* True: it has been, and is told. */
static bool mount(struct fake_registry *r, const char *repo,
                  const struct fake_request *req, struct fake_response *resp)
{
    OFS_AUTOFREE char *digest = fake_request_param(req, "mount");
    OFS_AUTOFREE char *from = fake_request_param(req, "from");
    const struct fake_thing *blob;
    struct fake_thing copy;

    if (!digest || !from || r->cfg.no_mounts)
        return false;
    blob = fake_content_get(r->content, FAKE_KIND_BLOB, from, digest);
    if (!blob)
        return false;
    copy = *blob;
    if (blob->data) {
        copy.data = fake_alloc((size_t)blob->size + 1);
        memcpy(copy.data, blob->data, (size_t)blob->size);
    }
    fake_registry_repo(r, repo);
    fake_content_put(r->content, FAKE_KIND_BLOB, repo, digest, &copy);
    resp->status = 201;
    fake_response_header(resp, "Location: %s/v2/%s/blobs/%s", r->prefix, repo,
                         digest);
    fake_response_header(resp, "Docker-Content-Digest: %s", digest);
    return true;
}

void fake_uploads_begin(struct fake_uploads *uploads, const char *repo,
                        const struct fake_request *req,
                        struct fake_response *resp)
{
    uint64_t least = uploads->r->cfg.min_chunk;

    if (mount(uploads->r, repo, req, resp))
        return;
    (void)pthread_mutex_lock(&uploads->mtx);
    tell(uploads, add_session(uploads, repo), 202, resp);
    (void)pthread_mutex_unlock(&uploads->mtx);
    if (least)
        fake_response_header(resp, "OCI-Chunk-Min-Length: %" PRIu64, least);
}

void fake_uploads_go_on(struct fake_uploads *uploads, const char *id,
                        const struct fake_request *req,
                        struct fake_response *resp)
{
    struct session *s;

    (void)pthread_mutex_lock(&uploads->mtx);
    s = find(uploads, id, req);
    if (s)
        go_on(uploads, s, req, resp);
    (void)pthread_mutex_unlock(&uploads->mtx);
    if (resp->status == 0)
        fake_error(resp, 404, "BLOB_UPLOAD_UNKNOWN",
                   "blob upload unknown to registry");
}

void fake_uploads_serve(void *arg, const struct fake_request *req,
                        struct fake_response *resp)
{
    fake_uploads_go_on(arg, strrchr(req->path, '/') + 1, req, resp);
}
