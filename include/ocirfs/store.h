/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STORE_H
#define OFS_STORE_H

/*
 * Content-addressed cache on the local disk.  Knows no network: missing bytes
 * come from an ofs_source.  Shared by all mounts and processes of a user at
 * once; right after kill -9 at any moment and after power failures; no
 * start-up cost that grows with what it holds.  Thread-safe.
 *
 * What is served is right: a blob is hashed as it arrives, and a read that
 * touches its last byte is not answered before the digest of the whole has
 * matched.  A blob whose digest has matched once keeps the hash's state at
 * each chunk border, so that a chunk that is fetched again, or that was on
 * disk when the machine stopped, is verified by itself.
 *
 * A disk that is full or failing never fails a read: bytes are then handed on
 * without being kept.
 */

#include "ocirfs/buf.h"
#include "ocirfs/call.h"
#include "ocirfs/clock.h"
#include "ocirfs/digest.h"
#include "ocirfs/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ofs_store;

/* When the bytes of a blob are verified. */
enum ofs_verify {
    OFS_VERIFY_LAZY,   /* as they arrive */
    OFS_VERIFY_STRICT, /* all of them before the first is read */
    OFS_VERIFY_ALWAYS, /* as they arrive; what is here, again when it is opened */
};

struct ofs_store_cfg {
    const char *dir;       /* made if missing, mode 0700 */
    uint64_t max_bytes;    /* disk the blobs may take; 0: no limit */
    unsigned min_free_pct; /* of the disk, kept free; beyond: no caching */
    enum ofs_verify verify;
    unsigned max_transfers;  /* ranges fetched at a time, all blobs; 0: 16 */
    int64_t read_timeout_ms; /* of one range fetch without any byte; 0: 30 s */
    const struct ofs_clock *clock;
    /*
     * Told when a blob turned out damaged after parts of it were served, so
     * that cached pages of it can be dropped.  Called without locks, on a
     * thread of the store.  May be NULL.
     */
    void (*damaged)(void *arg, const struct ofs_digest *digest);
    void *damaged_arg;
};

/* Makes no threads yet.  -EACCES, -ENOTDIR, -EROFS, ... with a clear text. */
int ofs_store_open(const struct ofs_store_cfg *cfg, struct ofs_store **ret,
                   struct ofs_err *err) OFS_MUST_CHECK;
/* Make the threads: transfers, hashing, eviction; after daemonising. */
int ofs_store_start(struct ofs_store *s, struct ofs_err *err) OFS_MUST_CHECK;
/* Ends transfers with -EINTR, joins; readers have gone before. */
void ofs_store_stop(struct ofs_store *s);
void ofs_store_free(struct ofs_store *s);
OFS_DEFINE_AUTO(struct ofs_store, ofs_store_free)

/*
 * An open blob: pinned in the cache, with its own reading position for
 * read-ahead.  One handle may be used by several threads.
 */
struct ofs_blob;

/*
 * Open a blob of `size` bytes (from its descriptor or a HEAD).  Takes a
 * reference to `source`; it may be NULL: then only what is on disk can be
 * read and the rest is -ENOENT.  Touches no network.  -ENOMEM; -EBADMSG: the
 * cache holds that digest verified with another size, or the blob is empty
 * and the digest is not that of nothing; -EFBIG: more than 1 TiB.
 */
int ofs_store_open_blob(struct ofs_store *s, const struct ofs_digest *digest,
                        uint64_t size, struct ofs_source *source,
                        struct ofs_blob **ret,
                        struct ofs_err *err) OFS_MUST_CHECK;
void ofs_blob_close(struct ofs_blob *b);
OFS_DEFINE_AUTO(struct ofs_blob, ofs_blob_close)

/*
 * Read up to `len` bytes at `off`; *ret_n is less only at the end of the blob.
 * Blocks as `call` allows while bytes are fetched (-EAGAIN when it may not
 * and they are not here); other readers are not held up.  -EBADMSG damaged;
 * else what the source said, -ETIMEDOUT, -EINTR.
 */
int ofs_blob_read(struct ofs_blob *b, struct ofs_call *call, void *buf,
                  size_t len, uint64_t off, size_t *ret_n,
                  struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Small verified objects: manifests and configurations.  `put` checks that
 * the bytes have the digest (-EBADMSG).  A failing disk is not an error of
 * `put`: the object is just not kept.  `get` reads a whole object of at most
 * `limit` bytes, verified now; -ENOENT: not here whole; -EFBIG.
 */
int ofs_store_put(struct ofs_store *s, const struct ofs_digest *digest,
                  const void *data, size_t len,
                  struct ofs_err *err) OFS_MUST_CHECK;
int ofs_store_get(struct ofs_store *s, const struct ofs_digest *digest,
                  size_t limit, struct ofs_buf *ret,
                  struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Size of a blob that is here verified and whole or in part (bytes).
 * -ENOENT: not known.
 */
int ofs_store_size(struct ofs_store *s, const struct ofs_digest *digest,
                   uint64_t *ret_size) OFS_MUST_CHECK;

/*
 * Notes: what a registry last said (tag lists, tag -> digest, catalog), by a
 * free text key, to be served when it cannot be reached.  Replaced whole; a
 * note that is not there or torn is -ENOENT.  *ret_age_s: seconds since put.
 */
int ofs_store_note_put(struct ofs_store *s, const char *key, const void *data,
                       size_t len) OFS_MUST_CHECK;
int ofs_store_note_get(struct ofs_store *s, const char *key,
                       struct ofs_buf *ret, int64_t *ret_age_s) OFS_MUST_CHECK;

struct ofs_store_stat {
    uint64_t used_bytes; /* by blobs, as last counted */
    uint64_t max_bytes;  /* the limit; 0: none */
    uint64_t disk_bytes; /* size of the disk the cache is on */
    uint64_t free_bytes; /* what may still be used: of limit and disk */
    uint64_t n_open;     /* blobs */
    uint64_t n_quarantined;
    bool caching; /* false: disk full or failing */
};
void ofs_store_stat(struct ofs_store *s, struct ofs_store_stat *ret);

/* One transfer that is under way, for /.ocirfs/transfers. */
struct ofs_transfer {
    struct ofs_digest digest;
    char name[128];      /* of the source */
    uint64_t size;       /* of the blob, bytes */
    uint64_t done;       /* bytes of it that are here */
    uint64_t rate_bytes; /* per second, over the last seconds */
    unsigned n_ranges;   /* being fetched now */
};
/* Up to `max`; how many were written. */
size_t ofs_store_transfers(struct ofs_store *s, struct ofs_transfer *ret,
                           size_t max);

#endif
