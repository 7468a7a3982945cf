/* SPDX-License-Identifier: Apache-2.0 */
/* Either written or pushed. */
#include "overlay_priv.h"

/* With overlay.mtx held: is it as the caller wants it? */
typedef bool gate_fn(const struct ofs_local *s);

static bool nobody_pushes(const struct ofs_local *s)
{
    return !s->pushing;
}

static bool nobody_writes(const struct ofs_local *s)
{
    return s->n_writing == 0;
}

/* With overlay.mtx held. */
static void count_writer(struct ofs_local *s)
{
    s->n_writing++;
}

static void claim(struct ofs_local *s)
{
    s->pushing = true;
}

static void nothing(struct ofs_local *s)
{
    (void)s;
}

struct passage {
    struct ofs_local *s;
    gate_fn *is_open;
    void (*enter)(struct ofs_local *s);
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
static int pass(struct ofs_overlay *all, struct ofs_call *call,
                struct ofs_local *s, gate_fn *is_open,
                void (*enter)(struct ofs_local *), struct ofs_err *err)
{
    struct passage p = { s, is_open, enter };

    return ofs_waitlist_wait(&s->waiters, &all->mtx, call, enter_if_open, &p,
                             err);
}

int ofs_local_begin_write(struct ofs_overlay *all, struct ofs_call *call,
                          struct ofs_local *s, struct ofs_err *err)
{
    return pass(all, call, s, nobody_pushes, count_writer, err);
}

void ofs_local_end_write(struct ofs_overlay *all, struct ofs_local *s)
{
    OFS_GUARD(&all->mtx);
    s->n_writing--;
    ofs_waitlist_wake(&s->waiters);
}

int ofs_local_begin_push(struct ofs_overlay *all, struct ofs_call *call,
                         struct ofs_local *s, struct ofs_err *err)
{
    int r = pass(all, call, s, nobody_pushes, claim, err);

    if (r < 0)
        return r;
    r = pass(all, call, s, nobody_writes, nothing, err);
    if (r < 0)
        ofs_local_end_push(all, s);
    return r;
}

void ofs_local_end_push(struct ofs_overlay *all, struct ofs_local *s)
{
    OFS_GUARD(&all->mtx);
    s->pushing = false;
    ofs_waitlist_wake(&s->waiters);
}
