/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ENGINE_H
#define OFS_ENGINE_H

/*
 * The thread that owns libcurl's multi handle.  A job is an easy handle, all
 * set, and whoever waits for its end; it lives on the caller's stack.  From
 * ofs_engine_run() until that returns the easy handle and all that its
 * callbacks touch belong to the engine's thread, and to it alone.
 *
 * Thread-safe but for new, start, stop and free.
 */

#include "httperr.h"
#include "stall_timer.h"

#include "ocirfs/call.h"

struct ofs_engine;

struct ofs_engine_cfg {
    struct ofs_stall_timer_limits limits; /* > 0 */
    unsigned max_host_connections;        /* > 0 */
};

struct ofs_engine_job {
    CURL *easy; /* the caller sets it, and life.guard */

    /* Result. */
    enum ofs_transfer_end end;
    CURLcode rc; /* with OFS_END_CURL */

    /* The engine's; the callbacks of `easy` may tick `life`. */
    struct ofs_stall_timer life; /* engine thread */
    struct ofs_call *call;
    struct ofs_engine_job *next;  /* queue: mtx; active: engine thread */
    struct ofs_engine_job **link; /* engine thread */
    enum { OFS_JOB_QUEUED, OFS_JOB_ACTIVE, OFS_JOB_ENDED } state; /* mtx */
    bool given_up;                                                /* mtx */
};

/* NULL: no memory. */
struct ofs_engine *ofs_engine_new(const struct ofs_engine_cfg *cfg);
int ofs_engine_start(struct ofs_engine *e, struct ofs_err *err) OFS_MUST_CHECK;
/* Cuts all jobs (OFS_END_STOP), joins the thread, waits for the callers. */
void ofs_engine_stop(struct ofs_engine *e);
void ofs_engine_free(struct ofs_engine *e);
OFS_DEFINE_AUTO(struct ofs_engine, ofs_engine_free)

/*
 * Whoever uses the engine is counted from here to there, so that stop can
 * wait for the last one.  False: it does not run; what follows is not allowed.
 */
bool ofs_engine_enter(struct ofs_engine *e) OFS_MUST_CHECK;
void ofs_engine_leave(struct ofs_engine *e);

/*
 * Run the job to its end; blocks as `call` allows, the caller holds no lock.
 * 0: job->end and job->rc tell.  -EINTR, -ETIMEDOUT, -EAGAIN: the call's word;
 * the engine has let go of the job by then.  -EINTR too when it stops.
 */
int ofs_engine_run(struct ofs_engine *e, struct ofs_call *call,
                   struct ofs_engine_job *job,
                   struct ofs_err *err) OFS_MUST_CHECK;

/* Jobs that rest (stall_timer.h) go on.  Any thread; does not block. */
void ofs_engine_more(struct ofs_engine *e);

/* Sleep for `ms`.  0; or the call's word; or -EINTR: the engine stops. */
int ofs_engine_pause(struct ofs_engine *e, struct ofs_call *call, int64_t ms,
                     struct ofs_err *err) OFS_MUST_CHECK;

#endif
