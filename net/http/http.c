/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/http.h"

#include "easypool.h"
#include "engine.h"
#include "redirect.h"
#include "retry.h"
#include "transfer.h"

#include "ocirfs/backoff.h"
#include "ocirfs/clock.h"
#include "ocirfs/log.h"
#include "ocirfs/metrics.h"
#include "ocirfs/secret.h"
#include "ocirfs/str.h"

enum {
    CONNECT_TIMEOUT_MS = 10 * 1000,
    STALL_TIMEOUT_MS = 30 * 1000,
    HOST_CONNECTIONS = 64,
    HOST_NAME_MAX_BYTES = 300,
    NEAR_MAX = 32, /* more origins of ours than there are options for */
};

static struct ofs_metric requests =
    OFS_COUNTER("ocirfs_http_requests_total", "Requests sent.");
static struct ofs_metric retries = OFS_COUNTER(
    "ocirfs_http_retries_total", "Requests sent again after a failure.");
static struct ofs_metric in_flight =
    OFS_GAUGE("ocirfs_http_in_flight", "Requests that somebody waits for.");

struct ofs_http {
    struct ofs_transfer_cfg cfg;    /* immutable after new; owns its strings */
    struct ofs_retry_policy policy; /* immutable after new */
    struct ofs_engine *engine;
    struct ofs_easypool pool;
    char *user_agent, *ca_file;

    struct ofs_mutex near_mtx; /* OFS_RANK_HTTP; held alone */
    struct ofs_strv near;      /* origins of ours seen near; near_mtx; sorted */
};

/* One ofs_http_do(): attempts and hops until there is an answer. */
struct story {
    struct ofs_http *h;
    struct ofs_call *call;
    const struct ofs_http_req *req;
    struct ofs_url ours; /* the origin that all of it begins with */
    struct ofs_redirect hop;
    struct ofs_buf host; /* of the hop, for messages */
    struct ofs_transfer t;
    int n_requests, n_hops, n_failures;
};

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static int copy_string(const char *text, char **ret)
{
    *ret = text ? strdup(text) : NULL;
    return text && !*ret ? -ENOMEM : 0;
}

/* Now, and in plain words, rather than as a TLS failure at each request. */
static int check_ca_file(const char *path, struct ofs_err *err)
{
    if (!path || access(path, R_OK) == 0)
        return 0;
    return ofs_err_set(err, -errno, "ca_file=%s: %s", path,
                       errno == ENOENT ? "no such file" : "cannot be read");
}

/* Does libcurl know one file with all the system's certificates? */
static bool has_bundle(void)
{
    CURL *easy = curl_easy_init();
    const char *path = NULL;
    bool has;

    if (easy)
        (void)curl_easy_getinfo(easy, CURLINFO_CAINFO, &path);
    has = path && access(path, R_OK) == 0;
    curl_easy_cleanup(easy);
    return has;
}

static int set_up(struct ofs_http *h, const struct ofs_http_cfg *cfg)
{
    struct ofs_engine_cfg ecfg = {
        .limits.connect_ms =
            or_default(cfg->connect_timeout_ms, CONNECT_TIMEOUT_MS),
        .limits.stall_ms = or_default(cfg->stall_timeout_ms, STALL_TIMEOUT_MS),
        .max_host_connections =
            (unsigned)or_default(cfg->max_host_connections, HOST_CONNECTIONS),
    };

    ofs_mutex_init(&h->near_mtx, OFS_RANK_HTTP);
    h->policy = ofs_retry_default;
    if (cfg->max_attempts > 0)
        h->policy.max_attempts = cfg->max_attempts;
    if (copy_string(cfg->user_agent, &h->user_agent) < 0 ||
        copy_string(cfg->ca_file, &h->ca_file) < 0)
        return -ENOMEM;
    h->cfg = (struct ofs_transfer_cfg){
        .user_agent = h->user_agent,
        .ca_file = h->ca_file,
        .bundle_only = !h->ca_file && has_bundle(),
        .no_proxy = cfg->no_proxy,
    };
    h->engine = ofs_engine_new(&ecfg);
    if (!h->engine)
        return -ENOMEM;
    return ofs_easypool_init(&h->pool);
}

struct ofs_http *ofs_http_new(const struct ofs_http_cfg *cfg,
                              struct ofs_err *err)
{
    struct ofs_http *h;

    if (check_ca_file(cfg->ca_file, err) < 0)
        return NULL;
    h = calloc(1, sizeof(*h));
    if (!h || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(h);
        (void)ofs_err_nomem(err, "libcurl");
        return NULL;
    }
    if (set_up(h, cfg) < 0) {
        ofs_http_free(h);
        (void)ofs_err_nomem(err, "the HTTP engine");
        return NULL;
    }
    return h;
}

int ofs_http_start(struct ofs_http *h, struct ofs_err *err)
{
    return ofs_engine_start(h->engine, err);
}

void ofs_http_stop(struct ofs_http *h)
{
    ofs_engine_stop(h->engine);
}

void ofs_http_free(struct ofs_http *h)
{
    if (!h)
        return;
    ofs_engine_free(h->engine);
    ofs_easypool_done(&h->pool);
    free(h->user_agent);
    free(h->ca_file);
    ofs_strv_done(&h->near);
    free(h);
    curl_global_cleanup();
}

/* "registry.example" or "127.0.0.1:5000". */
static int name_host(struct story *s, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf origin = OFS_BUF_INIT(HOST_NAME_MAX_BYTES + 16);
    const char *name;

    (void)ofs_url_origin(&s->hop.url, &origin);
    name = strstr(ofs_buf_str(&origin), "//");
    ofs_buf_reset(&s->host);
    if (!name || ofs_buf_adds(&s->host, name + 2) < 0)
        return ofs_err_nomem(err, "a request");
    return 0;
}

static void log_attempt(const struct story *s, int r, int64_t begun_ms,
                        const struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf url = OFS_BUF_INIT(32 * 1024);
    long long ms = (long long)(ofs_mono_ms() - begun_ms);

    (void)ofs_url_redact(&url, s->hop.url.text);
    if (r < 0)
        ofs_log(OFS_DEBUG, "http: %s %s: %s (%lld ms)", s->hop.method,
                ofs_buf_str(&url), err->text, ms);
    else
        ofs_log(OFS_DEBUG, "http: %s %s: %d (%lld ms)", s->hop.method,
                ofs_buf_str(&url), s->t.head.status, ms);
}

/* May this hop lead to this machine, or its link? */
static bool may_be_near(struct story *s)
{
    OFS_AUTOBUF struct ofs_buf origin = OFS_BUF_INIT(HOST_NAME_MAX_BYTES + 16);

    if (ofs_url_same_origin(&s->ours, &s->hop.url))
        return true;
    if (ofs_url_origin(&s->ours, &origin) < 0)
        return false;
    OFS_GUARD(&s->h->near_mtx);
    return ofs_strv_has(&s->h->near, ofs_buf_str(&origin));
}

/* Who is near may lead to what is near.  No memory for it: refuses only. */
static void note_near(struct story *s)
{
    OFS_AUTOBUF struct ofs_buf origin = OFS_BUF_INIT(HOST_NAME_MAX_BYTES + 16);
    struct ofs_strv *near = &s->h->near;

    if (!s->t.job.life.guard.near ||
        !ofs_url_same_origin(&s->ours, &s->hop.url) ||
        ofs_url_origin(&s->ours, &origin) < 0)
        return;
    OFS_GUARD(&s->h->near_mtx);
    if (near->n < NEAR_MAX && !ofs_strv_has(near, ofs_buf_str(&origin)) &&
        ofs_strv_add(near, ofs_buf_str(&origin)) == 0)
        ofs_strv_sort(near);
}

static void prepare_attempt(struct story *s)
{
    bool stuck = s->t.job.end == OFS_END_STALL;
    bool as_it_comes = s->t.as_it_comes || s->t.mislabeled;

    ofs_transfer_done(&s->t);
    s->t = (struct ofs_transfer){
        .cfg = &s->h->cfg,
        .req = s->req,
        .hop = &s->hop,
        .host = ofs_buf_str(&s->host),
        .fresh = stuck,
        .far_only = !may_be_near(s),
        .as_it_comes = as_it_comes,
    };
}

static int send_once(struct story *s, struct ofs_err *err)
{
    int64_t begun_ms = ofs_mono_ms();
    CURL *easy = ofs_easypool_get(&s->h->pool);
    int r;

    if (!easy)
        return ofs_err_nomem(err, "a request");
    prepare_attempt(s);
    s->n_requests++;
    ofs_metric_add(&requests, 1);
    r = ofs_transfer_run(&s->t, s->h->engine, easy, s->call, err);
    ofs_easypool_put(&s->h->pool, easy);
    note_near(s);
    if (ofs_log_on(OFS_DEBUG))
        log_attempt(s, r, begun_ms, err);
    return r;
}

/* Where the answer says to go on; NULL: it is for the caller. */
static const char *redirect_of(const struct story *s)
{
    if (s->req->max_redirects == 0 || !ofs_redirect_is_one(s->t.head.status))
        return NULL;
    return ofs_headers_get(&s->t.head.headers, "Location");
}

static int follow_redirect(struct story *s, const char *location,
                           struct ofs_err *err)
{
    int status = s->t.head.status;
    int r;

    if (s->n_hops++ == s->req->max_redirects)
        r = ofs_err_set(err, -EBADMSG, "%s: more than %d redirects",
                        ofs_buf_str(&s->host), s->req->max_redirects);
    else
        r = ofs_redirect_follow(&s->hop, status, location, err);
    if (r < 0 && err)
        err->http_status = status;
    return r < 0 ? r : name_host(s, err);
}

/* How long to wait before the next attempt; -1: this was the last one. */
static int64_t next_delay_ms(struct story *s, int r)
{
    const char *wish = ofs_headers_get(&s->t.head.headers, "Retry-After");
    struct ofs_attempt a = {
        .n = ++s->n_failures,
        .http_status = r == 0 ? s->t.head.status : 0,
        .code = r,
        .permanent = s->t.permanent || s->t.verdict < 0,
        .idempotent =
            s->req->repeatable || ofs_http_is_idempotent(s->hop.method),
        .sent = s->t.sent,
        .delivered = s->t.fed,
        .retry_after_ms = ofs_retry_after_ms(wish, ofs_wall_s()),
        .left_ms = ofs_call_left_ms(s->call),
        .jitter = ofs_chance(),
    };

    return s->req->no_retry ? -1 : ofs_retry_delay_ms(&s->h->policy, &a);
}

static int run_story(struct story *s, struct ofs_err *err)
{
    for (;;) {
        int r = send_once(s, err);
        const char *location;
        int64_t delay_ms;

        if (r < 0 && s->t.mislabeled)
            r = send_once(s, err);
        location = r == 0 ? redirect_of(s) : NULL;
        if (location) {
            r = follow_redirect(s, location, err);
            if (r < 0)
                return r;
            continue;
        }
        delay_ms = next_delay_ms(s, r);
        if (delay_ms < 0)
            return r;
        ofs_log(OFS_DEBUG, "http: %s: retrying in %lld ms",
                ofs_buf_str(&s->host), (long long)delay_ms);
        r = ofs_engine_pause(s->h->engine, s->call, delay_ms, err);
        if (r < 0)
            return r;
        ofs_metric_add(&retries, 1);
    }
}

static int give(struct story *s, struct ofs_http_resp *ret, struct ofs_err *err)
{
    struct ofs_http_resp resp = {
        .status = s->t.head.status,
        .len = s->t.body.len,
        .n_requests = s->n_requests,
    };

    if (resp.len > 0) {
        resp.body = ofs_buf_take(&s->t.body);
        if (!resp.body)
            return ofs_err_nomem(err, "a response");
    }
    resp.headers = s->t.head.headers;
    s->t.head.headers = (struct ofs_headers){ 0 };
    resp.url = s->hop.url.text;
    s->hop.url.text = NULL;
    *ret = resp;
    return 0;
}

static void story_done(struct story *s)
{
    ofs_transfer_done(&s->t);
    ofs_redirect_done(&s->hop);
    ofs_url_done(&s->ours);
    ofs_buf_done(&s->host);
}

static int perform(struct ofs_http *h, struct ofs_call *call,
                   const struct ofs_http_req *req, struct ofs_http_resp *ret,
                   struct ofs_err *err)
{
    OFS_AUTO(story_done)
    struct story s = {
        .h = h,
        .call = call,
        .req = req,
        .hop = { .method = req->method, .authorize = true, .body = true },
        .host = OFS_BUF_INIT(HOST_NAME_MAX_BYTES),
    };
    int r = ofs_http_req_check(req, err);

    if (r == 0)
        r = ofs_url_parse(req->url, &s.hop.url, err);
    if (r == 0)
        r = ofs_url_parse(req->named_by ? req->named_by : req->url, &s.ours,
                          err);
    if (r == 0)
        r = name_host(&s, err);
    if (r == 0)
        r = run_story(&s, err);
    return r < 0 ? r : give(&s, ret, err);
}

void ofs_http_upload_more(struct ofs_http *h)
{
    ofs_engine_more(h->engine);
}

int ofs_http_pause(struct ofs_http *h, struct ofs_call *call, int64_t ms,
                   struct ofs_err *err)
{
    int r;

    if (!ofs_engine_enter(h->engine))
        return ofs_err_set(err, -EINTR, "the HTTP engine does not run");
    r = ofs_engine_pause(h->engine, call, ms, err);
    ofs_engine_leave(h->engine);
    return r;
}

int ofs_http_do(struct ofs_http *h, struct ofs_call *call,
                const struct ofs_http_req *req, struct ofs_http_resp *ret,
                struct ofs_err *err)
{
    struct ofs_err unseen;
    int r = ofs_call_check(call, err);

    if (r < 0)
        return r;
    if (!ofs_engine_enter(h->engine))
        return ofs_err_set(err, -EINTR, "the HTTP engine does not run");
    ofs_metric_add(&in_flight, 1);
    r = perform(h, call, req, ret, err ? err : &unseen);
    ofs_metric_add(&in_flight, -1);
    ofs_engine_leave(h->engine);
    return r;
}
