/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TOKEN_RIG_H
#define OFS_TOKEN_RIG_H

/*
 * Tokens on a fake token server, with a clock and credentials that the test
 * sets.  There is no registry: the test says what one would have asked for.
 */

#include "fake_server.h"

#include "ocirfs/metrics.h"
#include "ocirfs/str.h"
#include "ocirfs/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TOKEN_CALL_MS = 60000 };

#define PULL_A "repository:ns/a:pull"
#define PULL_B "repository:ns/b:pull"
#define GET    "GET /token"
#define POST   "POST /token"

struct token_rig {
    struct fake_server *server;
    struct ofs_http *http;
    struct ofs_tokens *tokens;
    struct ofs_tokens_cfg cfg;
    const char *origin; /* of the registry: the server's */
    struct ofs_call call;
    struct ofs_err err;

    struct ofs_clock clock;
    _Atomic int64_t now_ms;

    /* What is found, in turn; the last one again and again.  Going on to the
     * next takes a forget. */
    struct ofs_cred creds[3];
    atomic_uint n_forgotten, n_found;
    int find_result; /* 0, or what each look-up returns */
    char asked[200]; /* host and repository of the last look-up */

    /* What the server answers; `extra` is more JSON, "" or ",...". */
    atomic_uint n_given;
    _Atomic(const char *) extra;
};

static inline int64_t token_rig_mono(const struct ofs_clock *clock)
{
    const struct token_rig *rig =
        (const struct token_rig *)((const char *)clock -
                                   offsetof(struct token_rig, clock));

    return atomic_load(&rig->now_ms);
}

static inline int token_rig_find(void *arg, struct ofs_call *call,
                                 const char *host, const char *repo,
                                 struct ofs_cred *ret, struct ofs_err *err)
{
    struct token_rig *rig = arg;
    unsigned i = atomic_load(&rig->n_forgotten);

    (void)call;
    (void)atomic_fetch_add(&rig->n_found, 1);
    if (rig->find_result < 0)
        return ofs_err_set(err, rig->find_result, "the source has trouble");
    (void)snprintf(rig->asked, sizeof(rig->asked), "%s %s", host, repo);
    while (i > 0 && (i >= OFS_COUNT_OF(rig->creds) ||
                     rig->creds[i].kind == OFS_CRED_NONE))
        i--;
    return ofs_cred_copy(&rig->creds[i], ret);
}

static inline void token_rig_forget(void *arg, const char *host)
{
    struct token_rig *rig = arg;

    (void)host;
    (void)atomic_fetch_add(&rig->n_forgotten, 1);
}

/* "tok-1", "tok-2", ... */
static inline void token_rig_give(void *arg, const struct fake_request *req,
                                  struct fake_response *resp)
{
    struct token_rig *rig = arg;
    OFS_AUTOFREE char *body = ofs_strf(
        "{\"%s\":\"tok-%u\"%s}",
        strcmp(req->method, "POST") == 0 ? "access_token" : "token",
        atomic_fetch_add(&rig->n_given, 1) + 1, atomic_load(&rig->extra));

    fake_response_body(resp, 200, "application/json", body, strlen(body));
}

static inline void token_rig_cred(struct token_rig *rig, unsigned i,
                                  enum ofs_cred_kind kind, const char *user,
                                  const char *secret)
{
    OFS_AUTOFREE char *copy = strdup(secret);
    const struct ofs_secret s = { copy, strlen(copy) };

    ofs_cred_done(&rig->creds[i]);
    assert_int_equal(
        ofs_cred_make(kind, user, &s, "auth.json", &rig->creds[i], NULL), 0);
}

static inline int token_rig_setup(void **state)
{
    struct token_rig *rig = calloc(1, sizeof(*rig));
    const struct ofs_http_cfg http = { .user_agent = "test",
                                       .no_proxy = true,
                                       .max_attempts = 1 };

    rig->server = fake_server_start();
    rig->origin = fake_server_url(rig->server);
    fake_server_route(rig->server, "* /token", token_rig_give, rig);
    rig->http = ofs_http_new(&http, &rig->err);
    if (!rig->http || ofs_http_start(rig->http, &rig->err) < 0)
        return -1;
    rig->clock.mono_ms = token_rig_mono;
    atomic_init(&rig->now_ms, 1000000);
    atomic_init(&rig->extra, ",\"expires_in\":300");
    rig->cfg = (struct ofs_tokens_cfg){
        .http = rig->http,
        .creds = { token_rig_find, token_rig_forget, rig },
        .clock = &rig->clock,
        .client_id = "ocirfs",
    };
    rig->tokens = ofs_tokens_new(&rig->cfg, &rig->err);
    ofs_call_init(&rig->call, TOKEN_CALL_MS);
    *state = rig;
    return rig->tokens ? 0 : -1;
}

static inline int token_rig_teardown(void **state)
{
    struct token_rig *rig = *state;

    ofs_tokens_free(rig->tokens);
    ofs_http_stop(rig->http);
    ofs_http_free(rig->http);
    fake_server_free(rig->server);
    ofs_call_done(&rig->call);
    for (size_t i = 0; i < OFS_COUNT_OF(rig->creds); i++)
        ofs_cred_done(&rig->creds[i]);
    free(rig);
    return 0;
}

/* The value, "" for none, or the error's text; owned. */
static inline char *token_rig_text(struct token_rig *rig, int r,
                                   const struct ofs_secret *value)
{
    if (r < 0)
        return ofs_strf("%d: %s", r, rig->err.text);
    return strdup(value->text ? value->text : "");
}

static inline char *token_rig_get(struct token_rig *rig, const char *scope)
{
    OFS_AUTOSECRET struct ofs_secret value = { 0 };
    int r = ofs_tokens_get(rig->tokens, &rig->call, rig->origin, scope, &value,
                           &rig->err);

    return token_rig_text(rig, r, &value);
}

/* As after a 401 with this challenge; `%` in it is the server's URL. */
static inline char *token_rig_renew(struct token_rig *rig, const char *scope,
                                    const char *challenge, const char *used)
{
    OFS_AUTO(ofs_headers_done) struct ofs_headers h = { 0 };
    OFS_AUTOSECRET struct ofs_secret value = { 0 }, old = { 0 };
    OFS_AUTOBUF struct ofs_buf line = OFS_BUF_INIT(4096);
    int r;

    for (const char *p = challenge; *p; p++)
        if (*p == '%')
            (void)ofs_buf_adds(&line, rig->origin);
        else
            (void)ofs_buf_addc(&line, *p);
    assert_int_equal(ofs_headers_add(&h, "WWW-Authenticate", 16,
                                     ofs_buf_str(&line), line.len),
                     0);
    if (*used)
        assert_int_equal(ofs_secret_set(&old, used, strlen(used)), 0);
    r = ofs_tokens_renew(rig->tokens, &rig->call, rig->origin, scope, &h, &old,
                         &value, &rig->err);
    return token_rig_text(rig, r, &value);
}

#define BEARER "Bearer realm=\"%/token\",service=\"svc\""
#define BASIC  "Basic realm=\"r\""

/* Assert what a get or a renew gives. */
#define assert_get(rig, scope, want)                                           \
    do {                                                                       \
        OFS_AUTOFREE char *got_ = token_rig_get(rig, scope);                   \
        assert_string_equal(got_, want);                                       \
    } while (0)
#define assert_renew(rig, scope, challenge, used, want)                        \
    do {                                                                       \
        OFS_AUTOFREE char *got_ =                                              \
            token_rig_renew(rig, scope, challenge, used);                      \
        assert_string_equal(got_, want);                                       \
    } while (0)

static inline void assert_header(const struct fake_request *req,
                                 const char *name, const char *want)
{
    OFS_AUTOFREE char *got = fake_request_header(req, name);

    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
}

#define TOKEN_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, token_rig_setup, token_rig_teardown)

#endif
