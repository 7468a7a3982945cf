/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/flight.h"

#include "ocirfs/map.h"

/*
 * A flight is in the map from its first caller until its result is in or
 * nobody wants it any more.  So one key has one flight at most, and whoever
 * comes after the result begins a new one.  Each caller holds a reference,
 * the last one frees.  At most one of them leads; none does just after a
 * leader gave up, and then the first caller to look takes the lead.
 */
struct flight {
    char *key;
    unsigned refs;
    bool led;
    bool done;
    int result;         /* valid with done */
    struct ofs_err err; /* valid with done */
    struct ofs_waitlist waiters;
};

struct ofs_flights {
    struct ofs_mutex mtx; /* guards all below and every flight */
    struct ofs_map *map;  /* key -> struct flight */
};

static void flight_free(struct flight *fl)
{
    if (!fl)
        return;
    free(fl->key);
    free(fl);
}
OFS_DEFINE_AUTO(struct flight, flight_free)

struct ofs_flights *ofs_flights_new(void)
{
    OFS_AUTOFREE struct ofs_flights *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->map = ofs_map_new();
    if (!f->map)
        return NULL;
    ofs_mutex_init(&f->mtx, OFS_RANK_INFLIGHT);
    return ofs_take(&f);
}

void ofs_flights_free(struct ofs_flights *f)
{
    if (!f)
        return;
    assert(ofs_map_count(f->map) == 0);
    ofs_map_free(f->map, NULL);
    ofs_mutex_done(&f->mtx);
    free(f);
}

/* With f->mtx held.  NULL: no memory. */
static struct flight *begin(struct ofs_flights *f, const char *key)
{
    OFS_AUTO(flight_freep) struct flight *fl = calloc(1, sizeof(*fl));

    if (!fl)
        return NULL;
    fl->key = strdup(key);
    if (!fl->key || ofs_map_put(f->map, key, fl, NULL) < 0)
        return NULL;
    return ofs_take(&fl);
}

static struct flight *join(struct ofs_flights *f, const char *key)
{
    struct flight *fl;

    OFS_GUARD(&f->mtx);
    fl = ofs_map_get(f->map, key);
    if (!fl)
        fl = begin(f, key);
    if (fl)
        fl->refs++;
    return fl;
}

static void leave(struct ofs_flights *f, struct flight *fl)
{
    {
        OFS_GUARD(&f->mtx);
        if (--fl->refs > 0)
            return;
        if (!fl->done)
            (void)ofs_map_remove(f->map, fl->key);
    }
    flight_free(fl);
}

struct turn {
    struct flight *fl;
    bool leads;
};

/* The result is in, or nobody leads: then the asker does from now on. */
static bool is_done_or_mine(void *arg)
{
    struct turn *t = arg;

    if (!t->fl->done && !t->fl->led)
        t->leads = t->fl->led = true;
    return t->fl->done || t->leads;
}

/* Does the result tell about the thing, or about the caller who asked? */
static bool is_shared(const struct ofs_call *call, int r)
{
    if (r == -EINTR || r == -EAGAIN)
        return false;
    return r != -ETIMEDOUT || ofs_call_left_ms(call) > 0;
}

static int lead(struct ofs_flights *f, struct flight *fl, struct ofs_call *call,
                ofs_flight_fn *work, void *arg, struct ofs_err *ret_err)
{
    int r = work(call, arg, ret_err);

    OFS_GUARD(&f->mtx);
    fl->led = false;
    if (is_shared(call, r)) {
        fl->done = true;
        fl->result = r;
        fl->err = *ret_err;
        (void)ofs_map_remove(f->map, fl->key);
    }
    ofs_waitlist_wake(&fl->waiters);
    return r;
}

static int fly(struct ofs_flights *f, struct flight *fl, struct ofs_call *call,
               ofs_flight_fn *work, void *arg, struct ofs_err *ret_err)
{
    struct turn turn = { .fl = fl };
    int r = ofs_waitlist_wait(&fl->waiters, &f->mtx, call, is_done_or_mine,
                              &turn, ret_err);

    if (r < 0)
        return r;
    if (turn.leads)
        return lead(f, fl, call, work, arg, ret_err);
    /* Written once, before done was; needs no lock any more. */
    *ret_err = fl->err;
    return fl->result;
}

int ofs_flights_run(struct ofs_flights *f, const char *key,
                    struct ofs_call *call, ofs_flight_fn *work, void *arg,
                    struct ofs_err *err)
{
    struct ofs_err mine = { 0 };
    struct flight *fl;
    int r;

    ofs_assert_unlocked();
    fl = join(f, key);
    if (!fl)
        return ofs_err_nomem(err, "a wait for others");
    r = fly(f, fl, call, work, arg, &mine);
    leave(f, fl);
    if (r < 0 && err)
        *err = mine;
    return r;
}

static int count_waiters(const char *key, void *value, void *arg)
{
    const struct flight *fl = value;

    (void)key;
    for (const struct ofs_waiter *w = fl->waiters.first; w; w = w->next)
        ++*(unsigned *)arg;
    return 0;
}

unsigned ofs_flights_waiting(struct ofs_flights *f)
{
    unsigned n = 0;

    OFS_GUARD(&f->mtx);
    (void)ofs_map_each(f->map, count_waiters, &n);
    return n;
}
