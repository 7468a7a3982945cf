/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DRAFT_H
#define OFS_DRAFT_H

/*
 * What the other parts of push ask of a draft; what its writers ask is in
 * push.h.  Thread-safe.
 */

#include "origin.h"
#include "stage.h"
#include "stream.h"

#include "ocirfs/flight.h"
#include "ocirfs/push.h"

/* What all drafts of a mount share. */
struct ofs_drafts {
    struct ofs_stage *stage; /* immutable, as all up to the counters */
    const struct ofs_remote *remote;
    struct ofs_flights *flights; /* owned, as are the workers */
    struct ofs_workers *workers;
    struct ofs_stream_cfg streaming;
    atomic_uint n_drafts;
    atomic_bool started; /* they may be sent while they are written */
};

/* The pointers outlive it.  -ENOMEM. */
int ofs_drafts_init(struct ofs_drafts *all, struct ofs_stage *stage,
                    const struct ofs_remote *remote,
                    struct ofs_senders *senders,
                    const struct ofs_push_hooks *hooks) OFS_MUST_CHECK;
void ofs_drafts_stop(struct ofs_drafts *all);
void ofs_drafts_done(struct ofs_drafts *all); /* when none is left */

struct ofs_draft {
    struct ofs_drafts *all; /* immutable, as all up to refs; outlives it */
    char *repo;
    uint64_t number; /* of its file */
    int fd;
    bool frozen; /* belongs to a job: nobody writes to it */
    atomic_uint refs;
    atomic_uint n_records; /* that name the file: it stays on disk */

    struct ofs_mutex mtx;   /* guards all below */
    uint64_t size, charged; /* bytes */
    unsigned writers;       /* write now */
    bool written;           /* ever */
    bool sequential;       /* all writes came one at a time, each at the end: */
    struct ofs_hash *hash; /* SHA-256 of all of it, then */
    bool may_stream;
    struct ofs_digest aim; /* alg 0: unknown */
    struct ofs_stream *stream;
    struct ofs_origin origin;
};

/* A new empty file, see ofs_draft_new(). */
int ofs_draft_create(struct ofs_drafts *all, const char *repo,
                     struct ofs_draft **ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* A file that is there.  Counted in the budget, whether it fits or not; it is
 * deleted with the draft unless a record names it (n_records). */
int ofs_draft_adopt(struct ofs_drafts *all, const char *repo, uint64_t number,
                    struct ofs_draft **ret, struct ofs_err *err) OFS_MUST_CHECK;
/* A new one with these bytes that nobody will write to. */
int ofs_draft_made(struct ofs_drafts *all, const char *repo, const void *bytes,
                   size_t len, struct ofs_draft **ret,
                   struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_content {
    uint64_t size; /* bytes */
    struct ofs_digest digest;
};
/* Size and digest of what is in it now; reads the file if it must. */
int ofs_draft_content(struct ofs_draft *d, struct ofs_call *call,
                      enum ofs_digest_alg alg, struct ofs_content *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* All of it, appended to `b`; -EFBIG beyond its limit. */
int ofs_draft_load(struct ofs_draft *d, struct ofs_call *call,
                   struct ofs_buf *b, struct ofs_err *err) OFS_MUST_CHECK;
/* Nothing was ever written to it. */
bool ofs_draft_is_blank(struct ofs_draft *d);
bool ofs_draft_is_plain(struct ofs_draft *d); /* a copy of nothing */
/* Is it a copy of the whole of something?  Then what of; -ENOENT no. */
int ofs_draft_origin(struct ofs_draft *d,
                     struct ofs_origin *ret) OFS_MUST_CHECK;
/* Fetch what it is a copy of, so that it is a plain file. */
int ofs_draft_make_plain(struct ofs_draft *d, struct ofs_call *call,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* The upload that runs already, with a reference; NULL: none. */
struct ofs_stream *ofs_draft_stream(struct ofs_draft *d);
/* With d->mtx held: it ends, and the caller lets go of it outside the lock. */
struct ofs_stream *ofs_draft_take_stream(struct ofs_draft *d);
/* It will not be a blob, or not in that repository. */
void ofs_draft_unstream(struct ofs_draft *d);

/* With d->mtx held: room for what lies below `end`.  -ENOSPC. */
int ofs_draft_charge(struct ofs_draft *d, uint64_t end,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* Read the file; plain drafts only. */
int ofs_draft_pread(struct ofs_draft *d, void *buf, size_t len, uint64_t off,
                    size_t *ret_n, struct ofs_err *err) OFS_MUST_CHECK;

#endif
