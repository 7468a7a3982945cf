/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STORE_PRIV_H
#define OFS_STORE_PRIV_H

/*
 * How bytes get from a source to a reader, and what the parts of that ask of
 * each other.  Each calls only those below it; what has to be known above is
 * told through struct ofs_flow_events.
 *
 *   blob.c       a reader: is it here?  else want it and sleep
 *   sched.c      threads that pick and fetch, fair between blobs; the watch
 *                over fetches that stand still
 *   fetch.c      one range: source -> file or memory -> states
 *   pick.c       decides: which chunks to fetch next
 *   hasher.c     the chain over all chunks of a blob, as they arrive
 *   verify.c     one chunk checked alone; the verdict on a blob
 *   doubt.c      has somebody else changed the file?
 *   objtable.c   the table of objects in use   object.c  one: states, waits
 *   damaged.c    whose source was wrong lately
 *   held.c       chunks that had to stay in memory   readahead.c  decides
 *
 * Locks, in this order: store.mtx (table), object.mtx, then one of
 * sched.mtx, hasher.mtx, held.mtx.  None is held across the disk.
 */

#include "cachedir.h"
#include "held.h"
#include "object.h"

#include "ocirfs/metrics.h"
#include "ocirfs/store.h"
#include "ocirfs/workers.h"

/* What tests and nobody else may set; zero: the default. */
struct ofs_store_tweaks {
    const char *boot_id; /* as the kernel writes it */
    size_t held_chunks;  /* budget for blobs without the disk */
    int64_t retry_ms;    /* pause of caching after a failure */
    int64_t patience_ms; /* with another process that fetches what we want */
    size_t max_quarantined;
    uint64_t max_quarantine_bytes;
    int64_t sums_days; /* without data */
    void (*disk)(void *arg, struct ofs_disk *ret);
    int (*write)(void *arg, uint64_t off, size_t len); /* 0 or -errno */
    void *arg;
};

int ofs_store_open_tweaked(const struct ofs_store_cfg *cfg,
                           const struct ofs_store_tweaks *tweaks,
                           struct ofs_store **ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

/* ---- objtable.c ---- */

/*
 * Find or make the object and count a reference.  Who makes it opens its
 * file, so it may block on the disk; who finds it does not wait for that.
 * -ENOMEM, -EFBIG, -EBADMSG (the sums tell another size).
 */
int ofs_object_get(struct ofs_store *s, const struct ofs_digest *digest,
                   uint64_t size, struct ofs_object **ret, struct ofs_err *err);
struct ofs_object *ofs_object_ref(struct ofs_object *o);
void ofs_object_unref(struct ofs_object *o);
OFS_DEFINE_AUTO(struct ofs_object, ofs_object_unref)

/* The next open makes a new one.  Holders of this one keep it. */
void ofs_object_unlist(struct ofs_object *o);

/* ---- sched.c ---- */

struct ofs_sched {
    struct ofs_mutex mtx;            /* guards all below but workers */
    struct ofs_object *first, **end; /* that may want a fetch */
    struct ofs_fetch *active;
    unsigned n_jobs;
    bool stopping;
    struct ofs_workers *workers;
};

void ofs_sched_init(struct ofs_store *s);
int ofs_sched_start(struct ofs_store *s);
void ofs_sched_stop(struct ofs_store *s);
void ofs_sched_done(struct ofs_store *s);
/* This object may want a fetch.  Under object.mtx or not. */
void ofs_sched_kick(struct ofs_object *o);
/* The thread that ends fetches which have had no byte for too long. */
void *ofs_watcher_run(void *store);
/* Nobody has the blob open any more.  Not under object.mtx. */
void ofs_sched_abandon(struct ofs_object *o);

/* ---- pick.c ---- */

struct ofs_pick {
    uint32_t first, n;         /* chunks, all ABSENT; n 0: nothing */
    struct ofs_source *source; /* borrowed from a handle */
};
/* With object.mtx held; `memory`: there is no file to fetch into. */
void ofs_pick(struct ofs_object *o, bool memory, int64_t now_ms,
              struct ofs_pick *ret);
/* Would there be something?  The same lock. */
bool ofs_pick_any(struct ofs_object *o);

/* ---- fetch.c ---- */

struct ofs_fetch {
    struct ofs_fetch *next, **link; /* active; guarded by sched.mtx */
    struct ofs_object *object;
    struct ofs_source *source; /* a reference */
    struct ofs_call call;
    uint32_t first, n; /* chunks */
    uint32_t base;
    uint64_t ours;           /* bit i: chunk base + i is still to come by us;
                      guarded by object.mtx */
    uint64_t off;            /* bytes */
    _Atomic uint64_t end;    /* others look at how much is left */
    _Atomic uint64_t at;     /* the next byte */
    _Atomic int64_t last_ms; /* of the last byte */
    atomic_bool stalled;     /* the watch gave it up */
    atomic_bool abandoned;   /* nobody had the blob open any more */
    bool to_file;
    bool retry_elsewhere; /* no fault of the source: file or other process */
    int attempt;
    uint64_t kept; /* bytes in the file */
    struct ofs_held *filling;
};

/* Take the next range of the object on; NULL: there is none. */
struct ofs_fetch *ofs_fetch_begin(struct ofs_object *o);
void ofs_fetch_run(struct ofs_fetch *f);
void ofs_fetch_end(struct ofs_fetch *f); /* frees it */

/* ---- verify.c ---- */

/* Does the chain prove these bytes of chunk i < o->hashed?  No lock. */
bool ofs_chain_proves(const struct ofs_object *o, uint32_t i, const void *data);
/* Check a chunk that the caller made CHECKING; `was`: what it was before. */
int ofs_verify_chunk(struct ofs_object *o, uint32_t i, enum ofs_chunk was,
                     struct ofs_err *err);
/* May these bytes be served before or after the chain?  0, -EBADMSG, -ENOMEM;
 * -EAGAIN: they were wrong, another attempt is due. */
int ofs_verify_held(struct ofs_object *o, struct ofs_held *h,
                    struct ofs_err *err);
/* Not `known` when there was no memory. */
void ofs_fingerprint_of(const void *data, size_t len,
                        struct ofs_fingerprint *ret);
/* The verdict on the whole. */
void ofs_verify_passed(struct ofs_object *o);
void ofs_verify_broken(struct ofs_object *o, int code);
/* The file cannot be read where it should be. */
void ofs_verify_lost(struct ofs_object *o, uint32_t i);

/* ---- doubt.c ---- */

/* With object.mtx held: the file was opened and its marks taken over. */
void ofs_doubt_attached(struct ofs_object *o);
/* Whole and proven: seal the file, if nobody has changed it meanwhile. */
void ofs_doubt_settle(struct ofs_object *o);
/* The file looks otherwise than it should: prove all of it again. */
void ofs_doubt_all(struct ofs_object *o);

/* ---- hasher.c ---- */

struct ofs_hasher {
    struct ofs_mutex mtx; /* guards all below but workers */
    struct ofs_object *first, **end;
    unsigned n_jobs, max_jobs;
    bool stopping;
    struct ofs_workers *workers;
};

void ofs_hasher_init(struct ofs_store *s);
int ofs_hasher_start(struct ofs_store *s);
void ofs_hasher_stop(struct ofs_store *s);
void ofs_hasher_done(struct ofs_store *s);
/* With object.mtx held: go on if the next chunk of the chain is here. */
void ofs_hasher_kick(struct ofs_object *o);

/* ---- damaged.c ---- */

enum { OFS_DAMAGED_MAX = 64 };

struct ofs_damaged {
    struct ofs_mutex mtx; /* guards all below */
    struct {
        struct ofs_digest digest;
        int attempt; /* to be tried next */
    } ring[OFS_DAMAGED_MAX];
    unsigned n; /* counts on; the ring's next place */
};

void ofs_damaged_init(struct ofs_damaged *d);
void ofs_damaged_done(struct ofs_damaged *d);
/* This attempt gave bytes that were wrong; another origin is next. */
void ofs_damaged_note(struct ofs_damaged *d, const struct ofs_digest *digest,
                      int attempt);
/* The attempt to begin with for this digest. */
int ofs_damaged_attempt(struct ofs_damaged *d, const struct ofs_digest *digest);

/* ---- all of it ---- */

/* What those below must tell those above; under object.mtx or not, but for
 * `abandoned`. */
struct ofs_flow_events {
    void (*arrived)(struct ofs_object *o);   /* the chain may go on; under it */
    void (*wants)(struct ofs_object *o);     /* a fetch, perhaps */
    void (*abandoned)(struct ofs_object *o); /* nobody needs its fetches */
};

enum { OFS_BUCKETS = 1024 };

struct ofs_store {
    struct ofs_store_cfg cfg; /* immutable, as all up to disk */
    struct ofs_store_tweaks tweaks;
    const struct ofs_flow_events *events;
    struct ofs_cachedir disk;

    struct ofs_mutex mtx; /* guards the next two */
    struct ofs_object *table[OFS_BUCKETS];
    uint64_t n_objects;

    struct ofs_damaged damaged;
    struct ofs_sched sched;
    struct ofs_hasher hasher;
    struct ofs_held_pool held;
    struct ofs_thread watcher;
};

static inline int64_t ofs_store_now_ms(const struct ofs_store *s)
{
    return s->cfg.clock->mono_ms(s->cfg.clock);
}

#endif
