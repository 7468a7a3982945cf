/* SPDX-License-Identifier: Apache-2.0 */
#include "failures.h"

struct ofs_failure {
    struct ofs_spot spot;
    char text[sizeof(((struct ofs_err *)NULL)->text)];
};

int ofs_failures_init(struct ofs_tree *t)
{
    ofs_mutex_init(&t->failures.mtx, OFS_RANK_NODE);
    return 0;
}

void ofs_failures_done(struct ofs_tree *t)
{
    for (size_t i = 0; i < OFS_FAILURES; i++)
        free(t->failures.at[i]);
    ofs_mutex_done(&t->failures.mtx);
}

static bool is_of(const struct ofs_failure *f, const struct ofs_spot *spot)
{
    return f && f->spot.dir == spot->dir &&
           strcmp(f->spot.name, spot->name) == 0;
}

/* With failures.mtx held: out of the ring; NULL: not in it. */
static struct ofs_failure *take(struct ofs_tree *t, const struct ofs_spot *spot)
{
    for (size_t i = 0; i < OFS_FAILURES; i++)
        if (is_of(t->failures.at[i], spot))
            return ofs_take(&t->failures.at[i]);
    return NULL;
}

void ofs_failure_note(struct ofs_tree *t, const struct ofs_spot *spot,
                      const struct ofs_err *err)
{
    OFS_AUTOFREE struct ofs_failure *same = NULL, *oldest = NULL;
    struct ofs_failure *fresh = malloc(sizeof(*fresh));

    ofs_nodes_set_error(&t->nodes, spot->dir, err->text);
    if (!fresh)
        return;
    fresh->spot = *spot;
    memcpy(fresh->text, err->text, sizeof(fresh->text));

    OFS_GUARD(&t->failures.mtx);
    same = take(t, spot);
    oldest = t->failures.at[t->failures.next];
    t->failures.at[t->failures.next] = fresh;
    t->failures.next = (t->failures.next + 1) % OFS_FAILURES;
}

void ofs_failure_clear(struct ofs_tree *t, const struct ofs_spot *spot)
{
    OFS_AUTOFREE struct ofs_failure *gone = NULL;

    OFS_GUARD(&t->failures.mtx);
    gone = take(t, spot);
}

char *ofs_failure_get(struct ofs_tree *t, const struct ofs_spot *spot)
{
    OFS_GUARD(&t->failures.mtx);
    for (size_t i = 0; i < OFS_FAILURES; i++)
        if (is_of(t->failures.at[i], spot))
            return strdup(t->failures.at[i]->text);
    return NULL;
}
