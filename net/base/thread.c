/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/thread.h"

#include "ocirfs/clock.h"

#include <signal.h>

int ofs_thread_create(pthread_t *ret, const char *name, ofs_thread_fn *run,
                      void *arg)
{
    sigset_t all, before;
    int rc;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(ret, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0 && name)
        (void)pthread_setname_np(*ret, name);
    return -rc;
}

void ofs_thread_init(struct ofs_thread *t)
{
    ofs_call_init(&t->call, OFS_NEVER);
    t->running = false;
    atomic_init(&t->stopping, false);
    atomic_init(&t->kicked, false);
}

void ofs_thread_done(struct ofs_thread *t)
{
    ofs_call_done(&t->call);
}

int ofs_thread_start(struct ofs_thread *t, const char *name, ofs_thread_fn *run,
                     void *arg)
{
    int r = ofs_thread_create(&t->thread, name, run, arg);

    t->running = r == 0;
    return r;
}

void ofs_thread_stop(struct ofs_thread *t)
{
    if (!t->running)
        return;
    atomic_store(&t->stopping, true);
    ofs_call_cancel(&t->call);
    (void)pthread_join(t->thread, NULL);
    t->running = false;
}

void ofs_thread_kick(struct ofs_thread *t)
{
    if (!atomic_exchange(&t->kicked, true))
        ofs_call_wake(&t->call);
}

/* The deadline is this thread's own to set, see call.h. */
bool ofs_thread_sleep(struct ofs_thread *t, int64_t ms)
{
    t->call.deadline_ms = ms == OFS_NEVER ? OFS_NEVER : ofs_mono_ms() + ms;
    while (!atomic_load(&t->stopping) && !atomic_load(&t->kicked))
        if (ofs_call_sleep(&t->call, NULL) < 0)
            break;
    t->call.deadline_ms = OFS_NEVER;
    atomic_store(&t->kicked, false);
    return !atomic_load(&t->stopping);
}

void ofs_thread_rest(struct ofs_thread *t, int64_t ms)
{
    t->call.deadline_ms = ofs_mono_ms() + ms;
    while (!atomic_load(&t->stopping))
        if (ofs_call_sleep(&t->call, NULL) < 0)
            break;
    t->call.deadline_ms = OFS_NEVER;
}
