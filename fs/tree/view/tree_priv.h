/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TREE_PRIV_H
#define OFS_TREE_PRIV_H

/*
 * What views and writers share.  Nodes are immutable; two kinds of state outlive
 * them: which directories there are (ns.h), and what is known of each
 * repository in use (repo.h).
 *
 * Locks: nodes.mtx (TREE) < catalog.mtx, repos.mtx, pending.mtx, new_repos.mtx,
 * overlay.mtx, failures.mtx, each repo.mtx (NODE, never two of them at once)
 * < batches (INFLIGHT).  None is held across the network, the store or push.
 */

#include "failures.h"
#include "new_repos.h"
#include "nodes.h"
#include "ns.h"
#include "overlay.h"
#include "pending_save.h"
#include "runs.h"

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
    struct ofs_pending_save pending;
    struct ofs_new_repos new_repos;
    struct ofs_overlay overlay;
    struct ofs_failures failures;
    struct ofs_runs runs; /* used with allow_delete only */
    struct ofs_repos repos;
    struct ofs_space space;
};

#endif
