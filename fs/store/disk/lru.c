/* SPDX-License-Identifier: Apache-2.0 */
#include "lru.h"

enum {
    START_PCT = 95, /* of the limit: begin */
    STOP_PCT = 90,  /* of the limit: enough */
};

static int compare(const void *a, const void *b)
{
    const struct ofs_lru_item *x = a, *y = b;

    if (x->used_s != y->used_s)
        return x->used_s < y->used_s ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return memcmp(&x->digest, &y->digest, sizeof(x->digest));
}

static void swap(struct ofs_lru_item *a, struct ofs_lru_item *b)
{
    struct ofs_lru_item t = *a;

    *a = *b;
    *b = t;
}

/* The items are a heap with the newest on top: the first to give way. */
static void sift_up(struct ofs_lru_item *items, size_t i)
{
    while (i > 0 && compare(&items[(i - 1) / 2], &items[i]) < 0) {
        swap(&items[(i - 1) / 2], &items[i]);
        i = (i - 1) / 2;
    }
}

static void sift_down(struct ofs_lru_item *items, size_t n)
{
    for (size_t i = 0, child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && compare(&items[child], &items[child + 1]) < 0)
            child++;
        if (compare(&items[i], &items[child]) >= 0)
            return;
        swap(&items[i], &items[child]);
        i = child;
    }
}

void ofs_lru_offer(struct ofs_lru *l, const struct ofs_lru_item *item)
{
    if (l->n < l->room) {
        l->items[l->n] = *item;
        sift_up(l->items, l->n++);
    } else if (l->n > 0 && compare(item, &l->items[0]) < 0) {
        l->items[0] = *item;
        sift_down(l->items, l->n);
    }
}

void ofs_lru_sort(struct ofs_lru *l)
{
    if (l->n > 0)
        qsort(l->items, l->n, sizeof(*l->items), compare);
}

static uint64_t pct_of(uint64_t value, unsigned pct)
{
    return value / 100 * pct + value % 100 * pct / 100;
}

uint64_t ofs_lru_excess(uint64_t used, uint64_t max, uint64_t disk,
                        uint64_t disk_free, unsigned min_free_pct)
{
    uint64_t keep = pct_of(disk, min_free_pct), excess = 0;

    if (max > 0 && used > pct_of(max, START_PCT))
        excess = used - pct_of(max, STOP_PCT);
    if (disk_free < keep + keep / 20 && keep + keep / 10 - disk_free > excess)
        excess = keep + keep / 10 - disk_free;
    return excess < used ? excess : used;
}
