/* SPDX-License-Identifier: Apache-2.0 */

/* The table of the objects that are in use: by handles, fetches, hashing. */

#include "store_priv.h"
#include "sums.h"

static struct ofs_object **bucket(struct ofs_store *s,
                                  const struct ofs_digest *digest)
{
    return &s->table[ofs_digest_hash(digest) % OFS_BUCKETS];
}

/* With store.mtx held.  Size is part of the key: a wrong one in a bad
 * manifest must not keep others from the blob. */
static struct ofs_object *find(struct ofs_store *s,
                               const struct ofs_digest *digest, uint64_t size)
{
    struct ofs_object *o = *bucket(s, digest);

    while (o && !(o->size == size && ofs_digest_eq(&o->digest, digest)))
        o = o->next;
    return o;
}

static void object_free(struct ofs_object *o)
{
    if (!o)
        return;
    assert(!o->wants && !o->blobs && o->n_fetches == 0);
    ofs_held_drop_all(&o->store->held, o);
    ofs_blobfile_close(&o->file);
    ofs_hash_free(o->hash);
    free(o->fingerprints);
    free(o->sums);
    free(o->state);
    ofs_mutex_done(&o->mtx);
    free(o);
}
OFS_DEFINE_AUTO(struct ofs_object, object_free)

static struct ofs_object *
object_new(struct ofs_store *s, const struct ofs_digest *digest, uint64_t size)
{
    OFS_AUTO(object_freep) struct ofs_object *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    o->store = s;
    o->held = &s->held;
    o->digest = *digest;
    o->size = size;
    o->n_chunks = ofs_chunk_count(size);
    o->state_len = ofs_digest_len((enum ofs_digest_alg)digest->alg);
    atomic_init(&o->refs, 1);
    ofs_mutex_init(&o->mtx, OFS_RANK_BLOB);
    o->file = (struct ofs_blobfile)OFS_BLOBFILE_NONE;
    o->state = calloc((size_t)o->n_chunks + 1, sizeof(*o->state));
    o->sums = calloc((size_t)o->n_chunks + 1, o->state_len);
    o->hash = ofs_hash_new((enum ofs_digest_alg)digest->alg);
    if (!o->state || !o->sums || !o->hash)
        return NULL;
    return ofs_take(&o);
}

/* Sums and file of a new object, which nobody else uses before it is ready. */
static int attach(struct ofs_object *o)
{
    OFS_AUTOFREE uint8_t *sums = NULL;
    OFS_AUTOFREE uint8_t *marks = NULL;
    struct ofs_blobfile file = OFS_BLOBFILE_NONE;
    unsigned flags = 0;
    int r;

    if (o->size == 0)
        return 0; /* no chunks, no files */
    r = ofs_sums_load(&o->store->disk.files, &o->digest, o->size, &sums);
    if (r == -EBADMSG)
        return r;
    if (r == 0)
        flags |= OFS_BLOBFILE_PROVEN;
    if (!ofs_space_is_failing(&o->store->disk.space))
        flags |= OFS_BLOBFILE_CREATE;
    r = ofs_blobfile_open(&o->store->disk.files, &o->digest, o->size, flags,
                          &file, &marks);
    if (r < 0 && r != -ENOENT && r != -EBUSY && r != -ENOMEM)
        ofs_space_failed(&o->store->disk.space, r);

    OFS_GUARD(&o->mtx);
    o->doubtful = file.seal == 0 || o->store->cfg.verify == OFS_VERIFY_ALWAYS;
    if (sums) {
        free(o->sums);
        o->sums = ofs_take(&sums);
        o->hashed = o->n_chunks;
        o->verified = true;
    }
    o->file = file;
    if (marks) {
        ofs_object_adopt(o, 0, marks, o->n_chunks);
        ofs_doubt_attached(o);
    }
    return 0;
}

static void make_ready(struct ofs_object *o, int broken)
{
    OFS_GUARD(&o->mtx);
    o->ready = true;
    if (broken)
        o->broken = broken;
    ofs_object_wake(o, OFS_AWAIT_READY, NULL);
}

/* With store.mtx held. */
static void unlist(struct ofs_object *o)
{
    struct ofs_object **p = bucket(o->store, &o->digest);

    if (!o->listed)
        return;
    while (*p != o)
        p = &(*p)->next;
    *p = o->next;
    o->listed = false;
    o->store->n_objects--;
}

/* Without a file and without readers; only fetches or hashing hold on to it.
 * Who opens now may have better luck with the disk. */
static bool is_spent(struct ofs_object *o)
{
    OFS_GUARD(&o->mtx);
    return o->ready && !o->blobs && o->size > 0 &&
           !ofs_blobfile_is_open(&o->file);
}

static struct ofs_object *
find_ref(struct ofs_store *s, const struct ofs_digest *digest, uint64_t size)
{
    OFS_GUARD(&s->mtx);
    struct ofs_object *o = find(s, digest, size);

    if (o && is_spent(o)) {
        unlist(o);
        return NULL;
    }
    return o ? ofs_object_ref(o) : NULL;
}

/* Put `fresh` into the table, unless somebody was faster; returns which. */
static struct ofs_object *add_or_find(struct ofs_object *fresh)
{
    struct ofs_store *s = fresh->store;

    OFS_GUARD(&s->mtx);
    struct ofs_object *o = find(s, &fresh->digest, fresh->size);

    if (o)
        return ofs_object_ref(o);
    fresh->next = *bucket(s, &fresh->digest);
    fresh->listed = true;
    *bucket(s, &fresh->digest) = fresh;
    s->n_objects++;
    return fresh;
}

int ofs_object_get(struct ofs_store *s, const struct ofs_digest *digest,
                   uint64_t size, struct ofs_object **ret, struct ofs_err *err)
{
    OFS_AUTO(object_freep) struct ofs_object *fresh = NULL;
    struct ofs_object *o;
    int r;

    if (size > OFS_BLOB_MAX_BYTES)
        return ofs_err_set(err, -EFBIG, "a blob of %llu bytes is too large",
                           (unsigned long long)size);
    o = find_ref(s, digest, size);
    if (!o) {
        fresh = object_new(s, digest, size);
        if (!fresh)
            return ofs_err_nomem(err, "a blob");
        fresh->attempt = ofs_damaged_attempt(&s->damaged, digest);
        o = add_or_find(fresh);
    }
    if (o != fresh) {
        *ret = o;
        return 0;
    }
    (void)ofs_take(&fresh);
    r = attach(o);
    make_ready(o, r);
    if (r < 0) {
        ofs_object_unlist(o);
        ofs_object_unref(o);
        return ofs_err_set(err, r, "the blob is known with another size");
    }
    *ret = o;
    return 0;
}

struct ofs_object *ofs_object_ref(struct ofs_object *o)
{
    atomic_fetch_add(&o->refs, 1);
    return o;
}

void ofs_object_unlist(struct ofs_object *o)
{
    OFS_GUARD(&o->store->mtx);
    unlist(o);
}

void ofs_object_unref(struct ofs_object *o)
{
    uint64_t freed;

    if (!o)
        return;
    {
        OFS_GUARD(&o->store->mtx);
        if (atomic_fetch_sub(&o->refs, 1) != 1)
            return;
        unlist(o);
    }
    if (ofs_blobfile_is_open(&o->file) && !o->file_bad)
        ofs_blobfile_touch(&o->file);
    if (o->file_bad) {
        ofs_blobfile_close(&o->file);
        (void)ofs_blobfile_remove(&o->store->disk.files, &o->digest, &freed);
    }
    object_free(o);
}
