/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TREE_PRIV_H
#define OFS_TREE_PRIV_H

/*
 * What views and writers share.  Nodes are immutable; two kinds of state outlive
 * them: which directories there are (ns.h), and what is known of each
 * repository in use (repo.h).
 *
 * Locks: nodes.mtx (TREE) < catalog.mtx, repos.mtx, pending.mtx, mades.mtx,
 * scratches.mtx, failures.mtx, each repo.mtx (NODE, never two of them at once)
 * < batches (INFLIGHT).  None is held across the network, the store or push.
 */

#include "failures.h"
#include "made.h"
#include "nodes.h"
#include "ns.h"
#include "pending.h"
#include "runs.h"
#include "scratch.h"

#include <stddef.h>
#include <sys/types.h>

struct ofs_control_file;
struct ofs_push;
struct ofs_store;

/*
 * mtime of what has no time of its own: blobs, and images that do not say when
 * they were created.  The same at every mount, so that backup tools see no
 * change; not 0, which many programs take for "not set".
 */
enum { OFS_NO_TIME_S = 1 };

struct ofs_tree {
    struct ofs_store *store;
    struct ofs_push *push; /* NULL: the tree is read-only */
    uid_t uid;
    gid_t gid;
    mode_t umask;
    const struct ofs_control_file *control;
    void (*warn)(void *arg, const char *sentence); /* as in ofs_tree_cfg */
    void *warn_arg;
    char *url; /* names the notes */
    int64_t start_s;
    struct ofs_sync sync;
    struct ofs_nodes nodes;
    struct ofs_pending pending;
    struct ofs_mades mades;
    struct ofs_scratches scratches;
    struct ofs_failures failures;
    struct ofs_runs runs; /* used with allow_delete only */
    struct ofs_repos repos;
    struct ofs_space space;
};

#endif
