/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_session.h"
#include "reg_refuse.h"

#include "reg_blobsize.h"
#include "reg_location.h"

#include <inttypes.h>

enum {
    REDIRECTS_MAX = 5,
    URL_MAX_BYTES = 8 * 1024,
    CANCEL_MS = 2000,
};

int ofs_reg_session_init(struct reg_session *s, struct ofs_registry *r,
                         const char *repo, char *what, struct ofs_err *err)
{
    *s = (struct reg_session){
        .end = &r->source,
        .repo = repo,
        .scope = ofs_reg_push_scope(repo),
        .what = what,
    };
    return s->scope && s->what ? 0 : ofs_err_nomem(err, "an upload");
}

bool ofs_reg_session_is_open(const struct reg_session *s)
{
    return s->at.text;
}

void ofs_reg_session_forget(struct reg_session *s)
{
    ofs_url_done(&s->at);
    s->at = (struct ofs_url){ 0 };
    s->abroad = false;
}

void ofs_reg_session_done(struct reg_session *s)
{
    ofs_reg_session_forget(s);
    free(s->scope);
    free(s->what);
    *s = (struct reg_session){ 0 };
}

/* --- bytes -------------------------------------------------------------- */

static ssize_t feed_read(void *arg, void *buf, size_t len, uint64_t off)
{
    struct reg_feed *feed = arg;
    uint64_t at = feed->base + off;
    ssize_t n = feed->data->read(feed->data->arg, buf, len, at);

    if (n == -EAGAIN)
        return n;
    if (n < 0 || (n == 0 && feed->end != OFS_UNTIL_END))
        feed->failed = n < 0 ? (int)n : -EIO;
    if (n <= 0)
        return feed->failed;
    feed->at = at + (uint64_t)n;
    if (feed->sent)
        atomic_store(feed->sent, feed->at);
    return n;
}

static struct ofs_http_upload upload_of(struct reg_feed *feed)
{
    return (struct ofs_http_upload){
        .read = feed_read,
        .arg = feed,
        .size =
            feed->end == OFS_UNTIL_END ? OFS_UNTIL_END : feed->end - feed->base,
    };
}

/* --- one request -------------------------------------------------------- */

/* A 2xx, or a failure as the header says. */
static int ask(const struct reg_session *s, struct ofs_call *call,
               const struct reg_req *req, struct ofs_http_resp *ret,
               struct ofs_err *err)
{
    int r = ofs_reg_send(s->end, call, req, ret, err);

    if (r < 0)
        return r;
    if (ret->status >= 200 && ret->status <= 299)
        return 0;
    if (strcmp(req->method, "POST") == 0)
        return ofs_reg_refuse_change(s->end, s->what, s->scope, ret, err);
    return ofs_reg_refuse(s->end, s->what, s->scope, ret, err);
}

/* Where the session goes on, if the answer tells. */
static int go_to(struct reg_session *s, const struct ofs_http_resp *resp,
                 struct ofs_err *err)
{
    const char *location = ofs_headers_get(&resp->headers, "Location");
    OFS_AUTOURL struct ofs_url from = { 0 };
    struct ofs_url to;
    int r;

    if (!location && s->at.text)
        return 0;
    r = ofs_url_parse(resp->url, &from, err);
    if (r == 0)
        r = ofs_reg_location(&from, location, &to, err);
    if (r < 0)
        return ofs_err_wrap(err, r, s->what);
    ofs_url_done(&s->at);
    s->at = to;
    /* Once another host has named the place, no token goes there, also when
     * it is the registry's own. */
    if (!ofs_url_same_origin(&from, &s->end->url) ||
        !ofs_url_same_origin(&to, &s->end->url))
        s->abroad = true;
    return 0;
}

static void learn_min_chunk(struct reg_session *s,
                            const struct ofs_headers *headers)
{
    const char *value = ofs_headers_get(headers, "OCI-Chunk-Min-Length");

    if (!value || ofs_str_u64(value, &s->min_chunk) < 0)
        s->min_chunk = 0;
}

/* POST blobs/uploads/<query>.  *ret_mounted: 201. */
static int post(struct reg_session *s, struct ofs_call *call, const char *scope,
                const char *query, bool *ret_mounted, struct ofs_err *err)
{
    OFS_AUTOFREE char *url =
        ofs_strf("%s%s/blobs/uploads/%s", s->end->base, s->repo, query);
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct reg_req req = {
        .method = "POST",
        .url = url,
        .scope = scope,
        .what = s->what,
        .max_redirects = REDIRECTS_MAX,
        .once = true, /* whoever asks has a patience of his own */
    };
    int r;

    if (!url)
        return ofs_err_nomem(err, "a URL");
    ofs_reg_session_forget(s);
    r = ask(s, call, &req, &resp, err);
    if (r < 0)
        return r;
    *ret_mounted = resp.status == 201;
    if (*ret_mounted)
        return 0;
    learn_min_chunk(s, &resp.headers);
    return go_to(s, &resp, err);
}

int ofs_reg_session_open(struct reg_session *s, struct ofs_call *call,
                         struct ofs_err *err)
{
    bool created = false;
    int r = post(s, call, s->scope, "", &created, err);

    if (r == 0 && created)
        return ofs_err_set(err, -EBADMSG, "%s: %s: 201 to a POST for a session",
                           s->end->host, s->what);
    return r;
}

int ofs_reg_session_mount(struct reg_session *s, struct ofs_call *call,
                          const struct ofs_digest *digest, const char *from,
                          bool *ret_mounted, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf query = OFS_BUF_INIT(URL_MAX_BYTES);
    OFS_AUTOFREE char *scope =
        ofs_strf("%s repository:%s:pull", s->scope, from);
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_buf_adds(&query, "?mount=");
    (void)ofs_str_percent(&query, ofs_digest_format(digest, text));
    (void)ofs_buf_adds(&query, "&from=");
    (void)ofs_str_percent(&query, from);
    if (query.failed || !scope)
        return ofs_err_nomem(err, "a URL");
    return post(s, call, scope, ofs_buf_str(&query), ret_mounted, err);
}

/* To the session; what carries a body is sent once, since the session may
 * have taken a part of it. */
static int send(struct reg_session *s, struct ofs_call *call,
                struct reg_req *req, struct ofs_http_resp *ret,
                struct ofs_err *err)
{
    req->scope = s->scope;
    req->what = s->what;
    req->max_redirects = REDIRECTS_MAX;
    req->elsewhere = s->abroad;
    req->once = true;
    if (!req->url)
        req->url = s->at.text;
    return ask(s, call, req, ret, err);
}

int ofs_reg_session_part(struct reg_session *s, struct ofs_call *call,
                         struct reg_feed *feed, bool ranged,
                         uint64_t *ret_received, struct ofs_err *err)
{
    char range[80];
    const char *headers[] = { "Content-Type: application/octet-stream",
                              ranged ? range : NULL, NULL };
    const struct ofs_http_upload upload = upload_of(feed);
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct reg_req req = {
        .method = "PATCH",
        .headers = headers,
        .upload = &upload,
    };
    uint64_t received;
    int r;

    (void)snprintf(range, sizeof(range), "Content-Range: %" PRIu64 "-%" PRIu64,
                   feed->base, feed->end - 1);
    r = send(s, call, &req, &resp, err);
    if (r == 0)
        r = go_to(s, &resp, err);
    if (r < 0)
        return r;
    *ret_received = feed->at;
    if (ofs_reg_received(ofs_headers_get(&resp.headers, "Range"), &received) ==
        0)
        *ret_received = received;
    return 0;
}

/* Does a 2xx to the last PUT say that the blob is there? */
static int confirm(struct reg_session *s, struct ofs_call *call,
                   const struct ofs_digest *digest,
                   const struct ofs_http_resp *resp, struct ofs_err *err)
{
    const char *told = ofs_headers_get(&resp->headers, "Docker-Content-Digest");
    struct ofs_digest is;
    uint64_t size;
    int r;

    if (told && ofs_digest_parse(told, &is, NULL) == 0 &&
        is.alg == digest->alg && !ofs_digest_eq(&is, digest))
        return ofs_err_set(err, -EBADMSG, "%s: %s: stored as '%.19s'",
                           s->end->host, s->what, told);
    if (resp->status == 201)
        return 0;
    r = ofs_reg_session_look(s, call, digest, &size, err);
    if (r == 0)
        return ofs_err_set(err, -EBADMSG, "%s: %s: accepted (%d) but not there",
                           s->end->host, s->what, resp->status);
    return r < 0 ? r : 0;
}

int ofs_reg_session_commit(struct reg_session *s, struct ofs_call *call,
                           const struct ofs_digest *digest,
                           struct reg_feed *feed, struct ofs_err *err)
{
    const char *headers[] = { "Content-Type: application/octet-stream", NULL };
    struct ofs_http_upload upload;
    OFS_AUTOFREE char *url = ofs_reg_with_digest(s->at.text, digest);
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct reg_req req = { .method = "PUT", .url = url };
    int r;

    if (!url)
        return ofs_err_nomem(err, "a URL");
    if (feed) {
        upload = upload_of(feed);
        req.upload = &upload;
        req.headers = headers;
    }
    r = send(s, call, &req, &resp, err);
    return r < 0 ? r : confirm(s, call, digest, &resp, err);
}

int ofs_reg_session_ask(struct reg_session *s, struct ofs_call *call,
                        uint64_t *ret_received, struct ofs_err *err)
{
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct reg_req req = { .method = "GET" };
    int r = send(s, call, &req, &resp, err);

    if (r == 0)
        r = go_to(s, &resp, err);
    if (r < 0)
        return r;
    if (ofs_reg_received(ofs_headers_get(&resp.headers, "Range"),
                         ret_received) < 0)
        return ofs_err_set(err, -ENODATA, "%s: does not tell how far it got",
                           s->what);
    return 0;
}

void ofs_reg_session_cancel(struct reg_session *s)
{
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct reg_req req = { .method = "DELETE" };
    struct ofs_call call;

    if (!s->at.text)
        return;
    ofs_call_init(&call, CANCEL_MS);
    (void)!send(s, &call, &req, &resp,
                NULL); /* the registry tidies up anyway */
    ofs_call_done(&call);
    ofs_reg_session_forget(s);
}

/*
 * Another one is said to know.  Only a redirect that leads to the blob says
 * that it is there; one that leads to nothing, or to who does not answer, is
 * none: the worst is a blob uploaded twice.
 */
static int look_elsewhere(const struct reg_session *s, struct ofs_call *call,
                          const struct ofs_digest *digest, uint64_t *ret_size,
                          struct ofs_err *err)
{
    int r = ofs_reg_blob_size(s->end, call, s->repo, digest, s->what, ret_size,
                              err);

    if (r == -EINTR || r == -EAGAIN || (r < 0 && ofs_call_left_ms(call) == 0))
        return r;
    return r == 0;
}

int ofs_reg_session_look(struct reg_session *s, struct ofs_call *call,
                         const struct ofs_digest *digest, uint64_t *ret_size,
                         struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *url = ofs_strf("%s%s/blobs/%s", s->end->base, s->repo,
                                      ofs_digest_format(digest, text));
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct reg_req req = {
        .method = "HEAD",
        .url = url,
        .scope = s->scope,
        .what = s->what,
        .ask_anyway = true,
    };
    const char *length;
    int r;

    if (!url)
        return ofs_err_nomem(err, "a URL");
    r = ofs_reg_send(s->end, call, &req, &resp, err);
    if (r < 0)
        return r;
    *ret_size = 0;
    length = ofs_headers_get(&resp.headers, "Content-Length");
    if (resp.status == 200 && length && ofs_str_u64(length, ret_size) < 0)
        *ret_size = 0;
    if (resp.status == 200)
        return 1;
    if (resp.status >= 300 && resp.status < 400)
        return look_elsewhere(s, call, digest, ret_size, err);
    switch (resp.status) {
    case 400:
    case 404:
    case 405:
    case 501:
        return 0;
    default:
        return ofs_reg_refuse(s->end, s->what, s->scope, &resp, err);
    }
}
