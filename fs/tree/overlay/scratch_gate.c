/* SPDX-License-Identifier: Apache-2.0 */
/* Either written or pushed. */
#include "scratch_priv.h"

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
