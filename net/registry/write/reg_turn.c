/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_turn.h"

static bool is_taken(const struct ofs_registry *r, const char *repo)
{
    const struct reg_turn *t = r->turns;

    while (t && strcmp(t->repo, repo) != 0)
        t = t->next;
    return t;
}

/* Take it, or join those who wait. */
static bool take_or_join(struct reg_turn *t, struct ofs_registry *r,
                         const char *repo, struct ofs_waiter *me)
{
    OFS_GUARD(&r->mtx);
    if (is_taken(r, repo)) {
        ofs_waitlist_add(&r->turn_waiters, me);
        return false;
    }
    *t = (struct reg_turn){ .next = r->turns, .repo = repo, .r = r };
    r->turns = t;
    return true;
}

int ofs_reg_turn_take(struct reg_turn *t, struct ofs_registry *r,
                      struct ofs_call *call, const char *repo,
                      struct ofs_err *err)
{
    struct ofs_waiter me = { .call = call };

    while (!take_or_join(t, r, repo, &me)) {
        int e = ofs_call_sleep(call, err);

        {
            OFS_GUARD(&r->mtx);
            ofs_waitlist_remove(&r->turn_waiters, &me);
        }
        if (e < 0)
            return e;
    }
    return 0;
}

void ofs_reg_turn_leave(struct reg_turn *t)
{
    struct reg_turn **at;

    if (!t->repo)
        return;
    OFS_GUARD(&t->r->mtx);
    for (at = &t->r->turns; *at != t; at = &(*at)->next)
        ;
    *at = t->next;
    t->repo = NULL;
    ofs_waitlist_wake(&t->r->turn_waiters);
}
