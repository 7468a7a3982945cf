/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PUSH_PRIV_H
#define OFS_PUSH_PRIV_H

/*
 * The parts of fs/push and what they ask of each other.
 *
 *   draft*.c, origin.c       a file that is being written (draft.h)
 *   agenda.c                 what was asked for, in memory and on disk
 *   commit_*.c               what close() and rename() do
 *   settle.c                 something arrived: what was waiting for it?
 *   supply.c                 what a manifest needs is fetched from elsewhere
 *   publish.c                one manifest, one tag
 *   resume.c                 the thread that goes on with what is left over
 *   waiting.c, push_open.c   questions; life
 *
 * Below them, knowing nothing of struct ofs_push: stage, journal, jobspec
 * (disk), stream, sending (network), needs, known, outcome (pure).
 *
 * Locks: push.mtx, then draft.mtx or a stream's; none is held across the
 * disk, the network or a hook.
 */

#include "draft.h"
#include "journal.h"
#include "known.h"
#include "needs.h"
#include "outcome.h"
#include "remote.h"
#include "stage.h"

#include "ocirfs/push.h"
#include "ocirfs/reg_publish.h"

struct ofs_job;

struct ofs_push {
    struct ofs_push_cfg cfg; /* immutable; its strings are owned below */
    char *url;
    struct ofs_stage stage;
    struct ofs_senders senders;
    struct ofs_remote remote;
    struct ofs_drafts drafts;

    struct ofs_call call; /* of the resuming thread */
    pthread_t thread;
    bool has_thread; /* start and stop only */
    atomic_bool stopping, poked;

    struct ofs_mutex mtx; /* guards all below */
    struct ofs_job *jobs; /* the newest first */
    struct ofs_known known;
};

/* ---- agenda.c ---- */

/*
 * Something that was asked for and is not done.  In memory while the mount
 * lasts, as a record on disk for the next one.
 */
struct ofs_job {
    struct ofs_job *next, **link; /* guarded by push.mtx; link NULL: off */
    atomic_uint refs;
    struct ofs_jobspec spec; /* immutable, as the draft, once it is on */
    struct ofs_draft *draft; /* a reference; NULL: it needs no content */
    _Atomic uint64_t number; /* of its record; 0: none could be written */

    /* guarded by push.mtx */
    bool acknowledged;      /* synced, and promised */
    struct ofs_needs needs; /* MANIFEST, WISH: it waits until none is missing */
    bool busy;              /* some thread is finishing it */
    bool stuck;             /* it failed: arrivals leave it alone */
    bool again;             /* the resuming thread tries it */
    bool tried;             /*   and has done so in this round */
    struct ofs_err why;     /* of the last failure; code 0: none */
};

/* `tag` NULL: none. */
struct ofs_job *ofs_job_new(struct ofs_push *p, enum ofs_job_kind kind,
                            const char *repo, const char *tag,
                            const struct ofs_digest *digest);
void ofs_job_unref(struct ofs_job *job);
OFS_DEFINE_AUTO(struct ofs_job, ofs_job_unref)
/* Its content.  Before it is on. */
void ofs_job_take_draft(struct ofs_job *job, struct ofs_draft *d,
                        uint64_t size);

/* Put it on, in place of one that wants the same.  A disk that does not take
 * the record only means that a crash forgets the job. */
void ofs_agenda_add(struct ofs_push *p, struct ofs_job *job);
/* Make it survive everything, so that it may be acknowledged. */
int ofs_agenda_promise(struct ofs_push *p, struct ofs_job *job,
                       struct ofs_err *err) OFS_MUST_CHECK;
/* It is done, or not wanted any more. */
void ofs_agenda_done(struct ofs_push *p, struct ofs_job *job);
/* It failed: what can succeed later, or was promised, stays.  Returns `r`. */
int ofs_agenda_failed(struct ofs_push *p, struct ofs_job *job, int r,
                      const struct ofs_err *why);
/* The job of that kind, with a reference; NULL: none. */
struct ofs_job *ofs_agenda_find(struct ofs_push *p, enum ofs_job_kind kind,
                                const char *repo,
                                const struct ofs_digest *digest);
/* What an earlier mount left. */
int ofs_agenda_load(struct ofs_push *p, struct ofs_err *err) OFS_MUST_CHECK;
void ofs_agenda_free(struct ofs_push *p); /* records stay */

/* ---- publish.c ---- */

/* Put by digest, or also under put->tag if the guards allow to move it, and
 * tell the caller of push. */
int ofs_publish(struct ofs_push *p, struct ofs_call *call,
                const struct ofs_manifest_put *put,
                struct ofs_err *err) OFS_MUST_CHECK;
/* What the job's tag names now goes into its record, if it can be learnt: a
 * later mount must not undo what somebody else has done since. */
void ofs_publish_remember(struct ofs_push *p, struct ofs_call *call,
                          struct ofs_job *job);
/* -ESTALE: somebody has. */
int ofs_publish_unmoved(struct ofs_push *p, struct ofs_call *call,
                        const struct ofs_job *job,
                        struct ofs_err *err) OFS_MUST_CHECK;
/* May it be moved to `digest`?  Asks the registry.  -EPERM. */
int ofs_publish_guard(struct ofs_push *p, struct ofs_call *call,
                      const char *repo, const char *tag,
                      const struct ofs_digest *digest,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* Is it in the repository?  Known, or HEAD.  -ENOENT: no. */
int ofs_publish_is_there(struct ofs_push *p, struct ofs_call *call,
                         const char *repo, const struct ofs_digest *digest,
                         bool is_manifest, struct ofs_err *err) OFS_MUST_CHECK;
/* Other repositories that may have it: `first` (may be NULL), then what the
 * hook says.  -ENOMEM. */
int ofs_publish_where(struct ofs_push *p, const char *repo, const char *first,
                      const struct ofs_digest *digest,
                      struct ofs_strv *ret) OFS_MUST_CHECK;
/* It is in the repository now. */
void ofs_publish_known(struct ofs_push *p, const char *repo,
                       const struct ofs_digest *digest, bool is_manifest);
/* A registry lacks what was known to be there: nothing is known any more. */
void ofs_publish_doubt(struct ofs_push *p);

/* ---- commit_blob.c ---- */

/* Make sure that the registry has the blob: `digest` is that of the draft. */
int ofs_send_blob(struct ofs_push *p, struct ofs_call *call,
                  struct ofs_draft *d, const char *repo,
                  const struct ofs_digest *digest,
                  struct ofs_err *err) OFS_MUST_CHECK;
/* It is there: tell, and settle what waited for it. */
int ofs_blob_arrived(struct ofs_push *p, struct ofs_call *call,
                     const char *repo, const struct ofs_digest *digest,
                     uint64_t size, struct ofs_err *err) OFS_MUST_CHECK;

/* ---- settle.c ---- */

/* Something is in `repo` now: finish what was only waiting for it.  The first
 * failure; the rest is tried all the same. */
int ofs_settle(struct ofs_push *p, struct ofs_call *call, const char *repo,
               const struct ofs_digest *digest, bool is_manifest,
               struct ofs_err *err) OFS_MUST_CHECK;
/* A new job with needs: add it, see what is there already, and finish it or
 * promise it. */
int ofs_settle_new(struct ofs_push *p, struct ofs_call *call,
                   struct ofs_job *job, struct ofs_err *err) OFS_MUST_CHECK;
/* Look again for what a job waits for. */
int ofs_settle_again(struct ofs_push *p, struct ofs_call *call,
                     struct ofs_job *job, struct ofs_err *err) OFS_MUST_CHECK;

/* ---- supply.c ---- */

/*
 * Publish a manifest with all it needs (put->media_type is not looked at: the
 * bytes tell).  What the repository lacks comes from `from` (NULL: nowhere in
 * particular) or from where the hook says, by a mount if the registry can.
 * -ENOENT names the first digest that is nowhere; -EBADMSG no manifest.
 */
int ofs_supply(struct ofs_push *p, struct ofs_call *call,
               const struct ofs_manifest_put *put, const char *from,
               struct ofs_err *err) OFS_MUST_CHECK;

/* ---- commit_*.c: do a job that is on; it is off afterwards, or failed ---- */

int ofs_commit_blob_job(struct ofs_push *p, struct ofs_call *call,
                        struct ofs_job *job,
                        struct ofs_err *err) OFS_MUST_CHECK;
/* *ret: what the tag names now. */
int ofs_commit_tag_job(struct ofs_push *p, struct ofs_call *call,
                       struct ofs_job *job, struct ofs_digest *ret,
                       struct ofs_err *err) OFS_MUST_CHECK;
int ofs_commit_copy_job(struct ofs_push *p, struct ofs_call *call,
                        struct ofs_job *job,
                        struct ofs_err *err) OFS_MUST_CHECK;
/* The archive in the job's draft becomes its tag. */
int ofs_commit_archive(struct ofs_push *p, struct ofs_call *call,
                       const struct ofs_job *job, struct ofs_digest *ret,
                       struct ofs_err *err) OFS_MUST_CHECK;

/* ---- resume.c ---- */

int ofs_resume_start(struct ofs_push *p) OFS_MUST_CHECK;
void ofs_resume_stop(struct ofs_push *p);
void ofs_resume_poke(struct ofs_push *p); /* some job is to be tried again */

#endif
