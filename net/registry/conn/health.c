/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_priv.h"

#include "ocirfs/errclass.h"
#include "ocirfs/log.h"
#include "ocirfs/metrics.h"

/*
 * Is the registry there?
 *
 * A dead registry must cost one deadline, not one for each file.  So when a
 * request to it found nobody, all that follow fail at once, and one thread
 * asks every probe_ms until there is an answer, whatever that says.
 *
 * Threads fail in company: twenty readers time out within a second, and the
 * last of them may tell of a trouble that is over.  Hence evidence knows how
 * many answers there had been when its request began, and counts for nothing
 * when the registry has answered anybody since then; times would not do, as
 * what happens within a millisecond has no order.  A time-out after a short
 * wait (the user's deadline, not ours) is only a doubt: everybody goes on and
 * the probe looks.
 *
 *      UP -----------------> DOWN    gone
 *      UP --> SUSPECT -----> DOWN    doubt; the probe failed
 *      any <---------------- any     any answer: UP
 *
 * One slow answer of a registry that is well looks the same as silence, when
 * nothing else was asked meanwhile.  So in the first moment of being down
 * requests wait for what the probe says instead of failing.
 *
 * A token server that is gone counts as the registry gone, since nothing can
 * be read without it; then the probe asks for that token as well.
 */

enum {
    PATIENCE_MS = 3000,        /* a time-out after less is a doubt */
    MIRROR_PATIENCE_MS = 1000, /* the same; there it costs less to be wrong */
    MIRROR_SHUN_MS = 30000,
    PROBE_TIMEOUT_MS = 5000,
    PROOF_MS = 600, /* the first probe of a registry that is there takes less */
};

static struct ofs_metric downs =
    OFS_COUNTER("ocirfs_registry_downs_total",
                "Times the registry was found not to answer.");
static struct ofs_metric up_gauge = OFS_GAUGE(
    "ocirfs_registry_up", "1 when the registry answers, 0 when it does not.");

enum reg_verdict ofs_reg_judge(const struct reg_evidence *e)
{
    bool unreachable = ofs_err_is(e->code, OFS_ERR_SILENT);

    if (e->code == 0)
        return REG_ALIVE;
    /* A body that broke off says when the registry was last heard, but that
     * was some time before now. */
    if (e->answered)
        return unreachable || e->code == -EIO ? REG_NOTHING : REG_ALIVE;
    if (!unreachable)
        return REG_NOTHING;
    if (e->answered_ms > 0)
        return e->ended_ms - e->answered_ms < PATIENCE_MS ? REG_NOTHING
                                                          : REG_DOUBT;
    if (e->code == -ETIMEDOUT && e->ended_ms - e->begun_ms < PATIENCE_MS)
        return REG_DOUBT;
    return REG_GONE;
}

/* With r->mtx held, as the next ones. */
static void set_up(struct ofs_registry *r, int64_t now_ms)
{
    r->health.state = REG_UP;
    r->health.answered_ms = now_ms;
    r->health.n_answers++;
    r->health.unproven = false;
    ofs_waitlist_wake(&r->health.waiters);
    ofs_metric_set(&up_gauge, 1);
}

static void set_trouble(struct ofs_registry *r, enum reg_health_state state,
                        const struct ofs_err *why)
{
    struct reg_health *h = &r->health;
    bool was_up = h->state == REG_UP;

    if (state == REG_DOWN && h->state != REG_DOWN) {
        h->down_since_s = ofs_wall_s();
        h->down_at_ms = ofs_mono_ms();
        h->unproven = true;
        ofs_metric_add(&downs, 1);
        ofs_metric_set(&up_gauge, 0);
    }
    if (why != &h->why)
        h->why = *why;
    h->state = state;
    if (was_up)
        ofs_thread_kick(&h->prober);
}

static void weigh(struct ofs_registry *r, const struct reg_evidence *e,
                  const struct ofs_err *why, const char *token_scope)
{
    struct reg_health *h = &r->health;
    enum reg_verdict verdict = ofs_reg_judge(e);

    if (verdict == REG_ALIVE)
        set_up(r, e->ended_ms);
    /* The first trouble is what is told until it is over. */
    if (verdict < REG_DOUBT || h->state == REG_DOWN)
        return;
    (void)snprintf(h->token_scope, sizeof(h->token_scope), "%s",
                   token_scope ? token_scope : "");
    set_trouble(r, verdict == REG_GONE ? REG_DOWN : REG_SUSPECT, why);
}

static void witness_mirror(struct ofs_registry *r, const struct reg_evidence *e)
{
    if (e->answered || !ofs_err_is(e->code, OFS_ERR_SILENT))
        return;
    if (e->code == -ETIMEDOUT && e->ended_ms - e->begun_ms < MIRROR_PATIENCE_MS)
        return;
    r->mirror_shunned_until_ms = r->clock->mono_ms(r->clock) + MIRROR_SHUN_MS;
}

struct reg_start ofs_reg_start(struct reg_end *end)
{
    OFS_GUARD(&end->r->mtx);
    return (struct reg_start){ ofs_mono_ms(), end->r->health.n_answers };
}

void ofs_reg_witness(struct reg_end *end, int code, const struct ofs_err *err,
                     const struct reg_start *start, const char *token_scope)
{
    struct ofs_registry *r = end->r;
    struct reg_evidence e = {
        .code = code,
        .answered = err->http_status != 0,
        .begun_ms = start->ms,
        .ended_ms = ofs_mono_ms(),
    };

    /* A token server with a bad certificate, or a challenge that nobody
     * understands, fails fast and says nothing of the registry. */
    if (token_scope && code == -EPROTO)
        return;
    OFS_GUARD(&r->mtx);
    if (r->health.n_answers != start->n_answers)
        e.answered_ms = r->health.answered_ms;
    if (end->is_mirror)
        witness_mirror(r, &e);
    else
        weigh(r, &e, err, token_scope);
}

static bool is_proven(void *arg)
{
    const struct ofs_registry *r = arg;

    return !r->health.unproven || !r->health.probing;
}

static void await_proof(struct ofs_registry *r, struct ofs_call *call)
{
    int64_t deadline_ms = call->deadline_ms, until_ms;
    int e;

    {
        OFS_GUARD(&r->mtx);
        if (is_proven(r))
            return;
        until_ms = r->health.down_at_ms + PROOF_MS;
    }
    if (until_ms < call->deadline_ms)
        call->deadline_ms = until_ms;
    e = ofs_waitlist_wait(&r->health.waiters, &r->mtx, call, is_proven, r,
                          NULL);
    (void)e; /* however the wait ended, what is known then counts */
    call->deadline_ms = deadline_ms;
}

int ofs_reg_breaker(struct reg_end *end, struct ofs_call *call,
                    struct ofs_err *err)
{
    struct ofs_registry *r = end->r;

    if (end->is_mirror)
        return 0;
    await_proof(r, call);
    OFS_GUARD(&r->mtx);
    /* Without the thread nobody would ever find it up again. */
    if (r->health.state != REG_DOWN || !r->health.probing)
        return 0;
    if (err)
        *err = r->health.why;
    return r->health.why.code;
}

bool ofs_registry_is_up(struct ofs_registry *r)
{
    struct ofs_call call;

    ofs_call_init(&call, PROOF_MS);
    await_proof(r, &call);
    ofs_call_done(&call);
    OFS_GUARD(&r->mtx);
    return r->health.state != REG_DOWN;
}

void ofs_registry_health(struct ofs_registry *r,
                         struct ofs_registry_health *ret)
{
    OFS_GUARD(&r->mtx);
    *ret = (struct ofs_registry_health){ .up = r->health.state != REG_DOWN };
    if (!ret->up)
        ret->down_since_s = r->health.down_since_s;
    memcpy(ret->why, r->health.why.text, sizeof(ret->why));
}

static bool is_up(struct ofs_registry *r)
{
    OFS_GUARD(&r->mtx);
    return r->health.state == REG_UP;
}

/* Sleep until there is trouble; false: the end. */
static bool await_trouble(struct ofs_registry *r)
{
    struct ofs_thread *me = &r->health.prober;

    while (is_up(r) && ofs_thread_sleep(me, OFS_NEVER))
        ;
    return !ofs_thread_is_stopping(me);
}

/* Any answer will do, so there is no token and one attempt. */
static int probe_registry(struct ofs_registry *r, struct ofs_err *err)
{
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_http_req req = {
        .method = "GET",
        .url = r->source.base,
        .no_retry = true,
    };
    int e = ofs_http_do(r->http, &r->health.prober.call, &req, &resp, err);

    return e < 0 && err->http_status == 0 ? e : 0;
}

static int probe_token(struct ofs_registry *r, struct ofs_err *err)
{
    OFS_AUTOSECRET struct ofs_secret token = { 0 };
    char scope[sizeof(r->health.token_scope)];
    int e;

    {
        OFS_GUARD(&r->mtx);
        memcpy(scope, r->health.token_scope, sizeof(scope));
    }
    if (!scope[0])
        return 0;
    e = ofs_tokens_get(r->tokens, &r->health.prober.call, r->source.origin,
                       scope, &token, err);
    return e < 0 && ofs_err_is(e, OFS_ERR_SILENT) ? e : 0;
}

/* With r->mtx held.  What was first told stays the reason. */
static void conclude(struct ofs_registry *r, bool answers,
                     const struct reg_start *start)
{
    struct reg_health *h = &r->health;

    if (answers)
        set_up(r, ofs_mono_ms());
    else if (h->state == REG_SUSPECT && h->n_answers == start->n_answers)
        set_trouble(r, REG_DOWN, &h->why);
    h->unproven = false;
    ofs_waitlist_wake(&h->waiters);
}

static void probe(struct ofs_registry *r)
{
    struct ofs_call *call = &r->health.prober.call;
    struct ofs_err err = { 0 };
    struct reg_start start = ofs_reg_start(&r->source);
    int e;

    call->deadline_ms = start.ms + PROBE_TIMEOUT_MS;
    e = probe_registry(r, &err);
    if (e == 0)
        e = probe_token(r, &err);
    if (e == -EINTR)
        return;
    ofs_log(OFS_DEBUG, "registry: probe of '%s': %s", r->source.host,
            e < 0 ? err.text : "answers");
    OFS_GUARD(&r->mtx);
    conclude(r, e == 0, &start);
}

static void *prober(void *arg)
{
    struct ofs_registry *r = arg;

    while (await_trouble(r)) {
        probe(r);
        ofs_thread_rest(&r->health.prober, r->probe_ms);
    }
    return NULL;
}

int ofs_registry_start(struct ofs_registry *r, struct ofs_err *err)
{
    int e = ofs_thread_start(&r->health.prober, "ofs-probe", prober, r);

    if (e < 0)
        return ofs_err_errno(err, -e, "a thread for the registry");
    OFS_GUARD(&r->mtx);
    r->health.probing = true;
    return 0;
}

void ofs_registry_stop(struct ofs_registry *r)
{
    {
        OFS_GUARD(&r->mtx);
        r->health.probing = false;
    }
    ofs_thread_stop(&r->health.prober);
}
