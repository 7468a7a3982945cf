/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OKE workload identity: a pod trades its service account's token for a
 * session token, at a proxy that the cluster's own CA vouches for.
 */
#include "ora_federation.h"
#include "ora_jwt.h"

#include "ocirfs/base64.h"
#include "ocirfs/http.h"
#include "ocirfs/ora_auth.h"

#include <ctype.h>

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

enum { DEFAULT_PORT = 12250, VALUE_MAX_BYTES = 64 * 1024 };

struct oke {
    struct ofs_ora_principal base;
    struct ofs_http *http; /* own: trusts the cluster's CA, no proxy */
    char *url, *token_file;
};

static void oke_done(struct ofs_ora_principal *p)
{
    struct oke *o = (struct oke *)p;

    if (o->http)
        ofs_http_stop(o->http);
    ofs_http_free(o->http);
    free(o->url);
    free(o->token_file);
}

/* base64 (perhaps in quotes) of {"token":"ST$<jwt>"}; the jwt into `b`. */
static int decode_answer(const char *text, size_t len, struct ofs_buf *b,
                         struct ofs_err *err)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf json = OFS_BUF_INIT(VALUE_MAX_BYTES);
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf token = OFS_BUF_INIT(VALUE_MAX_BYTES);
    int r;

    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    if (ofs_base64_decode(&json, text, len) < 0)
        return ofs_err_set(err, -EBADMSG, "OKE's answer is not base64");
    r = ofs_ora_token_answer(ofs_buf_str(&json), json.len, &token, err);
    if (r < 0)
        return r;
    if (!ofs_str_starts(ofs_buf_str(&token), "ST$"))
        return ofs_err_set(err, -EBADMSG, "OKE's token is of an unknown kind");
    return ofs_buf_adds(b, ofs_buf_str(&token) + 3) < 0
               ? ofs_err_nomem(err, "a token")
               : 0;
}

static int explain(const struct ofs_http_resp *resp, struct ofs_err *err)
{
    if (resp->status == 401 || resp->status == 403)
        return ofs_err_set(err, -EACCES,
                           "OKE refuses this pod's service account (%d); "
                           "workload identity needs an enhanced cluster and a "
                           "policy for the workload",
                           resp->status);
    return ofs_err_set(err, -EIO, "OKE's token service answers %d",
                       resp->status);
}

static int post(const struct oke *o, struct ofs_call *call,
                const struct ofs_buf *body, const char *authorization,
                struct ofs_buf *token, struct ofs_err *err)
{
    static const char *const headers[] = { "Content-Type: application/json",
                                           NULL };
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    const struct ofs_http_req req = {
        .method = "POST",
        .url = o->url,
        .headers = headers,
        .authorization = authorization,
        .body = body->data,
        .body_len = body->len,
        .max_body = VALUE_MAX_BYTES,
        .repeatable = true,
    };
    int r = ofs_http_do(o->http, call, &req, &resp, err);

    if (r < 0)
        return r;
    if (resp.status != 200)
        return explain(&resp, err);
    r = decode_answer(resp.body ? resp.body : "", resp.len, token, err);
    if (resp.body)
        ofs_wipe(resp.body, resp.len);
    return r;
}

static void learn_tenancy(struct ofs_ora_principal *p, const struct ofs_buf *t)
{
    struct ofs_ora_claims claims;

    if (!p->tenancy &&
        ofs_ora_claims_parse(ofs_buf_str(t), t->len, &claims) == 0 &&
        claims.tenancy[0])
        p->tenancy = strdup(claims.tenancy);
}

static int oke_fetch(struct ofs_ora_principal *p, struct ofs_call *call,
                     struct ofs_ora_credential **ret, struct ofs_err *err)
{
    const struct oke *o = (const struct oke *)p;
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf token = OFS_BUF_INIT(VALUE_MAX_BYTES);
    OFS_AUTO(ofs_buf_wipe)
    struct ofs_buf bearer = OFS_BUF_INIT(VALUE_MAX_BYTES);
    OFS_AUTOBUF struct ofs_buf body = OFS_BUF_INIT(VALUE_MAX_BYTES);
    OFS_AUTO(ofs_ora_credential_unrefp)
    struct ofs_ora_credential *c = ofs_ora_credential_new();
    int r = c ? 0 : ofs_err_nomem(err, "a credential");

    if (r == 0)
        r = ofs_buf_adds(&bearer, "Bearer ");
    if (r == 0) /* the account's token rotates */
        r = ofs_ora_token_read(o->token_file, &bearer, err);
    if (r == 0)
        r = ofs_ora_key_make(&c->key, err);
    if (r < 0)
        return r;
    (void)ofs_buf_adds(&body, "{\"podKey\":\"");
    r = ofs_ora_key_public(c->key, &body);
    (void)ofs_buf_adds(&body, "\"}");
    if (r == 0)
        r = post(o, call, &body, ofs_buf_str(&bearer), &token, err);
    if (r < 0)
        return r;
    learn_tenancy(p, &token);
    if (ofs_ora_credential_set_token(c, ofs_buf_str(&token), token.len) < 0)
        return ofs_err_nomem(err, "a credential");
    *ret = ofs_take(&c);
    return 0;
}

static int build(struct oke *o, const struct ofs_ora_auth_cfg *cfg,
                 struct ofs_err *err)
{
    const char *dir = cfg->service_account_dir ? cfg->service_account_dir
                                               : SERVICE_ACCOUNT_DIR;
    OFS_AUTOFREE char *ca_file = ofs_strf("%s/ca.crt", dir);
    const struct ofs_http_cfg http = {
        .user_agent = "ocirfs/" OFS_VERSION,
        .ca_file = ca_file,
        .no_proxy = true,
    };

    o->token_file = ofs_strf("%s/token", dir);
    if (cfg->env.kubernetes_port)
        o->url = ofs_strf("https://%s:%s/resourcePrincipalSessionTokens",
                          cfg->env.kubernetes_host, cfg->env.kubernetes_port);
    else
        o->url = ofs_strf("https://%s:%d/resourcePrincipalSessionTokens",
                          cfg->env.kubernetes_host, DEFAULT_PORT);
    if (!ca_file || !o->token_file || !o->url)
        return ofs_err_nomem(err, "a principal");
    o->http = ofs_http_new(&http, err);
    if (!o->http)
        return err ? err->code : -EIO;
    return ofs_http_start(o->http, err);
}

static int oke_open(struct ofs_ora_principal *p,
                    const struct ofs_ora_auth_cfg *cfg, struct ofs_call *call,
                    struct ofs_err *err)
{
    (void)call;
    if (!cfg->env.kubernetes_host)
        return ofs_err_set(
            err, -ENOENT, "KUBERNETES_SERVICE_HOST is not set: this is no pod");
    return build((struct oke *)p, cfg, err);
}

const struct ofs_ora_principal_ops ofs_ora_oke_ops = {
    .kind = "oke_workload_identity",
    .grantee = "any-user",
    .advice = "is it an enhanced cluster, and of that tenancy?",
    .bytes = sizeof(struct oke),
    .open = oke_open,
    .fetch = oke_fetch,
    .done = oke_done,
};
