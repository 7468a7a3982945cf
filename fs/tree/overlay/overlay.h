/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OVERLAY_H
#define OFS_OVERLAY_H

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
struct ofs_local; /* one name */

/* Where a name is: the directory's inode number, and the name in it. */
struct ofs_spot {
    uint64_t dir;
    char name[NAME_MAX + 1];
};

/* What remains of one that was to be pushed. */
struct ofs_local_trace {
    char id[24]; /* "": nothing */
    struct ofs_spot spot;
    char repo[NAME_MAX + 1];
    struct ofs_target target;
};
enum { OFS_SCRATCH_TRACES = 64 };

struct ofs_overlay {
    struct ofs_mutex mtx;  /* rank NODE; guards all below */
    struct ofs_map *names; /* spot -> struct ofs_local */
    struct ofs_map *ids;   /* id -> the same, also those without a name */
    uint64_t last_id;
    size_t n_promised;
    struct ofs_local_trace traces[OFS_SCRATCH_TRACES];
    size_t next_trace; /* is overwritten next */
};

int ofs_overlay_init(struct ofs_overlay *all);
void ofs_overlay_done(struct ofs_overlay *all);

struct ofs_local_spec {
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
int ofs_local_add(struct ofs_overlay *all, const struct ofs_local_spec *spec,
                  struct ofs_local **ret) OFS_MUST_CHECK;
struct ofs_local *ofs_local_ref(struct ofs_overlay *all, struct ofs_local *s);
void ofs_local_put(struct ofs_overlay *all, struct ofs_local *s);

OFS_DEFINE_HOLD(ofs_local_hold, struct ofs_overlay, struct ofs_local, s,
                ofs_local_put)
/* Hold it until the end of the block; may be NULL. */
#define OFS_LOCAL_HOLD(name, among, what)                                      \
    OFS_HOLD(ofs_local_hold, name, among, what)

/* With a reference; NULL: there is none. */
struct ofs_local *ofs_local_at(struct ofs_overlay *all, uint64_t dir,
                               const char *name);
/* The same as thread `who` sees it: what is promised to it, what is never
 * pushed, and what its process writes. */
struct ofs_local *ofs_local_seen(struct ofs_overlay *all, uint64_t dir,
                                 const char *name, int who);
/* What is promised to `who` there. */
struct ofs_local *ofs_local_promised(struct ofs_overlay *all,
                                     const struct ofs_spot *spot, int who);
/* One that is no more.  -ENOENT: nothing is known of it. */
int ofs_local_recall(struct ofs_overlay *all, const char *id,
                     struct ofs_local_trace *ret) OFS_MUST_CHECK;
struct ofs_local *ofs_local_get(struct ofs_overlay *all, const char *id);

/* What does not change. */
struct ofs_draft *ofs_local_draft(const struct ofs_local *s); /* or NULL */
bool ofs_local_is_dir(const struct ofs_local *s);
const char *ofs_local_id(const struct ofs_local *s);

/* What does: a copy. */
struct ofs_local_now {
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
void ofs_local_look(struct ofs_overlay *all, struct ofs_local *s,
                    struct ofs_local_now *ret);

/*
 * Its content is either written, by any number of threads, or pushed, by one:
 * what is pushed must be what was hashed.  Blocks as `call` allows.
 */
int ofs_local_begin_write(struct ofs_overlay *all, struct ofs_call *call,
                          struct ofs_local *s,
                          struct ofs_err *err) OFS_MUST_CHECK;
void ofs_local_end_write(struct ofs_overlay *all, struct ofs_local *s);
int ofs_local_begin_push(struct ofs_overlay *all, struct ofs_call *call,
                         struct ofs_local *s,
                         struct ofs_err *err) OFS_MUST_CHECK;
void ofs_local_end_push(struct ofs_overlay *all, struct ofs_local *s);

/* Its content has changed, at `at_s`. */
void ofs_local_changed(struct ofs_overlay *all, struct ofs_local *s,
                       int64_t at_s);
/* Permissions and time, as their owner wants them. */
void ofs_local_set(struct ofs_overlay *all, struct ofs_local *s,
                   const mode_t *mode, const int64_t *mtime_s);
/*
 * What it was after `n_changes` has been pushed to where `spot` and `target`
 * say, with that result.  The name leads to what it has become from now on.
 */
void ofs_local_pushed(struct ofs_overlay *all, struct ofs_local *s,
                      const struct ofs_local_now *pushed, int result,
                      const struct ofs_err *why);
/* Its name is taken away, for good. */
void ofs_local_unlink(struct ofs_overlay *all, struct ofs_local *s);
/* Another name; what had it is gone.  -ENOMEM. */
int ofs_local_move(struct ofs_overlay *all, struct ofs_local *s,
                   const struct ofs_spot *to, const char *repo,
                   const struct ofs_target *target) OFS_MUST_CHECK;

/* Somebody opens it for writing, and closes it.  After the last one nothing
 * stays of a file that was to be pushed. */
void ofs_local_open(struct ofs_overlay *all, struct ofs_local *s, int who);
/* Is it to be pushed, and open already? */
bool ofs_local_is_taken(struct ofs_overlay *all, struct ofs_local *s);
void ofs_local_close(struct ofs_overlay *all, struct ofs_local *s);

/* Call `fn` for each that is in the directory and has a name, with
 * a reference, until it fails. */
typedef int ofs_local_fn(void *arg, struct ofs_local *s, const char *name);
int ofs_local_each(struct ofs_overlay *all, uint64_t dir, ofs_local_fn *fn,
                   void *arg) OFS_MUST_CHECK;
bool ofs_local_is_empty(struct ofs_overlay *all, uint64_t dir);

#endif
