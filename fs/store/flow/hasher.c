/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The running hash of each blob.  It goes from chunk to chunk as they arrive,
 * reads them from where they are (the page cache, mostly: they were written a
 * moment ago) and keeps the hash's state at each border - "the chain".  At
 * the end it is the digest or it is not.
 *
 * Not in the sink, where the bytes pass anyhow: that is one thread for all
 * transfers, and hashing is slower than a network can be.
 */

#include "store_priv.h"

#include "ocirfs/file.h"

enum { BATCH = 32 }; /* chunks of one blob in a row, when others wait */

void ofs_hasher_init(struct ofs_store *s)
{
    ofs_mutex_init(&s->hasher.mtx, OFS_RANK_INFLIGHT);
    s->hasher.end = &s->hasher.first;
}

/* Hashing is all CPU: leave at least half of it to others. */
int ofs_hasher_start(struct ofs_store *s)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN) / 2;
    struct ofs_workers_cfg cfg = { .name = "ofs-hash" };

    s->hasher.max_jobs = n < 1 ? 1 : n > 4 ? 4 : (unsigned)n;
    cfg.max_threads = cfg.max_queue = s->hasher.max_jobs;
    s->hasher.workers = ofs_workers_new(&cfg);
    return s->hasher.workers ? ofs_workers_start(s->hasher.workers) : -ENOMEM;
}

static struct ofs_object *next_or_leave(struct ofs_hasher *h)
{
    OFS_GUARD(&h->mtx);
    struct ofs_object *o = h->first;

    if (h->stopping || !o) {
        h->n_jobs--;
        return NULL;
    }
    h->first = o->next_hash;
    if (!h->first)
        h->end = &h->first;
    o->next_hash = NULL;
    return o;
}

/* One chunk on its way through the chain. */
struct step {
    struct ofs_object *object;
    uint32_t i;
    uint8_t *buf; /* a chunk long */
    const uint8_t *data;
    struct ofs_held *held;
    struct ofs_fingerprint print;
};

/* With the mutex held: what is at the chain's end?  Leaves the list if there
 * is nothing to do, in the same critical section that finds that out. */
static bool step_begin(struct step *st)
{
    struct ofs_object *o = st->object;
    enum ofs_chunk state = OFS_ABSENT;

    OFS_GUARD(&o->mtx);
    st->i = o->hashed;
    if (!o->broken && !o->verified && o->hashed == o->n_chunks)
        return true;
    if (!o->broken && !o->verified)
        state = ofs_object_state(o, st->i);
    if (state == OFS_HELD) {
        st->held = ofs_held_get(&o->store->held, o, st->i);
        if (!st->held) {
            ofs_object_set(o, st->i, OFS_ABSENT);
            ofs_object_wake_all(o);
            o->store->events->wants(o);
        }
    }
    o->hashing = state == OFS_PRESENT || st->held;
    return o->hashing;
}

static int step_read(struct step *st)
{
    struct ofs_object *o = st->object;

    if (st->held) {
        st->data = st->held->data;
        return 0;
    }
    st->data = st->buf;
    return ofs_pread_full(o->file.data_fd, st->buf, ofs_chunk_len(o, st->i),
                          ofs_chunk_off(st->i));
}

/*
 * A chunk that was served from memory before the chain came here must be the
 * one that is hashed now.  1: a print is wanted first (for lack of memory it
 * may have none); else 0 or -EBADMSG.
 */
static int step_end(struct step *st)
{
    struct ofs_object *o = st->object;
    const struct ofs_fingerprint *served;

    OFS_GUARD(&o->mtx);
    served = o->fingerprints ? &o->fingerprints[st->i] : NULL;
    if (served && served->known && !st->print.known)
        return 1;
    if (served && served->known &&
        memcmp(served->bytes, st->print.bytes, OFS_PRINT_LEN) != 0)
        return -EBADMSG;
    o->hashed = st->i + 1;
    if (st->held) {
        st->held->vouched = true;
        ofs_object_wake(o, st->i, NULL);
    }
    if (o->demand)
        o->store->events->wants(o);
    return 0;
}

static int step_hash(struct step *st)
{
    struct ofs_object *o = st->object;
    size_t len = ofs_chunk_len(o, st->i);
    uint8_t state[OFS_MIDSTATE_MAX];
    int r;

    ofs_hash_update(o->hash, st->data, len);
    /* Only this thread writes beyond what `hashed` tells the others. */
    if (st->i + 1 < o->n_chunks) {
        ofs_hash_midstate(o->hash, state);
        memcpy(o->sums + (size_t)st->i * o->state_len, state, o->state_len);
    }
    r = step_end(st);
    if (r > 0) {
        ofs_fingerprint_of(st->data, len, &st->print);
        r = step_end(st);
    }
    return r;
}

static void give_verdict(struct ofs_object *o)
{
    struct ofs_digest d;

    ofs_hash_final(o->hash, &d);
    if (ofs_digest_eq(&d, &o->digest))
        ofs_verify_passed(o);
    else
        ofs_verify_broken(o, -EBADMSG);
}

static void leave_list(struct ofs_object *o)
{
    OFS_GUARD(&o->mtx);
    o->hashing = false;
    /* What arrived after a failed read of an older chunk, say. */
    ofs_hasher_kick(o);
}

/* True: there is more to hash. */
static bool hash_one(struct ofs_object *o, uint8_t *buf)
{
    struct step st = { .object = o, .buf = buf };
    int r;

    if (!step_begin(&st))
        return false;
    if (st.i == o->n_chunks) {
        give_verdict(o);
        leave_list(o);
        return false;
    }
    r = step_read(&st);
    if (r < 0) {
        ofs_verify_lost(o, st.i);
        leave_list(o);
        return false;
    }
    r = step_hash(&st);
    ofs_held_unpin(&o->store->held, st.held);
    if (r < 0)
        ofs_verify_broken(o, r);
    if (r != 0)
        leave_list(o);
    return r == 0;
}

/* With hasher.mtx held; takes over a reference. */
static void append(struct ofs_hasher *h, struct ofs_object *o)
{
    *h->end = o;
    h->end = &o->next_hash;
}

static void back_in_line(struct ofs_hasher *h, struct ofs_object *o)
{
    OFS_GUARD(&h->mtx);
    append(h, o);
}

static void work(void *arg)
{
    struct ofs_store *s = arg;
    OFS_AUTOFREE uint8_t *buf = malloc(OFS_CHUNK_BYTES);
    struct ofs_object *o;

    while ((o = next_or_leave(&s->hasher))) {
        struct ofs_err err = { 0 };
        int n = 0;

        while (buf && n < BATCH && hash_one(o, buf))
            n++;
        if (n == BATCH) {
            back_in_line(&s->hasher, o);
            continue;
        }
        if (!buf) {
            (void)ofs_err_nomem(&err, "hashing");
            OFS_GUARD(&o->mtx);
            o->hashing = false;
            ofs_object_fail(o, 0, o->n_chunks, &err, NULL);
        }
        ofs_object_unref(o);
    }
}

void ofs_hasher_kick(struct ofs_object *o)
{
    struct ofs_hasher *h = &o->store->hasher;
    enum ofs_chunk state;

    if (o->hashing || o->verified || o->broken || o->hashed == o->n_chunks)
        return;
    state = ofs_object_state(o, o->hashed);
    if (state != OFS_PRESENT && state != OFS_HELD)
        return;

    OFS_GUARD(&h->mtx);
    if (h->stopping || !h->workers)
        return;
    o->hashing = true;
    append(h, ofs_object_ref(o));
    if (h->n_jobs < h->max_jobs &&
        ofs_workers_add(h->workers, work, o->store) == 0)
        h->n_jobs++;
}

void ofs_hasher_stop(struct ofs_store *s)
{
    struct ofs_hasher *h = &s->hasher;
    struct ofs_object *o, *next;

    {
        OFS_GUARD(&h->mtx);
        h->stopping = true;
    }
    if (h->workers)
        ofs_workers_stop(h->workers);
    for (o = h->first; o; o = next) {
        next = o->next_hash;
        ofs_object_unref(o);
    }
    h->first = NULL;
    h->end = &h->first;
}

void ofs_hasher_done(struct ofs_store *s)
{
    ofs_workers_free(s->hasher.workers);
    ofs_mutex_done(&s->hasher.mtx);
}
