/* SPDX-License-Identifier: Apache-2.0 */
#include "ttlcache.h"

#include "ocirfs/map.h"
#include "ocirfs/str.h"

#include "refresh.h"

struct ofs_ttlanswer {
    atomic_uint refs;
    void (*free)(void *value);
    void *value;
    int64_t asked_ms;
};

struct entry {
    unsigned refs; /* guarded by cache.mtx, as the listing and the answer */
    struct ofs_ttlcache *cache;
    struct ofs_listing list;
    struct ofs_ttlanswer *answer; /* NULL: none yet */
    char *flight;                 /* immutable; ends with the key */
    const char *key;              /* within it */
};

struct ofs_ttlcache {
    struct ofs_sync *sync;
    const struct ofs_ttlcache_ops *ops;
    void *arg;
    struct ofs_mutex mtx; /* rank NODE; guards all below */
    struct ofs_map *map;  /* key -> struct entry */
    struct entry **ring;  /* in the order they came; ops->max */
    size_t next;          /* the place of the next one */
};

static void answer_unref(struct ofs_ttlanswer *a)
{
    if (!a || atomic_fetch_sub(&a->refs, 1) > 1)
        return;
    a->free(a->value);
    free(a);
}

static void entry_free(void *arg)
{
    struct entry *e = arg;

    if (!e)
        return;
    answer_unref(e->answer);
    free(e->flight);
    free(e);
}
OFS_DEFINE_AUTO(struct entry, entry_free)

struct ofs_ttlcache *ofs_ttlcache_new(struct ofs_sync *sync,
                                      const struct ofs_ttlcache_ops *ops,
                                      void *arg)
{
    struct ofs_ttlcache *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->sync = sync;
    c->ops = ops;
    c->arg = arg;
    ofs_mutex_init(&c->mtx, OFS_RANK_NODE);
    c->map = ofs_map_new();
    c->ring = calloc(ops->max, sizeof(struct entry *));
    if (c->map && c->ring)
        return c;
    ofs_ttlcache_free(c);
    return NULL;
}

void ofs_ttlcache_free(struct ofs_ttlcache *c)
{
    if (!c)
        return;
    if (c->map)
        ofs_map_free(c->map, entry_free);
    free(c->ring);
    ofs_mutex_done(&c->mtx);
    free(c);
}

static struct entry *entry_new(struct ofs_ttlcache *c, const char *key)
{
    OFS_AUTO(entry_freep) struct entry *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->flight = ofs_strf("%s %s", c->ops->name, key);
    if (!e->flight)
        return NULL;
    e->key = e->flight + strlen(c->ops->name) + 1;
    e->cache = c;
    e->list.ttl_ms = c->sync->ttl_ms;
    e->refs = 1; /* the ring's */
    return ofs_take(&e);
}

static void entry_put(struct entry *e)
{
    {
        OFS_GUARD(&e->cache->mtx);
        if (--e->refs > 0)
            return;
    }
    entry_free(e);
}

static void entry_putp(struct entry **e)
{
    if (*e)
        entry_put(*e);
}

/* With mtx held: in the place of the one that came first, which is *ret_old
 * then. */
static int insert(struct ofs_ttlcache *c, struct entry *e,
                  struct entry **ret_old)
{
    struct entry *old = c->ring[c->next];

    if (ofs_map_put(c->map, e->key, e, NULL) < 0)
        return -ENOMEM;
    if (old)
        (void)ofs_map_remove(c->map, old->key);
    *ret_old = old;
    c->ring[c->next] = e;
    c->next = (c->next + 1) % c->ops->max;
    return 0;
}

/* With a reference, made when there is none; NULL: no memory. */
static struct entry *need(struct ofs_ttlcache *c, const char *key)
{
    OFS_AUTO(entry_freep) struct entry *fresh = entry_new(c, key);
    OFS_AUTO(entry_putp) struct entry *old = NULL;
    struct entry *e;

    if (!fresh)
        return NULL;
    OFS_GUARD(&c->mtx);
    e = ofs_map_get(c->map, key);
    if (!e && insert(c, fresh, &old) == 0)
        e = ofs_take(&fresh);
    if (e)
        e->refs++;
    return e;
}

/* There is an answer now; `value` NULL: it says nothing. */
static int keep_answer(struct entry *e, int64_t asked_ms, void *value)
{
    struct ofs_ttlcache *c = e->cache;
    struct ofs_ttlanswer *a = value ? calloc(1, sizeof(*a)) : NULL;

    if (value && !a) {
        c->ops->free(value);
        return -ENOMEM;
    }
    if (a) {
        atomic_init(&a->refs, 1);
        a->free = c->ops->free;
        a->value = value;
        a->asked_ms = asked_ms;
    }
    {
        struct ofs_ttlanswer *old;

        OFS_GUARD(&c->mtx);
        old = e->answer;
        e->list.ttl_ms = !a && c->sync->ttl_ms < OFS_NO_CATALOG_MS
                             ? OFS_NO_CATALOG_MS
                             : c->sync->ttl_ms;
        ofs_listing_said(&e->list, asked_ms, 0);
        if (a) {
            e->answer = a;
            a = old;
        }
    }
    answer_unref(a);
    return 0;
}

/* ---- asking ---- */

static int fetch_entry(void *arg, void *owner, struct ofs_call *call,
                       struct ofs_err *err)
{
    struct ofs_ttlcache *c = arg;
    struct entry *e = owner;
    int64_t asked_ms = ofs_sync_now(c->sync);
    void *value = NULL;
    int r = c->ops->fetch(c->arg, e->key, call, &value, err);

    if (r == 0 && keep_answer(e, asked_ms, value) < 0)
        r = ofs_err_nomem(err, c->ops->name);
    return r;
}

static void hold(void *arg, void *owner)
{
    struct entry *e = owner;
    struct ofs_ttlcache *c = arg;

    OFS_GUARD(&c->mtx);
    e->refs++;
}

static void release(void *arg, void *owner)
{
    (void)arg;
    entry_put(owner);
}

static const struct ofs_listing_ops entry_ops = {
    .fetch = fetch_entry,
    .hold = hold,
    .release = release,
};

/* What is too old is as good as nothing, so that it is waited for. */
static void drop_stale(struct entry *e)
{
    struct ofs_ttlcache *c = e->cache;

    OFS_GUARD(&c->mtx);
    if (ofs_fresh_left(e->list.at_ms, ofs_sync_now(c->sync), e->list.ttl_ms) ==
        0)
        e->list.state = OFS_LIST_UNKNOWN;
}

int ofs_ttlcache_want(struct ofs_ttlcache *c, struct ofs_call *call,
                      const char *key, struct ofs_err *err)
{
    OFS_AUTO(entry_putp) struct entry *e = need(c, key);
    const struct ofs_listing_of of = {
        .sync = c->sync,
        .ops = &entry_ops,
        .arg = c,
        .owner = e,
        .mtx = &c->mtx,
        .listing = e ? &e->list : NULL,
        .key = e ? e->flight : NULL,
    };

    if (!e)
        return ofs_err_nomem(err, c->ops->name);
    if (c->ops->exact)
        drop_stale(e);
    return ofs_listing_want(&of, call, err);
}

int ofs_ttlcache_ask(struct ofs_ttlcache *c, struct ofs_call *call,
                     const char *key, struct ofs_err *err)
{
    OFS_AUTO(entry_putp) struct entry *e = need(c, key);

    return e ? fetch_entry(c, e, call, err) : ofs_err_nomem(err, c->ops->name);
}

void ofs_ttlcache_forget(struct ofs_ttlcache *c, const char *key)
{
    struct entry *e;

    OFS_GUARD(&c->mtx);
    e = ofs_map_get(c->map, key);
    if (e)
        e->list.state = OFS_LIST_UNKNOWN;
}

/* ---- looking ---- */

struct ofs_ttlvalue ofs_ttlcache_look(struct ofs_ttlcache *c, const char *key)
{
    const struct entry *e;
    struct ofs_ttlanswer *a;

    OFS_GUARD(&c->mtx);
    e = ofs_map_get(c->map, key);
    a = e ? e->answer : NULL;
    if (!a)
        return (struct ofs_ttlvalue){ 0 };
    (void)atomic_fetch_add(&a->refs, 1);
    return (struct ofs_ttlvalue){ a->value, a->asked_ms, a };
}

void ofs_ttlvalue_done(struct ofs_ttlvalue *v)
{
    answer_unref(v->ref);
}
