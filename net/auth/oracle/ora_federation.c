/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_federation.h"

#include "ora_refusal.h"
#include "ora_sign.h"

#include "ocirfs/clock.h"
#include "ocirfs/errclass.h"
#include "ocirfs/http.h"
#include "ocirfs/json.h"
#include "ocirfs/url.h"

enum {
    BODY_MAX_BYTES = 256 * 1024,
    ANSWER_MAX_BYTES = 256 * 1024,
    TRIES = 3,
    PAUSE_MS = 1000,
};

int ofs_ora_federation_body(const struct ofs_ora_leaf *leaf,
                            const struct ofs_ora_key *session,
                            struct ofs_buf *b)
{
    int r;

    (void)ofs_buf_adds(b, "{\"certificate\":\"");
    r = ofs_ora_pem_body(leaf->cert->data, leaf->cert->len, b);
    (void)ofs_buf_adds(b, "\",\"purpose\":\"DEFAULT\",\"publicKey\":\"");
    if (r == 0)
        r = ofs_ora_key_public(session, b);
    (void)ofs_buf_adds(b, "\",\"intermediateCertificates\":[\"");
    if (r == 0)
        r = ofs_ora_pem_body(leaf->intermediate->data, leaf->intermediate->len,
                             b);
    (void)ofs_buf_adds(b, "\"]}");
    return r < 0 ? r : b->failed;
}

int ofs_ora_token_answer(const char *json, size_t len, struct ofs_buf *b,
                         struct ofs_err *err)
{
    OFS_AUTOJSON json_t *doc = NULL;
    int r = ofs_json_parse(json, len, &doc, err);
    const char *token;

    if (r < 0)
        return r;
    token = json_string_value(json_object_get(doc, "token"));
    if (!token || !*token)
        return ofs_err_set(err, -EBADMSG, "the answer has no token");
    return ofs_buf_adds(b, token) < 0 ? ofs_err_nomem(err, "a token") : 0;
}

/* The leaf key signs; the SDK uses `date` here, so do we. */
static int sign(const struct ofs_ora_leaf *leaf, const struct ofs_url *url,
                const struct ofs_buf *body, struct ofs_strv *headers,
                struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_key_freep) struct ofs_ora_key *key = NULL;
    OFS_AUTOFREE char *id = ofs_strf("%s/fed-x509/%s", leaf->says->tenancy,
                                     leaf->says->fingerprint);
    OFS_AUTOBUF struct ofs_buf host = OFS_BUF_INIT(1024);
    char date[OFS_ORA_DATE_MAX];
    struct ofs_ora_request req = {
        .method = "POST",
        .target = url->target,
        .date = date,
        .sign_date = true,
        .body = body->data,
        .body_len = body->len,
    };
    int r = ofs_ora_key_parse(leaf->key->data, leaf->key->len, NULL, &key, err);

    if (r < 0)
        return r;
    if (!id || ofs_url_origin(url, &host) < 0)
        return ofs_err_nomem(err, "a request");
    req.host = strstr(ofs_buf_str(&host), "//") + 2;
    ofs_ora_date(ofs_wall_s(), date);
    if (ofs_ora_sign(&req, id, key, headers) < 0)
        return ofs_err_set(err, -EIO, "cannot sign the federation request");
    return 0;
}

static int explain(const struct ofs_http_resp *resp, struct ofs_err *err)
{
    const struct ofs_ora_refusal refusal = {
        .advice = "is the instance still one of that tenancy?",
        .date = ofs_headers_get(&resp->headers, "Date"),
        .now_s = ofs_wall_s(),
    };
    char why[160];

    if (resp->status >= 500 || resp->status == 429)
        return ofs_err_set(err, -EBUSY, "the federation service answers %d",
                           resp->status);
    if (resp->status == 401 || resp->status == 403) {
        ofs_ora_refusal_words(&refusal, why, sizeof(why));
        return ofs_err_set(err, -EACCES,
                           "the federation service does not take this "
                           "instance's certificate (%d); %s",
                           resp->status, why);
    }
    return ofs_err_set(err, -EIO, "the federation service answers %d",
                       resp->status);
}

static int post(struct ofs_http *http, struct ofs_call *call, const char *url,
                struct ofs_strv *headers, const struct ofs_buf *body,
                struct ofs_buf *token, struct ofs_err *err)
{
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_http_req req = {
        .method = "POST",
        .url = url,
        .headers = ofs_strv_array(headers),
        .body = body->data,
        .body_len = body->len,
        .max_body = ANSWER_MAX_BYTES,
        .no_retry = true, /* each attempt is signed anew */
    };
    int r;

    if (!req.headers)
        return ofs_err_nomem(err, "a request");
    r = ofs_http_do(http, call, &req, &resp, err);
    if (r < 0)
        return r;
    if (resp.status != 200)
        return explain(&resp, err);
    r = ofs_ora_token_answer(resp.body ? resp.body : "", resp.len, token, err);
    if (resp.body)
        ofs_wipe(resp.body, resp.len);
    return r;
}

/* Network trouble and a service in trouble: worth another attempt. */
static bool is_worth_retrying(int r)
{
    return ofs_err_is(r, OFS_ERR_AWAY);
}

static int sign_and_post(struct ofs_http *http, struct ofs_call *call,
                         const struct ofs_url *url,
                         const struct ofs_ora_leaf *leaf,
                         const struct ofs_buf *body, struct ofs_buf *token,
                         struct ofs_err *err)
{
    for (int i = 1;; i++) {
        OFS_AUTOWIPESTRV struct ofs_strv headers = { 0 };
        int r = sign(leaf, url, body, &headers, err);

        if (r == 0)
            r = post(http, call, url->text, &headers, body, token, err);
        if (r == 0 || i == TRIES || !is_worth_retrying(r) ||
            ofs_call_pause(call, PAUSE_MS, NULL) < 0)
            return r;
        ofs_buf_reset(token);
    }
}

int ofs_ora_federate(struct ofs_http *http, struct ofs_call *call,
                     const char *endpoint, const struct ofs_ora_leaf *leaf,
                     struct ofs_ora_credential **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf token = OFS_BUF_INIT(64 * 1024);
    OFS_AUTOBUF struct ofs_buf body = OFS_BUF_INIT(BODY_MAX_BYTES);
    OFS_AUTO(ofs_ora_credential_unrefp)
    struct ofs_ora_credential *c = ofs_ora_credential_new();
    OFS_AUTOFREE char *text = ofs_strf("%s/v1/x509", endpoint);
    OFS_AUTOURL struct ofs_url url = { 0 };
    int r;

    if (!c || !text)
        return ofs_err_nomem(err, "a credential");
    r = ofs_url_parse(text, &url, err);
    if (r == 0)
        r = ofs_ora_key_make(&c->key, err);
    if (r == 0 && ofs_ora_federation_body(leaf, c->key, &body) < 0)
        r = ofs_err_set(err, -EBADMSG,
                        "the instance's certificates are broken");
    if (r == 0)
        r = sign_and_post(http, call, &url, leaf, &body, &token, err);
    if (r == 0 &&
        ofs_ora_credential_set_token(c, ofs_buf_str(&token), token.len) < 0)
        r = ofs_err_nomem(err, "a credential");
    if (r < 0)
        return r;
    *ret = ofs_take(&c);
    return 0;
}
