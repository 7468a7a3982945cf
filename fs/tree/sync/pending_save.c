/* SPDX-License-Identifier: Apache-2.0 */
#include "pending_save.h"

#include "ocirfs/clock.h"
#include "ocirfs/map.h"
#include "ocirfs/store.h"

#include "batch.h"

/* Beyond this the one who brings it writes it. */
enum { MAX_PENDING_BYTES = 16 * 1024 * 1024 };

struct ofs_unsaved {
    struct ofs_unsaved *next;
    struct ofs_digest digest;
    size_t len;
    char data[];
};

int ofs_pending_save_init(struct ofs_pending_save *p, struct ofs_store *store,
                          struct ofs_batches *batches)
{
    *p = (struct ofs_pending_save){ .store = store, .batches = batches };
    ofs_mutex_init(&p->mtx, OFS_RANK_NODE);
    p->last = &p->first;
    p->map = ofs_map_new();
    return p->map ? 0 : -ENOMEM;
}

void ofs_pending_save_done(struct ofs_pending_save *p)
{
    if (!p->map)
        return;
    ofs_map_free(p->map, free);
    ofs_mutex_done(&p->mtx);
}

static void save(struct ofs_pending_save *p, const struct ofs_digest *digest,
                 const void *data, size_t len)
{
    /* A disk that fails is the store's matter; it keeps nothing then. */
    int r = ofs_store_put(p->store, digest, data, len, NULL);

    (void)r;
}

/* With p->mtx held. */
static void enqueue(struct ofs_pending_save *p, struct ofs_unsaved *u)
{
    *p->last = u;
    p->last = &u->next;
    p->bytes += u->len;
}

/* Take it in; false: no room. */
static bool take_in(struct ofs_pending_save *p, struct ofs_unsaved **u)
{
    char key[OFS_DIGEST_TEXT_MAX];

    (void)ofs_digest_format(&(*u)->digest, key);
    OFS_GUARD(&p->mtx);
    if (ofs_map_get(p->map, key))
        return true;
    if (p->bytes + (*u)->len > MAX_PENDING_BYTES ||
        ofs_map_put(p->map, key, *u, NULL) < 0)
        return false;
    enqueue(p, ofs_take(u));
    return true;
}

/*
 * The oldest; it stays where it is, to be read, until it is written.  NULL:
 * there is nothing to do, and the caller does not do it any more.  That is one
 * decision: whoever comes after it with something new finds nobody at work.
 */
static struct ofs_unsaved *next_one(struct ofs_pending_save *p, bool flush,
                                    int64_t until_ms)
{
    OFS_GUARD(&p->mtx);
    if (!p->first || (p->n_busy > 0 && !flush) || ofs_mono_ms() >= until_ms) {
        p->saving = false;
        return NULL;
    }
    return p->first;
}

static void remove_oldest(struct ofs_pending_save *p, struct ofs_unsaved *u)
{
    char key[OFS_DIGEST_TEXT_MAX];

    {
        OFS_GUARD(&p->mtx);
        assert(p->first == u);
        p->first = u->next;
        if (!p->first)
            p->last = &p->first;
        p->bytes -= u->len;
        (void)ofs_map_remove(p->map, ofs_digest_format(&u->digest, key));
    }
    free(u);
}

/* One thread at a time. */
static void save_all(struct ofs_pending_save *p, bool flush, int64_t until_ms)
{
    struct ofs_unsaved *u;

    while ((u = next_one(p, flush, until_ms))) {
        save(p, &u->digest, u->data, u->len);
        remove_oldest(p, u);
    }
}

static int save_item(void *arg, size_t i, struct ofs_call *call,
                     struct ofs_err *err)
{
    (void)i;
    (void)err;
    save_all(arg, /* flush= */ false, call->deadline_ms);
    return 0;
}

static bool no_error(int code)
{
    (void)code;
    return false;
}

static void nothing(void *arg)
{
    (void)arg;
}

static const struct ofs_batch_ops save_ops = {
    .item = save_item,
    .is_end = no_error,
    .free = nothing,
};

/* Is there something to write, and nobody who does?  Then we see to it. */
static bool is_ours(struct ofs_pending_save *p)
{
    OFS_GUARD(&p->mtx);
    if (p->saving || p->n_busy > 0 || !p->first)
        return false;
    p->saving = true;
    return true;
}

static void start_saving(struct ofs_pending_save *p)
{
    OFS_AUTO(ofs_batch_unrefp) struct ofs_batch *b = NULL;

    if (!is_ours(p))
        return;
    b = ofs_batch_new(p->batches, &save_ops, p, 1);
    if (b && ofs_batch_go(b, NULL) == 0)
        return;
    /* The next one that comes tries again. */
    OFS_GUARD(&p->mtx);
    p->saving = false;
}

void ofs_pending_save_add(struct ofs_pending_save *p,
                          const struct ofs_digest *digest, const void *data,
                          size_t len)
{
    OFS_AUTOFREE struct ofs_unsaved *u = malloc(sizeof(*u) + len);

    if (u) {
        u->next = NULL;
        u->digest = *digest;
        u->len = len;
        if (len)
            memcpy(u->data, data, len);
    }
    if (!u || !take_in(p, &u))
        save(p, digest, data, len);
    start_saving(p);
}

int ofs_pending_save_get(struct ofs_pending_save *p,
                         const struct ofs_digest *digest, struct ofs_buf *ret)
{
    char key[OFS_DIGEST_TEXT_MAX];
    const struct ofs_unsaved *u;

    (void)ofs_digest_format(digest, key);
    OFS_GUARD(&p->mtx);
    u = ofs_map_get(p->map, key);
    return u ? ofs_buf_add(ret, u->data, u->len) : -ENOENT;
}

void ofs_pending_save_hold(struct ofs_pending_save *p)
{
    OFS_GUARD(&p->mtx);
    p->n_busy++;
}

void ofs_pending_save_resume(struct ofs_pending_save *p)
{
    {
        OFS_GUARD(&p->mtx);
        p->n_busy--;
    }
    start_saving(p);
}

void ofs_pending_save_flush(struct ofs_pending_save *p, int64_t max_ms)
{
    save_all(p, /* flush= */ true, ofs_mono_ms() + max_ms);
}
