/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CALL_H
#define OFS_CALL_H

/*
 * One operation that somebody waits for: until when it may wait, whether it
 * may wait at all, and whether it was given up.
 *
 * A call belongs to the one thread that executes it; only ofs_call_cancel()
 * and ofs_call_wake() may come from other threads.  All long waits of the
 * program are ofs_call_sleep(), so a deadline and Ctrl-C work in each of them
 * and nobody needs to know what the sleeper waits for.
 */

#include "ocirfs/err.h"
#include "ocirfs/lock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define OFS_NEVER INT64_MAX /* a deadline that does not come */

struct ofs_call {
    int64_t deadline_ms; /* on ofs_mono_ms(); OFS_NEVER: none */
    bool may_wait;       /* false: whoever would wait returns -EAGAIN */
    int who;             /* the user's process that asks; 0: nobody's */
    atomic_bool cancelled;
    struct ofs_mutex mtx;
    pthread_cond_t cond;
    bool woken; /* guarded by mtx */
};

/* Begin a call that may take `timeout_ms` from now (OFS_NEVER: for ever). */
void ofs_call_init(struct ofs_call *call, int64_t timeout_ms);
void ofs_call_done(struct ofs_call *call);

/*
 * Sleep until woken.  Consumes the wake-up, also one that came before.
 * 0 woken; -EINTR cancelled; -ETIMEDOUT past the deadline; -EAGAIN the call
 * may not wait.  The caller holds no lock.
 */
int ofs_call_sleep(struct ofs_call *call, struct ofs_err *err) OFS_MUST_CHECK;

/* The same as a question before work begins: 0, -EINTR, -ETIMEDOUT, -EAGAIN. */
int ofs_call_check(const struct ofs_call *call,
                   struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Let `ms` pass, whatever wakes the call meanwhile.  0; -EINTR cancelled;
 * -ETIMEDOUT at once when the pause would outlast the deadline; -EAGAIN.
 */
int ofs_call_pause(struct ofs_call *call, int64_t ms,
                   struct ofs_err *err) OFS_MUST_CHECK;

/* From any thread, under any lock below OFS_RANK_CALL. */
void ofs_call_wake(struct ofs_call *call);
void ofs_call_cancel(struct ofs_call *call);

/* Milliseconds left; 0 when past; OFS_NEVER without a deadline. */
int64_t ofs_call_left_ms(const struct ofs_call *call);

/* A list of sleeping calls; guarded by its owner's mutex. */
struct ofs_waiter {
    struct ofs_waiter *next, **link; /* list.h */
    struct ofs_call *call;
};

struct ofs_waitlist {
    struct ofs_waiter *first;
};

void ofs_waitlist_wake(struct ofs_waitlist *list); /* all; they stay listed */

/*
 * Sleep until `done(arg)`, which is asked with `mtx`, the list's, held: first
 * of all and after each wake-up.  What it changes when it says yes nobody sees
 * half-way.  0, or what ofs_call_sleep() returned.
 */
int ofs_waitlist_wait(struct ofs_waitlist *list, struct ofs_mutex *mtx,
                      struct ofs_call *call, bool (*done)(void *arg), void *arg,
                      struct ofs_err *err) OFS_MUST_CHECK;

#endif
