/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/call.h"

#include "ocirfs/clock.h"
#include "ocirfs/list.h"

#include <time.h>

void ofs_call_init(struct ofs_call *call, int64_t timeout_ms)
{
    pthread_condattr_t attr;
    int64_t now = ofs_mono_ms();

    call->deadline_ms =
        timeout_ms >= OFS_NEVER - now ? OFS_NEVER : now + timeout_ms;
    call->may_wait = true;
    atomic_init(&call->cancelled, false);
    ofs_mutex_init(&call->mtx, OFS_RANK_CALL);
    call->woken = false;
    /* Deadlines are on the clock that nobody sets. */
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&call->cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

void ofs_call_done(struct ofs_call *call)
{
    (void)pthread_cond_destroy(&call->cond);
    ofs_mutex_done(&call->mtx);
}

int64_t ofs_call_left_ms(const struct ofs_call *call)
{
    int64_t now;

    if (call->deadline_ms == OFS_NEVER)
        return OFS_NEVER;
    now = ofs_mono_ms();
    return call->deadline_ms > now ? call->deadline_ms - now : 0;
}

/* Why this call may not sleep (any longer); 0: it may. */
static int why_not(const struct ofs_call *call)
{
    if (atomic_load(&call->cancelled))
        return -EINTR;
    if (ofs_call_left_ms(call) == 0)
        return -ETIMEDOUT;
    return call->may_wait ? 0 : -EAGAIN;
}

static int tell(int r, struct ofs_err *err)
{
    switch (r) {
    case 0:
        return 0;
    case -EINTR:
        return ofs_err_set(err, r, "interrupted");
    case -ETIMEDOUT:
        return ofs_err_set(err, r, "no answer in time");
    default:
        return ofs_err_set(err, r, "would have to wait and may not");
    }
}

int ofs_call_check(const struct ofs_call *call, struct ofs_err *err)
{
    return tell(why_not(call), err);
}

static void doze(struct ofs_call *call)
{
    struct timespec until = {
        .tv_sec = call->deadline_ms / 1000,
        .tv_nsec = call->deadline_ms % 1000 * 1000000,
    };

    if (call->deadline_ms == OFS_NEVER)
        (void)pthread_cond_wait(&call->cond, &call->mtx.m);
    else
        (void)pthread_cond_timedwait(&call->cond, &call->mtx.m, &until);
}

/*
 * A wake-up counts for more than a deadline that passed meanwhile: what was
 * waited for may be there, and the sleeper should look before it gives up.
 */
static int sleep_locked(struct ofs_call *call)
{
    OFS_GUARD(&call->mtx);
    for (;;) {
        int r = why_not(call);

        if (call->woken && r != -EINTR) {
            call->woken = false;
            return 0;
        }
        if (r < 0)
            return r;
        doze(call);
    }
}

int ofs_call_sleep(struct ofs_call *call, struct ofs_err *err)
{
    ofs_assert_unlocked();
    return tell(sleep_locked(call), err);
}

int ofs_call_pause(struct ofs_call *call, int64_t ms, struct ofs_err *err)
{
    int64_t deadline_ms = call->deadline_ms;
    int64_t until_ms = ofs_mono_ms() + ms;
    int r = ofs_call_check(call, err);

    if (r == 0 && until_ms >= deadline_ms)
        r = tell(-ETIMEDOUT, err);
    if (r < 0)
        return r;
    call->deadline_ms = until_ms;
    while (r == 0)
        r = ofs_call_sleep(call, NULL);
    call->deadline_ms = deadline_ms;
    return r == -ETIMEDOUT ? 0 : tell(r, err);
}

void ofs_call_wake(struct ofs_call *call)
{
    OFS_GUARD(&call->mtx);
    call->woken = true;
    (void)pthread_cond_signal(&call->cond);
}

void ofs_call_cancel(struct ofs_call *call)
{
    OFS_GUARD(&call->mtx);
    atomic_store(&call->cancelled, true);
    (void)pthread_cond_signal(&call->cond);
}

void ofs_waitlist_wake(struct ofs_waitlist *list)
{
    for (struct ofs_waiter *w = list->first; w; w = w->next)
        ofs_call_wake(w->call);
}

/* May `me` go on?  If not, it is listed: between the two nothing is missed. */
static bool is_done_or_listed(struct ofs_waitlist *list, struct ofs_mutex *mtx,
                              struct ofs_waiter *me, bool (*done)(void *arg),
                              void *arg)
{
    OFS_GUARD(mtx);
    if (done(arg))
        return true;
    ofs_list_add(&list->first, me);
    return false;
}

int ofs_waitlist_wait(struct ofs_waitlist *list, struct ofs_mutex *mtx,
                      struct ofs_call *call, bool (*done)(void *arg), void *arg,
                      struct ofs_err *err)
{
    struct ofs_waiter me = { .call = call };

    while (!is_done_or_listed(list, mtx, &me, done, arg)) {
        int r = ofs_call_sleep(call, err);

        OFS_GUARD(mtx);
        ofs_list_remove(&me);
        if (r < 0)
            return r;
    }
    return 0;
}
