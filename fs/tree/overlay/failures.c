/* SPDX-License-Identifier: Apache-2.0 */
#include "failures.h"

struct ofs_failure {
    struct ofs_spot spot;
    char text[OFS_ERR_LINE_MAX];
};

int ofs_failures_init(struct ofs_failures *all, struct ofs_nodes *nodes)
{
    all->nodes = nodes;
    ofs_mutex_init(&all->mtx, OFS_RANK_NODE);
    return 0;
}

void ofs_failures_done(struct ofs_failures *all)
{
    for (size_t i = 0; i < OFS_FAILURES; i++)
        free(all->at[i]);
    ofs_mutex_done(&all->mtx);
}

static bool is_of(const struct ofs_failure *f, const struct ofs_spot *spot)
{
    return f && f->spot.dir == spot->dir &&
           strcmp(f->spot.name, spot->name) == 0;
}

/* With failures.mtx held: out of the ring; NULL: not in it. */
static struct ofs_failure *take(struct ofs_failures *all,
                                const struct ofs_spot *spot)
{
    for (size_t i = 0; i < OFS_FAILURES; i++)
        if (is_of(all->at[i], spot))
            return ofs_take(&all->at[i]);
    return NULL;
}

void ofs_failure_note(struct ofs_failures *all, const struct ofs_spot *spot,
                      const struct ofs_err *err)
{
    OFS_AUTOFREE struct ofs_failure *same = NULL, *oldest = NULL;
    struct ofs_failure *fresh = malloc(sizeof(*fresh));
    char line[OFS_ERR_LINE_MAX];

    ofs_nodes_set_error(all->nodes, spot->dir, ofs_err_line(err, line));
    if (!fresh)
        return;
    fresh->spot = *spot;
    memcpy(fresh->text, line, sizeof(fresh->text));

    OFS_GUARD(&all->mtx);
    same = take(all, spot);
    oldest = all->at[all->next];
    all->at[all->next] = fresh;
    all->next = (all->next + 1) % OFS_FAILURES;
}

void ofs_failure_clear(struct ofs_failures *all, const struct ofs_spot *spot)
{
    OFS_AUTOFREE struct ofs_failure *gone = NULL;

    OFS_GUARD(&all->mtx);
    gone = take(all, spot);
}

char *ofs_failure_get(struct ofs_failures *all, const struct ofs_spot *spot)
{
    OFS_GUARD(&all->mtx);
    for (size_t i = 0; i < OFS_FAILURES; i++)
        if (is_of(all->at[i], spot))
            return strdup(all->at[i]->text);
    return NULL;
}
