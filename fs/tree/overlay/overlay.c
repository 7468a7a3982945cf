/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay_priv.h"

#include "ocirfs/clock.h"
#include "ocirfs/process.h"
#include "ocirfs/push.h"

#include <inttypes.h>

/* How long somebody who was told to look again may take until he opens.  As
 * only he sees it, it may be long. */
enum { PROMISE_MS = 60 * 1000 };

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

static void scratch_free(struct ofs_local *s)
{
    if (!s)
        return;
    ofs_draft_unref(s->draft);
    free(s);
}
OFS_DEFINE_AUTO(struct ofs_local, scratch_free)

int ofs_overlay_init(struct ofs_overlay *all)
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

void ofs_overlay_done(struct ofs_overlay *all)
{
    if (!all->names)
        return;
    ofs_map_free(all->names, NULL);
    ofs_map_free(all->ids, free_value);
    ofs_mutex_done(&all->mtx);
}

/* ---- with overlay.mtx held ---- */

static bool is_for_push(const struct ofs_local *s)
{
    return ofs_target_is_final(s->now.target.kind);
}

/* Who still knows its number may ask what became of it. */
static void leave_trace(struct ofs_overlay *all, const struct ofs_local *s)
{
    struct ofs_local_trace *to = &all->traces[all->next_trace];

    if (!is_for_push(s))
        return;
    all->next_trace = (all->next_trace + 1) % OFS_SCRATCH_TRACES;
    memcpy(to->id, s->id, sizeof(to->id));
    memcpy(to->repo, s->now.repo, sizeof(to->repo));
    to->spot = s->now.spot;
    to->target = s->now.target;
}

/* One reference less; what must be freed once the lock is gone. */
static struct ofs_local *drop(struct ofs_overlay *all, struct ofs_local *s)
{
    if (--s->refs > 0)
        return NULL;
    (void)ofs_map_remove(all->ids, s->id);
    leave_trace(all, s);
    return s;
}

static struct ofs_local *take_name(struct ofs_overlay *all, struct ofs_local *s)
{
    struct key k = key_of(&s->now.spot);

    if (!s->linked)
        return NULL;
    (void)ofs_map_remove(all->names, k.text);
    s->linked = false;
    return drop(all, s);
}

/* -EEXIST: somebody else has it.  -ENOMEM. */
static int give_name(struct ofs_overlay *all, struct ofs_local *s)
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

/* Whoever has it goes on without; it is pushed when he closes it. */
static struct ofs_local *clear_name(struct ofs_overlay *all,
                                    const struct ofs_spot *spot)
{
    struct key k = key_of(spot);
    struct ofs_local *there = ofs_map_get(all->names, k.text);

    return there && is_for_push(there) ? take_name(all, there) : NULL;
}

static struct ofs_local *end_promise(struct ofs_overlay *all,
                                     struct ofs_local *s)
{
    if (!s->promised_ms)
        return NULL;
    s->promised_ms = 0;
    all->n_promised--;
    return drop(all, s);
}

/* ---- promises ---- */

struct promise {
    const struct ofs_spot *spot; /* NULL: any that was not kept */
    int who;
    struct ofs_local *found;
};

static int match_promise(const char *id, void *value, void *arg)
{
    struct ofs_local *s = value;
    struct promise *p = arg;

    (void)id;
    if (!s->promised_ms)
        return 0;
    if (!p->spot)
        p->found = ofs_mono_ms() - s->promised_ms > PROMISE_MS ? s : NULL;
    else if (s->promised_to == p->who && s->now.spot.dir == p->spot->dir &&
             strcmp(s->now.spot.name, p->spot->name) == 0)
        p->found = s;
    return p->found != NULL;
}

/* With overlay.mtx held; NULL: none. */
static struct ofs_local *find_promise(struct ofs_overlay *all,
                                      const struct ofs_spot *spot, int who)
{
    struct promise p = { .spot = spot, .who = who };

    if (all->n_promised > 0)
        (void)ofs_map_each(all->ids, match_promise, &p);
    return p.found;
}

/* One that nobody came for. */
static void end_broken_promise(struct ofs_overlay *all)
{
    OFS_AUTO(scratch_freep) struct ofs_local *dead = NULL;
    struct ofs_local *s;

    OFS_GUARD(&all->mtx);
    s = find_promise(all, NULL, 0);
    if (s)
        dead = end_promise(all, s);
}

struct ofs_local *ofs_local_promised(struct ofs_overlay *all,
                                     const struct ofs_spot *spot, int who)
{
    struct ofs_local *s;

    OFS_GUARD(&all->mtx);
    s = find_promise(all, spot, who);
    if (s)
        s->refs++;
    return s;
}

/* ---- */

static struct ofs_local *scratch_new(const struct ofs_local_spec *spec)
{
    struct ofs_local *s = calloc(1, sizeof(*s));

    if (!s) {
        ofs_draft_unref(spec->draft);
        return NULL;
    }
    s->draft = spec->draft;
    s->refs = 1;
    s->promised_to = spec->promised_to;
    s->now.spot = spec->spot;
    s->now.target = *spec->target;
    s->now.mode = spec->mode;
    s->now.shown_ino = spec->shown_ino;
    s->now.mtime_s = ofs_wall_s();
    (void)snprintf(s->now.repo, sizeof(s->now.repo), "%s", spec->repo);
    return s;
}

static int shows(const char *id, void *value, void *arg)
{
    const struct ofs_local *s = value;
    const uint64_t *ino = arg;

    (void)id;
    return s->now.shown_ino == *ino;
}

/* Two open files of one number could not be told from each other. */
static void claim_ino(struct ofs_overlay *all, struct ofs_local *s)
{
    uint64_t ino = s->now.shown_ino;

    s->now.shown_ino = 0;
    if (ino && ofs_map_each(all->ids, shows, &ino) == 0)
        s->now.shown_ino = ino;
}

static void promise(struct ofs_overlay *all, struct ofs_local *s)
{
    s->promised_ms = ofs_mono_ms();
    s->refs++;
    all->n_promised++;
}

int ofs_local_add(struct ofs_overlay *all, const struct ofs_local_spec *spec,
                  struct ofs_local **ret)
{
    OFS_AUTO(scratch_freep) struct ofs_local *fresh = scratch_new(spec);
    OFS_AUTO(scratch_freep) struct ofs_local *dead = NULL;
    int r;

    if (!fresh)
        return -ENOMEM;
    end_broken_promise(all);
    OFS_GUARD(&all->mtx);
    (void)snprintf(fresh->id, sizeof(fresh->id), "%" PRIu64, ++all->last_id);
    claim_ino(all, fresh);
    r = ofs_map_put(all->ids, fresh->id, fresh, NULL);
    if (r < 0)
        return r;
    if (spec->promised) {
        promise(all, fresh);
    } else {
        dead = is_for_push(fresh) ? clear_name(all, &fresh->now.spot) : NULL;
        r = give_name(all, fresh);
    }
    if (r < 0) {
        (void)ofs_map_remove(all->ids, fresh->id);
        return r;
    }
    *ret = ofs_take(&fresh);
    return 0;
}

struct ofs_local *ofs_local_ref(struct ofs_overlay *all, struct ofs_local *s)
{
    OFS_GUARD(&all->mtx);
    s->refs++;
    return s;
}

void ofs_local_put(struct ofs_overlay *all, struct ofs_local *s)
{
    OFS_AUTO(scratch_freep) struct ofs_local *dead = NULL;

    if (!s)
        return;
    OFS_GUARD(&all->mtx);
    dead = drop(all, s);
}

struct ofs_local *ofs_local_at(struct ofs_overlay *all, uint64_t dir,
                               const char *name)
{
    struct ofs_spot spot = { .dir = dir };
    struct ofs_local *s;
    struct key k;

    (void)snprintf(spot.name, sizeof(spot.name), "%s", name);
    k = key_of(&spot);
    OFS_GUARD(&all->mtx);
    s = ofs_map_get(all->names, k.text);
    if (s)
        s->refs++;
    return s;
}

/* Does that process see it?  The kernel does not tell who asks from outside of
 * our PID namespace; he sees all. */
static bool is_shown(struct ofs_overlay *all, struct ofs_local *s, int who)
{
    int process = who > 0 ? ofs_process_of(who) : 0;

    OFS_GUARD(&all->mtx);
    return !is_for_push(s) || !process || !s->now.process ||
           s->now.process == process;
}

struct ofs_local *ofs_local_seen(struct ofs_overlay *all, uint64_t dir,
                                 const char *name, int who)
{
    struct ofs_spot spot = { .dir = dir };
    struct ofs_local *s;

    (void)snprintf(spot.name, sizeof(spot.name), "%s", name);
    s = ofs_local_promised(all, &spot, who);
    if (!s)
        s = ofs_local_at(all, dir, name);
    if (!s || is_shown(all, s, who))
        return s;
    ofs_local_put(all, s);
    return NULL;
}

int ofs_local_recall(struct ofs_overlay *all, const char *id,
                     struct ofs_local_trace *ret)
{
    OFS_GUARD(&all->mtx);
    for (size_t i = 0; i < OFS_SCRATCH_TRACES; i++)
        if (strcmp(all->traces[i].id, id) == 0) {
            *ret = all->traces[i];
            return 0;
        }
    return -ENOENT;
}

bool ofs_local_is_taken(struct ofs_overlay *all, struct ofs_local *s)
{
    OFS_GUARD(&all->mtx);
    return is_for_push(s) && s->n_writers > 0;
}

struct ofs_local *ofs_local_get(struct ofs_overlay *all, const char *id)
{
    struct ofs_local *s;

    OFS_GUARD(&all->mtx);
    s = ofs_map_get(all->ids, id);
    if (s)
        s->refs++;
    return s;
}

struct ofs_draft *ofs_local_draft(const struct ofs_local *s)
{
    return s->draft;
}

bool ofs_local_is_dir(const struct ofs_local *s)
{
    return !s->draft;
}

const char *ofs_local_id(const struct ofs_local *s)
{
    return s->id;
}

void ofs_local_look(struct ofs_overlay *all, struct ofs_local *s,
                    struct ofs_local_now *ret)
{
    OFS_GUARD(&all->mtx);
    *ret = s->now;
    ret->n_writers = s->n_writers;
    ret->settled = s->was_pushed && s->n_pushed == s->now.n_changes;
}

/* ---- */

void ofs_local_changed(struct ofs_overlay *all, struct ofs_local *s,
                       int64_t at_s)
{
    OFS_GUARD(&all->mtx);
    s->now.n_changes++;
    s->now.mtime_s = at_s;
    /* Without memory for its name it is pushed all the same. */
    if (!s->now.gone)
        (void)give_name(all, s);
}

void ofs_local_set(struct ofs_overlay *all, struct ofs_local *s,
                   const mode_t *mode, const int64_t *mtime_s)
{
    OFS_GUARD(&all->mtx);
    if (mode)
        s->now.mode = *mode;
    if (mtime_s)
        s->now.mtime_s = *mtime_s;
}

void ofs_local_pushed(struct ofs_overlay *all, struct ofs_local *s,
                      const struct ofs_local_now *pushed, int result,
                      const struct ofs_err *why)
{
    OFS_AUTO(scratch_freep) struct ofs_local *dead = NULL;

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

void ofs_local_unlink(struct ofs_overlay *all, struct ofs_local *s)
{
    OFS_AUTO(scratch_freep) struct ofs_local *dead = NULL;

    OFS_GUARD(&all->mtx);
    s->now.gone = true;
    dead = take_name(all, s);
}

int ofs_local_move(struct ofs_overlay *all, struct ofs_local *s,
                   const struct ofs_spot *to, const char *repo,
                   const struct ofs_target *target)
{
    OFS_AUTO(scratch_freep) struct ofs_local *dead = NULL;
    struct key k = key_of(to);
    struct ofs_local *there;

    OFS_GUARD(&all->mtx);
    there = ofs_map_get(all->names, k.text);
    if (there == s)
        return 0;
    if (there) {
        /* Another writer's close is to be true. */
        there->now.gone = !is_for_push(there);
        dead = take_name(all, there);
    }
    /* The caller's reference keeps it. */
    (void)take_name(all, s);
    s->now.spot = *to;
    s->now.target = *target;
    (void)snprintf(s->now.repo, sizeof(s->now.repo), "%s", repo);
    return give_name(all, s);
}

void ofs_local_open(struct ofs_overlay *all, struct ofs_local *s, int who)
{
    OFS_AUTO(scratch_freep) struct ofs_local *dead = NULL;
    int process = ofs_process_of(who);

    OFS_GUARD(&all->mtx);
    if (s->n_writers++ == 0) {
        s->now.thread = who;
        s->now.process = process;
    }
    if (!s->promised_ms)
        return;
    (void)end_promise(all, s); /* the caller has a reference */
    dead = clear_name(all, &s->now.spot);
    /* Without memory for its name it is pushed all the same. */
    (void)give_name(all, s);
}

void ofs_local_close(struct ofs_overlay *all, struct ofs_local *s)
{
    OFS_AUTO(scratch_freep) struct ofs_local *dead = NULL;

    OFS_GUARD(&all->mtx);
    assert(s->n_writers > 0);
    if (--s->n_writers == 0 && is_for_push(s))
        dead = take_name(all, s);
}
