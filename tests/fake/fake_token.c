/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry_priv.h"

#include "ocirfs/base64.h"

struct token {
    struct token *next;
    char *text;
    char *scopes; /* with spaces between */
    unsigned uses;
    bool expired;
};

struct fake_tokens {
    const struct fake_registry_cfg *cfg;
    const char *url;
    pthread_mutex_t mtx;
    char *user, *password; /* guarded by mtx; NULL: anyone */
    struct token *tokens;  /* guarded by mtx */
    unsigned given;        /* guarded by mtx */
};

struct fake_tokens *fake_tokens_new(const struct fake_registry_cfg *cfg,
                                    const char *url)
{
    struct fake_tokens *tokens = fake_alloc(sizeof(*tokens));

    (void)pthread_mutex_init(&tokens->mtx, NULL);
    tokens->cfg = cfg;
    tokens->url = url;
    tokens->user = fake_strdup(cfg->user);
    tokens->password = fake_strdup(cfg->password);
    return tokens;
}

void fake_tokens_free(struct fake_tokens *tokens)
{
    struct token *t;

    while ((t = tokens->tokens)) {
        tokens->tokens = t->next;
        free(t->text);
        free(t->scopes);
        free(t);
    }
    free(tokens->user);
    free(tokens->password);
    (void)pthread_mutex_destroy(&tokens->mtx);
    free(tokens);
}

void fake_tokens_expire(struct fake_tokens *tokens)
{
    (void)pthread_mutex_lock(&tokens->mtx);
    for (struct token *t = tokens->tokens; t; t = t->next)
        t->expired = true;
    (void)pthread_mutex_unlock(&tokens->mtx);
}

void fake_tokens_password(struct fake_tokens *tokens, const char *user,
                          const char *password)
{
    (void)pthread_mutex_lock(&tokens->mtx);
    free(tokens->user);
    free(tokens->password);
    tokens->user = fake_strdup(user);
    tokens->password = fake_strdup(password);
    (void)pthread_mutex_unlock(&tokens->mtx);
}

unsigned fake_tokens_given(struct fake_tokens *tokens)
{
    unsigned n;

    (void)pthread_mutex_lock(&tokens->mtx);
    n = tokens->given;
    (void)pthread_mutex_unlock(&tokens->mtx);
    return n;
}

/* Is this "Basic base64(user:password)"?  With no user set anything is. */
static bool is_basic_good(struct fake_tokens *tokens, const char *value)
{
    struct ofs_buf want OFS_AUTOBUF = OFS_BUF_INIT(4096);
    OFS_AUTOFREE char *plain = NULL;

    (void)pthread_mutex_lock(&tokens->mtx);
    if (tokens->user)
        plain = fake_strf("%s:%s", tokens->user, tokens->password);
    (void)pthread_mutex_unlock(&tokens->mtx);
    if (!plain)
        return true;
    (void)ofs_buf_adds(&want, "Basic ");
    (void)ofs_base64_encode(&want, plain, strlen(plain));
    return value && strcmp(value, ofs_buf_str(&want)) == 0;
}

/* Is `scope` ("type:name:action", `n` bytes) covered by one of these? */
static bool covers_one(const char *scopes, const char *scope, size_t n)
{
    const char *action = (const char *)memrchr(scope, ':', n) + 1;
    size_t name = (size_t)(action - scope);

    for (const char *p = scopes; *p; p += strcspn(p, " ")) {
        size_t len;

        p += strspn(p, " ");
        len = strcspn(p, " ");
        if (len > name && strncmp(p, scope, name) == 0 &&
            (p[name] == '*' || memmem(p + name, len - name, action, n - name)))
            return true;
    }
    return false;
}

/* Is each of `wanted`, with spaces between? */
static bool covers(const char *scopes, const char *wanted)
{
    for (size_t n; *wanted; wanted += n) {
        wanted += strspn(wanted, " ");
        n = strcspn(wanted, " ");
        if (n > 0 && !covers_one(scopes, wanted, n))
            return false;
    }
    return true;
}

/* NULL: admitted; else the word for the challenge ("": no token at all). */
static const char *refusal(struct fake_tokens *tokens, const char *value,
                           const char *scope)
{
    struct token *t;

    if (!value || !ofs_str_starts(value, "Bearer "))
        return "";
    value += strlen("Bearer ");
    for (t = tokens->tokens; t && strcmp(t->text, value) != 0; t = t->next)
        ;
    if (!t || t->expired)
        return "invalid_token";
    if (tokens->cfg->token_uses && t->uses >= tokens->cfg->token_uses)
        return "invalid_token";
    if (*scope && tokens->cfg->narrow_tokens && !covers(t->scopes, scope))
        return "insufficient_scope";
    t->uses++;
    return NULL;
}

static void challenge(const struct fake_tokens *tokens, const char *scope,
                      const char *why, struct fake_response *resp)
{
    fake_error(resp, 401, "UNAUTHORIZED", "authentication required");
    if (tokens->cfg->auth == FAKE_AUTH_BASIC) {
        fake_response_header(resp, "WWW-Authenticate: Basic realm=\"fake\"");
        return;
    }
    fake_response_header(
        resp,
        "WWW-Authenticate: Bearer realm=\"%s/token\",service=\"fake\"%s%s%s%s%s%s",
        tokens->url, *scope ? ",scope=\"" : "", scope, *scope ? "\"" : "",
        *why ? ",error=\"" : "", why, *why ? "\"" : "");
}

bool fake_tokens_admit(struct fake_tokens *tokens,
                       const struct fake_request *req, const char *scope,
                       struct fake_response *resp)
{
    OFS_AUTOFREE char *value = fake_request_header(req, "Authorization");
    const char *why = NULL;

    if (tokens->cfg->auth == FAKE_AUTH_NONE)
        return true;
    if (tokens->cfg->auth == FAKE_AUTH_BASIC) {
        why = is_basic_good(tokens, value) ? NULL : "";
    } else {
        (void)pthread_mutex_lock(&tokens->mtx);
        why = refusal(tokens, value, scope);
        (void)pthread_mutex_unlock(&tokens->mtx);
    }
    if (why)
        challenge(tokens, scope, why, resp);
    return !why;
}

/* A new token for all the scopes of the query or form; its text, owned. */
static char *issue(struct fake_tokens *tokens, const char *form)
{
    struct ofs_buf scopes OFS_AUTOBUF = OFS_BUF_INIT(64 * 1024);
    struct token *t = fake_alloc(sizeof(*t));
    char *scope, *text;

    for (unsigned i = 0; (scope = fake_param(form, "scope", i)); i++) {
        (void)ofs_buf_addf(&scopes, "%s ", scope);
        free(scope);
    }
    t->scopes = fake_strdup(ofs_buf_str(&scopes));
    (void)pthread_mutex_lock(&tokens->mtx);
    t->text = fake_strf("tok3n-not-for-logs-%u", ++tokens->given);
    t->next = tokens->tokens;
    tokens->tokens = t;
    text = fake_strdup(t->text);
    (void)pthread_mutex_unlock(&tokens->mtx);
    return text;
}

static bool is_grant_good(struct fake_tokens *tokens, const char *form)
{
    OFS_AUTOFREE char *grant = fake_param(form, "grant_type", 0);
    OFS_AUTOFREE char *refresh = fake_param(form, "refresh_token", 0);
    OFS_AUTOFREE char *user = fake_param(form, "username", 0);
    OFS_AUTOFREE char *password = fake_param(form, "password", 0);
    OFS_AUTOFREE char *client = fake_param(form, "client_id", 0);
    const char *identity = tokens->cfg->identity_token;
    bool good;

    if (!grant || !client)
        return false;
    if (strcmp(grant, "refresh_token") == 0)
        return identity && refresh && strcmp(refresh, identity) == 0;
    (void)pthread_mutex_lock(&tokens->mtx);
    good = user && password && tokens->user &&
           strcmp(user, tokens->user) == 0 &&
           strcmp(password, tokens->password) == 0;
    (void)pthread_mutex_unlock(&tokens->mtx);
    return good;
}

void fake_tokens_serve(void *arg, const struct fake_request *req,
                       struct fake_response *resp)
{
    struct fake_tokens *tokens = arg;
    OFS_AUTOFREE char *value = fake_request_header(req, "Authorization");
    OFS_AUTOFREE char *text = NULL;
    struct ofs_buf json OFS_AUTOBUF = OFS_BUF_INIT(64 * 1024);
    bool post = strcmp(req->method, "POST") == 0;
    int64_t life = tokens->cfg->expires_in ? tokens->cfg->expires_in : 300;

    if (post ? !is_grant_good(tokens, req->body)
             : !is_basic_good(tokens, value)) {
        fake_error(resp, 401, "UNAUTHORIZED", "incorrect user or password");
        return;
    }
    text = issue(tokens, post ? req->body : req->query);
    (void)ofs_buf_addf(&json, "{\"%s\":\"%s\"", post ? "access_token" : "token",
                       text);
    if (life > 0)
        (void)ofs_buf_addf(&json, ",\"expires_in\":%lld", (long long)life);
    (void)ofs_buf_addc(&json, '}');
    fake_response_body(resp, 200, "application/json", json.data, json.len);
}
