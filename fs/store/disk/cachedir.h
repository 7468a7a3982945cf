/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CACHEDIR_H
#define OFS_CACHEDIR_H

/*
 * The cache's directory: what the modules of fs/store/disk work on.
 *
 *     cachedir.c               opens it; the thread that makes room
 *     evict.c                  which blobs go; sweep.c walks over the files
 *     smallobj.c, notefile.c   manifests, configurations, notes
 *     blobfile.c, marks.c      a blob's files, safe between processes
 *     chunkmap.c, sums.c       their formats
 *     space.c, lru.c           decide: may we write?  what is oldest?
 *     quarantine.c             keeps what was damaged, for a while
 */

#include "blobfile.h"
#include "smallqueue.h"
#include "space.h"

#include "ocirfs/buf.h"
#include "ocirfs/thread.h"

struct ofs_cachedir_cfg {
    const char *dir;       /* made if missing, mode 0700 */
    const char *boot_id;   /* as the kernel writes it; NULL: ask the kernel */
    uint64_t max_bytes;    /* disk the blobs may take; 0: no limit */
    unsigned min_free_pct; /* of the disk, kept free */
    int64_t retry_ms;      /* pause of caching after a failure */
    size_t max_quarantined;
    uint64_t max_quarantine_bytes;
    int64_t sums_days; /* how long sums stay without their blob */
    const struct ofs_clock *clock;
    void (*disk)(void *arg, struct ofs_disk *ret);     /* NULL: statvfs */
    int (*write)(void *arg, uint64_t off, size_t len); /* may fail; or NULL */
    void *arg;
};

struct ofs_cachedir {
    struct ofs_cachedir_cfg cfg; /* immutable, as the next four */
    char *dir;
    int root_fd, notes_fd;
    struct ofs_blobdir files;
    struct ofs_small small;
    struct ofs_space space;
    struct ofs_thread evictor;
    _Atomic size_t n_quarantined;
    atomic_uint n_rounds; /* of the evictor */
};

/* -EACCES, -ENOTDIR, -EROFS, ... with a clear text.  Blocks on the disk.
 * `done` also after a failure. */
int ofs_cachedir_open(struct ofs_cachedir *c,
                      const struct ofs_cachedir_cfg *cfg,
                      struct ofs_err *err) OFS_MUST_CHECK;
int ofs_cachedir_start(struct ofs_cachedir *c) OFS_MUST_CHECK;
void ofs_cachedir_stop(struct ofs_cachedir *c); /* may be called twice */
void ofs_cachedir_done(struct ofs_cachedir *c);

/* Room on the disk that the blobs are on; zeros: it cannot be told. */
void ofs_cachedir_disk(struct ofs_cachedir *c, struct ofs_disk *ret);

/* The test's word about a write that is about to happen: 0 or -errno. */
static inline int ofs_cachedir_may_write(const struct ofs_cachedir *c,
                                         uint64_t off, size_t len)
{
    return c->cfg.write ? c->cfg.write(c->cfg.arg, off, len) : 0;
}

/* ---- evict.c ---- */

/* The evictor's thread; `cachedir`: struct ofs_cachedir. */
void *ofs_evictor_run(void *cachedir);

/* ---- sweep.c ---- */

struct ofs_lru;
/* Bytes of disk that all blobs take; fills `lru`; tidies on its way. */
uint64_t ofs_sweep_blobs(struct ofs_cachedir *c, struct ofs_lru *lru);
void ofs_sweep_notes(struct ofs_cachedir *c);
/* Small objects; the bytes of disk they take. */
uint64_t ofs_sweep_small(struct ofs_cachedir *c);

/* ---- quarantine.c ---- */

/* Keep the quarantine within its limits; how many it holds. */
size_t ofs_quarantine_trim(struct ofs_cachedir *c);

/* ---- smallobj.c, notefile.c: as in store.h ---- */

int ofs_small_put(struct ofs_cachedir *c, const struct ofs_digest *digest,
                  const void *data, size_t len, struct ofs_err *err);
int ofs_small_get(struct ofs_cachedir *c, const struct ofs_digest *digest,
                  size_t limit, struct ofs_buf *ret, struct ofs_err *err);
int ofs_small_size(struct ofs_cachedir *c, const struct ofs_digest *digest,
                   uint64_t *ret_size);
int ofs_note_put(struct ofs_cachedir *c, const char *key, const void *data,
                 size_t len);
int ofs_note_get(struct ofs_cachedir *c, const char *key, struct ofs_buf *ret,
                 int64_t *ret_age_s);

#endif
