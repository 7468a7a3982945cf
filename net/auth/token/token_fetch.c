/* SPDX-License-Identifier: Apache-2.0 */
#include "token_fetch.h"

#include "token_answer.h"
#include "token_request.h"
#include "token_signed.h"

#include "ocirfs/clock.h"
#include "ocirfs/metrics.h"

enum {
    ANSWER_MAX = 1024 * 1024,
    FORM_MAX = 256 * 1024,
    URL_MAX_BYTES = 64 * 1024, /* http refuses it earlier, in its own words */
    WORDS_MAX = 120,
    REDIRECTS = 3,
};

static struct ofs_metric fetches = OFS_COUNTER(
    "ocirfs_token_fetches_total", "Tokens asked for at token servers.");

/* One try with one credential. */
struct attempt {
    const struct ofs_token_ask *ask;
    const struct ofs_cred *cred;
    const struct ofs_url *realm;
    const char *scopes;
    struct ofs_call *call;
    struct ofs_err *err;
};

void ofs_token_value_done(struct ofs_token_value *v)
{
    ofs_secret_done(&v->authorization);
}

/* The body of an answer holds a token. */
static void resp_wipe(struct ofs_http_resp *resp)
{
    ofs_wipe(resp->body, resp->len);
    ofs_http_resp_done(resp);
}
#define OFS_AUTOWIPERESP OFS_AUTO(resp_wipe)

static int set_bearer(const struct ofs_secret *token, int64_t life_ms,
                      struct ofs_token_value *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_buf_wipe)
    struct ofs_buf value = OFS_BUF_INIT(token->len + 16);

    (void)ofs_buf_adds(&value, "Bearer ");
    (void)ofs_buf_add(&value, token->text, token->len);
    if (value.failed ||
        ofs_secret_set(&ret->authorization, value.data, value.len) < 0)
        return ofs_err_nomem(err, "a token");
    ret->life_ms = life_ms;
    return 0;
}

static const char *origin_of(const struct ofs_cred *c)
{
    return c->origin ? c->origin : "elsewhere";
}

static bool is_renewal(const struct ofs_token_ask *ask)
{
    return ask->refused != NULL;
}

static int set_basic(const struct attempt *a, struct ofs_token_value *ret)
{
    const char *host = ofs_token_host(a->ask->origin);

    ret->life_ms = OFS_NEVER;
    if (a->cred->kind == OFS_CRED_BASIC)
        return ofs_cred_basic(a->cred, &ret->authorization) < 0
                   ? ofs_err_nomem(a->err, "a credential")
                   : 0;
    if (a->cred->kind != OFS_CRED_NONE)
        return ofs_err_set(a->err, -EACCES,
                           "%s wants a user and a password, and %s has only "
                           "%s for it",
                           host, origin_of(a->cred),
                           a->cred->kind == OFS_CRED_IDENTITY
                               ? "an identity token"
                               : "a signature");
    if (!is_renewal(a->ask))
        return 0; /* the registry will say whether that is enough */
    return ofs_err_set(a->err, -EACCES,
                       "%s wants a user and a password, and no credentials "
                       "for it were found",
                       host);
}

/* -ENOENT would be a repository's, -EPROTO a network's: a token server's
 * trouble must not look like either. */
static int status_errno(int status)
{
    int code = ofs_http_status_errno(status);

    return code == -EACCES || code == -EBUSY || code == -ETIMEDOUT ? code
                                                                   : -EIO;
}

static int refused_words(const struct attempt *a, const char *words)
{
    const char *host = ofs_token_host(a->ask->origin);
    const char *server = ofs_token_host(a->realm->text);
    int len = (int)strcspn(server, "/?");
    const char *colon = *words ? ": " : "";

    if (a->cred->kind == OFS_CRED_NONE)
        return ofs_err_set(a->err, -EACCES,
                           "the token server at %.*s gives %s no anonymous "
                           "token, and no credentials for it were found%s%s",
                           len, server, host, colon, words);
    return ofs_err_set(a->err, -EACCES,
                       "the token server at %.*s refused the credentials for "
                       "%s (from %s)%s%s",
                       len, server, host, origin_of(a->cred), colon, words);
}

/* The service takes a wrong signature for nobody's and does not say why. */
static int not_taken(const struct attempt *a, const struct ofs_http_resp *resp)
{
    char why[OFS_ORA_WHY_MAX];

    ofs_ora_auth_why(a->cred->principal,
                     ofs_headers_get(&resp->headers, "Date"), why);
    return ofs_err_set(
        a->err, -EACCES, "%s does not take our signature (%s)%s: %s",
        ofs_token_host(a->ask->origin), origin_of(a->cred),
        resp->status == 200 ? " and gives an anonymous token" : "", why);
}

static void note_peer(const struct ofs_http_resp *resp, struct ofs_err *err)
{
    const char *id = ofs_headers_get(&resp->headers, "opc-request-id");
    const char *wish = ofs_headers_get(&resp->headers, "Retry-After");

    err->http_status = resp->status;
    err->retry_after_ms = ofs_retry_after_ms(wish, ofs_wall_s());
    (void)snprintf(err->request_id, sizeof(err->request_id), "%s",
                   id ? id : "");
}

static int fail(const struct attempt *a, const struct ofs_http_resp *resp)
{
    const char *server = ofs_token_host(a->realm->text);
    int code = status_errno(resp->status);
    char words[WORDS_MAX];

    ofs_token_words(resp->body, resp->len, &a->cred->secret, words,
                    sizeof(words));
    if (a->cred->kind == OFS_CRED_SIGNED && resp->status == 401)
        (void)not_taken(a, resp);
    else if (code == -EACCES)
        (void)refused_words(a, words);
    else
        (void)ofs_err_set(a->err, code, "the token server at %.*s: %d%s%s",
                          (int)strcspn(server, "/?"), server, resp->status,
                          *words ? ": " : "", words);
    note_peer(resp, a->err);
    return code;
}

static int send_get(const struct attempt *a, struct ofs_http_resp *ret)
{
    static const char *const headers[] = { "Accept: application/json", NULL };
    OFS_AUTOSECRET struct ofs_secret basic = { 0 };
    OFS_AUTOBUF struct ofs_buf url = OFS_BUF_INIT(URL_MAX_BYTES);
    struct ofs_http_req req = {
        .method = "GET",
        .named_by = a->ask->origin,
        .headers = headers,
        .max_body = ANSWER_MAX,
        .max_redirects = REDIRECTS,
    };

    if (ofs_token_get_url(&url, a->realm->text, a->ask->challenge->service,
                          a->scopes) < 0)
        return ofs_err_nomem(a->err, "a request for a token");
    /* An identity token goes as the password of an empty user, as containerd
     * sends it to servers that take no POST. */
    if (a->cred->kind != OFS_CRED_NONE && ofs_cred_basic(a->cred, &basic) < 0)
        return ofs_err_nomem(a->err, "a credential");
    req.url = ofs_buf_str(&url);
    req.authorization = basic.text;
    return ofs_http_do(a->ask->http, a->call, &req, ret, a->err);
}

/* To our registry's own name, whatever the realm's: one host for all calls, and
 * a signature is shown to nobody else. */
static int send_signed(const struct attempt *a, struct ofs_http_resp *ret)
{
    OFS_AUTOBUF struct ofs_buf url = OFS_BUF_INIT(URL_MAX_BYTES);
    OFS_AUTOFREE char *realm =
        ofs_strf("%s%s", a->ask->origin, a->realm->target);
    struct ofs_token_signed ask = { .http = a->ask->http,
                                    .principal = a->cred->principal };

    if (!realm || ofs_token_get_url(&url, realm, a->ask->challenge->service,
                                    a->scopes) < 0)
        return ofs_err_nomem(a->err, "a request for a token");
    ask.url = ofs_buf_str(&url);
    return ofs_token_get_signed(&ask, a->call, ret, a->err);
}

/* No redirects: the form is a secret, and goes to nobody but the realm. */
static int send_post(const struct attempt *a, struct ofs_http_resp *ret)
{
    static const char *const headers[] = {
        "Accept: application/json",
        "Content-Type: application/x-www-form-urlencoded", NULL
    };
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf form = OFS_BUF_INIT(FORM_MAX);
    const struct ofs_token_form words = {
        .service = a->ask->challenge->service,
        .client_id = a->ask->client_id,
        .scopes = a->scopes,
        .refresh = &a->cred->secret,
    };
    struct ofs_http_req req = {
        .method = "POST",
        .url = a->realm->text,
        .named_by = a->ask->origin,
        .headers = headers,
        .max_body = ANSWER_MAX,
        .repeatable = true,
    };

    if (ofs_token_post_form(&form, &words) < 0)
        return ofs_err_nomem(a->err, "a request for a token");
    req.body = form.data;
    req.body_len = form.len;
    return ofs_http_do(a->ask->http, a->call, &req, ret, a->err);
}

static bool has_no_post(int status)
{
    return status == 404 || status == 405;
}

static int send(const struct attempt *a, struct ofs_http_resp *ret)
{
    OFS_AUTOWIPERESP struct ofs_http_resp resp = { 0 };
    int r;

    ofs_metric_add(&fetches, 1);
    if (a->cred->kind == OFS_CRED_SIGNED)
        return send_signed(a, ret);
    if (a->cred->kind != OFS_CRED_IDENTITY)
        return send_get(a, ret);
    r = send_post(a, &resp);
    if (r == 0 && has_no_post(resp.status))
        return send_get(a, ret);
    if (r < 0)
        return r;
    *ret = resp;
    resp = (struct ofs_http_resp){ 0 };
    return 0;
}

/*
 * A server that knows no such scope is asked without: OCIR answers 400 to some
 * that are valid, and a token without scope is good for all that one may do.
 */
static int send_twice(const struct attempt *a, struct ofs_http_resp *ret)
{
    struct attempt plain = *a;
    int r = send(a, ret);

    if (r < 0 || ret->status != 400 || !*a->scopes)
        return r;
    resp_wipe(ret);
    plain.scopes = "";
    return send(&plain, ret);
}

static int take_answer(const struct attempt *a,
                       const struct ofs_http_resp *resp,
                       struct ofs_token_value *ret)
{
    OFS_AUTOTOKENANSWER struct ofs_token_answer answer = { 0 };
    const char *server = ofs_token_host(a->realm->text);
    const char *date = ofs_headers_get(&resp->headers, "Date");
    int r;

    if (resp->status < 200 || resp->status > 299)
        return fail(a, resp);
    r = ofs_token_answer_parse(resp->body, resp->len, &answer, a->err);
    if (r < 0) {
        char what[WORDS_MAX];

        (void)snprintf(what, sizeof(what), "the token server at %.*s",
                       (int)strcspn(server, "/?"), server);
        return ofs_err_wrap(a->err, r, what);
    }
    if (a->cred->kind != OFS_CRED_NONE && ofs_token_is_anonymous(&answer.token))
        return a->cred->kind == OFS_CRED_SIGNED
                   ? not_taken(a, resp)
                   : refused_words(a, "it gave an anonymous token");
    return set_bearer(&answer.token, ofs_token_life_ms(&answer, date), ret,
                      a->err);
}

static int ask_server(struct attempt *a, struct ofs_token_value *ret)
{
    OFS_AUTOURL struct ofs_url realm = { 0 };
    OFS_AUTOWIPERESP struct ofs_http_resp resp = { 0 };
    const struct ofs_token_ask *ask = a->ask;
    int r = ofs_token_realm(ask->challenge->realm, ask->origin,
                            ask->allow_plain_http, &realm, a->err);

    if (r < 0)
        return r;
    a->realm = &realm;
    r = send_twice(a, &resp);
    return r < 0 ? r : take_answer(a, &resp, ret);
}

static bool is_refused(const struct ofs_token_ask *ask,
                       const struct ofs_token_value *v)
{
    const struct ofs_secret *refused = ask->refused;

    return refused && refused->len > 0 &&
           refused->len == v->authorization.len &&
           memcmp(refused->text, v->authorization.text, refused->len) == 0;
}

static int same_again(const struct attempt *a)
{
    return ofs_err_set(a->err, -EACCES,
                       "%s refuses the credentials for it (from %s)",
                       ofs_token_host(a->ask->origin), origin_of(a->cred));
}

/* `ret` may be filled also when the result is -EACCES. */
static int try(const struct attempt *with, struct ofs_token_value *ret)
{
    struct attempt a = *with;
    int r;

    if (a.cred->kind == OFS_CRED_BEARER)
        r = set_bearer(&a.cred->secret, OFS_NEVER, ret, a.err);
    else if (a.ask->challenge->kind == OFS_CHALLENGE_BASIC)
        r = set_basic(&a, ret);
    else
        r = ask_server(&a, ret);
    if (r == 0 && is_refused(a.ask, ret))
        return same_again(&a);
    return r;
}

static int find(const struct attempt *a, const struct ofs_cred_source *source,
                struct ofs_cred *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *repo = ofs_token_repo(a->ask->scopes);

    if (!source->find)
        return 0;
    return source->find(source->arg, a->call, ofs_token_host(a->ask->origin),
                        repo ? repo : "", ret, err);
}

static int find_anew(const struct attempt *a,
                     const struct ofs_cred_source *source, struct ofs_cred *ret)
{
    struct ofs_err unseen = { 0 };

    if (source->forget)
        source->forget(source->arg, ofs_token_host(a->ask->origin));
    return find(a, source, ret, &unseen);
}

enum { HAS_NOTHING = 1 };

/*
 * What a helper hands out ends, and a file changes when its user logs in: a
 * refusal is believed once the source has nothing else to offer.
 */
static int fetch_from(struct attempt a, const struct ofs_cred_source *source,
                      bool or_as_nobody, struct ofs_token_value *v)
{
    OFS_AUTOCRED struct ofs_cred first = { 0 }, second = { 0 };
    int r = find(&a, source, &first, a.err);

    if (r < 0)
        return r;
    if (first.kind == OFS_CRED_NONE && !or_as_nobody)
        return HAS_NOTHING;
    a.cred = &first;
    r = try(&a, v);
    if (r != -EACCES || first.kind == OFS_CRED_NONE ||
        find_anew(&a, source, &second) < 0 || ofs_cred_equal(&first, &second))
        return r;
    a.cred = &second;
    return try(&a, v);
}

static int fetch(const struct attempt *a, struct ofs_token_value *v)
{
    const struct ofs_token_ask *ask = a->ask;
    bool more = ask->more_creds && ask->more_creds->find;
    int r = fetch_from(*a, ask->creds, /* or_as_nobody= */ !more, v);

    if (r == HAS_NOTHING)
        return fetch_from(*a, ask->more_creds, /* or_as_nobody= */ true, v);
    if (r == -EACCES && more && !ask->refusal_is_final) {
        struct ofs_err refusal = *a->err;

        if (fetch_from(*a, ask->more_creds, /* or_as_nobody= */ false, v) == 0)
            return 0;
        *a->err = refusal; /* what was asked for first is what is told */
    }
    return r;
}

int ofs_token_fetch(const struct ofs_token_ask *ask, struct ofs_call *call,
                    struct ofs_token_value *ret, struct ofs_err *err)
{
    OFS_AUTOTOKENVALUE struct ofs_token_value v = { 0 };
    struct ofs_err unseen = { 0 };
    const struct attempt a = { .ask = ask,
                               .scopes = ask->scopes,
                               .call = call,
                               .err = err ? err : &unseen };
    int r = fetch(&a, &v);

    if (r < 0)
        return r;
    *ret = v;
    v = (struct ofs_token_value){ 0 };
    return 0;
}
