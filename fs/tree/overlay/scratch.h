/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SCRATCH_H
#define OFS_SCRATCH_H

/*
 * Names that exist in this mount only: files that are being written, scratch
 * files, scratch directories.  Thread-safe.
 *
 * One of them is the only mutable thing in the tree, and is known by a number
 * that no other ever gets.  It may be without a name: what has been pushed is
 * found as what it has become, and whoever still holds it open goes on with
 * it.  A further write gives it its name back.
 *
 * Of a file that is to be pushed each writer has one of his own.  The name is
 * that of who opened it last, and shown to his process only; all are pushed.
 */

#include "ocirfs/call.h"
#include "ocirfs/lock.h"
#include "ocirfs/map.h"

#include "targets.h"

#include <sys/types.h>

struct ofs_draft;
struct ofs_scratch; /* one name */

/* Where a name is: the directory's inode number, and the name in it. */
struct ofs_spot {
    uint64_t dir;
    char name[NAME_MAX + 1];
};

/* What remains of one that was to be pushed. */
struct ofs_scratch_trace {
    char id[24]; /* "": nothing */
    struct ofs_spot spot;
    char repo[NAME_MAX + 1];
    struct ofs_target target;
};
enum { OFS_SCRATCH_TRACES = 64 };

struct ofs_scratches {
    struct ofs_mutex mtx;  /* rank NODE; guards all below */
    struct ofs_map *names; /* spot -> struct ofs_scratch */
    struct ofs_map *ids;   /* id -> the same, also those without a name */
    uint64_t last_id;
    size_t n_promised;
    struct ofs_scratch_trace traces[OFS_SCRATCH_TRACES];
    size_t next_trace; /* is overwritten next */
};

int ofs_scratches_init(struct ofs_scratches *all);
void ofs_scratches_done(struct ofs_scratches *all);

struct ofs_scratch_spec {
    struct ofs_spot spot;
    const char *repo; /* that it will belong to */
    const struct ofs_target *target;
    struct ofs_draft *draft; /* a file's; goes to it, also when it fails */
    mode_t mode;             /* permissions */
    /* Somebody will open it very soon, this thread (0: not known); it has no
     * name until then. */
    bool promised;
    int promised_to;
    uint64_t shown_ino; /* that stat() shows; 0: its own */
};

/* -EEXIST; but one that is to be pushed takes the name over. */
int ofs_scratch_add(struct ofs_scratches *all,
                    const struct ofs_scratch_spec *spec,
                    struct ofs_scratch **ret) OFS_MUST_CHECK;
struct ofs_scratch *ofs_scratch_ref(struct ofs_scratches *all,
                                    struct ofs_scratch *s);
void ofs_scratch_put(struct ofs_scratches *all, struct ofs_scratch *s);

OFS_DEFINE_HOLD(ofs_scratch_hold, struct ofs_scratches, struct ofs_scratch, s,
                ofs_scratch_put)
/* Hold it until the end of the block; may be NULL. */
#define OFS_SCRATCH_HOLD(name, among, what)                                    \
    OFS_HOLD(ofs_scratch_hold, name, among, what)

/* With a reference; NULL: there is none. */
struct ofs_scratch *ofs_scratch_at(struct ofs_scratches *all, uint64_t dir,
                                   const char *name);
/* The same as thread `who` sees it: what is promised to it, what is never
 * pushed, and what its process writes. */
struct ofs_scratch *ofs_scratch_seen(struct ofs_scratches *all, uint64_t dir,
                                     const char *name, int who);
/* What is promised to `who` there. */
struct ofs_scratch *ofs_scratch_promised(struct ofs_scratches *all,
                                         const struct ofs_spot *spot, int who);
/* One that is no more.  -ENOENT: nothing is known of it. */
int ofs_scratch_recall(struct ofs_scratches *all, const char *id,
                       struct ofs_scratch_trace *ret) OFS_MUST_CHECK;
struct ofs_scratch *ofs_scratch_get(struct ofs_scratches *all, const char *id);

/* What does not change. */
struct ofs_draft *ofs_scratch_draft(const struct ofs_scratch *s); /* or NULL */
bool ofs_scratch_is_dir(const struct ofs_scratch *s);
const char *ofs_scratch_id(const struct ofs_scratch *s);

/* What does: a copy. */
struct ofs_scratch_now {
    struct ofs_spot spot;
    char repo[NAME_MAX + 1];
    struct ofs_target target;
    mode_t mode;
    int64_t mtime_s;
    uint64_t shown_ino; /* as in its spec */
    int thread;         /* that has opened it; 0: not known */
    int process;        /* and its process */
    bool gone;          /* its name was taken away */
    uint64_t n_changes; /* writes so far */
    bool settled;       /* what was last pushed holds all of them, with ... */
    int result;         /* ... this result */
    unsigned n_writers; /* who has it open */
    struct ofs_err why;
};
void ofs_scratch_look(struct ofs_scratches *all, struct ofs_scratch *s,
                      struct ofs_scratch_now *ret);

/*
 * Its content is either written, by any number of threads, or pushed, by one:
 * what is pushed must be what was hashed.  Blocks as `call` allows.
 */
int ofs_scratch_begin_write(struct ofs_scratches *all, struct ofs_call *call,
                            struct ofs_scratch *s,
                            struct ofs_err *err) OFS_MUST_CHECK;
void ofs_scratch_end_write(struct ofs_scratches *all, struct ofs_scratch *s);
int ofs_scratch_begin_push(struct ofs_scratches *all, struct ofs_call *call,
                           struct ofs_scratch *s,
                           struct ofs_err *err) OFS_MUST_CHECK;
void ofs_scratch_end_push(struct ofs_scratches *all, struct ofs_scratch *s);

/* Its content has changed, at `at_s`. */
void ofs_scratch_changed(struct ofs_scratches *all, struct ofs_scratch *s,
                         int64_t at_s);
/* Permissions and time, as their owner wants them. */
void ofs_scratch_set(struct ofs_scratches *all, struct ofs_scratch *s,
                     const mode_t *mode, const int64_t *mtime_s);
/*
 * What it was after `n_changes` has been pushed to where `spot` and `target`
 * say, with that result.  The name leads to what it has become from now on.
 */
void ofs_scratch_settle(struct ofs_scratches *all, struct ofs_scratch *s,
                        const struct ofs_scratch_now *pushed, int result,
                        const struct ofs_err *why);
/* Its name is taken away, for good. */
void ofs_scratch_unlink(struct ofs_scratches *all, struct ofs_scratch *s);
/* Another name; what had it is gone.  -ENOMEM. */
int ofs_scratch_move(struct ofs_scratches *all, struct ofs_scratch *s,
                     const struct ofs_spot *to, const char *repo,
                     const struct ofs_target *target) OFS_MUST_CHECK;

/* Somebody opens it for writing, and closes it.  After the last one nothing
 * stays of a file that was to be pushed. */
void ofs_scratch_open(struct ofs_scratches *all, struct ofs_scratch *s,
                      int who);
/* Is it to be pushed, and open already? */
bool ofs_scratch_is_taken(struct ofs_scratches *all, struct ofs_scratch *s);
void ofs_scratch_close(struct ofs_scratches *all, struct ofs_scratch *s);

/* Call `fn` for each that is in the directory and has a name, with
 * a reference, until it fails. */
typedef int ofs_scratch_fn(void *arg, struct ofs_scratch *s, const char *name);
int ofs_scratch_each(struct ofs_scratches *all, uint64_t dir,
                     ofs_scratch_fn *fn, void *arg) OFS_MUST_CHECK;
bool ofs_scratch_is_empty(struct ofs_scratches *all, uint64_t dir);

#endif
