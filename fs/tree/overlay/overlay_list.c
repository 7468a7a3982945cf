/* SPDX-License-Identifier: Apache-2.0 */
/* All of a directory. */
#include "overlay_priv.h"

struct gathering {
    uint64_t dir;
    struct ofs_local **at; /* each with a reference */
    size_t n;
};

static int gather(const char *key, void *value, void *arg)
{
    struct gathering *g = arg;
    struct ofs_local *s = value;

    (void)key;
    if (s->now.spot.dir != g->dir)
        return 0;
    s->refs++;
    g->at[g->n++] = s;
    return 0;
}

static int count(const char *key, void *value, void *arg)
{
    const struct ofs_local *s = value;
    const uint64_t *dir = arg;

    (void)key;
    return s->now.spot.dir == *dir;
}

int ofs_local_each(struct ofs_overlay *all, uint64_t dir, ofs_local_fn *fn,
                   void *arg)
{
    OFS_AUTOFREE struct ofs_local **at = NULL;
    struct gathering g = { .dir = dir };
    int r = 0;

    {
        OFS_GUARD(&all->mtx);
        at = calloc(ofs_map_count(all->names) + 1, sizeof(struct ofs_local *));
        if (!at)
            return -ENOMEM;
        g.at = at;
        (void)ofs_map_each(all->names, gather, &g);
    }
    for (size_t i = 0; i < g.n; i++) {
        struct ofs_local_now now;

        ofs_local_look(all, at[i], &now);
        if (r == 0)
            r = fn(arg, at[i], now.spot.name);
        ofs_local_put(all, at[i]);
    }
    return r;
}

bool ofs_local_is_empty(struct ofs_overlay *all, uint64_t dir)
{
    OFS_GUARD(&all->mtx);
    return ofs_map_each(all->names, count, &dir) == 0;
}
