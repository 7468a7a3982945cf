/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OBJECT_H
#define OFS_OBJECT_H

/*
 * What the handles of one blob share: which of its chunks are here and how
 * far they are trusted, who waits for which, and what is being fetched.
 *
 * A chunk is never written again once it is PRESENT (blobfile.h says how that
 * holds between processes), so a reader needs the lock to learn that it is,
 * and none while it reads.
 */

#include "blobfile.h"
#include "held.h"
#include "readahead.h"

#include "ocirfs/call.h"
#include "ocirfs/list.h"

struct ofs_blob;
struct ofs_source;
struct ofs_store;

enum ofs_chunk {
    OFS_ABSENT,        /* nowhere, or in a file that must not be trusted */
    OFS_COMING,        /* a fetch will bring it, or fail and make it ABSENT */
    OFS_SUSPECT,       /* in the file from before; to be checked before use */
    OFS_ARRIVED,       /* in the file, just fetched; to be checked before use */
    OFS_ARRIVED_AGAIN, /* the same, fetched as attempt 1 */
    OFS_CHECKING,      /* one thread does that now */
    OFS_PRESENT,       /* in the file, may be served */
    OFS_HELD,          /* was in memory when last seen: ask the pool */
};

/* For ofs_want.await, beyond all chunks. */
enum { OFS_AWAIT_READY = UINT32_MAX, OFS_AWAIT_VERDICT = UINT32_MAX - 1 };

/* A reader that waits; lives on its stack; guarded by the object's mtx. */
struct ofs_want {
    struct ofs_want *next, **link; /* first come, first served */
    struct ofs_call *call;
    struct ofs_blob *blob;    /* whose source may fetch; may be NULL */
    uint32_t first, last;     /* chunks it needs; a failure there is for it */
    uint32_t await;           /* the one whose arrival wakes it */
    struct ofs_held *held;    /* that one, pinned, if it arrived in memory */
    bool failed;              /* a fetch of its chunks failed: */
    struct ofs_err err;       /*   so */
    struct ofs_source *whose; /*   for this source; for comparing only */
};

/* Bytes that arrived in the last seconds. */
enum { OFS_RATE_SLOTS = 4 };
struct ofs_rate {
    int64_t second; /* of the newest slot */
    uint64_t bytes[OFS_RATE_SLOTS];
};

enum { OFS_PRINT_LEN = 16 };
struct ofs_fingerprint {
    uint8_t bytes[OFS_PRINT_LEN];
    bool known;
};

struct ofs_object {
    struct ofs_store *store; /* immutable, as all up to refs */
    struct ofs_held_pool *held;
    struct ofs_digest digest;
    uint64_t size;
    uint32_t n_chunks;
    size_t state_len; /* of one state in sums */

    atomic_uint refs;        /* the last one goes with store.mtx held */
    struct ofs_object *next; /* in the table; guarded by store.mtx */
    bool listed;             /* guarded by store.mtx */

    atomic_bool complete;   /* all PRESENT and verified: no lock to read */
    _Atomic uint64_t seal;  /* the file's look since then; 0: not sealed */
    atomic_bool served;     /* bytes were handed out before the verdict */
    _Atomic uint8_t *state; /* enum ofs_chunk; written with mtx held */

    struct ofs_mutex mtx; /* guards all below */
    bool ready;           /* the file is open, if there is one */
    bool breaking;        /* somebody is about to set `broken` */
    int broken;           /* 0; -EBADMSG damaged, -EIO cannot be vouched for */
    uint32_t n_present;   /* chunks that are PRESENT */
    uint32_t n_coming;    /* chunks that are COMING */

    struct ofs_blobfile file; /* immutable once ready */
    bool file_bad;            /* write no more to it */
    bool doubtful;            /* no mark is believed: its chunk is proven */
    bool sealing;             /* one thread is at it */
    uint64_t began_as;        /* the file's look when it was whole, but not
                                 sealed; 0: it was filled by us */
    int64_t bypass_until_ms;  /* another process fetches what we want, slowly */

    uint8_t *sums;   /* states after each chunk; the first `hashed` are set */
    uint32_t hashed; /* chunks the chain has passed */
    bool verified;   /* ... to the end, where the digest matched */
    bool hashing;    /* on the hasher's list, which owns `hash` then */
    struct ofs_hash *hash;
    struct ofs_fingerprint
        *fingerprints; /* of chunks served before the chain; or NULL */

    struct ofs_want *wants;
    struct ofs_blob *blobs; /* open handles */
    bool demand;            /* somebody waits for the verdict: fetch it all */
    uint32_t demand_at;     /* nothing below is ABSENT and wanted for it */
    int attempt;            /* for the source */
    unsigned n_fetches;     /* under way */
    int64_t busy_since_ms;  /* when the first of them began */
    struct ofs_rate rate;

    bool queued;                   /* guarded by the scheduler's mtx */
    struct ofs_object *next_fetch; /* the same */
    struct ofs_object *next_hash;  /* guarded by the hasher's mtx */
};

/* A handle.  All but `object` and `source` is guarded by object.mtx. */
struct ofs_blob {
    struct ofs_object *object;
    struct ofs_source *source; /* a reference; NULL: only what is here */
    struct ofs_blob *next, **link;
    struct ofs_readahead ra;
};

static inline enum ofs_chunk ofs_object_state(const struct ofs_object *o,
                                              uint32_t i)
{
    return (enum ofs_chunk)atomic_load_explicit(&o->state[i],
                                                memory_order_acquire);
}

/* ---- with o->mtx held ---- */

void ofs_object_set(struct ofs_object *o, uint32_t i, enum ofs_chunk state);
/* Take over what the map says of `n` chunks from `first` on. */
void ofs_object_adopt(struct ofs_object *o, uint32_t first,
                      const uint8_t *marks, uint32_t n);

void ofs_want_add(struct ofs_object *o, struct ofs_want *w); /* at the end */
/* Wake who awaits `await`; `held` (may be NULL) gets pinned for each. */
void ofs_object_wake(struct ofs_object *o, uint32_t await,
                     struct ofs_held *held);
void ofs_object_wake_all(struct ofs_object *o);
/* Tell who needs one of [first, last] that fetching for `whose` failed. */
void ofs_object_fail(struct ofs_object *o, uint32_t first, uint32_t last,
                     const struct ofs_err *err, struct ofs_source *whose);

/* ---- pure ---- */

void ofs_rate_add(struct ofs_rate *rate, int64_t now_ms, uint64_t bytes);
uint64_t ofs_rate_get(const struct ofs_rate *rate, int64_t now_ms);

static inline uint64_t ofs_chunk_off(uint32_t i)
{
    return (uint64_t)i * OFS_CHUNK_BYTES;
}

static inline size_t ofs_chunk_len(const struct ofs_object *o, uint32_t i)
{
    uint64_t left = o->size - ofs_chunk_off(i);

    return left < OFS_CHUNK_BYTES ? (size_t)left : OFS_CHUNK_BYTES;
}

#endif
