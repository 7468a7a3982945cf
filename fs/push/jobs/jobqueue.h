/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_JOBQUEUE_H
#define OFS_JOBQUEUE_H

/*
 * What was asked for and is not done: jobs in memory while the mount lasts,
 * and a record of each on disk for the next one.  Thread-safe; its lock is not
 * held across the disk.
 */

#include "deps.h"
#include "draft.h"
#include "journal.h"

#include "ocirfs/list.h"
#include "ocirfs/lock.h"

enum ofs_job_state {
    OFS_JOB_NEW,     /* not on the queue yet */
    OFS_JOB_RUNNING, /* a thread is at it */
    OFS_JOB_WAITING, /* whoever brings what it waits for takes it on */
    OFS_JOB_LEFT,    /* by an earlier mount: for whoever comes first */
    OFS_JOB_RETRY,   /* it failed, and the resuming thread tries it again */
    OFS_JOB_FAILED,  /* it failed, and nobody does */
    OFS_JOB_OFF,     /* done, or a newer one has taken its place */
    OFS_JOB_STATES,
};

struct ofs_job {
    struct ofs_job *next, **link; /* guarded by the queue */
    atomic_uint refs;
    struct ofs_jobspec spec; /* immutable, as the draft, once it is on */
    struct ofs_draft *draft; /* a reference; NULL: it needs no content */
    char *media_type;        /* KEEP, of this mount: immutable, owned */
    int64_t old_ms;          /* when spec.old was seen; 0: not in this mount */
    _Atomic uint64_t number; /* of its record; 0: none could be written */

    /* guarded by the queue */
    enum ofs_job_state state;
    bool acknowledged;     /* synced, and promised */
    struct ofs_deps needs; /* MANIFEST, WISH: it waits until none is missing */
    struct ofs_err why;    /* of the last failure; code 0: none */
    unsigned n_tried;      /* how often it failed */
    int64_t due_ms;        /* RETRY: when it is tried again, ofs_mono_ms() */
};

struct ofs_jobqueue {
    const char *url; /* of the registry; immutable, as all up to mtx */
    struct ofs_stage *stage;
    void (*wake)(void *arg); /* some job is to be tried again */
    void *arg;
    int64_t first_pause_ms; /* before a failed job is tried again */

    struct ofs_mutex mtx;        /* guards all below */
    struct ofs_job *jobs;        /* the newest first */
    struct ofs_job *retried;     /* by the resuming thread now; NULL: none */
    struct ofs_call *retry_call; /* with which it is tried */
    struct ofs_waitlist waiters; /* for the end of that */
};

void ofs_jobqueue_init(struct ofs_jobqueue *a, const char *url,
                       struct ofs_stage *stage);
void ofs_jobqueue_done(struct ofs_jobqueue *a); /* records stay */

/* `tag` NULL: none. */
struct ofs_job *ofs_job_new(const struct ofs_jobqueue *a,
                            enum ofs_job_kind kind, const char *repo,
                            const char *tag, const struct ofs_digest *digest);
void ofs_job_unref(struct ofs_job *job);
OFS_DEFINE_AUTO(struct ofs_job, ofs_job_unref)
/* Its content.  Before it is on. */
void ofs_job_take_draft(struct ofs_job *job, struct ofs_draft *d,
                        uint64_t size);

/* What its tag was seen to name in this mount; NULL: nothing is known. */
const struct ofs_digest *ofs_job_old(const struct ofs_job *job);

/* ---- on and off ---- */

/* Put it on, to be run by the caller, in place of one that wants the same.  A
 * disk that does not take the record only means that a crash forgets it. */
void ofs_jobqueue_add(struct ofs_jobqueue *a, struct ofs_job *job);
/* Put one on that has a record.  False: one that wants the same is there and
 * counts instead. */
bool ofs_jobqueue_restore(struct ofs_jobqueue *a, struct ofs_job *job);
/* Make it survive everything, so that it may be acknowledged. */
int ofs_jobqueue_promise(struct ofs_jobqueue *a, struct ofs_job *job,
                         struct ofs_err *err) OFS_MUST_CHECK;
/*
 * What came of running it.  0: it is done.  Negative: what can succeed later,
 * or was promised, stays; *err (may be NULL) is `why`.  1: it waits.  Returns
 * `r`.
 */
int ofs_jobqueue_end(struct ofs_jobqueue *a, struct ofs_job *job, int r,
                     const struct ofs_err *why, struct ofs_err *err);
/* It is not wanted any more. */
void ofs_jobqueue_drop(struct ofs_jobqueue *a, struct ofs_job *job);

/* ---- who goes on with it; each with a reference, NULL: none ---- */

/* The job of that kind. */
struct ofs_job *ofs_jobqueue_find(struct ofs_jobqueue *a,
                                  enum ofs_job_kind kind, const char *repo,
                                  const struct ofs_digest *digest);
/* Something is in `repo` now: tick it off. */
void ofs_jobqueue_arrived(struct ofs_jobqueue *a, const char *repo,
                          const struct ofs_digest *digest, bool is_manifest);
/* With a->mtx held: it is the caller's to run, with a reference. */
struct ofs_job *ofs_jobqueue_take(struct ofs_job *job);
/* One of `repo` that waits for nothing any more, to be run by the caller. */
struct ofs_job *ofs_jobqueue_take_ready(struct ofs_jobqueue *a,
                                        const char *repo);
/* A part that is missing.  False: none is. */
bool ofs_jobqueue_missing(struct ofs_jobqueue *a, const struct ofs_job *job,
                          struct ofs_need *ret);
/* The job waits for a part.  False: it has arrived while it was asked for. */
bool ofs_jobqueue_wait(struct ofs_jobqueue *a, struct ofs_job *job,
                       const struct ofs_need *need);

/* ---- jobqueue_retry.c: the thread that tries again ---- */

/* Try all at once that are to be tried again. */
void ofs_jobqueue_hurry(struct ofs_jobqueue *a);
/* One that is due, to be run by the caller with `call`: who replaces it gives
 * the call up.  Then ofs_jobqueue_end_retry().  *ret_why: how it failed last. */
struct ofs_job *ofs_jobqueue_take_retry(struct ofs_jobqueue *a,
                                        struct ofs_call *call,
                                        struct ofs_err *ret_why);
void ofs_jobqueue_end_retry(struct ofs_jobqueue *a);
/* Give up what is being tried. */
void ofs_jobqueue_cancel_retry(struct ofs_jobqueue *a);
/* When the next one is due, on ofs_mono_ms(); OFS_NEVER: none is. */
int64_t ofs_jobqueue_next_due(struct ofs_jobqueue *a);
/* Wait until nothing that `job` replaces is under way any more: an older try
 * must not have the last word. */
int ofs_jobqueue_await_older(struct ofs_jobqueue *a, struct ofs_call *call,
                             const struct ofs_job *job,
                             struct ofs_err *err) OFS_MUST_CHECK;

#endif
