/* SPDX-License-Identifier: Apache-2.0 */
#include "held.h"

#include "chunkmap.h"

void ofs_held_init(struct ofs_held_pool *p, size_t budget)
{
    *p = (struct ofs_held_pool){ .budget = budget };
    ofs_mutex_init(&p->mtx, OFS_RANK_INFLIGHT);
}

void ofs_held_done(struct ofs_held_pool *p)
{
    assert(!p->first);
    ofs_mutex_done(&p->mtx);
}

static void link_first(struct ofs_held_pool *p, struct ofs_held *h)
{
    h->prev = NULL;
    h->next = p->first;
    if (p->first)
        p->first->prev = h;
    else
        p->last = h;
    p->first = h;
    p->n++;
}

static void link_last(struct ofs_held_pool *p, struct ofs_held *h)
{
    h->next = NULL;
    h->prev = p->last;
    if (p->last)
        p->last->next = h;
    else
        p->first = h;
    p->last = h;
    p->n++;
}

static void unlink_one(struct ofs_held_pool *p, struct ofs_held *h)
{
    if (h->prev)
        h->prev->next = h->next;
    else
        p->first = h->next;
    if (h->next)
        h->next->prev = h->prev;
    else
        p->last = h->prev;
    p->n--;
}

/* Takes what is over budget off the list; the caller frees it unlocked. */
static struct ofs_held *trim(struct ofs_held_pool *p)
{
    struct ofs_held *gone = NULL, *prev;

    for (struct ofs_held *h = p->last; h && p->n > p->budget; h = prev) {
        prev = h->prev;
        if (h->pins > 0)
            continue;
        unlink_one(p, h);
        h->next = gone;
        gone = h;
    }
    return gone;
}

static void free_list(struct ofs_held *h)
{
    while (h) {
        struct ofs_held *next = h->next;

        free(h);
        h = next;
    }
}

struct ofs_held *ofs_held_new(struct ofs_held_pool *p, const void *owner,
                              uint32_t chunk)
{
    struct ofs_held *h = malloc(sizeof(*h) + OFS_CHUNK_BYTES);

    (void)p;
    if (!h)
        return NULL;
    *h = (struct ofs_held){ .owner = owner, .chunk = chunk, .pins = 1 };
    return h;
}

void ofs_held_publish(struct ofs_held_pool *p, struct ofs_held *h)
{
    struct ofs_held *gone;

    {
        OFS_GUARD(&p->mtx);
        link_first(p, h);
        gone = trim(p);
    }
    free_list(gone);
}

/* A list does: the budget is some dozens. */
static struct ofs_held *find(struct ofs_held_pool *p, const void *owner,
                             uint32_t chunk)
{
    for (struct ofs_held *h = p->first; h; h = h->next)
        if (h->owner == owner && h->chunk == chunk)
            return h;
    return NULL;
}

struct ofs_held *ofs_held_get(struct ofs_held_pool *p, const void *owner,
                              uint32_t chunk)
{
    OFS_GUARD(&p->mtx);
    struct ofs_held *h = find(p, owner, chunk);

    if (h) {
        unlink_one(p, h);
        link_first(p, h);
        h->pins++;
    }
    return h;
}

void ofs_held_pin(struct ofs_held_pool *p, struct ofs_held *h)
{
    OFS_GUARD(&p->mtx);
    h->pins++;
}

/* On the list or not: a dead one, or one never published, is on none. */
static bool is_linked(const struct ofs_held_pool *p, const struct ofs_held *h)
{
    return h->prev || p->first == h;
}

void ofs_held_unpin(struct ofs_held_pool *p, struct ofs_held *h)
{
    struct ofs_held *gone = NULL;

    if (!h)
        return;
    {
        OFS_GUARD(&p->mtx);
        h->pins--;
        if (h->pins == 0 && !is_linked(p, h)) {
            h->next = NULL;
            gone = h;
        } else if (h->pins == 0) {
            gone = trim(p);
        }
    }
    free_list(gone);
}

void ofs_held_use_up(struct ofs_held_pool *p, struct ofs_held *h)
{
    OFS_GUARD(&p->mtx);
    if (!is_linked(p, h))
        return;
    unlink_one(p, h);
    link_last(p, h);
}

static struct ofs_held *drop(struct ofs_held_pool *p, struct ofs_held *h)
{
    if (!is_linked(p, h))
        return NULL;
    unlink_one(p, h);
    h->prev = h->next = NULL;
    return h->pins == 0 ? h : NULL;
}

void ofs_held_drop(struct ofs_held_pool *p, struct ofs_held *h)
{
    struct ofs_held *gone;

    {
        OFS_GUARD(&p->mtx);
        gone = drop(p, h);
    }
    free_list(gone);
}

void ofs_held_drop_all(struct ofs_held_pool *p, const void *owner)
{
    struct ofs_held *gone = NULL, *next;

    {
        OFS_GUARD(&p->mtx);
        for (struct ofs_held *h = p->first; h; h = next) {
            next = h->next;
            if (h->owner != owner)
                continue;
            h = drop(p, h);
            if (h) {
                h->next = gone;
                gone = h;
            }
        }
    }
    free_list(gone);
}
