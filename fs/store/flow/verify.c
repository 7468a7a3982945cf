/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is right?  A chunk that the chain has passed is checked by itself,
 * against the hash's state before it and after it.  The whole is right when
 * the chain ended in the digest.  Until then bytes are served on trust, but
 * never two versions of one chunk: what is in the file stays there and is
 * what the chain reads, and of what was served from memory a print is kept
 * that the chain must meet.  So once the digest has matched, everything that
 * was served before is proven too, and the last byte is what waits for that.
 */

#include "store_priv.h"
#include "sums.h"

#include "ocirfs/file.h"

static struct ofs_metric verified_total =
    OFS_COUNTER("ocirfs_store_verified_total", "Blobs whose digest matched.");
static struct ofs_metric damaged_total =
    OFS_COUNTER("ocirfs_store_damaged_total", "Blobs whose digest did not.");
static struct ofs_metric bad_chunks_total =
    OFS_COUNTER("ocirfs_store_bad_chunks_total",
                "Chunks that were checked alone and found wrong.");

static const uint8_t *state_after(const struct ofs_object *o, uint32_t i)
{
    return o->sums + (size_t)i * o->state_len;
}

/* The state before chunk i, as long as midstates may be. */
static void resume_at(const struct ofs_object *o, uint32_t i,
                      struct ofs_hash *h)
{
    uint8_t state[OFS_MIDSTATE_MAX] = { 0 };

    if (i == 0)
        return;
    memcpy(state, state_after(o, i - 1), o->state_len);
    ofs_hash_resume(h, state, ofs_chunk_off(i));
}

bool ofs_chain_proves(const struct ofs_object *o, uint32_t i, const void *data)
{
    OFS_AUTO(ofs_hash_freep)
    struct ofs_hash *h = ofs_hash_new((enum ofs_digest_alg)o->digest.alg);
    uint8_t state[OFS_MIDSTATE_MAX];
    struct ofs_digest d;

    if (!h)
        return false;
    resume_at(o, i, h);
    ofs_hash_update(h, data, ofs_chunk_len(o, i));
    if (i + 1 < o->n_chunks) {
        ofs_hash_midstate(h, state);
        return memcmp(state, state_after(o, i), o->state_len) == 0;
    }
    ofs_hash_final(h, &d);
    return ofs_digest_eq(&d, &o->digest);
}

/* Our caller made the chunk CHECKING, so it is ours to decide. */
static void decide(struct ofs_object *o, uint32_t i, enum ofs_chunk state,
                   bool file_bad)
{
    OFS_GUARD(&o->mtx);
    o->file_bad = o->file_bad || file_bad;
    ofs_object_set(o, i, state);
    ofs_object_wake(o, i, NULL);
    o->store->events->arrived(o);
}

static void chunk_is_good(struct ofs_object *o, uint32_t i, enum ofs_chunk was)
{
    bool proven;
    int r;

    {
        OFS_GUARD(&o->mtx);
        proven = o->verified;
    }
    r = ofs_blobfile_mark(&o->file, i, 1,
                          proven ? OFS_MARK_PROVEN : OFS_MARK_PLAIN);
    /* Without its mark another process may write it once more, so we must
     * not rely on it.  One of before has a mark. */
    if (r < 0)
        ofs_space_failed(&o->store->disk.space, r);
    decide(o, i, r < 0 && was != OFS_SUSPECT ? OFS_ABSENT : OFS_PRESENT, r < 0);
    ofs_doubt_settle(o);
}

/* What was in the file from before; it is fetched again like any other, into
 * memory if the file cannot be written any more. */
static void suspect_is_bad(struct ofs_object *o, uint32_t i)
{
    decide(o, i, OFS_ABSENT,
           o->file.read_only || ofs_blobfile_unmark(&o->file, i) < 0);
}

/* In one critical section: who sees that it is absent knows whom to ask. */
static int arrived_is_bad(struct ofs_object *o, uint32_t i, enum ofs_chunk was,
                          struct ofs_err *err)
{
    struct ofs_err bad = { 0 };

    OFS_GUARD(&o->mtx);
    ofs_object_set(o, i, OFS_ABSENT);
    ofs_object_wake(o, i, NULL);
    if (was == OFS_ARRIVED) {
        o->attempt = 1;
        return 0;
    }
    (void)ofs_err_set(&bad, -EBADMSG, "chunk %u does not have its hash", i);
    ofs_object_fail(o, i, i, &bad, NULL);
    if (err)
        *err = bad;
    return bad.code;
}

int ofs_verify_chunk(struct ofs_object *o, uint32_t i, enum ofs_chunk was,
                     struct ofs_err *err)
{
    OFS_AUTOFREE uint8_t *data = malloc(OFS_CHUNK_BYTES);
    int r = -ENOMEM;

    if (data)
        r = ofs_pread_full(o->file.data_fd, data, ofs_chunk_len(o, i),
                           ofs_chunk_off(i));
    if (r < 0) {
        decide(o, i, OFS_ABSENT, true);
        return 0;
    }
    if (ofs_chain_proves(o, i, data)) {
        chunk_is_good(o, i, was);
        return 0;
    }
    ofs_metric_add(&bad_chunks_total, 1);
    if (was != OFS_SUSPECT)
        return arrived_is_bad(o, i, was, err);
    suspect_is_bad(o, i);
    return 0;
}

void ofs_fingerprint_of(const void *data, size_t len,
                        struct ofs_fingerprint *ret)
{
    uint8_t hash[32];

    *ret =
        (struct ofs_fingerprint){ .known = ofs_sha256(data, len, hash) == 0 };
    if (ret->known)
        memcpy(ret->bytes, hash, OFS_PRINT_LEN);
}

/* ---- chunks in memory ---- */

enum held_step { SERVE, PROVE, PRINT };

static enum held_step held_step(struct ofs_object *o, struct ofs_held *h)
{
    OFS_GUARD(&o->mtx);
    if (h->vouched)
        return SERVE;
    return h->chunk < o->hashed ? PROVE : PRINT;
}

static int prove_held(struct ofs_object *o, struct ofs_held *h,
                      struct ofs_err *err)
{
    bool good = ofs_chain_proves(o, h->chunk, h->data);

    OFS_GUARD(&o->mtx);
    if (good) {
        h->vouched = true;
        return 0;
    }
    ofs_metric_add(&bad_chunks_total, 1);
    ofs_held_drop(&o->store->held, h);
    if (ofs_object_state(o, h->chunk) == OFS_HELD)
        ofs_object_set(o, h->chunk, OFS_ABSENT);
    if (h->attempt == 0) {
        o->attempt = 1;
        return -EAGAIN;
    }
    return ofs_err_set(err, -EBADMSG, "chunk %u does not have its hash",
                       h->chunk);
}

/* Remember what is served before the chain has passed it.  1: it has passed
 * meanwhile.  -EBADMSG: other bytes were served before. */
static int print_held(struct ofs_object *o, struct ofs_held *h)
{
    struct ofs_fingerprint print, *known;

    ofs_fingerprint_of(h->data, ofs_chunk_len(o, h->chunk), &print);
    if (!print.known)
        return -ENOMEM;
    OFS_GUARD(&o->mtx);
    if (h->chunk < o->hashed)
        return 1;
    if (!o->fingerprints)
        o->fingerprints = calloc(o->n_chunks, sizeof(*o->fingerprints));
    if (!o->fingerprints)
        return -ENOMEM;
    known = &o->fingerprints[h->chunk];
    if (known->known && memcmp(known, &print, sizeof(print)) != 0)
        return -EBADMSG;
    *known = print;
    h->vouched = true;
    return 0;
}

int ofs_verify_held(struct ofs_object *o, struct ofs_held *h,
                    struct ofs_err *err)
{
    int r;

    switch (held_step(o, h)) {
    case SERVE:
        return 0;
    case PROVE:
        return prove_held(o, h, err);
    default:
        r = print_held(o, h);
    }
    if (r == 1)
        return prove_held(o, h, err);
    if (r == -ENOMEM)
        return ofs_err_nomem(err, "a chunk's print");
    if (r == -EBADMSG) {
        ofs_verify_broken(o, r);
        return ofs_err_set(err, r, "chunk %u came in two versions", h->chunk);
    }
    return r;
}

/* ---- the whole ---- */

/* How many chunks from `i` on are in the file. */
static uint32_t present_run(const struct ofs_object *o, uint32_t i)
{
    uint32_t n = 0;

    while (i + n < o->n_chunks && ofs_object_state(o, i + n) == OFS_PRESENT)
        n++;
    return n;
}

/* All that is in the file is what the chain has read, or was checked alone.
 * Of a mark that cannot be set the next who opens it is in doubt, no more. */
static void mark_proven(struct ofs_object *o)
{
    int r = 0;

    for (uint32_t i = 0, n; r == 0 && i < o->n_chunks; i += n + 1) {
        n = present_run(o, i);
        if (n > 0)
            r = ofs_blobfile_mark(&o->file, i, n, OFS_MARK_PROVEN);
    }
}

void ofs_verify_passed(struct ofs_object *o)
{
    {
        OFS_GUARD(&o->mtx);
        if (o->breaking)
            return; /* what was served is not what was hashed */
        o->verified = true;
        o->demand = false;
        if (o->n_present == o->n_chunks)
            atomic_store(&o->complete, true);
        ofs_object_wake(o, OFS_AWAIT_VERDICT, NULL);
    }
    ofs_metric_add(&verified_total, 1);
    if (ofs_blobfile_is_open(&o->file))
        mark_proven(o);
    (void)ofs_sums_save(&o->store->disk.files, &o->digest, o->size, o->sums);
    ofs_doubt_settle(o);
}

/* The first to find out does what follows. */
static bool is_first(struct ofs_object *o)
{
    OFS_GUARD(&o->mtx);
    bool first = !o->breaking;

    o->breaking = true;
    return first;
}

static void tell(struct ofs_object *o, int code)
{
    OFS_GUARD(&o->mtx);
    o->broken = code;
    o->demand = false;
    atomic_store(&o->complete, false);
    for (struct ofs_blob *b = o->blobs; b; b = b->next)
        ofs_readahead_halt(&b->ra);
    ofs_object_wake_all(o);
}

/*
 * Nobody is told before a new open would begin afresh, since that is what the
 * reader may do next; and the files go before the object, since who finds no
 * object opens them.
 */
void ofs_verify_broken(struct ofs_object *o, int code)
{
    struct ofs_store *s = o->store;
    bool moved = false;

    if (!is_first(o))
        return;
    if (code == -EBADMSG) {
        ofs_metric_add(&damaged_total, 1);
        ofs_damaged_note(&o->store->damaged, &o->digest, o->attempt);
    }
    if (ofs_blobfile_is_open(&o->file))
        ofs_blobfile_condemn(&s->disk.files, &o->digest, &o->file, &moved);
    if (moved)
        atomic_store(&s->disk.n_quarantined, ofs_quarantine_trim(&s->disk));
    ofs_object_unlist(o);
    tell(o, code);
    o->store->events->abandoned(o);
    if (s->cfg.damaged && atomic_load(&o->served))
        s->cfg.damaged(s->cfg.damaged_arg, &o->digest);
}

void ofs_verify_lost(struct ofs_object *o, uint32_t i)
{
    bool provable;

    ofs_space_failed(&o->store->disk.space, -EIO);
    {
        OFS_GUARD(&o->mtx);
        o->file_bad = true;
        provable = i < o->hashed || !atomic_load(&o->served);
        if (provable && ofs_object_state(o, i) == OFS_PRESENT)
            ofs_object_set(o, i, OFS_ABSENT);
        ofs_object_wake_all(o);
    }
    /* It may have been served, and nobody can tell any more what it was. */
    if (!provable)
        ofs_verify_broken(o, -EIO);
}
