/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OPS_H
#define OFS_OPS_H

/*
 * FUSE requests <-> tree.  The only module that knows libfuse.
 *
 * The session's threads never wait for the network: an operation that would
 * have to is handed to a pool, so that df, stat of what is known and unmount
 * are answered while a registry is silent, however many readers wait.
 */

#include "ocirfs/err.h"
#include "ocirfs/str.h"

#include <stdbool.h>
#include <stdint.h>

struct ofs_digest;
struct ofs_tree;
struct ofs_session;

struct ofs_session_cfg {
    struct ofs_tree *tree;
    const char *fsname; /* the source, as `df` and mount show it */
    const char *mountpoint;
    const struct ofs_strv *mount_options; /* for the kernel: "allow_other" */
    int64_t timeout_ms;                   /* of one operation */
    unsigned max_waiting;         /* operations that wait at a time; 0: 128 */
    unsigned max_readahead_bytes; /* 0: 1 MiB */
    bool debug;                   /* libfuse's own request trace */
};

/*
 * Mount.  No request is served before run, so what fails here can still be
 * told in the foreground.  -EACCES, -ENODEV, ...: one clear sentence.
 */
int ofs_session_mount(const struct ofs_session_cfg *cfg,
                      struct ofs_session **ret,
                      struct ofs_err *err) OFS_MUST_CHECK;

/* Serve until unmounted, or SIGTERM, SIGINT, SIGHUP.  After daemonising. */
int ofs_session_run(struct ofs_session *s, struct ofs_err *err) OFS_MUST_CHECK;

/* Ends what is under way; after it nobody uses the tree.  After run. */
void ofs_session_stop(struct ofs_session *s);

/* Stops, and unmounts when still mounted. */
void ofs_session_free(struct ofs_session *s);
OFS_DEFINE_AUTO(struct ofs_session, ofs_session_free)

/* Make the kernel drop the pages of this blob. */
void ofs_session_drop_pages(struct ofs_session *s,
                            const struct ofs_digest *digest);

#endif
