/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include "ocirfs/clock.h"
#include "ocirfs/push.h"

#include <inttypes.h>

/* How long somebody who was told to look again may take until he opens. */
enum { PROMISE_MS = 5000 };

struct ofs_scratch {
    char id[24]; /* immutable, as is the draft */
    struct ofs_draft *draft;
    unsigned refs;      /* guarded by scratches.mtx, as is all that follows */
    bool linked;        /* has its name; counts one reference */
    unsigned n_writers; /* who has it open */
    unsigned n_writing; /* who is about it now */
    bool pushing;       /* or waits until none of them is */
    struct ofs_waitlist waiters;
    int64_t promised_ms; /* 0: not */
    uint64_t n_pushed;   /* changes that were in what was last pushed */
    bool was_pushed;
    struct ofs_scratch_now now;
};

struct key {
    char text[NAME_MAX + 20];
};

static struct key key_of(const struct ofs_spot *spot)
{
    struct key k;

    (void)snprintf(k.text, sizeof(k.text), "%" PRIx64 "/%s", spot->dir,
                   spot->name);
    return k;
}

static void scratch_free(struct ofs_scratch *s)
{
    if (!s)
        return;
    ofs_draft_unref(s->draft);
    free(s);
}
OFS_DEFINE_AUTO(struct ofs_scratch, scratch_free)

int ofs_scratches_init(struct ofs_scratches *all)
{
    ofs_mutex_init(&all->mtx, OFS_RANK_NODE);
    all->names = ofs_map_new();
    all->ids = ofs_map_new();
    return all->names && all->ids ? 0 : -ENOMEM;
}

static void free_value(void *value)
{
    scratch_free(value);
}

void ofs_scratches_done(struct ofs_scratches *all)
{
    if (!all->names)
        return;
    ofs_map_free(all->names, NULL);
    ofs_map_free(all->ids, free_value);
    ofs_mutex_done(&all->mtx);
}

/* ---- with scratches.mtx held ---- */

/* One reference less; what must be freed once the lock is gone. */
static struct ofs_scratch *drop(struct ofs_scratches *all,
                                struct ofs_scratch *s)
{
    if (--s->refs > 0)
        return NULL;
    (void)ofs_map_remove(all->ids, s->id);
    return s;
}

static struct ofs_scratch *take_name(struct ofs_scratches *all,
                                     struct ofs_scratch *s)
{
    struct key k = key_of(&s->now.spot);

    if (!s->linked)
        return NULL;
    (void)ofs_map_remove(all->names, k.text);
    s->linked = false;
    return drop(all, s);
}

/* -EEXIST: somebody else has it.  -ENOMEM. */
static int give_name(struct ofs_scratches *all, struct ofs_scratch *s)
{
    struct key k = key_of(&s->now.spot);

    if (s->linked)
        return 0;
    if (ofs_map_get(all->names, k.text))
        return -EEXIST;
    if (ofs_map_put(all->names, k.text, s, NULL) < 0)
        return -ENOMEM;
    s->linked = true;
    s->refs++;
    return 0;
}

static bool is_broken_promise(const struct ofs_scratch *s)
{
    return s->promised_ms && s->n_writers == 0 &&
           ofs_mono_ms() - s->promised_ms > PROMISE_MS;
}

/* ---- */

static struct ofs_scratch *scratch_new(const struct ofs_scratch_spec *spec)
{
    struct ofs_scratch *s = calloc(1, sizeof(*s));

    if (!s) {
        ofs_draft_unref(spec->draft);
        return NULL;
    }
    s->draft = spec->draft;
    s->refs = 1;
    s->promised_ms = spec->promised ? ofs_mono_ms() : 0;
    s->now.spot = spec->spot;
    s->now.target = *spec->target;
    s->now.mode = spec->mode;
    s->now.shown_ino = spec->shown_ino;
    s->now.mtime_s = ofs_wall_s();
    (void)snprintf(s->now.repo, sizeof(s->now.repo), "%s", spec->repo);
    return s;
}

int ofs_scratch_add(struct ofs_scratches *all,
                    const struct ofs_scratch_spec *spec,
                    struct ofs_scratch **ret)
{
    OFS_AUTO(scratch_freep) struct ofs_scratch *fresh = scratch_new(spec);
    int r;

    if (!fresh)
        return -ENOMEM;
    OFS_GUARD(&all->mtx);
    (void)snprintf(fresh->id, sizeof(fresh->id), "%" PRIu64, ++all->last_id);
    r = give_name(all, fresh);
    if (r < 0)
        return r;
    r = ofs_map_put(all->ids, fresh->id, fresh, NULL);
    if (r < 0) {
        (void)take_name(all, fresh);
        return r;
    }
    *ret = ofs_take(&fresh);
    return 0;
}

struct ofs_scratch *ofs_scratch_ref(struct ofs_scratches *all,
                                    struct ofs_scratch *s)
{
    OFS_GUARD(&all->mtx);
    s->refs++;
    return s;
}

void ofs_scratch_put(struct ofs_scratches *all, struct ofs_scratch *s)
{
    OFS_AUTO(scratch_freep) struct ofs_scratch *dead = NULL;

    if (!s)
        return;
    OFS_GUARD(&all->mtx);
    dead = drop(all, s);
}

struct ofs_scratch *ofs_scratch_at(struct ofs_scratches *all, uint64_t dir,
                                   const char *name)
{
    OFS_AUTO(scratch_freep) struct ofs_scratch *dead = NULL;
    struct ofs_spot spot = { .dir = dir };
    struct ofs_scratch *s;
    struct key k;

    (void)snprintf(spot.name, sizeof(spot.name), "%s", name);
    k = key_of(&spot);
    OFS_GUARD(&all->mtx);
    s = ofs_map_get(all->names, k.text);
    if (s && is_broken_promise(s)) {
        dead = take_name(all, s);
        s = NULL;
    }
    if (s)
        s->refs++;
    return s;
}

struct ofs_scratch *ofs_scratch_get(struct ofs_scratches *all, const char *id)
{
    struct ofs_scratch *s;

    OFS_GUARD(&all->mtx);
    s = ofs_map_get(all->ids, id);
    if (s)
        s->refs++;
    return s;
}

struct ofs_draft *ofs_scratch_draft(const struct ofs_scratch *s)
{
    return s->draft;
}

bool ofs_scratch_is_dir(const struct ofs_scratch *s)
{
    return !s->draft;
}

const char *ofs_scratch_id(const struct ofs_scratch *s)
{
    return s->id;
}

void ofs_scratch_look(struct ofs_scratches *all, struct ofs_scratch *s,
                      struct ofs_scratch_now *ret)
{
    OFS_GUARD(&all->mtx);
    *ret = s->now;
    ret->n_writers = s->n_writers;
    ret->settled = s->was_pushed && s->n_pushed == s->now.n_changes;
}

/* ---- either written or pushed ---- */

/* With scratches.mtx held: is it as the caller wants it? */
typedef bool gate_fn(const struct ofs_scratch *s);

static bool nobody_pushes(const struct ofs_scratch *s)
{
    return !s->pushing;
}

static bool nobody_writes(const struct ofs_scratch *s)
{
    return s->n_writing == 0;
}

/* With scratches.mtx held. */
static void count_writer(struct ofs_scratch *s)
{
    s->n_writing++;
}

static void claim(struct ofs_scratch *s)
{
    s->pushing = true;
}

static void nothing(struct ofs_scratch *s)
{
    (void)s;
}

struct passage {
    struct ofs_scratch *s;
    gate_fn *is_open;
    void (*enter)(struct ofs_scratch *s);
};

static bool enter_if_open(void *arg)
{
    const struct passage *p = arg;

    if (!p->is_open(p->s))
        return false;
    p->enter(p->s);
    return true;
}

/* Wait until it is open, and enter, in one. */
static int pass(struct ofs_scratches *all, struct ofs_call *call,
                struct ofs_scratch *s, gate_fn *is_open,
                void (*enter)(struct ofs_scratch *), struct ofs_err *err)
{
    struct passage p = { s, is_open, enter };

    return ofs_waitlist_wait(&s->waiters, &all->mtx, call, enter_if_open, &p,
                             err);
}

int ofs_scratch_begin_write(struct ofs_scratches *all, struct ofs_call *call,
                            struct ofs_scratch *s, struct ofs_err *err)
{
    return pass(all, call, s, nobody_pushes, count_writer, err);
}

void ofs_scratch_end_write(struct ofs_scratches *all, struct ofs_scratch *s)
{
    OFS_GUARD(&all->mtx);
    s->n_writing--;
    ofs_waitlist_wake(&s->waiters);
}

int ofs_scratch_begin_push(struct ofs_scratches *all, struct ofs_call *call,
                           struct ofs_scratch *s, struct ofs_err *err)
{
    int r = pass(all, call, s, nobody_pushes, claim, err);

    if (r < 0)
        return r;
    r = pass(all, call, s, nobody_writes, nothing, err);
    if (r < 0)
        ofs_scratch_end_push(all, s);
    return r;
}

void ofs_scratch_end_push(struct ofs_scratches *all, struct ofs_scratch *s)
{
    OFS_GUARD(&all->mtx);
    s->pushing = false;
    ofs_waitlist_wake(&s->waiters);
}

/* ---- */

void ofs_scratch_changed(struct ofs_scratches *all, struct ofs_scratch *s,
                         int64_t at_s)
{
    OFS_GUARD(&all->mtx);
    s->now.n_changes++;
    s->now.mtime_s = at_s;
    /* Without memory for its name it is pushed all the same. */
    if (!s->now.gone)
        (void)give_name(all, s);
}

void ofs_scratch_set(struct ofs_scratches *all, struct ofs_scratch *s,
                     const mode_t *mode, const int64_t *mtime_s)
{
    OFS_GUARD(&all->mtx);
    if (mode)
        s->now.mode = *mode;
    if (mtime_s)
        s->now.mtime_s = *mtime_s;
}

void ofs_scratch_settle(struct ofs_scratches *all, struct ofs_scratch *s,
                        const struct ofs_scratch_now *pushed, int result,
                        const struct ofs_err *why)
{
    OFS_AUTO(scratch_freep) struct ofs_scratch *dead = NULL;

    OFS_GUARD(&all->mtx);
    s->was_pushed = true;
    s->n_pushed = pushed->n_changes;
    s->now.result = result;
    s->now.why = result < 0 ? *why : (struct ofs_err){ 0 };
    dead = take_name(all, s);
    s->now.spot = pushed->spot;
    s->now.target = pushed->target;
    memcpy(s->now.repo, pushed->repo, sizeof(s->now.repo));
}

void ofs_scratch_unlink(struct ofs_scratches *all, struct ofs_scratch *s)
{
    OFS_AUTO(scratch_freep) struct ofs_scratch *dead = NULL;

    OFS_GUARD(&all->mtx);
    s->now.gone = true;
    dead = take_name(all, s);
}

int ofs_scratch_move(struct ofs_scratches *all, struct ofs_scratch *s,
                     const struct ofs_spot *to, const char *repo,
                     const struct ofs_target *target)
{
    OFS_AUTO(scratch_freep) struct ofs_scratch *dead = NULL;
    struct key k = key_of(to);
    struct ofs_scratch *there;

    OFS_GUARD(&all->mtx);
    there = ofs_map_get(all->names, k.text);
    if (there == s)
        return 0;
    if (there) {
        there->now.gone = true;
        dead = take_name(all, there);
    }
    /* The caller's reference keeps it. */
    (void)take_name(all, s);
    s->now.spot = *to;
    s->now.target = *target;
    (void)snprintf(s->now.repo, sizeof(s->now.repo), "%s", repo);
    return give_name(all, s);
}

void ofs_scratch_open(struct ofs_scratches *all, struct ofs_scratch *s)
{
    OFS_GUARD(&all->mtx);
    s->n_writers++;
    s->promised_ms = 0;
}

void ofs_scratch_close(struct ofs_scratches *all, struct ofs_scratch *s)
{
    OFS_AUTO(scratch_freep) struct ofs_scratch *dead = NULL;

    OFS_GUARD(&all->mtx);
    assert(s->n_writers > 0);
    if (--s->n_writers == 0 && ofs_target_is_final(s->now.target.kind))
        dead = take_name(all, s);
}

/* ---- all of a directory ---- */

struct gathering {
    uint64_t dir;
    struct ofs_scratch **at; /* each with a reference */
    size_t n;
};

static int gather(const char *key, void *value, void *arg)
{
    struct gathering *g = arg;
    struct ofs_scratch *s = value;

    (void)key;
    if (s->now.spot.dir != g->dir)
        return 0;
    s->refs++;
    g->at[g->n++] = s;
    return 0;
}

static int count(const char *key, void *value, void *arg)
{
    const struct ofs_scratch *s = value;
    const uint64_t *dir = arg;

    (void)key;
    return s->now.spot.dir == *dir;
}

int ofs_scratch_each(struct ofs_scratches *all, uint64_t dir,
                     ofs_scratch_fn *fn, void *arg)
{
    OFS_AUTOFREE struct ofs_scratch **at = NULL;
    struct gathering g = { .dir = dir };
    int r = 0;

    {
        OFS_GUARD(&all->mtx);
        at =
            calloc(ofs_map_count(all->names) + 1, sizeof(struct ofs_scratch *));
        if (!at)
            return -ENOMEM;
        g.at = at;
        (void)ofs_map_each(all->names, gather, &g);
    }
    for (size_t i = 0; i < g.n; i++) {
        struct ofs_scratch_now now;

        ofs_scratch_look(all, at[i], &now);
        if (r == 0)
            r = fn(arg, at[i], now.spot.name);
        ofs_scratch_put(all, at[i]);
    }
    return r;
}

bool ofs_scratch_is_empty(struct ofs_scratches *all, uint64_t dir)
{
    OFS_GUARD(&all->mtx);
    return ofs_map_each(all->names, count, &dir) == 0;
}
