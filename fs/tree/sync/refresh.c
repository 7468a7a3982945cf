/* SPDX-License-Identifier: Apache-2.0 */
#include "refresh.h"

#include "ocirfs/errclass.h"
#include "ocirfs/metrics.h"

#include "batch.h"

static struct ofs_metric stale = OFS_COUNTER(
    "ocirfs_tree_stale_total", "Answers older than the ttl that were given "
                               "because the registry did not answer.");

/* What to do, and the result when it is OFS_FRESH_USE. */
static enum ofs_fresh_step step_of(const struct ofs_listing_of *of,
                                   int *ret_code)
{
    struct ofs_fresh_view v = { .now = ofs_sync_now(of->sync),
                                .negative_ttl = of->sync->negative_ttl_ms };

    OFS_GUARD(of->mtx);
    v.state = of->listing->state;
    v.at = of->listing->at_ms;
    v.ttl = of->listing->ttl_ms;
    *ret_code = v.state == OFS_LIST_REFUSED ? of->listing->code : 0;
    return ofs_fresh_step(&v);
}

/* What is known now, whatever its age; `code` when that is nothing. */
static int known_or(const struct ofs_listing_of *of, int code)
{
    OFS_GUARD(of->mtx);
    if (of->listing->state == OFS_LIST_REFUSED)
        return of->listing->code;
    return of->listing->state == OFS_LIST_KNOWN ? 0 : code;
}

static int fly(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    const struct ofs_listing_of *of = arg;
    int code, r;

    /* Somebody else's flight may have landed since we looked. */
    if (step_of(of, &code) == OFS_FRESH_USE)
        return code;
    r = of->ops->fetch(of->arg, of->owner, call, err);
    if (!ofs_err_is(r, OFS_ERR_AWAY | OFS_ERR_OWN))
        atomic_store(&of->sync->suspect, false);
    return r;
}

static int ask(const struct ofs_listing_of *of, struct ofs_call *call,
               struct ofs_err *err)
{
    struct ofs_listing_of mine = *of;

    return ofs_flights_run(of->sync->flights, of->key, call, fly, &mine, err);
}

/* The registry was asked and said `r`. */
static int conclude(const struct ofs_listing_of *of, int r)
{
    int known;

    if (!ofs_err_is(r, OFS_ERR_AWAY))
        return r;
    known = known_or(of, r);
    if (known == 0)
        ofs_metric_add(&stale, 1);
    return known;
}

/* ---- in the background ---- */

static int refresh_item(void *arg, size_t i, struct ofs_call *call,
                        struct ofs_err *err)
{
    (void)i;
    return ask(arg, call, err);
}

static bool every_error(int code)
{
    return code < 0;
}

static void refresh_ended(void *arg)
{
    struct ofs_listing_of *of = arg;
    struct ofs_batch *b;

    {
        OFS_GUARD(of->mtx);
        b = ofs_take(&of->listing->refresh);
    }
    ofs_batch_unref(b);
}

static void refresh_free(void *arg)
{
    struct ofs_listing_of *of = arg;

    if (of->ops->release)
        of->ops->release(of->arg, of->owner);
    free(of);
}

static const struct ofs_batch_ops refresh_ops = {
    .item = refresh_item,
    .is_end = every_error,
    .ended = refresh_ended,
    .free = refresh_free,
};

/* The refresh that is under way, begun if need be; NULL: cannot be begun. */
static struct ofs_batch *refresh(const struct ofs_listing_of *of)
{
    OFS_AUTO(ofs_batch_unrefp) struct ofs_batch *fresh = NULL;
    struct ofs_listing_of *copy = malloc(sizeof(*copy));

    if (!copy)
        return NULL;
    *copy = *of;
    if (of->ops->hold)
        of->ops->hold(of->arg, of->owner);
    fresh = ofs_batch_new(of->sync->batches, &refresh_ops, copy, 1);
    if (!fresh)
        return NULL;
    {
        OFS_GUARD(of->mtx);
        if (of->listing->refresh)
            return ofs_batch_ref(of->listing->refresh);
        of->listing->refresh = ofs_batch_ref(fresh);
    }
    if (ofs_batch_go(fresh, NULL) < 0)
        return NULL;
    return ofs_take(&fresh);
}

/*
 * What is known is shown when the registry does not answer within a short
 * patience, and the answer is used when it comes: a dead network does not make
 * `ls` of what is known hang.  Once patience ran out nobody else waits, until
 * an answer came.
 */
static int refresh_soon(const struct ofs_listing_of *of, struct ofs_call *call,
                        struct ofs_err *err)
{
    bool hurry = atomic_load(&of->sync->suspect);
    OFS_AUTO(ofs_batch_unrefp) struct ofs_batch *b = NULL;
    bool ended = false;
    int r;

    if (!hurry && !call->may_wait)
        return -EAGAIN;
    b = refresh(of);
    if (!b)
        return hurry ? 0 : conclude(of, ask(of, call, err));
    if (hurry)
        return 0;
    r = ofs_batch_wait(b, call, OFS_PATIENCE_MS, &ended, err);
    if (ended)
        return conclude(of, r);
    if (r != -ETIMEDOUT)
        return r;
    atomic_store(&of->sync->suspect, true);
    ofs_metric_add(&stale, 1);
    return known_or(of, r);
}

int ofs_listing_want(const struct ofs_listing_of *of, struct ofs_call *call,
                     struct ofs_err *err)
{
    int code;

    switch (step_of(of, &code)) {
    case OFS_FRESH_USE:
        break;
    case OFS_FRESH_REFRESH:
        code = refresh_soon(of, call, err);
        break;
    case OFS_FRESH_ASK:
        code = call->may_wait ? conclude(of, ask(of, call, err)) : -EAGAIN;
        break;
    }
    if (code < 0 && err && err->code != code)
        (void)ofs_err_set(err, code, "the registry does not show it");
    return code;
}
