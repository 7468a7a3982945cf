/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_priv.h"

#include "reg_refuse.h"

char *ofs_reg_scope(const char *repo)
{
    return ofs_strf("repository:%s:pull", repo);
}

char *ofs_reg_push_scope(const char *repo)
{
    return ofs_strf("repository:%s:pull,push", repo);
}

static int send_once(struct reg_end *end, struct ofs_call *call,
                     const struct reg_req *req,
                     const struct ofs_secret *authorization,
                     struct ofs_http_resp *ret, struct ofs_err *err)
{
    struct ofs_http_req hr = {
        .method = req->method,
        .url = req->url,
        .named_by = end->origin,
        .headers = req->headers,
        .authorization = authorization->len ? authorization->text : NULL,
        .sink = req->sink,
        .body = req->body,
        .body_len = req->body_len,
        .upload = req->upload,
        .max_body = req->max_body,
        .max_redirects = req->max_redirects,
        /* Instead of coming again to the mirror one goes to the source. */
        .no_retry = end->is_mirror || req->once,
    };

    return ofs_http_do(end->r->http, call, &hr, ret, err);
}

/* May the challenge in this answer be trusted to be that registry's? */
static bool is_own_answer(const struct reg_end *end,
                          const struct ofs_http_resp *resp)
{
    OFS_AUTOURL struct ofs_url from = { 0 };

    return !resp->url || (ofs_url_parse(resp->url, &from, NULL) == 0 &&
                          ofs_url_same_origin(&from, &end->url));
}

static bool has_challenge(const struct ofs_http_resp *resp)
{
    const char *value;

    for (size_t i = 0;
         (value = ofs_headers_nth(&resp->headers, "WWW-Authenticate", i)); i++)
        if (strcasestr(value, "bearer") || strcasestr(value, "basic"))
            return true;
    return false;
}

/*
 * A 403 may ask for another token as well.  Source: RFC 6750, 3.1,
 * "insufficient_scope".
 */
static bool wants_other_token(const struct reg_end *end,
                              const struct ofs_http_resp *resp)
{
    const char *value = ofs_headers_get(&resp->headers, "WWW-Authenticate");

    if (resp->status == 403)
        return value && strstr(value, "insufficient_scope") &&
               is_own_answer(end, resp);
    return resp->status == 401 && has_challenge(resp) &&
           is_own_answer(end, resp);
}

/* The one way to a registry.  *token_trouble: there was no way to a token. */
static int send_authorized(struct reg_end *end, struct ofs_call *call,
                           const struct reg_req *req, struct ofs_http_resp *ret,
                           bool *token_trouble, struct ofs_err *err)
{
    struct ofs_tokens *tokens = end->r->tokens;
    OFS_AUTOSECRET struct ofs_secret used = { 0 }, fresh = { 0 };
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    int r = ofs_tokens_get(tokens, call, end->origin, req->scope, &used, err);

    *token_trouble = r < 0;
    if (r == 0)
        r = send_once(end, call, req, &used, &resp, err);
    if (r == 0 && wants_other_token(end, &resp)) {
        r = ofs_tokens_renew(tokens, call, end->origin, req->scope,
                             &resp.headers, &used, &fresh, err);
        *token_trouble = r < 0;
        ofs_http_resp_done(&resp);
        resp = (struct ofs_http_resp){ 0 };
        if (r == 0)
            r = send_once(end, call, req, &fresh, &resp, err);
    }
    if (r < 0)
        return r;
    *ret = resp;
    resp = (struct ofs_http_resp){ 0 };
    return 0;
}

/* A redirect's target has nothing to do with our tokens. */
static int send_elsewhere(struct reg_end *end, struct ofs_call *call,
                          const struct reg_req *req, struct ofs_http_resp *ret,
                          struct ofs_err *err)
{
    static const struct ofs_secret none;

    return send_once(end, call, req, &none, ret, err);
}

int ofs_reg_send(struct reg_end *end, struct ofs_call *call,
                 const struct reg_req *req, struct ofs_http_resp *ret,
                 struct ofs_err *err)
{
    struct ofs_err trouble = { 0 };
    struct reg_start start = ofs_reg_start(end);
    bool token_trouble;
    int r;

    if (req->elsewhere)
        return send_elsewhere(end, call, req, ret, err);
    r = req->ask_anyway ? 0 : ofs_reg_breaker(end, call, err);
    if (r < 0)
        return r;
    r = send_authorized(end, call, req, ret, &token_trouble, &trouble);
    ofs_reg_witness(end, r, &trouble, &start,
                    token_trouble ? req->scope : NULL);
    if (r < 0 && token_trouble)
        (void)ofs_err_wrap(&trouble, r, req->what);
    if (r < 0 && err)
        *err = trouble;
    return r;
}

int ofs_reg_do(struct reg_end *end, struct ofs_call *call,
               const struct reg_req *req, struct ofs_http_resp *ret,
               struct ofs_err *err)
{
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    int r = ofs_reg_send(end, call, req, &resp, err);

    if (r < 0)
        return r;
    if (resp.status < 200 || resp.status > 299)
        return ofs_reg_refuse(end, req->what, req->scope, &resp, err);
    *ret = resp;
    resp = (struct ofs_http_resp){ 0 };
    return 0;
}
