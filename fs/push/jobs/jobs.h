/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_JOBS_H
#define OFS_JOBS_H

/*
 * Doing what is on the queue.
 *
 *   resolve.c       something arrived: what was waiting for it?
 *   fetch_deps.c       what a manifest needs is fetched from elsewhere
 *   job_tag.c, job_archive.c   a file becomes a tag
 *   job_run.c      the table of kinds, and how each job is run
 */

#include "jobqueue.h"
#include "publish.h"

struct ofs_jobs {
    struct ofs_jobqueue queue;
    struct ofs_publisher *pub; /* immutable, as what follows; outlive it */
    struct ofs_drafts *drafts;
};

/* ---- resolve.c ---- */

/* Something is in `repo` now: finish what was only waiting for it.  The first
 * failure; the rest is tried all the same. */
int ofs_resolve(struct ofs_jobs *jobs, struct ofs_call *call, const char *repo,
                const struct ofs_digest *digest, bool is_manifest,
                struct ofs_err *err) OFS_MUST_CHECK;
/* The same for a blob, and the caller of push is told. */
int ofs_resolve_blob(struct ofs_jobs *jobs, struct ofs_call *call,
                     const char *repo, const struct ofs_need *blob,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* Put the manifest of a job with needs, which the caller runs; 1: some are
 * missing, and it waits. */
int ofs_resolve_put(struct ofs_jobs *jobs, struct ofs_call *call,
                    struct ofs_job *job, struct ofs_digest *ret,
                    struct ofs_err *err) OFS_MUST_CHECK;

/* ---- fetch_deps.c ---- */

/*
 * Publish a manifest with all it needs (put->media_type is not looked at: the
 * bytes tell).  What the repository lacks comes from `from` (NULL: nowhere in
 * particular) or from where the hook says, by a mount if the registry can.
 * -ENOENT names the first digest that is nowhere; -EBADMSG no manifest.
 */
int ofs_fetch_deps(struct ofs_jobs *jobs, struct ofs_call *call,
                   const struct ofs_manifest_put *put, const char *from,
                   struct ofs_err *err) OFS_MUST_CHECK;

/* ---- job_tag.c, job_archive.c: *ret is what the tag names now ---- */

int ofs_job_tag(struct ofs_jobs *jobs, struct ofs_call *call,
                struct ofs_job *job, struct ofs_digest *ret,
                struct ofs_err *err) OFS_MUST_CHECK;
int ofs_job_copy(struct ofs_jobs *jobs, struct ofs_call *call,
                 struct ofs_job *job, struct ofs_digest *ret,
                 struct ofs_err *err) OFS_MUST_CHECK;
/* The archive in the job's draft becomes its tag. */
int ofs_job_archive(struct ofs_jobs *jobs, struct ofs_call *call,
                    const struct ofs_job *job, struct ofs_digest *ret,
                    struct ofs_err *err) OFS_MUST_CHECK;

/* ---- job_run.c ---- */

/* Run a job that is the caller's to run.  It is off afterwards, has failed, or
 * waits (1).  ret (may be NULL): what its tag names now. */
int ofs_job_run(struct ofs_jobs *jobs, struct ofs_call *call,
                struct ofs_job *job, struct ofs_digest *ret,
                struct ofs_err *err) OFS_MUST_CHECK;
/* Put a new job on the queue and run it, or promise it if it waits. */
int ofs_job_start(struct ofs_jobs *jobs, struct ofs_call *call,
                  struct ofs_job *job, struct ofs_digest *ret,
                  struct ofs_err *err) OFS_MUST_CHECK;
/* What a job read from disk waits for, from its record and content. */
int ofs_job_load_needs(struct ofs_job *job) OFS_MUST_CHECK;
/* For people. */
void ofs_job_describe(const struct ofs_jobspec *spec, struct ofs_buf *b);

/* ---- jobqueue_load.c ---- */

/* What an earlier mount left. */
int ofs_jobqueue_load(struct ofs_jobs *jobs,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* One record of our own staging area; its spec is taken. */
int ofs_jobqueue_load_one(struct ofs_jobs *jobs,
                          struct ofs_record *rec) OFS_MUST_CHECK;

/* ---- inherit.c ---- */

/* Take over what mounts of the same registry that have ended left in the
 * staging areas of `folder`.  What cannot be had stays for the next time. */
void ofs_inherit(struct ofs_jobs *jobs, const char *folder);

#endif
