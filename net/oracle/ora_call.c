/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_priv.h"

#include "ocirfs/backoff.h"
#include "ocirfs/clock.h"
#include "ocirfs/http.h"
#include "ocirfs/metrics.h"

#include <sys/random.h>

static struct ofs_metric calls = OFS_COUNTER(
    "ocirfs_oci_calls_total", "Signed calls to Oracle's control plane.");

enum {
    ANSWER_MAX_BYTES = 16 * 1024 * 1024,
    MAX_PAGES = 10000,
    PATH_MAX_BYTES = 64 * 1024,
    POLICY_MAX_BYTES = 400,
};

void ofs_ora_resp_done(struct ofs_ora_resp *r)
{
    json_decref(r->doc);
    free(r->next_page);
    free(r->etag);
    *r = (struct ofs_ora_resp){ 0 };
}

int ofs_ora_retry_token(char ret[OFS_ORA_RETRY_TOKEN_MAX])
{
    unsigned char bits[(OFS_ORA_RETRY_TOKEN_MAX - 1) / 2];

    if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        return -EIO;
    for (size_t i = 0; i < sizeof(bits); i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", bits[i]);
    return 0;
}

static int add_headers(const struct ofs_ora_req *req, struct ofs_strv *headers,
                       struct ofs_err *err)
{
    const struct {
        const char *name, *value;
    } more[] = {
        { "accept", "application/json" },
        { "opc-client-retries", "true" },
        { "if-match", req->if_match },
        { "opc-retry-token", req->retry_token },
    };

    for (size_t i = 0; i < OFS_COUNT_OF(more); i++) {
        char *line;

        if (!more[i].value)
            continue;
        line = ofs_strf("%s: %s", more[i].name, more[i].value);
        if (!line || ofs_strv_add_own(headers, line) < 0)
            return ofs_err_nomem(err, "a request");
    }
    return 0;
}

static int sign(struct ofs_ora *o, struct ofs_call *call,
                const struct ofs_ora_req *req, const char *url,
                struct ofs_strv *headers, struct ofs_err *err)
{
    size_t len = req->body ? strlen(req->body) : 0;
    int r = ofs_ora_auth_sign(o->auth, call, req->method, url, req->body, len,
                              headers, err);

    return r == 0 ? add_headers(req, headers, err) : r;
}

/*
 * One attempt, signed now.  0: an answer is there, whatever it says.
 * *ret_sent: it failed on the wire, not before.
 */
static int attempt(struct ofs_ora *o, struct ofs_call *call,
                   const struct ofs_ora_req *req, bool *ret_sent,
                   struct ofs_http_resp *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *url = ofs_strf("%s%s", req->base, req->path);
    OFS_AUTOWIPESTRV struct ofs_strv headers = { 0 };
    struct ofs_http_req http = { .method = req->method,
                                 .url = url,
                                 .body = req->body,
                                 .body_len = req->body ? strlen(req->body) : 0,
                                 .max_body = ANSWER_MAX_BYTES,
                                 .no_retry = true };
    int r;

    if (!url)
        return ofs_err_nomem(err, "a request");
    r = sign(o, call, req, url, &headers, err);
    if (r < 0)
        return r;
    http.headers = ofs_strv_array(&headers);
    if (!http.headers)
        return ofs_err_nomem(err, "a request");
    ofs_metric_add(&calls, 1);
    *ret_sent = true;
    return ofs_http_do(o->http, call, &http, ret, err);
}

static bool is_repeatable(const struct ofs_ora_req *req)
{
    return strcmp(req->method, "POST") != 0 || req->retry_token || req->reads;
}

/* Pause for the next attempt; false: there is none. */
static bool may_go_on(struct ofs_ora *o, struct ofs_call *call,
                      const struct ofs_ora_req *req, int n, int status,
                      const struct ofs_err *why)
{
    const struct ofs_ora_failure f = {
        .n = n,
        .max_attempts = o->max_attempts,
        .status = status,
        .code = why->id,
        .repeatable = is_repeatable(req),
        .retry_after_ms = why->retry_after_ms,
        .jitter = ofs_chance(),
    };
    int64_t wait_ms = ofs_ora_retry_ms(&f);

    return wait_ms >= 0 && ofs_call_pause(call, wait_ms, NULL) == 0;
}

static char *copy_of(const struct ofs_http_resp *resp, const char *name)
{
    const char *value = ofs_headers_get(&resp->headers, name);

    return value && *value ? strdup(value) : NULL;
}

/* The namespace is a bare string; all else is an object or a list. */
static int parse(const struct ofs_http_resp *resp, json_t **ret,
                 struct ofs_err *err)
{
    if (resp->body[0] != '"')
        return ofs_json_parse(resp->body, resp->len, ret, err);
    *ret = json_loadb(resp->body, resp->len, JSON_DECODE_ANY, NULL);
    return *ret ? 0 : ofs_err_set(err, -EBADMSG, "not JSON");
}

static int take(struct ofs_http_resp *resp, struct ofs_ora_resp *ret,
                struct ofs_err *err)
{
    OFS_AUTOORARESP struct ofs_ora_resp r = { 0 };

    if (resp->len > 0) {
        int code = parse(resp, &r.doc, err);

        if (code < 0)
            return ofs_err_wrap(err, code, "OCI's answer");
    }
    r.next_page = copy_of(resp, "opc-next-page");
    r.etag = copy_of(resp, "etag");
    *ret = r;
    r = (struct ofs_ora_resp){ 0 };
    return 0;
}

/* A statement for what has that OCID. */
static void add_policy(const struct ofs_ora *o, const struct ofs_ora_req *req,
                       const char *in, struct ofs_buf *b)
{
    OFS_AUTOBUF struct ofs_buf place = OFS_BUF_INIT(POLICY_MAX_BYTES);

    if (in && o->place)
        o->place(o->place_arg, in, &place);
    if (place.len == 0)
        (void)ofs_buf_adds(&place, in && !o->place ? "compartment COMPARTMENT"
                                                   : "tenancy");
    (void)ofs_buf_addf(b, "Allow %s to %s in %s", ofs_ora_auth_grantee(o->auth),
                       req->needs ? req->needs : OFS_ORA_READ_REPOS,
                       ofs_buf_str(&place));
}

static void add_policies(const struct ofs_ora *o, const struct ofs_ora_req *req,
                         struct ofs_buf *b)
{
    OFS_AUTOBUF struct ofs_buf more = OFS_BUF_INIT(POLICY_MAX_BYTES);

    add_policy(o, req, req->in, b);
    if (req->and_in)
        add_policy(o, req, req->and_in, &more);
    if (more.len > 0 && strcmp(ofs_buf_str(&more), ofs_buf_str(b)) != 0)
        (void)ofs_buf_addf(b, "; %s", ofs_buf_str(&more));
}

static int fail(struct ofs_ora *o, const struct ofs_ora_req *req,
                const struct ofs_http_resp *resp, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf policy = OFS_BUF_INIT(2 * POLICY_MAX_BYTES);
    char why[OFS_ORA_WHY_MAX] = "";
    struct ofs_ora_hints hints = {
        .refused = why,
        .changes = !req->reads && strcmp(req->method, "GET") != 0,
    };
    int r;

    if (resp->status == 401)
        ofs_ora_auth_why(o->auth, ofs_headers_get(&resp->headers, "Date"), why);
    add_policies(o, req, &policy);
    hints.policy = ofs_buf_str(&policy);
    r = ofs_ora_fail(resp->status, resp->body ? resp->body : "", resp->len,
                     ofs_headers_get(&resp->headers, "opc-request-id"), &hints,
                     err);

    err->retry_after_ms = ofs_retry_after_ms(
        ofs_headers_get(&resp->headers, "retry-after"), ofs_wall_s());
    return r;
}

static int go(struct ofs_ora *o, struct ofs_call *call,
              const struct ofs_ora_req *req, struct ofs_ora_resp *ret,
              struct ofs_err *err)
{
    bool renewed = false;

    for (int n = 1;; n++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        bool sent = false;
        int r = attempt(o, call, req, &sent, &resp, err);

        if (r == 0 && resp.status / 100 == 2)
            return take(&resp, ret, err);
        if (r == 0)
            r = fail(o, req, &resp, err);
        if (!sent || r == -EINTR || r == -EAGAIN)
            return r;
        if (resp.status == 401 && !renewed) {
            renewed = true;
            if (ofs_ora_auth_renew(o->auth, call, NULL) == 0)
                continue;
        }
        if (!may_go_on(o, call, req, n, resp.status, err))
            return r;
    }
}

int ofs_ora_call(struct ofs_ora *o, struct ofs_call *call,
                 const struct ofs_ora_req *req, struct ofs_ora_resp *ret,
                 struct ofs_err *err)
{
    struct ofs_err mine = { .retry_after_ms = -1 };
    int r = ofs_call_check(call, &mine);

    if (r == 0)
        r = go(o, call, req, ret, &mine);
    if (r < 0 && err)
        *err = mine;
    return r;
}

char *ofs_ora_path(const char *path, const char *const *query)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(PATH_MAX_BYTES);
    char separator = '?';

    (void)ofs_buf_adds(&b, path);
    for (; *query; query += 2) {
        if (!query[1])
            continue;
        (void)ofs_buf_addf(&b, "%c%s=", separator, query[0]);
        (void)ofs_str_percent(&b, query[1]);
        separator = '&';
    }
    return ofs_buf_take(&b);
}

char *ofs_ora_path_of(const char *prefix, const char *id, const char *suffix)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(PATH_MAX_BYTES);

    (void)ofs_buf_adds(&b, prefix);
    (void)ofs_str_percent(&b, id);
    (void)ofs_buf_adds(&b, suffix);
    return ofs_buf_take(&b);
}

static int each_item(const json_t *doc, ofs_ora_item_fn *fn, void *arg,
                     struct ofs_err *err)
{
    const json_t *items =
        json_is_array(doc) ? doc : json_object_get(doc, "items");

    if (!json_is_array(items))
        return ofs_err_set(err, -EBADMSG, "OCI's answer is no list");
    for (size_t i = 0; i < json_array_size(items); i++) {
        int r = fn(json_array_get(items, i), arg, err);

        if (r < 0)
            return r;
    }
    return 0;
}

static char *page_path(const char *path, const char *page)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(PATH_MAX_BYTES);

    (void)ofs_buf_adds(&b, path);
    if (page) {
        (void)ofs_buf_adds(&b, strchr(path, '?') ? "&page=" : "?page=");
        (void)ofs_str_percent(&b, page);
    }
    return ofs_buf_take(&b);
}

/* The absence of opc-next-page is the only end: a page may be empty. */
int ofs_ora_list(struct ofs_ora *o, struct ofs_call *call, const char *base,
                 const char *path, const struct ofs_ora_lister *lister,
                 struct ofs_err *err)
{
    OFS_AUTOFREE char *page = NULL;

    if (!path)
        return ofs_err_nomem(err, "a request");
    for (int n = 0; n < MAX_PAGES; n++) {
        OFS_AUTOORARESP struct ofs_ora_resp resp = { 0 };
        OFS_AUTOFREE char *here = page_path(path, page);
        const struct ofs_ora_req req = {
            .method = "GET",
            .base = base,
            .path = here,
            .needs = lister->needs,
            .in = lister->in,
        };
        int r = here ? ofs_ora_call(o, call, &req, &resp, err)
                     : ofs_err_nomem(err, "a request");

        if (r == 0)
            r = each_item(resp.doc, lister->fn, lister->arg, err);
        if (r < 0 || !resp.next_page)
            return r;
        if (page && strcmp(page, resp.next_page) == 0)
            return ofs_err_set(err, -EBADMSG, "OCI's list pages in circles");
        free(page);
        page = ofs_take(&resp.next_page);
    }
    return ofs_err_set(err, -EFBIG, "OCI's list has more than %d pages",
                       MAX_PAGES);
}
