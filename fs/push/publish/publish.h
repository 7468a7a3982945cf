/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PUBLISH_H
#define OFS_PUBLISH_H

/* Manifests and tags: what is where, what may be moved, and moving it.
 * Thread-safe. */

#include "known.h"
#include "remote.h"

#include "ocirfs/lock.h"
#include "ocirfs/push.h"
#include "ocirfs/reg_publish.h"

/* One who sets a tag: others of the same wait until it is decided. */
struct ofs_tag_turn {
    struct ofs_tag_turn *next;
    const char *repo, *tag; /* borrowed */
    struct ofs_publisher *p;
};

struct ofs_publisher {
    const struct ofs_remote *remote; /* immutable, as all up to mtx */
    const struct ofs_push_hooks *hooks;
    bool no_overwrite;
    struct ofs_mutex mtx; /* guards what is below */
    struct ofs_known known;
    struct ofs_tag_turn *turns;
    struct ofs_waitlist waiters; /* for a turn */
};

/* What it points to outlives it.  -ENOMEM. */
int ofs_publisher_init(struct ofs_publisher *p, const struct ofs_remote *remote,
                       const struct ofs_push_cfg *cfg) OFS_MUST_CHECK;
void ofs_publisher_done(struct ofs_publisher *p);

/* Put by digest, or also under put->tag if the guards allow to move it, and
 * tell the caller of push. */
int ofs_publish(struct ofs_publisher *p, struct ofs_call *call,
                const struct ofs_manifest_put *put,
                struct ofs_err *err) OFS_MUST_CHECK;
/* What the tag names now; alg 0: it is not there. */
int ofs_publish_find(struct ofs_publisher *p, struct ofs_call *call,
                     const char *repo, const char *tag, struct ofs_digest *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* May it be moved to `digest`?  Asks the registry.  -EPERM. */
int ofs_publish_guard(struct ofs_publisher *p, struct ofs_call *call,
                      const char *repo, const char *tag,
                      const struct ofs_digest *digest,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* Is it in the repository?  Known, or HEAD.  -ENOENT: no. */
int ofs_publish_is_there(struct ofs_publisher *p, struct ofs_call *call,
                         const char *repo, const struct ofs_digest *digest,
                         bool is_manifest, struct ofs_err *err) OFS_MUST_CHECK;
/* Other repositories that may have it: `first` (may be NULL), then what the
 * hook says.  -ENOMEM. */
int ofs_publish_where(struct ofs_publisher *p, const char *repo,
                      const char *first, const struct ofs_digest *digest,
                      struct ofs_strv *ret) OFS_MUST_CHECK;
/* It is in the repository now. */
void ofs_publish_known(struct ofs_publisher *p, const char *repo,
                       const struct ofs_digest *digest, bool is_manifest);
/* A registry lacks what was known to be there: nothing is known any more. */
void ofs_publish_doubt(struct ofs_publisher *p);

#endif
