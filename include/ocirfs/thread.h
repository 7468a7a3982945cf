/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_THREAD_H
#define OFS_THREAD_H

/*
 * Threads of our own.  They take no signals: those are for the main thread,
 * would interrupt a system call of any other, and the SIGPIPE of a closed TLS
 * connection is for nobody.
 */

#include "ocirfs/call.h"

typedef void *ofs_thread_fn(void *arg);

/* Start a thread that the caller joins.  0 or -errno; NULL: without a name. */
int ofs_thread_create(pthread_t *ret, const char *name, ofs_thread_fn *run,
                      void *arg) OFS_MUST_CHECK;

/*
 * A thread for one thing that is to be done now and then: it sleeps in its own
 * call until there is work or time has passed.  It may work with that call, too,
 * which has no deadline then.
 */
struct ofs_thread {
    struct ofs_call call;
    pthread_t thread;
    bool running;
    atomic_bool stopping, kicked;
};

void ofs_thread_init(struct ofs_thread *t);
void ofs_thread_done(struct ofs_thread *t);
int ofs_thread_start(struct ofs_thread *t, const char *name, ofs_thread_fn *run,
                     void *arg) OFS_MUST_CHECK;
/* Cancels its call, whatever it does with it, and waits for its end.  Nothing
 * if it was never started. */
void ofs_thread_stop(struct ofs_thread *t);
/* There is work: it wakes at once.  From any thread. */
void ofs_thread_kick(struct ofs_thread *t);

/* ---- on the thread itself ---- */

/* Until kicked or for `ms`; false: it is to end. */
bool ofs_thread_sleep(struct ofs_thread *t, int64_t ms);
/* For `ms`, whether kicked or not; less when it is to end. */
void ofs_thread_rest(struct ofs_thread *t, int64_t ms);
static inline bool ofs_thread_is_stopping(struct ofs_thread *t)
{
    return atomic_load(&t->stopping);
}

#endif
