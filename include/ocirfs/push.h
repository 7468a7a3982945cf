/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PUSH_H
#define OFS_PUSH_H

/*
 * Writes become pushes.  Knows drafts (files that are being written, on local
 * disk in the staging area), what is to be sent of them, in which order, and
 * what must survive a crash.  Knows no names of the mount: which file is a
 * tag, a blob or index.json its caller says.  Thread-safe.
 *
 * Truth: a function that says 0 means that the registry has confirmed; for a
 * manifest or an index.json whose parts have not arrived, that it lies in the
 * staging area for good (synced) and will be finished by the call that brings
 * the last part, in this mount or a later one.  What was asked for but not
 * acknowledged (crash, network) is resumed by ofs_push_start().
 *
 * Calls that push take as long as data move; give them a call without a
 * deadline, cancelling ends them.  Errors: those of reg_uploads.h and
 * reg_publish.h; -ENOSPC staging is full; -EINVAL neither manifest nor
 * archive; -EBADMSG the bytes do not have the digest; -EPERM refused by a
 * guard (no_overwrite, immutable); -EROFS a draft that waits already.
 */

#include "ocirfs/call.h"
#include "ocirfs/clock.h"
#include "ocirfs/digest.h"
#include "ocirfs/source.h"
#include "ocirfs/str.h"

#include <stdbool.h>
#include <stdint.h>

struct ofs_push;
struct ofs_draft;
struct ofs_descriptor;
struct ofs_registry;
struct ofs_store;

/* What the caller knows and wants to know.  Called without locks of push,
 * from any thread. */
struct ofs_push_hooks {
    /* Add repositories of this registry that have the blob, best first. */
    int (*where)(void *arg, const struct ofs_digest *digest,
                 struct ofs_strv *ret);
    /* A manifest was published; `tag` NULL: by digest. */
    void (*published)(void *arg, const char *repo, const char *tag,
                      const struct ofs_digest *digest, uint64_t size,
                      const char *media_type);
    /* A blob is in the repository now. */
    void (*arrived)(void *arg, const char *repo,
                    const struct ofs_digest *digest, uint64_t size);
    /* What the tag names as far as is known without asking; -EAGAIN: it is
     * there, and no more is known; -ENOENT.  An index.json entry that says the
     * same is no wish.  NULL: nothing is. */
    int (*tag_names)(void *arg, const char *repo, const char *tag,
                     struct ofs_digest *ret);
    /* index.json names a manifest that is there, and gives it no tag.  NULL:
     * nobody wants to know; likewise the next one. */
    void (*untagged)(void *arg, const char *repo,
                     const struct ofs_descriptor *d);
    /* index.json does so no more. */
    void (*left_out)(void *arg, const char *repo,
                     const struct ofs_digest *digest);
    /* An index.json names the tag, whether that is news or not.  NULL. */
    void (*named)(void *arg, struct ofs_call *call, const char *repo,
                  const char *tag);
    /* May the tag be set?  `old` is what it names now, another digest; NULL:
     * nothing.  -EPERM immutable.  NULL: always. */
    int (*may_move)(void *arg, struct ofs_call *call, const char *repo,
                    const char *tag, const struct ofs_digest *old,
                    struct ofs_err *err);
    void *arg;
};

struct ofs_push_cfg {
    struct ofs_registry *registry;
    struct ofs_store *store;
    const char *dir;    /* staging area; made if missing, mode 0700.  One
                           mount's own: locked against others */
    const char *others; /* the folder of staging areas: what mounts of `url`
                           have left there that have ended is gone on with;
                           NULL: nowhere */
    const char *url;    /* of the registry: pending work is only for it */
    uint64_t max_bytes; /* of all drafts on disk; beyond: -ENOSPC; 0: none */
    bool no_overwrite;  /* an existing tag is never moved */
    struct ofs_push_hooks hooks;
    const struct ofs_clock *clock;
};

/* -EBUSY: another process uses `dir`; else of the disk. */
int ofs_push_open(const struct ofs_push_cfg *cfg, struct ofs_push **ret,
                  struct ofs_err *err) OFS_MUST_CHECK;
/* Make the threads; resume what an earlier mount left.  After daemonising. */
int ofs_push_start(struct ofs_push *p, struct ofs_err *err) OFS_MUST_CHECK;
void ofs_push_stop(struct ofs_push *p); /* the network has ended before */
void ofs_push_free(struct ofs_push *p);
OFS_DEFINE_AUTO(struct ofs_push, ofs_push_free)

/* ---- drafts ---- */

/* A new empty file for something that will belong to `repo`. */
int ofs_draft_new(struct ofs_push *p, const char *repo, struct ofs_draft **ret,
                  struct ofs_err *err) OFS_MUST_CHECK;
struct ofs_draft *ofs_draft_ref(struct ofs_draft *d);
void ofs_draft_unref(struct ofs_draft *d); /* the last one deletes the file */
OFS_DEFINE_AUTO(struct ofs_draft, ofs_draft_unref)

/*
 * It will be a blob, so it may be sent while it is written.  With its digest
 * (it is called blobs/sha256/<hex>) what the registry has already is not sent;
 * NULL: known at the end only (a scratch name that will be renamed).  A draft
 * without aim is not sent before it is committed.
 */
void ofs_draft_aim(struct ofs_draft *d, const struct ofs_digest *digest);

/* Only what was cloned needs the call: for the network, or the store. */
int ofs_draft_write(struct ofs_draft *d, struct ofs_call *call, const void *buf,
                    size_t len, uint64_t off,
                    struct ofs_err *err) OFS_MUST_CHECK;
/* *ret_n short only at the end. */
int ofs_draft_read(struct ofs_draft *d, struct ofs_call *call, void *buf,
                   size_t len, uint64_t off, size_t *ret_n,
                   struct ofs_err *err) OFS_MUST_CHECK;
int ofs_draft_truncate(struct ofs_draft *d, struct ofs_call *call,
                       uint64_t size, struct ofs_err *err) OFS_MUST_CHECK;
uint64_t ofs_draft_size(struct ofs_draft *d); /* bytes */

/* Content that the registry has: a blob or manifest of `repo`. */
struct ofs_clone {
    const char *repo;
    struct ofs_digest digest;
    uint64_t size; /* bytes, of the whole */
    bool manifest;
    struct ofs_source *source; /* its bytes, if they should be needed */
};
/*
 * As if bytes [from, from + len) of `of` were written at `off`, but nothing is
 * moved as long as the draft stays a clone of the whole: pushing it is a
 * cross-repository mount then.  Any other write makes it a plain file first.
 */
int ofs_draft_clone(struct ofs_draft *d, struct ofs_call *call,
                    const struct ofs_clone *of, uint64_t from, uint64_t len,
                    uint64_t off, struct ofs_err *err) OFS_MUST_CHECK;

/* ---- what close() and rename() do ---- */

/*
 * The draft is blobs/<alg>/<hex> of `repo`.  A manifest is put as one when all
 * it names is there, else it waits; everything else is a blob.
 */
int ofs_push_blob(struct ofs_push *p, struct ofs_call *call,
                  struct ofs_draft *d, const char *repo,
                  const struct ofs_digest *digest,
                  struct ofs_err *err) OFS_MUST_CHECK;
/*
 * The draft is the tag: a manifest (what it names and the repository lacks is
 * mounted from where hooks.where says, manifests of an index are copied), or
 * an archive, whose image is pushed.  -ENOENT: text names the first digest
 * that is nowhere.  ret_digest (may be NULL): what the tag names now.
 */
int ofs_push_tag(struct ofs_push *p, struct ofs_call *call, struct ofs_draft *d,
                 const char *repo, const char *tag,
                 struct ofs_digest *ret_digest,
                 struct ofs_err *err) OFS_MUST_CHECK;
/* How much of a file's beginning ofs_push_tag_head() looks at, bytes. */
enum { OFS_PUSH_TAG_HEAD = 512 };
/* Can what begins so become a tag?  -EINVAL no, and what can.  Pure. */
int ofs_push_tag_head(const void *head, size_t len,
                      struct ofs_err *err) OFS_MUST_CHECK;
/*
 * The draft is index.json: adds and moves tags, never removes one.  `read`
 * (NULL: nothing) is the index.json that its writer has read before, as the
 * caller has made it: what is just handed back moves no tag.  -EINVAL: an entry
 * cannot become anything in a registry; the others have.
 */
int ofs_push_index(struct ofs_push *p, struct ofs_call *call,
                   struct ofs_draft *d, const char *repo,
                   const struct ofs_buf *read,
                   struct ofs_err *err) OFS_MUST_CHECK;
/* Manifest `digest` of `from` becomes `tag` of `repo`, with all it names. */
int ofs_push_copy(struct ofs_push *p, struct ofs_call *call, const char *from,
                  const struct ofs_digest *digest, const char *repo,
                  const char *tag, struct ofs_err *err) OFS_MUST_CHECK;

/* ---- what has been acknowledged but waits for its parts ---- */

/* Its draft, with a reference; -ENOENT: nothing of that digest waits there. */
int ofs_push_waiting(struct ofs_push *p, const char *repo,
                     const struct ofs_digest *digest,
                     struct ofs_draft **ret) OFS_MUST_CHECK;
/* All of a repository: *ret (owned) and how many.  -ENOMEM. */
int ofs_push_list_waiting(struct ofs_push *p, const char *repo,
                          struct ofs_digest **ret,
                          size_t *ret_n) OFS_MUST_CHECK;
/* Forget it (unlink).  -ENOENT. */
int ofs_push_drop(struct ofs_push *p, const char *repo,
                  const struct ofs_digest *digest) OFS_MUST_CHECK;

/* ---- for .ocirfs ---- */

struct ofs_push_stat {
    uint64_t staged_bytes, max_bytes;
    uint64_t n_drafts, n_pending;
};
void ofs_push_stat(struct ofs_push *p, struct ofs_push_stat *ret);

struct ofs_sending {
    char repo[256];
    char what[96]; /* "sha256:0e7b3373...", "a blob": not known yet */
    uint64_t size; /* bytes so far written */
    uint64_t sent;
    uint64_t rate_bytes; /* per second, over the last seconds */
};
size_t ofs_push_sending(struct ofs_push *p, struct ofs_sending *ret,
                        size_t max);
/* A line for each thing that waits or could not be pushed, and why. */
int ofs_push_render_pending(struct ofs_push *p, struct ofs_buf *b);

#endif
