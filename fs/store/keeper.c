/* SPDX-License-Identifier: Apache-2.0 */

/* The store's two lone threads: one makes room on the disk, one ends
 * transfers that stand still.  Each sleeps in its own call. */

#include "store_priv.h"

#include <signal.h>

enum { WATCH_MIN_MS = 10, WATCH_MAX_MS = 1000 };

void ofs_keeper_init(struct ofs_keeper *k)
{
    ofs_call_init(&k->call, OFS_NEVER);
}

void ofs_keeper_done(struct ofs_keeper *k)
{
    ofs_call_done(&k->call);
}

/* Signals are the main thread's. */
int ofs_keeper_start(struct ofs_store *s, struct ofs_keeper *k,
                     const char *name, void *(*run)(void *))
{
    sigset_t all, before;
    int rc;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&k->thread, NULL, run, s);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    k->running = rc == 0;
    if (rc == 0)
        (void)pthread_setname_np(k->thread, name);
    return -rc;
}

void ofs_keeper_stop(struct ofs_keeper *k)
{
    if (!k->running)
        return;
    atomic_store(&k->stopping, true);
    ofs_call_wake(&k->call);
    (void)pthread_join(k->thread, NULL);
    k->running = false;
}

void ofs_keeper_kick(struct ofs_keeper *k)
{
    if (!atomic_exchange(&k->kicked, true))
        ofs_call_wake(&k->call);
}

/* The deadline is this thread's own to set, see call.h. */
bool ofs_keeper_sleep(struct ofs_keeper *k, int64_t ms)
{
    k->call.deadline_ms = ms == OFS_NEVER ? OFS_NEVER : ofs_mono_ms() + ms;
    while (!atomic_load(&k->stopping) && !atomic_load(&k->kicked))
        if (ofs_call_sleep(&k->call, NULL) < 0)
            break;
    atomic_store(&k->kicked, false);
    return !atomic_load(&k->stopping);
}

void ofs_keeper_rest(struct ofs_keeper *k, int64_t ms)
{
    k->call.deadline_ms = ofs_mono_ms() + ms;
    while (!atomic_load(&k->stopping))
        if (ofs_call_sleep(&k->call, NULL) < 0)
            break;
}

void *ofs_watcher_run(void *store)
{
    struct ofs_store *s = store;
    int64_t tick = s->cfg.read_timeout_ms / 4;

    if (tick < WATCH_MIN_MS)
        tick = WATCH_MIN_MS;
    if (tick > WATCH_MAX_MS)
        tick = WATCH_MAX_MS;
    while (ofs_keeper_sleep(&s->watcher,
                            ofs_sched_is_active(s) ? tick : OFS_NEVER))
        ofs_sched_watch(s);
    return NULL;
}

void ofs_watcher_kick(struct ofs_store *s)
{
    ofs_keeper_kick(&s->watcher);
}
