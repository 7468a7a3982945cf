/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REGISTRY_PRIV_H
#define OFS_REGISTRY_PRIV_H

/*
 * The way to a registry, for those in ../read and ../write who know one kind of
 * thing each (manifests, blobs, lists, uploads): reg_request.c sends one
 * request, reg_route.c decides who is asked (mirror, source), health.c whether
 * the source is asked at all.
 */

#include "ocirfs/clock.h"
#include "ocirfs/registry.h"
#include "ocirfs/thread.h"
#include "ocirfs/url.h"

#include "reg_memo.h"

/* One of the two that can be asked.  Immutable after new. */
struct reg_end {
    struct ofs_registry *r;
    struct ofs_url url; /* as given */
    char *base;         /* "https://host/prefix/v2/"; owned */
    char *origin;       /* owned */
    char *host;         /* "host:port" or "host"; owned */
    bool is_mirror;
    atomic_bool refuses_n; /* answered 400 to n=1000 */
};

enum reg_health_state {
    REG_UP,
    REG_SUSPECT, /* asked by the probe as well as by everyone else */
    REG_DOWN,    /* asked by the probe only */
};

/* Guarded by ofs_registry.mtx, but for what is the probing thread's. */
struct reg_health {
    enum reg_health_state state;
    int64_t answered_ms;   /* when it last answered anything */
    uint64_t n_answers;    /* so many: tells before from after exactly */
    int64_t down_since_s;  /* wall clock */
    struct ofs_err why;    /* last trouble */
    char token_scope[288]; /* of the token that could not be had; "": it was
                              the registry itself */
    bool probing;          /* the thread is there */
    bool unproven;         /* down, and the probe has not said so yet */
    int64_t down_at_ms;
    struct ofs_waitlist waiters; /* for what the probe says */
    struct ofs_thread prober;
};

struct reg_repo_lock;

struct ofs_registry {
    struct ofs_http *http;
    struct ofs_tokens *tokens;
    const struct ofs_clock *clock;
    int64_t probe_ms;
    char *accept;                   /* header line for manifests; owned */
    ofs_registry_advice_fn *advise; /* what to do about a 403; or NULL */
    void *advise_arg;
    struct reg_end source, mirror;
    bool has_mirror;

    struct ofs_mutex mtx; /* OFS_RANK_REGISTRY; guards all below */
    struct reg_memo memo; /* redirect targets and habits of servers */
    int64_t mirror_shunned_until_ms;
    struct reg_health health;
    struct reg_repo_lock *turns; /* being taken, reg_repo_lock.h */
    struct ofs_waitlist turn_waiters;
};

/* ---- reg_request.c: one request ---- */

struct reg_req {
    const char *method;
    const char *url;
    const char *scope; /* of the token; "" for none */
    const char *what;  /* it is about, for sentences: "tags of 'a/b'" */
    const char *const *headers; /* as for ofs_http_do */
    const struct ofs_http_sink *sink;
    const void *body; /* to send; NULL: none */
    size_t body_len;
    const struct ofs_http_upload *upload; /* instead of body; may be NULL */
    size_t max_body;                      /* bytes; 0: http's default */
    int max_redirects;                    /* 0: a 3xx is an answer */
    bool elsewhere;  /* a redirect's target: no token, no health */
    bool ask_anyway; /* also when it is down */
    bool once;       /* not repeated by http */
};

/*
 * Send it with its Authorization; on a 401 renew that once and send it again.
 * 0 and any response; -EACCES no way to authenticate; errors of ofs_http_do;
 * the errno of the trouble while the registry is down.
 */
int ofs_reg_send(struct reg_end *end, struct ofs_call *call,
                 const struct reg_req *req, struct ofs_http_resp *ret,
                 struct ofs_err *err) OFS_MUST_CHECK;

/* The same; a status other than 2xx is a failure. */
int ofs_reg_do(struct reg_end *end, struct ofs_call *call,
               const struct reg_req *req, struct ofs_http_resp *ret,
               struct ofs_err *err) OFS_MUST_CHECK;

/* "repository:<repo>:pull", owned; NULL: no memory. */
char *ofs_reg_scope(const char *repo);
/* "repository:<repo>:pull,push", likewise. */
char *ofs_reg_push_scope(const char *repo);

/* ---- reg_route.c: mirror or source ---- */

/* Something that can be done with either. */
struct reg_task {
    int (*op)(struct reg_end *end, struct ofs_call *call, void *arg,
              struct ofs_err *err);
    void *arg;
    bool pass_mirror; /* do not ask it */
    bool is_long;     /* moves data: takes as long as that needs */
};

/*
 * Do it with the mirror if there is one that is not left alone, and with the
 * source when that fails for any reason but the caller's own.
 */
int ofs_reg_route(struct ofs_registry *r, struct ofs_call *call,
                  const struct reg_task *task,
                  struct ofs_err *err) OFS_MUST_CHECK;

/* How long (ms) the mirror may take of what the call has left.  Pure. */
int64_t ofs_reg_mirror_share_ms(int64_t left_ms, bool is_long);

/* ---- health.c ---- */

enum reg_verdict {
    REG_NOTHING, /* says nothing of the registry */
    REG_ALIVE,
    REG_DOUBT, /* might be gone */
    REG_GONE,
};

/* What one request showed; times on ofs_mono_ms(). */
struct reg_evidence {
    int code;         /* 0 or negative errno */
    bool answered;    /* a response arrived, whole or not */
    int64_t begun_ms; /* when the request began */
    int64_t ended_ms;
    int64_t answered_ms; /* when others last had an answer, of those that
                            had one since it began; 0: none had */
};

enum reg_verdict ofs_reg_judge(const struct reg_evidence *e); /* pure */

/* 0, or the trouble again while the registry is down, and is proven to be. */
int ofs_reg_breaker(struct reg_end *end, struct ofs_call *call,
                    struct ofs_err *err) OFS_MUST_CHECK;

/* The moment before a request. */
struct reg_start {
    int64_t ms;
    uint64_t n_answers; /* of the registry so far */
};
struct reg_start ofs_reg_start(struct reg_end *end);

/* Tell what came of a request; `token_scope`: it was for a token. */
void ofs_reg_witness(struct reg_end *end, int code, const struct ofs_err *err,
                     const struct reg_start *start, const char *token_scope);

/* ---- registry.c ---- */

/* -ENOENT for names that cannot exist; they never get into a URL. */
int ofs_reg_check_repo(const char *repo, struct ofs_err *err) OFS_MUST_CHECK;

/* Hints about `name` at that end, for a while; ofs_registry.memo. */
enum reg_hint {
    REG_HINT_TARGET = 'T',    /* of "repo@digest": where a blob is */
    REG_HINT_WHOLE = 'W',     /* of a repository: ranges are ignored */
    REG_HINT_REFERRERS = 'R', /* of a repository: no referrers API */
};
void ofs_reg_note(struct reg_end *end, enum reg_hint hint, const char *name,
                  const char *text, int64_t ttl_ms);
/* A copy, owned; NULL: none. */
char *ofs_reg_noted(struct reg_end *end, enum reg_hint hint, const char *name);
/* Only when it is this text; NULL: whatever it is. */
void ofs_reg_unnote(struct reg_end *end, enum reg_hint hint, const char *name,
                    const char *text);

#endif
