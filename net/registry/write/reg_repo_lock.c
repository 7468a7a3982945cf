/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_repo_lock.h"

static bool is_taken(const struct ofs_registry *r, const char *repo)
{
    const struct reg_repo_lock *t = r->turns;

    while (t && strcmp(t->repo, repo) != 0)
        t = t->next;
    return t;
}

struct wish {
    struct reg_repo_lock *turn;
    struct ofs_registry *r;
    const char *repo;
};

static bool take_if_free(void *arg)
{
    const struct wish *w = arg;

    if (is_taken(w->r, w->repo))
        return false;
    *w->turn = (struct reg_repo_lock){ .next = w->r->turns,
                                       .repo = w->repo,
                                       .r = w->r };
    w->r->turns = w->turn;
    return true;
}

int ofs_reg_repo_lock_take(struct reg_repo_lock *t, struct ofs_registry *r,
                           struct ofs_call *call, const char *repo,
                           struct ofs_err *err)
{
    struct wish wish = { .turn = t, .r = r, .repo = repo };

    return ofs_waitlist_wait(&r->turn_waiters, &r->mtx, call, take_if_free,
                             &wish, err);
}

void ofs_reg_repo_lock_leave(struct reg_repo_lock *t)
{
    struct reg_repo_lock **at;

    if (!t->repo)
        return;
    OFS_GUARD(&t->r->mtx);
    for (at = &t->r->turns; *at != t; at = &(*at)->next)
        ;
    *at = t->next;
    t->repo = NULL;
    ofs_waitlist_wake(&t->r->turn_waiters);
}
