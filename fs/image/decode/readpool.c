/* SPDX-License-Identifier: Apache-2.0 */
#include "readpool.h"

enum {
    N_BLOCKS = 64, /* 16 MiB */
    N_CURSORS = 8, /* zlib takes 44 KiB, zstd its window, 8 MiB as a rule */
};

struct block {
    const void *owner; /* NULL: the slot is free */
    uint64_t no;
    uint8_t *data; /* owned */
    size_t len;
    uint64_t turn;
};

struct ofs_readpool {
    struct ofs_mutex mtx;
    uint64_t turn; /* guarded by mtx, as all that follows; counts uses */
    struct block blocks[N_BLOCKS];
    struct ofs_cursor cursors[N_CURSORS];
    struct ofs_waitlist waiting;
};

struct ofs_readpool *ofs_readpool_new(void)
{
    struct ofs_readpool *p = calloc(1, sizeof(*p));

    if (p)
        ofs_mutex_init(&p->mtx, OFS_RANK_IMAGE);
    return p;
}

void ofs_readpool_free(struct ofs_readpool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < N_BLOCKS; i++)
        free(p->blocks[i].data);
    for (size_t i = 0; i < N_CURSORS; i++)
        ofs_decoder_free(p->cursors[i].d);
    ofs_mutex_done(&p->mtx);
    free(p);
}

void ofs_readpool_drop(struct ofs_readpool *p, const void *owner)
{
    OFS_GUARD(&p->mtx);

    for (size_t i = 0; i < N_BLOCKS; i++)
        if (p->blocks[i].owner == owner) {
            free(p->blocks[i].data);
            p->blocks[i] = (struct block){ 0 };
        }
    for (size_t i = 0; i < N_CURSORS; i++)
        if (p->cursors[i].owner == owner) {
            ofs_decoder_free(p->cursors[i].d);
            p->cursors[i] = (struct ofs_cursor){ 0 };
        }
}

static struct block *block_of(struct ofs_readpool *p, const void *owner,
                              uint64_t no)
{
    for (size_t i = 0; i < N_BLOCKS; i++)
        if (p->blocks[i].owner == owner && p->blocks[i].no == no)
            return &p->blocks[i];
    return NULL;
}

/* The copy is made under the lock: 256 KiB at most, and no block goes away. */
int ofs_readpool_copy(struct ofs_readpool *p, const void *owner, uint64_t no,
                      size_t from, void *buf, size_t len, size_t *ret_n)
{
    struct block *b;
    size_t n;

    OFS_GUARD(&p->mtx);
    b = block_of(p, owner, no);
    if (!b)
        return -ENOENT;
    n = from < b->len ? b->len - from : 0;
    n = n < len ? n : len;
    memcpy(buf, b->data + from, n);
    b->turn = ++p->turn;
    *ret_n = n;
    return 0;
}

static struct block *oldest_block(struct ofs_readpool *p)
{
    struct block *oldest = &p->blocks[0];

    for (size_t i = 1; i < N_BLOCKS; i++)
        if (p->blocks[i].turn < oldest->turn)
            oldest = &p->blocks[i];
    return oldest;
}

void ofs_readpool_keep(struct ofs_readpool *p, const void *owner, uint64_t no,
                       uint8_t *data, size_t len)
{
    struct block *b;

    OFS_GUARD(&p->mtx);
    b = block_of(p, owner, no);
    if (!b)
        b = oldest_block(p);
    free(b->data);
    *b = (struct block){ owner, no, data, len, ++p->turn };
}

/* Somebody looks for a decoder. */
struct taking {
    struct ofs_readpool *pool;
    const void *owner;
    uint64_t start, want;
    struct ofs_cursor *got;
    struct ofs_cursor *awaited; /* another thread's, that comes by */
    uint64_t awaited_turn;
    struct ofs_decoder *stale; /* made room for this one */
};

static struct ofs_cursor *nearest(const struct taking *t, bool busy)
{
    struct ofs_cursor *best = NULL;

    for (size_t i = 0; i < N_CURSORS; i++) {
        struct ofs_cursor *c = &t->pool->cursors[i];

        if (c->owner == t->owner && c->busy == busy && c->at >= t->start &&
            c->at <= t->want && (!best || c->at > best->at))
            best = c;
    }
    return best;
}

static struct ofs_cursor *oldest_idle(struct ofs_readpool *p)
{
    struct ofs_cursor *oldest = NULL;

    for (size_t i = 0; i < N_CURSORS; i++) {
        struct ofs_cursor *c = &p->cursors[i];

        if (!c->busy && (!oldest || c->turn < oldest->turn))
            oldest = c;
    }
    return oldest;
}

static void occupy(struct taking *t, struct ofs_cursor *c)
{
    c->busy = true;
    c->turn = ++t->pool->turn;
    t->got = c;
}

static void occupy_anew(struct taking *t, struct ofs_cursor *c)
{
    t->stale = c->d;
    *c = (struct ofs_cursor){ .owner = t->owner, .at = t->start };
    occupy(t, c);
}

static bool try_take(void *arg)
{
    struct taking *t = arg;
    struct ofs_cursor *c;

    if (t->awaited)
        return !t->awaited->busy || t->awaited->turn != t->awaited_turn;
    c = nearest(t, /* busy= */ false);
    if (c) {
        occupy(t, c);
        return true;
    }
    t->awaited = nearest(t, /* busy= */ true);
    if (t->awaited) {
        t->awaited_turn = t->awaited->turn;
        return false;
    }
    c = oldest_idle(t->pool);
    if (c)
        occupy_anew(t, c);
    return c != NULL;
}

int ofs_readpool_take(struct ofs_readpool *p, const void *owner, uint64_t start,
                      uint64_t want, struct ofs_call *call,
                      struct ofs_cursor **ret, struct ofs_err *err)
{
    struct taking t = {
        .pool = p, .owner = owner, .start = start, .want = want
    };
    int r = ofs_waitlist_wait(&p->waiting, &p->mtx, call, try_take, &t, err);

    ofs_decoder_free(t.stale);
    if (r == 0)
        *ret = t.got;
    return r;
}

void ofs_readpool_give(struct ofs_readpool *p, struct ofs_cursor *c)
{
    OFS_GUARD(&p->mtx);
    if (c->d)
        c->at = ofs_decoder_at(c->d);
    else
        *c = (struct ofs_cursor){ 0 };
    c->busy = false;
    c->turn = ++p->turn;
    ofs_waitlist_wake(&p->waiting);
}
