/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A reader's way: what is here is copied, what is not is wanted and waited
 * for.  A reader never fetches itself, so that giving up - a deadline, Ctrl-C
 * - takes nothing away from the others who wait for the same.
 */

#include "store_priv.h"

#include "ocirfs/file.h"

enum {
    /* Ahead of a reader when there is no disk to keep it on. */
    WINDOW_MEMORY = 2 * 1024 * 1024,
    CHAIN_NEAR = 16, /* chunks, twice that window */
};

static struct ofs_metric hits_total = OFS_COUNTER(
    "ocirfs_store_hits_total", "Chunks that were here when they were read.");
static struct ofs_metric misses_total = OFS_COUNTER(
    "ocirfs_store_misses_total", "Chunks that had to be fetched or checked.");
static struct ofs_metric read_bytes =
    OFS_COUNTER("ocirfs_store_read_bytes_total", "Bytes handed to readers.");

/* One call of ofs_blob_read() that could not take the short way. */
struct reading {
    struct ofs_blob *blob;
    struct ofs_object *object;
    struct ofs_call *call;
    char *buf;
    uint64_t off;
    size_t len, done;
    bool begun;   /* counted, and noted for read-ahead */
    bool retried; /* after the failure of somebody else's source */
    struct ofs_want want;
    /* What look() found to be done next: */
    uint32_t chunk;        /* to check, or the first to copy */
    uint32_t n;            /* chunks to copy */
    enum ofs_chunk was;    /* of one to check */
    struct ofs_held *held; /* pinned, to copy */
    uint64_t seal;         /* of the file, if it has one, to copy */
    int result;
};

enum step {
    STEP_COPY,
    STEP_HELD,
    STEP_CHECK,
    STEP_WAIT,
    STEP_AGAIN,
    STEP_FAIL
};

static uint32_t chunk_at(uint64_t off)
{
    return (uint32_t)(off / OFS_CHUNK_BYTES);
}

static uint32_t last_chunk(const struct reading *rd)
{
    return chunk_at(rd->off + rd->len - 1);
}

/* Of nothing there is nothing to read, so nobody else would notice. */
static bool can_be_empty(const struct ofs_digest *digest)
{
    struct ofs_digest nothing;

    return ofs_digest_of(digest->alg, "", 0, &nothing) == 0 &&
           ofs_digest_eq(digest, &nothing);
}

int ofs_store_open_blob(struct ofs_store *s, const struct ofs_digest *digest,
                        uint64_t size, struct ofs_source *source,
                        struct ofs_blob **ret, struct ofs_err *err)
{
    OFS_AUTOFREE struct ofs_blob *b = calloc(1, sizeof(*b));
    int r;

    if (!b)
        return ofs_err_nomem(err, "an open blob");
    if (size == 0 && !can_be_empty(digest))
        return ofs_err_set(
            err, -EBADMSG,
            "damaged: the blob is empty, which its digest is not of");
    r = ofs_object_get(s, digest, size, &b->object, err);
    if (r < 0)
        return r;
    if (source)
        b->source = ofs_source_ref(source);

    OFS_GUARD(&b->object->mtx);
    ofs_list_add(&b->object->blobs, b);
    *ret = ofs_take(&b);
    return 0;
}

void ofs_blob_close(struct ofs_blob *b)
{
    struct ofs_object *o;
    bool last;

    if (!b)
        return;
    o = b->object;
    {
        OFS_GUARD(&o->mtx);
        ofs_list_remove(b);
        last = !o->blobs;
        if (last)
            o->demand = false;
    }
    if (last)
        ofs_sched_abandon(o);
    ofs_source_unref(b->source);
    free(b);
    ofs_object_unref(o);
}

/* ---- what to do next; all with object.mtx held ---- */

static enum step fail(struct reading *rd, int code, const char *text)
{
    rd->result = ofs_err_set(&rd->want.err, code, "%s", text);
    return STEP_FAIL;
}

static enum step fail_damaged(struct reading *rd)
{
    char text[OFS_DIGEST_TEXT_MAX];

    rd->result = ofs_err_set(&rd->want.err, -EBADMSG,
                             "damaged: %s does not have its digest",
                             ofs_digest_format(&rd->object->digest, text));
    return STEP_FAIL;
}

static bool is_in_memory(const struct ofs_object *o)
{
    return !ofs_blobfile_is_open(&o->file) || o->file_bad ||
           !ofs_space_is_caching(&o->store->disk.space);
}

static void count(const struct reading *rd)
{
    uint32_t first = chunk_at(rd->off), last = last_chunk(rd), hits = 0;

    for (uint32_t i = first; i <= last; i++) {
        enum ofs_chunk state = ofs_object_state(rd->object, i);

        if (state == OFS_PRESENT || state == OFS_HELD)
            hits++;
    }
    ofs_metric_add(&hits_total, hits);
    ofs_metric_add(&misses_total, last - first + 1 - hits);
}

/*
 * Count and note the read once, when it is certain that it is served.  The
 * chain goes on where it is read, so that what an earlier process left is
 * hashed by the time its end is asked for; but not for a read elsewhere,
 * which shall not cause the disk to be read from the start.
 */
static void begin(struct reading *rd)
{
    struct ofs_object *o = rd->object;

    if (rd->begun)
        return;
    rd->begun = true;
    count(rd);
    ofs_readahead_note(&rd->blob->ra, rd->off, rd->len, o->size,
                       is_in_memory(o) ? WINDOW_MEMORY : OFS_RA_WINDOW_MAX);
    if (o->hashed >= chunk_at(rd->off) && o->hashed <= last_chunk(rd))
        ofs_hasher_kick(o);
}

/* Wait for `await`, if the call may. */
static enum step wait_for(struct reading *rd, uint32_t await)
{
    struct ofs_object *o = rd->object;

    rd->result = ofs_call_check(rd->call, &rd->want.err);
    if (rd->result < 0)
        return STEP_FAIL;
    if (await != OFS_AWAIT_READY)
        begin(rd);
    rd->want.first = chunk_at(rd->off + rd->done);
    rd->want.last = last_chunk(rd);
    rd->want.await = await;
    ofs_want_add(o, &rd->want);
    if (ofs_pick_any(o))
        ofs_sched_kick(o);
    return STEP_WAIT;
}

/* Withheld until the digest has matched: the last byte; with `strict` all. */
static bool is_withheld(const struct reading *rd)
{
    const struct ofs_object *o = rd->object;

    return !o->verified && (o->store->cfg.verify == OFS_VERIFY_STRICT ||
                            rd->off + rd->len == o->size);
}

static enum step await_verdict(struct reading *rd)
{
    struct ofs_object *o = rd->object;
    enum step step;

    if (!rd->blob->source && o->n_fetches == 0 && o->n_present < o->n_chunks)
        return fail(rd, -ENOENT, "not in the cache, and no source");
    step = wait_for(rd, OFS_AWAIT_VERDICT);
    if (step == STEP_WAIT) {
        o->demand = true;
        ofs_hasher_kick(o);
        if (ofs_pick_any(o))
            ofs_sched_kick(o);
    }
    return step;
}

/* How many chunks from `i` on are in the file. */
static uint32_t present_run(const struct reading *rd, uint32_t i)
{
    uint32_t n = 0;

    while (i + n <= last_chunk(rd) &&
           ofs_object_state(rd->object, i + n) == OFS_PRESENT)
        n++;
    return n;
}

/* The last chunk of the read that is still to come from the file or network;
 * in order they come, so that this one wakes us once for all. */
static uint32_t last_missing(const struct reading *rd, uint32_t i)
{
    uint32_t last = last_chunk(rd);

    while (last > i && ofs_object_state(rd->object, last) == OFS_PRESENT)
        last--;
    while (last > i && ofs_object_state(rd->object, last) != OFS_COMING &&
           ofs_object_state(rd->object, last) != OFS_ABSENT)
        last--;
    return last;
}

static enum step await_chunk(struct reading *rd, uint32_t i)
{
    struct ofs_object *o = rd->object;
    enum ofs_chunk state = ofs_object_state(o, i);

    if (state == OFS_ABSENT && !rd->blob->source)
        return fail(rd, -ENOENT, "not in the cache, and no source");
    /* In memory chunks do not stay for long: take each as it comes. */
    if (!is_in_memory(o) && state != OFS_CHECKING)
        i = last_missing(rd, i);
    return wait_for(rd, i);
}

/* Will the chain be here in a moment?  Then nothing of this is missing. */
static bool is_hashed_soon(const struct ofs_object *o, uint32_t i)
{
    if (o->verified || i < o->hashed || i - o->hashed >= CHAIN_NEAR)
        return false;
    for (uint32_t at = o->hashed; at <= i; at++)
        if (ofs_object_state(o, at) != OFS_HELD &&
            ofs_object_state(o, at) != OFS_PRESENT)
            return false;
    return true;
}

/*
 * Of a chunk in memory, pinned.  Where the chain is about to come by it is
 * waited for: so a reader in order does not get away from the chain, which
 * would then have to fetch all that has been dropped meanwhile once more.
 */
static enum step look_at_held(struct reading *rd, uint32_t i,
                              struct ofs_held *h)
{
    struct ofs_object *o = rd->object;

    if (!h->vouched && is_hashed_soon(o, i)) {
        rd->want.held = h;
        ofs_hasher_kick(o);
        return wait_for(rd, i);
    }
    begin(rd);
    rd->chunk = i;
    rd->held = h;
    return STEP_HELD;
}

static enum step look_at_chunk(struct reading *rd)
{
    struct ofs_held *h;
    struct ofs_object *o = rd->object;
    uint32_t i = chunk_at(rd->off + rd->done);
    enum ofs_chunk state = ofs_object_state(o, i);

    rd->chunk = i;
    switch (state) {
    case OFS_PRESENT:
        begin(rd);
        rd->n = present_run(rd, i);
        rd->seal = atomic_load(&o->seal);
        return STEP_COPY;
    case OFS_HELD:
        h = ofs_held_get(&o->store->held, o, i);
        if (h)
            return look_at_held(rd, i, h);
        ofs_object_set(o, i, OFS_ABSENT);
        return await_chunk(rd, i);
    case OFS_SUSPECT:
    case OFS_ARRIVED:
    case OFS_ARRIVED_AGAIN:
        begin(rd);
        rd->was = state;
        ofs_object_set(o, i, OFS_CHECKING);
        return STEP_CHECK;
    default:
        return await_chunk(rd, i);
    }
}

/* A failure that was the fault of another handle's source is worth one more
 * attempt with ours. */
static bool is_final(struct reading *rd)
{
    if (!rd->want.failed)
        return false;
    rd->want.failed = false;
    if (!rd->retried && rd->want.whose && rd->blob->source &&
        rd->want.whose != rd->blob->source) {
        rd->retried = true;
        return false;
    }
    rd->result = rd->want.err.code;
    return true;
}

static enum step look(struct reading *rd)
{
    struct ofs_object *o = rd->object;
    struct ofs_held *h;

    OFS_GUARD(&o->mtx);
    ofs_list_remove(&rd->want);
    if (o->broken == -EBADMSG)
        return fail_damaged(rd);
    if (o->broken)
        return fail(rd, o->broken, "the cache's disk cannot be read");
    if (is_final(rd))
        return STEP_FAIL;
    if (!o->ready)
        return wait_for(rd, OFS_AWAIT_READY);
    if (is_withheld(rd))
        return await_verdict(rd);
    h = ofs_take(&rd->want.held);
    if (h && h->chunk == chunk_at(rd->off + rd->done))
        return look_at_held(rd, h->chunk, h);
    rd->held = h; /* of an earlier wait; let go of it */
    return h ? STEP_AGAIN : look_at_chunk(rd);
}

/* ---- doing it; no lock ---- */

/* Bytes of the read within `n` chunks from rd->chunk on. */
static size_t bytes_in(const struct reading *rd, uint32_t n)
{
    uint64_t at = rd->off + rd->done, end = ofs_chunk_off(rd->chunk + n);
    size_t left = rd->len - rd->done;

    return end - at < left ? (size_t)(end - at) : left;
}

static void note_served(struct ofs_object *o)
{
    if (!atomic_load_explicit(&o->served, memory_order_relaxed))
        atomic_store(&o->served, true);
}

/* Said before the bytes are read: who finds the file unreadable must know
 * whether anybody may have seen them. */
static int copy_file(struct reading *rd)
{
    struct ofs_object *o = rd->object;
    size_t n = bytes_in(rd, rd->n);

    note_served(o);
    if (ofs_pread_full(o->file.data_fd, rd->buf + rd->done, n,
                       rd->off + rd->done) < 0) {
        ofs_verify_lost(o, rd->chunk);
        return 0;
    }
    if (rd->seal && ofs_blobfile_look(&o->file) != rd->seal)
        ofs_doubt_all(o);
    else
        rd->done += n;
    return 0;
}

static int copy_held(struct reading *rd)
{
    struct ofs_object *o = rd->object;
    struct ofs_held *h = rd->held;
    size_t n = bytes_in(rd, 1);
    int r = ofs_verify_held(o, h, &rd->want.err);

    if (r == 0) {
        note_served(o);
        memcpy(rd->buf + rd->done,
               h->data + (rd->off + rd->done) % OFS_CHUNK_BYTES, n);
        rd->done += n;
        if ((rd->off + rd->done) % OFS_CHUNK_BYTES == 0)
            ofs_held_use_up(&o->store->held, h);
    }
    return r == -EAGAIN ? 0 : r;
}

static int take_step(struct reading *rd, enum step step)
{
    int r = 0;

    switch (step) {
    case STEP_COPY:
        return copy_file(rd);
    case STEP_HELD:
        r = copy_held(rd);
        break;
    case STEP_CHECK:
        return ofs_verify_chunk(rd->object, rd->chunk, rd->was, &rd->want.err);
    case STEP_WAIT:
        return ofs_call_sleep(rd->call, &rd->want.err);
    case STEP_AGAIN:
        break;
    default:
        return rd->result;
    }
    ofs_held_unpin(&rd->object->store->held, ofs_take(&rd->held));
    return r;
}

/* The reader leaves; fetch on what lies ahead of it. */
static void reading_done(struct reading *rd)
{
    struct ofs_object *o = rd->object;

    {
        OFS_GUARD(&o->mtx);
        ofs_list_remove(&rd->want);
        if (rd->begun && ofs_pick_any(o))
            ofs_sched_kick(o);
    }
    ofs_held_unpin(&o->store->held, rd->want.held);
}

static int read_slowly(struct ofs_blob *b, struct ofs_call *call, void *buf,
                       size_t len, uint64_t off, struct ofs_err *err)
{
    struct reading rd = {
        .blob = b,
        .object = b->object,
        .call = call,
        .buf = buf,
        .len = len,
        .off = off,
        .want = { .call = call, .blob = b },
    };
    int r = 0;

    while (r == 0 && rd.done < rd.len)
        r = take_step(&rd, look(&rd));
    reading_done(&rd);
    if (r < 0 && err)
        *err = rd.want.err;
    return r;
}

/*
 * All is here and verified: no lock, no bookkeeping.  What the file looks like
 * is asked when the bytes have been read, and the seal before that: who finds
 * it broken takes it away.
 */
static bool read_quickly(struct ofs_object *o, void *buf, size_t len,
                         uint64_t off)
{
    uint64_t seal = atomic_load_explicit(&o->seal, memory_order_acquire);

    if (!seal || !atomic_load_explicit(&o->complete, memory_order_acquire) ||
        ofs_pread_full(o->file.data_fd, buf, len, off) < 0)
        return false;
    if (ofs_blobfile_look(&o->file) != seal) {
        ofs_doubt_all(o);
        return false;
    }
    ofs_metric_add(&hits_total, chunk_at(off + len - 1) - chunk_at(off) + 1);
    return true;
}

int ofs_blob_read(struct ofs_blob *b, struct ofs_call *call, void *buf,
                  size_t len, uint64_t off, size_t *ret_n, struct ofs_err *err)
{
    struct ofs_object *o = b->object;
    int r = 0;

    if (off >= o->size)
        len = 0;
    else if (len > o->size - off)
        len = (size_t)(o->size - off);
    if (len > 0 && !read_quickly(o, buf, len, off))
        r = read_slowly(b, call, buf, len, off, err);
    if (r < 0)
        return r;
    ofs_metric_add(&read_bytes, (int64_t)len);
    *ret_n = len;
    return 0;
}
