/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/ora_auth.h"

#include "ora_jwt.h"
#include "ora_principal.h"
#include "ora_refusal.h"
#include "ora_sign.h"

#include "ocirfs/errclass.h"
#include "ocirfs/flight.h"
#include "ocirfs/http.h"
#include "ocirfs/url.h"

enum {
    RENEW_BEFORE_S = 300,       /* or a quarter of the credential's life */
    RENEW_PAUSE_MS = 2000,      /* between renewals that a 401 asks for */
    EARLY_PAUSE_MS = 10 * 1000, /* between attempts while the old one is good */
};

/* The order of `auto`; our choice, not a rule of Oracle. */
static const struct ofs_ora_principal_ops *const kinds[] = {
    &ofs_ora_resource_ops, &ofs_ora_oke_ops,        &ofs_ora_api_key_ops,
    &ofs_ora_session_ops,  &ofs_ora_delegation_ops, &ofs_ora_instance_ops,
};

struct ofs_ora_auth {
    struct ofs_ora_principal *principal;
    const struct ofs_clock *clock;
    struct ofs_flights *flights;           /* one renewal at a time */
    struct ofs_mutex mtx;                  /* rank TOKEN */
    struct ofs_ora_credential *credential; /* guarded by mtx */
    int64_t renewed_ms;                    /* guarded by mtx */
    int64_t early_ms; /* last attempt before the end; guarded by mtx */
};

void ofs_ora_auth_free(struct ofs_ora_auth *a)
{
    if (!a)
        return;
    ofs_ora_principal_free(a->principal);
    ofs_ora_credential_unref(a->credential);
    ofs_flights_free(a->flights);
    ofs_mutex_done(&a->mtx);
    free(a);
}

static int64_t now_ms(const struct ofs_ora_auth *a)
{
    return a->clock->mono_ms(a->clock);
}

/* A service that nobody can reach now may answer later. */
static bool may_come_later(const struct ofs_ora_auth_cfg *cfg,
                           const struct ofs_ora_auth *a, int r)
{
    return cfg->may_be_offline && a->principal && a->principal->tenancy &&
           ofs_err_is(r, OFS_ERR_AWAY);
}

/* Flight: fetch a credential and put it in place of the old one. */
static int renew(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    struct ofs_ora_auth *a = arg;
    OFS_AUTO(ofs_ora_credential_unrefp) struct ofs_ora_credential *fresh = NULL;
    int r = ofs_call_check(call, err);

    if (r == 0)
        r = a->principal->ops->fetch(a->principal, call, &fresh, err);
    if (r < 0)
        return r;
    {
        OFS_GUARD(&a->mtx);
        struct ofs_ora_credential *old = a->credential;

        a->credential = fresh;
        a->renewed_ms = now_ms(a);
        fresh = old;
    }
    return 0;
}

static int open_kind(const struct ofs_ora_principal_ops *ops,
                     const struct ofs_ora_auth_cfg *cfg, struct ofs_call *call,
                     struct ofs_ora_auth *a, struct ofs_err *err)
{
    int r = ofs_ora_principal_open(ops, cfg, call, &a->principal, err);

    if (r == 0)
        r = renew(call, a, err);
    if (may_come_later(cfg, a, r))
        return 0;
    if (r < 0 && r != -ENOENT)
        (void)ofs_err_wrap(err, r, ops->kind);
    return r;
}

static int open_auto(const struct ofs_ora_auth_cfg *cfg, struct ofs_call *call,
                     struct ofs_ora_auth *a, struct ofs_err *err)
{
    for (size_t i = 0; i < OFS_COUNT_OF(kinds); i++) {
        int r = open_kind(kinds[i], cfg, call, a, err);

        if (r != -ENOENT || a->principal)
            return r;
    }
    return ofs_err_set(err, -ENOENT,
                       "nothing to sign in to OCI with: no resource principal, "
                       "no OKE workload, no OCI_CLI_* variables, no "
                       "~/.oci/config, and this is no OCI instance");
}

static int open_named(const struct ofs_ora_auth_cfg *cfg, struct ofs_call *call,
                      struct ofs_ora_auth *a, struct ofs_err *err)
{
    const char *kind = cfg->kind;

    if (strcmp(kind, "auto") == 0 && cfg->env.cli_auth && cfg->env.cli_auth[0])
        kind = cfg->env.cli_auth;
    if (strcmp(kind, "auto") == 0)
        return open_auto(cfg, call, a, err);
    for (size_t i = 0; i < OFS_COUNT_OF(kinds); i++)
        if (strcmp(kind, kinds[i]->kind) == 0)
            return open_kind(kinds[i], cfg, call, a, err);
    return ofs_err_set(err, -EINVAL,
                       "auth=%.64s is not known; auto, api_key, "
                       "security_token, instance_principal, "
                       "resource_principal, oke_workload_identity or "
                       "instance_obo_user",
                       kind);
}

bool ofs_ora_auth_is_kind(const char *kind)
{
    bool known = strcmp(kind, "auto") == 0;

    for (size_t i = 0; !known && i < OFS_COUNT_OF(kinds); i++)
        known = strcmp(kind, kinds[i]->kind) == 0;
    return known;
}

int ofs_ora_auth_open(const struct ofs_ora_auth_cfg *cfg, struct ofs_call *call,
                      struct ofs_ora_auth **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_auth_freep)
    struct ofs_ora_auth *a = calloc(1, sizeof(*a));
    int r;

    if (!a)
        return ofs_err_nomem(err, "a principal");
    ofs_mutex_init(&a->mtx, OFS_RANK_TOKEN);
    a->clock = cfg->clock;
    a->early_ms = now_ms(a) - EARLY_PAUSE_MS;
    a->flights = ofs_flights_new();
    if (!a->flights)
        return ofs_err_nomem(err, "a principal");
    r = open_named(cfg, call, a, err);
    if (r < 0)
        return r;
    if (!a->principal->tenancy)
        return ofs_err_set(err, -EINVAL, "%s: the token names no tenancy",
                           a->principal->ops->kind);
    *ret = ofs_take(&a);
    return 0;
}

const char *ofs_ora_auth_kind(const struct ofs_ora_auth *a)
{
    return a->principal->ops->kind;
}

const char *ofs_ora_auth_tenancy(const struct ofs_ora_auth *a)
{
    return a->principal->tenancy;
}

const char *ofs_ora_auth_region(const struct ofs_ora_auth *a)
{
    return a->principal->region;
}

static struct ofs_ora_credential *current(struct ofs_ora_auth *a)
{
    OFS_GUARD(&a->mtx);
    return a->credential ? ofs_ora_credential_ref(a->credential) : NULL;
}

enum age { GOOD, OLD, ENDED };

static enum age age_of(const struct ofs_ora_credential *c, int64_t now_s)
{
    int64_t life_s, before_s = RENEW_BEFORE_S;

    if (!c)
        return ENDED; /* there was none yet */
    if (c->expires_s == 0)
        return GOOD;
    life_s = c->expires_s - c->issued_s;
    if (c->issued_s > 0 && life_s / 4 < before_s)
        before_s = life_s / 4;
    if (c->expires_s <= now_s)
        return ENDED;
    return c->expires_s - now_s <= before_s ? OLD : GOOD;
}

static bool has_changed(const struct ofs_ora_auth *a)
{
    const struct ofs_ora_principal_ops *ops = a->principal->ops;

    return ops->has_changed && ops->has_changed(a->principal);
}

/* One request renews an old credential; the others go on with it, and so do
 * all when that failed. */
static bool may_renew_early(struct ofs_ora_auth *a)
{
    int64_t now = now_ms(a);

    OFS_GUARD(&a->mtx);
    if (now - a->early_ms < EARLY_PAUSE_MS)
        return false;
    a->early_ms = now;
    return true;
}

/* A credential to sign with.  One that is merely old is better than none. */
static int credential(struct ofs_ora_auth *a, struct ofs_call *call,
                      struct ofs_ora_credential **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_credential_unrefp)
    struct ofs_ora_credential *c = current(a);
    enum age age = age_of(c, ofs_wall_s());
    int r = 0;

    if (age == ENDED || has_changed(a) || (age == OLD && may_renew_early(a)))
        r = ofs_flights_run(a->flights, "renew", call, renew, a, err);
    if (r < 0 && age == ENDED)
        return r;
    *ret = current(a);
    return 0;
}

static int sign_with(const struct ofs_ora_credential *c, const char *method,
                     const struct ofs_url *url, const void *body, size_t len,
                     struct ofs_strv *headers)
{
    OFS_AUTOBUF struct ofs_buf origin = OFS_BUF_INIT(1024);
    char date[OFS_ORA_DATE_MAX];
    struct ofs_ora_request req = {
        .method = method,
        .target = url->target,
        .date = date,
        .body = body,
        .body_len = len,
        .obo_token = c->obo_token.text,
    };

    if (ofs_url_origin(url, &origin) < 0)
        return -ENOMEM;
    req.host = strstr(ofs_buf_str(&origin), "//") + 2;
    ofs_ora_date(ofs_wall_s(), date);
    return ofs_ora_sign(&req, c->key_id.text, c->key, headers);
}

int ofs_ora_auth_sign(struct ofs_ora_auth *a, struct ofs_call *call,
                      const char *method, const char *url, const void *body,
                      size_t len, struct ofs_strv *ret_headers,
                      struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_credential_unrefp) struct ofs_ora_credential *c = NULL;
    OFS_AUTOWIPESTRV struct ofs_strv headers = { 0 };
    OFS_AUTOURL struct ofs_url parsed = { 0 };
    int r = ofs_url_parse(url, &parsed, err);

    if (r == 0)
        r = credential(a, call, &c, err);
    if (r < 0)
        return r;
    if (sign_with(c, method, &parsed, body, len, &headers) < 0)
        return ofs_err_set(err, -EIO, "cannot sign the request");
    *ret_headers = headers;
    headers = (struct ofs_strv){ 0 };
    return 0;
}

static bool was_renewed_just_now(struct ofs_ora_auth *a)
{
    OFS_GUARD(&a->mtx);
    return now_ms(a) - a->renewed_ms < RENEW_PAUSE_MS;
}

int ofs_ora_auth_renew(struct ofs_ora_auth *a, struct ofs_call *call,
                       struct ofs_err *err)
{
    if (a->principal->ops == &ofs_ora_api_key_ops)
        return ofs_err_set(err, -EACCES,
                           "the service does not take this API key");
    if (was_renewed_just_now(a))
        return 0;
    return ofs_flights_run(a->flights, "renew", call, renew, a, err);
}

void ofs_ora_auth_why(struct ofs_ora_auth *a, const char *date,
                      char text[OFS_ORA_WHY_MAX])
{
    OFS_AUTO(ofs_ora_credential_unrefp)
    struct ofs_ora_credential *c = current(a);
    const struct ofs_ora_refusal refusal = {
        .advice = a->principal->ops->advice,
        .key_id = c ? c->key_id.text : NULL,
        .date = date,
        .now_s = ofs_wall_s(),
    };

    ofs_ora_refusal_words(&refusal, text, OFS_ORA_WHY_MAX);
}

/* Of "<tenancy>/<user>/<fingerprint>": a user may have another key tomorrow. */
static bool add_user(const char *key_id, struct ofs_buf *b)
{
    const char *user = strchr(key_id, '/');
    const char *end = user ? strchr(user + 1, '/') : NULL;

    return end && ofs_buf_add(b, user + 1, (size_t)(end - user - 1)) == 0;
}

/* A token says of whom it is; where we act for somebody, that one counts. */
static bool add_who(const struct ofs_ora_credential *c, struct ofs_buf *b)
{
    const struct ofs_secret *obo = &c->obo_token;
    const char *token = c->key_id.text + strlen("ST$");
    size_t len = c->key_id.len - strlen("ST$");
    struct ofs_ora_claims claims;

    if (obo->len == 0 && !ofs_str_starts(c->key_id.text, "ST$"))
        return add_user(c->key_id.text, b);
    if (obo->len > 0) {
        token = obo->text;
        len = obo->len;
    }
    return ofs_ora_claims_parse(token, len, &claims) == 0 &&
           claims.subject[0] && ofs_buf_adds(b, claims.subject) == 0;
}

bool ofs_ora_auth_who(struct ofs_ora_auth *a, struct ofs_digest *ret)
{
    OFS_AUTO(ofs_ora_credential_unrefp)
    struct ofs_ora_credential *c = current(a);
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1024);

    (void)ofs_buf_addf(&b, "oracle %s ", a->principal->tenancy);
    return c && add_who(c, &b) && !b.failed &&
           ofs_digest_of(OFS_SHA256, b.data, b.len, ret) == 0;
}

const char *ofs_ora_auth_grantee(const struct ofs_ora_auth *a)
{
    return a->principal->ops->grantee;
}
