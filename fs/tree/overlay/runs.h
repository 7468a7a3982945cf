/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_RUNS_H
#define OFS_RUNS_H

/*
 * May a program take a tag away?  One that makes a directory equal to another
 * (rsync --delete, rclone sync) takes away what the other has no file for, and
 * a layout has no file for a tag: the tag came by index.json, which the same
 * run has written.  So the tags that are set here are remembered, with who set
 * them, and who has listed their directory:
 *
 *   - what was set since a program listed the directory is not what it wanted
 *     to take away;
 *   - what a process has set by index.json, its parent does not take away while
 *     it lives: rsync's receiver writes, and its generator removes.
 *
 * `rm` lists nothing, `rm -r` lists at once before, and both are no parents of
 * who writes.  Whoever has set a tag by its name knows of it.  Thread-safe.
 */

#include "ocirfs/lock.h"
#include "ocirfs/map.h"

struct ofs_runs {
    struct ofs_mutex mtx;  /* rank NODE; guards all below */
    struct ofs_map *lists; /* path, process -> when */
    struct ofs_map *sets;  /* path, tag -> struct run_set */
    uint64_t now;          /* counts what happens */
};

int ofs_runs_init(struct ofs_runs *runs) OFS_MUST_CHECK;
void ofs_runs_done(struct ofs_runs *runs);

/* Without memory for these, nothing is refused. */
void ofs_runs_listed(struct ofs_runs *runs, const char *path, int process);
void ofs_runs_set(struct ofs_runs *runs, const char *path, const char *tag,
                  int process);
/* The same by an index.json of `process`, a child of `parent`. */
void ofs_runs_named(struct ofs_runs *runs, const char *path, const char *tag,
                    int process, int parent);

enum ofs_runs_answer {
    OFS_RUNS_YES,
    OFS_RUNS_STALE, /* set since `process` has listed the directory */
    OFS_RUNS_OWN,   /* set by its child, which lives */
};
/* `parent_of` says whose child a process is; 0: it has ended. */
enum ofs_runs_answer ofs_runs_may_remove(struct ofs_runs *runs,
                                         const char *path, const char *tag,
                                         int process, int (*parent_of)(int));

#endif
