/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One range on its way from the source: into the file, or into memory where
 * there is no file to be had.  The sink runs on the source's thread (the HTTP
 * engine's), so all it does for a piece is one copy, and for a whole chunk one
 * pwrite, one mark, one short lock and the waking of who waits for it.
 */

#include "store_priv.h"

#include "ocirfs/file.h"

enum { NAP_MS = 20 }; /* between looks at what another process fetches */

static struct ofs_metric fetches_total =
    OFS_COUNTER("ocirfs_store_fetches_total", "Ranges asked of sources.");
static struct ofs_metric fetched_bytes = OFS_COUNTER(
    "ocirfs_store_fetched_bytes_total", "Bytes that arrived from sources.");
static struct ofs_metric uncached_bytes =
    OFS_COUNTER("ocirfs_store_uncached_bytes_total",
                "Bytes that arrived and could not be kept on disk.");

static int64_t now_ms(const struct ofs_fetch *f)
{
    return ofs_store_now_ms(f->object->store);
}

static struct ofs_fetch *fetch_new(struct ofs_object *o)
{
    struct ofs_fetch *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->object = ofs_object_ref(o);
    ofs_call_init(&f->call, OFS_NEVER);
    atomic_init(&f->last_ms, now_ms(f));
    return f;
}

static void set_range(struct ofs_fetch *f, uint32_t first, uint32_t n)
{
    uint32_t last = first + n - 1;

    f->first = first;
    f->n = n;
    f->off = ofs_chunk_off(first);
    f->end = ofs_chunk_off(last) + ofs_chunk_len(f->object, last);
    atomic_store(&f->at, f->off);
}

/* Is chunk i still to come by us?  With the object's mutex held. */
static bool is_ours(const struct ofs_fetch *f, uint32_t i)
{
    return (f->ours >> (i - f->base) & 1) != 0;
}

static void give_up(struct ofs_fetch *f, uint32_t i)
{
    f->ours &= ~(UINT64_C(1) << (i - f->base));
}

static void free_fetch(struct ofs_fetch *f)
{
    ofs_call_done(&f->call);
    ofs_source_unref(f->source);
    ofs_object_unref(f->object);
    free(f);
}

/* With the object's mutex held. */
static bool can_use_file(const struct ofs_object *o)
{
    return ofs_blobfile_is_open(&o->file) && !o->file_bad &&
           ofs_store_now_ms(o->store) >= o->bypass_until_ms &&
           ofs_space_is_caching(&o->store->disk.space);
}

static bool begin_locked(struct ofs_fetch *f)
{
    struct ofs_object *o = f->object;
    struct ofs_pick pick;

    OFS_GUARD(&o->mtx);
    f->to_file = can_use_file(o);
    ofs_pick(o, !f->to_file, now_ms(f), &pick);
    if (pick.n == 0)
        return false;
    f->source = ofs_source_ref(pick.source);
    f->attempt = o->attempt;
    set_range(f, pick.first, pick.n);
    f->base = pick.first;
    for (uint32_t i = 0; i < f->n; i++) {
        ofs_object_set(o, f->first + i, OFS_COMING);
        f->ours |= UINT64_C(1) << i;
    }
    if (o->n_fetches++ == 0)
        o->busy_since_ms = now_ms(f);
    return true;
}

struct ofs_fetch *ofs_fetch_begin(struct ofs_object *o)
{
    struct ofs_fetch *f = fetch_new(o);
    struct ofs_err err = { 0 };

    if (!f) {
        (void)ofs_err_nomem(&err, "a fetch");
        OFS_GUARD(&o->mtx);
        ofs_object_fail(o, 0, o->n_chunks - 1, &err, NULL);
        return NULL;
    }
    if (begin_locked(f))
        return f;
    free_fetch(f);
    return NULL;
}

/* ---- bytes ---- */

static void land_locked(struct ofs_fetch *f, uint32_t i, struct ofs_held *h)
{
    struct ofs_object *o = f->object;
    enum ofs_chunk state = OFS_PRESENT;

    OFS_GUARD(&o->mtx);
    if (h)
        state = OFS_HELD;
    else if (i < o->hashed)
        state = f->attempt > 0 ? OFS_ARRIVED_AGAIN : OFS_ARRIVED;
    ofs_object_set(o, i, state);
    give_up(f, i);
    ofs_rate_add(&o->rate, now_ms(f), ofs_chunk_len(o, i));
    ofs_object_wake(o, i, h);
    ofs_hasher_kick(o);
}

/* The chain does not pass a chunk that is COMING, so the answer stays. */
static bool is_before_chain(struct ofs_object *o, uint32_t i)
{
    OFS_GUARD(&o->mtx);
    return i >= o->hashed;
}

static int put_in_file(struct ofs_fetch *f, uint32_t i, const void *data)
{
    struct ofs_store *s = f->object->store;
    size_t len = ofs_chunk_len(f->object, i);
    int r = ofs_cachedir_may_write(&s->disk, ofs_chunk_off(i), len);

    if (r == 0)
        r = ofs_pwrite_full(f->object->file.data_fd, data, len,
                            ofs_chunk_off(i));
    return r;
}

/* What the chain can check gets its mark after the check; the rest now, bytes
 * first. */
static int mark_in_file(struct ofs_fetch *f, uint32_t i)
{
    struct ofs_store *s = f->object->store;
    int r;

    if (!is_before_chain(f->object, i))
        return 0;
    r = ofs_cachedir_may_write(&s->disk, ofs_chunk_off(i), 0);
    if (r == 0)
        r = ofs_blobfile_mark(&f->object->file, i, 1, OFS_MARK_PLAIN);
    return r;
}

static int to_file(struct ofs_fetch *f, uint32_t i, const void *data)
{
    int r = put_in_file(f, i, data);

    if (r == 0)
        r = mark_in_file(f, i);
    if (r < 0) {
        f->retry_elsewhere = true;
        ofs_space_failed(&f->object->store->disk.space, r);
        return r;
    }
    f->kept += ofs_chunk_len(f->object, i);
    land_locked(f, i, NULL);
    return 0;
}

/* The chunk that was gathered is whole. */
static int hand_on(struct ofs_fetch *f, uint32_t i)
{
    struct ofs_held_pool *pool = &f->object->store->held;

    if (f->to_file)
        return to_file(f, i, f->filling->data);
    f->filling->attempt = f->attempt;
    ofs_held_publish(pool, f->filling);
    land_locked(f, i, f->filling);
    ofs_held_unpin(pool, ofs_take(&f->filling));
    return 0;
}

/* libcurl hands out 16 KiB at a time; gathered to a chunk they cost two
 * thirds of what so many writes do (measured on ext4). */
static int gather(struct ofs_fetch *f, uint32_t i, const void *data, size_t in,
                  size_t len)
{
    if (!f->filling)
        f->filling = ofs_held_new(&f->object->store->held, f->object, i);
    if (!f->filling)
        return -ENOMEM;
    f->filling->chunk = i;
    memcpy(f->filling->data + in, data, len);
    return in + len < ofs_chunk_len(f->object, i) ? 0 : hand_on(f, i);
}

static int take(struct ofs_fetch *f, const char *data, size_t len)
{
    int r = 0;

    while (len > 0 && r == 0) {
        uint64_t at = atomic_load(&f->at);
        uint32_t i = (uint32_t)(at / OFS_CHUNK_BYTES);
        size_t in = (size_t)(at % OFS_CHUNK_BYTES);
        size_t whole = ofs_chunk_len(f->object, i);
        size_t n = len < whole - in ? len : whole - in;

        if (f->to_file && n == whole)
            r = to_file(f, i, data);
        else
            r = gather(f, i, data, in, n);
        atomic_store(&f->at, at + n);
        data += n;
        len -= n;
    }
    return r;
}

static int sink(void *arg, const void *data, size_t len)
{
    struct ofs_fetch *f = arg;

    if (len > f->end - atomic_load(&f->at))
        return -EBADMSG;
    ofs_metric_add(&fetched_bytes, (int64_t)len);
    if (!f->to_file)
        ofs_metric_add(&uncached_bytes, (int64_t)len);
    atomic_store(&f->last_ms, now_ms(f));
    return take(f, data, len);
}

/* ---- the file, shared with other processes ---- */

/* Take over what the map says by now of our chunks; how many of them. */
static uint32_t adopt(struct ofs_fetch *f, uint8_t *marks)
{
    struct ofs_object *o = f->object;
    uint32_t n = 0;

    ofs_blobfile_marks(&o->file, f->first, f->n, marks);
    OFS_GUARD(&o->mtx);
    for (uint32_t i = 0; i < f->n; i++) {
        if (marks[i] == OFS_MARK_ABSENT || !is_ours(f, f->first + i))
            continue;
        ofs_object_adopt(o, f->first + i, marks + i, 1);
        give_up(f, f->first + i);
        ofs_object_wake(o, f->first + i, NULL);
        n++;
    }
    ofs_hasher_kick(o);
    return n;
}

/* Keep the first run that is still to come; the rest may be picked anew. */
static bool keep_one_run(struct ofs_fetch *f)
{
    struct ofs_object *o = f->object;
    uint32_t i = f->first, end = f->first + f->n, first;

    OFS_GUARD(&o->mtx);
    while (i < end && !is_ours(f, i))
        i++;
    first = i;
    while (i < end && is_ours(f, i))
        i++;
    if (i == first)
        return false;
    set_range(f, first, i - first);
    for (; i < end; i++) {
        if (is_ours(f, i))
            ofs_object_set(o, i, OFS_ABSENT);
        give_up(f, i);
    }
    return true;
}

static void nap(void)
{
    struct ofs_call call;

    ofs_call_init(&call, NAP_MS);
    while (ofs_call_sleep(&call, NULL) == 0) /* until its time-out */
        continue;
    ofs_call_done(&call);
}

/* Get the right to write, from another process if need be. */
static int claim(struct ofs_fetch *f, uint8_t *marks)
{
    struct ofs_object *o = f->object;
    int64_t since = now_ms(f);

    for (;;) {
        int r = ofs_blobfile_claim(&o->file, f->off, f->end - f->off);

        if (r != -EAGAIN)
            return r;
        r = ofs_call_check(&f->call, NULL);
        if (r < 0)
            return r;
        nap();
        atomic_store(&f->last_ms, now_ms(f));
        if (adopt(f, marks) > 0)
            since = now_ms(f);
        if (now_ms(f) - since >= o->store->tweaks.patience_ms)
            return -EBUSY;
    }
}

/* With -EBUSY the other process is slow, or stopped: go round the file. */
static int claim_failed(struct ofs_fetch *f, int r)
{
    struct ofs_object *o = f->object;

    if (r == -EINTR)
        return r;
    f->retry_elsewhere = true;
    if (r != -EBUSY) {
        ofs_space_failed(&o->store->disk.space, r);
        return r;
    }
    OFS_GUARD(&o->mtx);
    o->bypass_until_ms = now_ms(f) + o->store->tweaks.patience_ms;
    return r;
}

/*
 * A chunk that arrived and must be checked is ours to write, so nobody else
 * does, until it is checked: by us here, or by a reader that was faster.
 */
static void settle_chunk(struct ofs_fetch *f, uint32_t i)
{
    struct ofs_object *o = f->object;
    struct ofs_want w = { .first = i, .last = i, .await = i };
    struct ofs_call call;

    ofs_call_init(&call, OFS_NEVER);
    w.call = &call;
    for (;;) {
        enum ofs_chunk state;
        {
            OFS_GUARD(&o->mtx);
            state = ofs_object_state(o, i);
            if (state == OFS_ARRIVED || state == OFS_ARRIVED_AGAIN)
                ofs_object_set(o, i, OFS_CHECKING);
            else if (state == OFS_CHECKING)
                ofs_want_add(o, &w);
        }
        if (state == OFS_ARRIVED || state == OFS_ARRIVED_AGAIN)
            (void)ofs_verify_chunk(o, i, state, NULL); /* waiters are told */
        if (state != OFS_CHECKING)
            break;
        if (ofs_call_sleep(&call, NULL) < 0)
            break; /* cannot be: this call has no end */
        OFS_GUARD(&o->mtx);
        ofs_list_remove(&w);
    }
    ofs_call_done(&call);
}

/* ---- the whole ---- */

static int ask_source(struct ofs_fetch *f, struct ofs_err *err)
{
    struct ofs_store *s = f->object->store;
    int r;

    ofs_metric_add(&fetches_total, 1);
    r = f->source->ops->read(f->source, &f->call, f->off, f->end - f->off,
                             f->attempt, sink, f, err);
    if (r == 0 && atomic_load(&f->at) != f->end)
        r = ofs_err_set(err, -EBADMSG, "%s: a range came short",
                        f->source->name);
    if (r < 0 && atomic_load(&f->stalled))
        r = ofs_err_set(err, -ETIMEDOUT, "%s: no byte for %lld ms",
                        f->source->name, (long long)s->cfg.read_timeout_ms);
    if (r < 0 && (!err->code || !err->text[0]))
        r = ofs_err_set(err, r, "%s: cannot read the blob", f->source->name);
    return r;
}

static int into_file(struct ofs_fetch *f, struct ofs_err *err)
{
    struct ofs_object *o = f->object;
    uint64_t off = f->off, len = f->end - f->off;
    uint8_t marks[OFS_RA_PIECE_MAX / OFS_CHUNK_BYTES];
    int r = claim(f, marks);

    if (r < 0)
        return claim_failed(f, r);
    (void)adopt(f, marks);
    if (keep_one_run(f)) {
        r = ask_source(f, err);
        for (uint32_t i = 0; i < f->n; i++)
            settle_chunk(f, f->first + i);
    }
    ofs_blobfile_disclaim(&o->file, off, len);
    return r;
}

/* Without room on disk less is fetched at a time. */
static void shrink(struct ofs_fetch *f)
{
    struct ofs_object *o = f->object;
    uint32_t n = f->n < 4 ? f->n : 4;

    OFS_GUARD(&o->mtx);
    for (uint32_t i = n; i < f->n; i++) {
        ofs_object_set(o, f->first + i, OFS_ABSENT);
        give_up(f, f->first + i);
    }
    set_range(f, f->first, n);
    f->to_file = false;
}

/* What did not come is ABSENT; who waits for it learns why. */
static void leave(struct ofs_fetch *f, int r, const struct ofs_err *err)
{
    struct ofs_object *o = f->object;
    uint32_t end = f->first + f->n, from = end, last = end;

    OFS_GUARD(&o->mtx);
    for (uint32_t i = f->first; i < end; i++) {
        if (!is_ours(f, i))
            continue;
        ofs_object_set(o, i, OFS_ABSENT);
        from = i < from ? i : from;
        last = i;
    }
    o->n_fetches--;
    /* Who has no source of its own waits for others' fetches only. */
    if (o->n_fetches == 0 || f->retry_elsewhere)
        ofs_object_wake_all(o);
    if (r == 0 || f->retry_elsewhere || from == end)
        return;
    for (struct ofs_blob *b = o->blobs; b; b = b->next)
        ofs_readahead_halt(&b->ra);
    o->demand = false;
    ofs_object_fail(o, from, last, err, f->source);
}

void ofs_fetch_run(struct ofs_fetch *f)
{
    struct ofs_store *s = f->object->store;
    uint64_t len = f->end - f->off;
    struct ofs_err err = { 0 };
    int r;

    if (f->to_file && !ofs_space_reserve(&s->disk.space, len))
        shrink(f);
    if (f->to_file) {
        r = into_file(f, &err);
        ofs_space_settle(&s->disk.space, len, f->kept);
    } else {
        r = ask_source(f, &err);
    }
    if (atomic_load(&f->abandoned))
        f->retry_elsewhere = true;
    ofs_held_unpin(&s->held, ofs_take(&f->filling));
    leave(f, r, &err);
}

void ofs_fetch_end(struct ofs_fetch *f)
{
    free_fetch(f);
}
