/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_WORKERS_H
#define OFS_WORKERS_H

/*
 * A bounded queue and threads that work it off in order.  Threads are made on
 * demand up to the limit and stay.  Thread-safe.
 */

#include "ocirfs/err.h"

#include <stdbool.h>

struct ofs_workers;

struct ofs_workers_cfg {
    const char *name;     /* thread name, at most 15 characters */
    unsigned max_threads; /* at least 1 */
    unsigned max_queue;   /* jobs that wait for a thread */
};

typedef void ofs_job_fn(void *arg);

struct ofs_workers *ofs_workers_new(const struct ofs_workers_cfg *cfg);

/*
 * Make the first thread now.  -ENOMEM: there is none to be had.  From then on
 * a job that is added gets done, however little memory there is.
 */
int ofs_workers_start(struct ofs_workers *w) OFS_MUST_CHECK;

/*
 * Run `fn(arg)` on some thread, later.  Never blocks.  0; -EBUSY the queue is
 * full or the workers stop; -ENOMEM there is no thread and none to be had (the
 * caller still owns `arg`).
 */
int ofs_workers_add(struct ofs_workers *w, ofs_job_fn *fn,
                    void *arg) OFS_MUST_CHECK;

/* Refuse new jobs, run those that are queued, join the threads.  Blocks. */
void ofs_workers_stop(struct ofs_workers *w);

/* After stop, or instead of it.  NULL is nothing. */
void ofs_workers_free(struct ofs_workers *w);
OFS_DEFINE_AUTO(struct ofs_workers, ofs_workers_free)

/* Queued and running jobs, for status and tests. */
unsigned ofs_workers_busy(struct ofs_workers *w);

#endif
