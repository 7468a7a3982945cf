/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/token.h"

#include "json_wipe.h"
#include "token_answer.h"
#include "token_fetch.h"
#include "token_request.h"
#include "token_who.h"

#include "ocirfs/flight.h"
#include "ocirfs/map.h"
#include "ocirfs/metrics.h"
#include "ocirfs/str.h"

/*
 * Two tables: how each origin wants to be asked, and the Authorization value
 * for each (origin, scope).  A value has three times: until `renew_ms` it is
 * handed out; then the next caller fetches another; until `end_ms` it is still
 * good enough should that fail.
 *
 * The flight of a key carries nothing: whoever leads puts the value into the
 * table, and all look there again.  A leader that looks first and finds what
 * another has just put there fetches nothing.
 */
enum {
    HELD_MAX = 4096,           /* values; the least recently used one goes */
    SCOPES_MAX = 4096,         /* bytes of all scopes of a token */
    WHO_MAX = 16384,           /* bytes that say who we are */
    PAUSE_MS = 10 * 1000,      /* between early renewals that fail */
    EMPTY_LIFE_MS = 60 * 1000, /* of "send none", until it is looked again */
};

static struct ofs_metric hits = OFS_COUNTER(
    "ocirfs_token_hits_total", "Authorizations served from memory.");

struct held {
    struct ofs_secret value;
    char *asked; /* the scopes it was asked with */
    int64_t fetched_ms, renew_ms, end_ms;
    uint64_t used; /* larger is later */
};

struct ofs_tokens {
    struct ofs_tokens_cfg cfg; /* immutable after new */
    char *client_id;           /* immutable; cfg points to it */
    struct ofs_flights *flights;
    struct ofs_mutex mtx;
    /* Guarded by mtx.  Origins are those of the configuration, hence few. */
    struct ofs_map *challenges; /* origin -> struct ofs_challenge */
    struct ofs_map *held;       /* origin, line break, scope -> struct held */
    uint64_t uses;
};

/* What one caller wants; also what its flight works on. */
struct want {
    struct ofs_tokens *t;
    const char *key, *origin;
    const char *asked;                /* scopes */
    const struct ofs_secret *refused; /* NULL: nothing was */
    int64_t begun_ms;
};

static void held_free(void *arg)
{
    struct held *h = arg;

    if (!h)
        return;
    ofs_secret_done(&h->value);
    free(h->asked);
    free(h);
}

static void held_freep(struct held **h)
{
    held_free(*h);
}

static void challenge_free(void *arg)
{
    struct ofs_challenge *c = arg;

    if (!c)
        return;
    ofs_challenge_done(c);
    free(c);
}

static int build(struct ofs_tokens *t, const struct ofs_tokens_cfg *cfg)
{
    ofs_mutex_init(&t->mtx, OFS_RANK_TOKEN);
    t->cfg = *cfg;
    t->client_id = strdup(cfg->client_id ? cfg->client_id : "ocirfs");
    t->cfg.client_id = t->client_id;
    t->flights = ofs_flights_new();
    t->challenges = ofs_map_new();
    t->held = ofs_map_new();
    return t->client_id && t->flights && t->challenges && t->held ? 0 : -ENOMEM;
}

struct ofs_tokens *ofs_tokens_new(const struct ofs_tokens_cfg *cfg,
                                  struct ofs_err *err)
{
    struct ofs_tokens *t = calloc(1, sizeof(*t));

    ofs_json_wipe_start();
    if (!t || build(t, cfg) < 0) {
        ofs_tokens_free(t);
        (void)ofs_err_nomem(err, "tokens");
        return NULL;
    }
    return t;
}

void ofs_tokens_free(struct ofs_tokens *t)
{
    if (!t)
        return;
    ofs_flights_free(t->flights);
    ofs_map_free(t->challenges, challenge_free);
    ofs_map_free(t->held, held_free);
    ofs_mutex_done(&t->mtx);
    free(t->client_id);
    free(t);
}

static int64_t now_ms(const struct ofs_tokens *t)
{
    return t->cfg.clock->mono_ms(t->cfg.clock);
}

static bool same(const struct ofs_secret *a, const struct ofs_secret *b)
{
    return a->len == b->len &&
           (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

/* Would this do, were it young enough? */
static bool is_fit(const struct want *w, const struct held *h)
{
    return ofs_token_covers(h->asked, w->asked) &&
           !(w->refused && same(w->refused, &h->value));
}

/* What was fetched while the caller waited is fresh however short it lives. */
static bool is_fresh(const struct want *w, const struct held *h, int64_t now)
{
    return now < h->renew_ms || h->fetched_ms >= w->begun_ms;
}

/* 1 and a copy; 0: there is none that does; -ENOMEM.  `or_old`: one that is
 * due but not over does as well, and is not renewed for a while. */
static int recall(const struct want *w, bool or_old, struct ofs_secret *ret)
{
    struct ofs_tokens *t = w->t;
    int64_t now = now_ms(t);
    struct held *h;

    OFS_GUARD(&t->mtx);
    h = ofs_map_get(t->held, w->key);
    if (!h || !is_fit(w, h))
        return 0;
    if (or_old && now < h->end_ms)
        h->renew_ms = now + PAUSE_MS < h->end_ms ? now + PAUSE_MS : h->end_ms;
    else if (!is_fresh(w, h, now))
        return 0;
    h->used = ++t->uses;
    if (h->value.len == 0)
        return 1;
    return ofs_secret_set(ret, h->value.text, h->value.len) < 0 ? -ENOMEM : 1;
}

struct oldest {
    const char *key;
    uint64_t used;
};

static int compare_use(const char *key, void *value, void *arg)
{
    const struct held *h = value;
    struct oldest *o = arg;

    if (!o->key || h->used < o->used)
        *o = (struct oldest){ key, h->used };
    return 0;
}

/* With t->mtx held.  Room for one more; the caller frees what went. */
static struct held *make_room(struct ofs_tokens *t)
{
    struct oldest o = { 0 };
    OFS_AUTOFREE char *key = NULL;

    if (ofs_map_count(t->held) < HELD_MAX)
        return NULL;
    (void)ofs_map_each(t->held, compare_use, &o);
    /* A copy, as removing the key frees it. */
    key = o.key ? strdup(o.key) : NULL;
    return key ? ofs_map_remove(t->held, key) : NULL;
}

static int hold(const struct want *w, struct held *fresh)
{
    struct ofs_tokens *t = w->t;
    OFS_AUTO(held_freep) struct held *h = fresh, *gone = NULL, *old = NULL;
    void *was = NULL;
    int r;

    OFS_GUARD(&t->mtx);
    gone = make_room(t);
    h->used = ++t->uses;
    r = ofs_map_put(t->held, w->key, h, &was);
    if (r < 0)
        return r;
    old = was;
    h = NULL;
    return 0;
}

static struct held *make_held(const struct want *w, struct ofs_token_value *v)
{
    struct held *h = calloc(1, sizeof(*h));
    int64_t now = now_ms(w->t), life_ms = v->life_ms;

    if (!h)
        return NULL;
    if (v->authorization.len == 0)
        life_ms = EMPTY_LIFE_MS;
    h->value = v->authorization;
    v->authorization = (struct ofs_secret){ 0 };
    h->fetched_ms = now;
    h->renew_ms = h->end_ms = OFS_NEVER;
    if (life_ms != OFS_NEVER) {
        h->renew_ms = now + ofs_token_use_ms(life_ms);
        h->end_ms = now + life_ms;
    }
    h->asked = strdup(w->asked);
    if (h->asked)
        return h;
    held_free(h);
    return NULL;
}

/* 1 and a copy, 0: the origin has not told yet, -ENOMEM. */
static int recall_challenge(const struct want *w, struct ofs_challenge *ret)
{
    const struct ofs_challenge *c;

    OFS_GUARD(&w->t->mtx);
    c = ofs_map_get(w->t->challenges, w->origin);
    if (!c)
        return 0;
    return ofs_challenge_copy(c, ret) < 0 ? -ENOMEM : 1;
}

static int fetch(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    const struct want *w = arg;
    OFS_AUTOCHALLENGE struct ofs_challenge challenge = { 0 };
    OFS_AUTOTOKENVALUE struct ofs_token_value v = { 0 };
    OFS_AUTOSECRET struct ofs_secret known = { 0 };
    const struct ofs_token_ask ask = {
        .http = w->t->cfg.http,
        .creds = &w->t->cfg.creds,
        .more_creds = &w->t->cfg.more_creds,
        .refusal_is_final = w->t->cfg.refusal_is_final,
        .client_id = w->t->cfg.client_id,
        .allow_plain_http = w->t->cfg.allow_plain_http,
        .origin = w->origin,
        .scopes = w->asked,
        .challenge = &challenge,
        .refused = w->refused,
    };
    struct held *fresh;
    int r = recall(w, /* or_old= */ false, &known);

    if (r != 0)
        return r < 0 ? ofs_err_nomem(err, "a token") : 0;
    if (recall_challenge(w, &challenge) <= 0)
        return ofs_err_nomem(err, "a challenge");
    r = ofs_token_fetch(&ask, call, &v, err);
    if (r < 0)
        return r;
    fresh = make_held(w, &v);
    return fresh && hold(w, fresh) == 0 ? 0 : ofs_err_nomem(err, "a token");
}

/* From memory, or fetched by one for all who want the same. */
static int obtain(struct want *w, struct ofs_call *call, struct ofs_secret *ret,
                  struct ofs_err *err)
{
    struct ofs_err trouble = { 0 };
    int found, r;

    w->begun_ms = now_ms(w->t);
    found = recall(w, /* or_old= */ false, ret);
    if (found > 0)
        ofs_metric_add(&hits, 1);
    while (found == 0) {
        r = ofs_flights_run(w->t->flights, w->key, call, fetch, w, &trouble);
        found = recall(w, /* or_old= */ r < 0 && r != -EINTR, ret);
        if (found == 0 && r < 0) {
            if (err)
                *err = trouble;
            return r;
        }
    }
    return found < 0 ? ofs_err_nomem(err, "a token") : 0;
}

int ofs_tokens_get(struct ofs_tokens *t, struct ofs_call *call,
                   const char *origin, const char *scope,
                   struct ofs_secret *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *key = ofs_strf("%s\n%s", origin, scope);
    OFS_AUTOFREE char *asked = NULL;
    struct want w = { .t = t, .key = key, .origin = origin };
    const struct held *h;

    ofs_assert_unlocked();
    if (!key)
        return ofs_err_nomem(err, "a token");
    {
        OFS_GUARD(&t->mtx);
        if (!ofs_map_get(t->challenges, origin))
            return 0;
        h = ofs_map_get(t->held, key);
        asked = strdup(h ? h->asked : scope);
    }
    if (!asked)
        return ofs_err_nomem(err, "a token");
    w.asked = asked;
    return obtain(&w, call, ret, err);
}

/* With the old one freed outside the lock. */
static int learn(struct ofs_tokens *t, const char *origin,
                 const struct ofs_challenge *c)
{
    struct ofs_challenge *copy = calloc(1, sizeof(*copy));
    void *old = NULL;
    int r = copy ? ofs_challenge_copy(c, copy) : -ENOMEM;

    if (r == 0) {
        OFS_GUARD(&t->mtx);
        r = ofs_map_put(t->challenges, origin, copy, &old);
    }
    challenge_free(r < 0 ? copy : old);
    return r;
}

/* The value that was refused is nobody's any more. */
static void drop(const struct want *w)
{
    OFS_AUTO(held_freep) struct held *gone = NULL;
    const struct held *h;

    OFS_GUARD(&w->t->mtx);
    h = ofs_map_get(w->t->held, w->key);
    if (h && same(&h->value, w->refused))
        gone = ofs_map_remove(w->t->held, w->key);
}

static int understand(struct ofs_tokens *t, const char *origin,
                      const struct ofs_headers *headers,
                      struct ofs_challenge *ret, struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url realm = { 0 };
    int r = ofs_challenge_pick(headers, ret, err);

    if (r < 0)
        return ofs_err_wrap(err, r, ofs_token_host(origin));
    if (ret->kind == OFS_CHALLENGE_BEARER)
        r = ofs_token_realm(ret->realm, origin, t->cfg.allow_plain_http, &realm,
                            err);
    if (r < 0)
        return r;
    return learn(t, origin, ret) < 0 ? ofs_err_nomem(err, "a challenge") : 0;
}

int ofs_tokens_renew(struct ofs_tokens *t, struct ofs_call *call,
                     const char *origin, const char *scope,
                     const struct ofs_headers *challenge,
                     const struct ofs_secret *used, struct ofs_secret *ret,
                     struct ofs_err *err)
{
    OFS_AUTOCHALLENGE struct ofs_challenge c = { 0 };
    OFS_AUTOFREE char *key = ofs_strf("%s\n%s", origin, scope);
    OFS_AUTOBUF struct ofs_buf scopes = OFS_BUF_INIT(SCOPES_MAX);
    struct want w = {
        .t = t,
        .key = key,
        .origin = origin,
        .refused = used,
    };
    int r;

    ofs_assert_unlocked();
    if (!key)
        return ofs_err_nomem(err, "a token");
    r = understand(t, origin, challenge, &c, err);
    if (r < 0)
        return r;
    (void)ofs_token_add_scopes(&scopes, scope);
    if (c.scope && ofs_token_add_scopes(&scopes, c.scope) < 0)
        return ofs_err_set(err, -EBADMSG, "%s asks for too long a scope",
                           ofs_token_host(origin));
    w.asked = ofs_buf_str(&scopes);
    drop(&w);
    return obtain(&w, call, ret, err);
}

/* Of both sources: which of them is taken is the registry's to say. */
int ofs_tokens_who(struct ofs_tokens *t, struct ofs_call *call,
                   const char *origin, const char *repo, struct ofs_digest *ret)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(WHO_MAX);
    const char *host = ofs_token_host(origin);
    int r = ofs_token_add_who(&t->cfg.creds, call, host, repo, &b);

    if (r == 0)
        r = ofs_token_add_who(&t->cfg.more_creds, call, host, repo, &b);
    return r < 0 ? r : ofs_digest_of(OFS_SHA256, b.data, b.len, ret);
}
