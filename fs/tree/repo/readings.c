/* SPDX-License-Identifier: Apache-2.0 */
#include "readings.h"

/* With repo.mtx held; NULL: none of that thread. */
static struct ofs_reading *of_thread(struct ofs_repo *repo, int thread)
{
    for (size_t i = 0; i < OFS_READINGS; i++)
        if (repo->readings[i].thread == thread)
            return &repo->readings[i];
    return NULL;
}

/* With repo.mtx held: the last one of that process; NULL: none. */
static struct ofs_reading *of_process(struct ofs_repo *repo, int process)
{
    for (size_t i = 0; i < OFS_READINGS; i++) {
        size_t at = (repo->next_reading + OFS_READINGS - i) % OFS_READINGS;

        if (repo->readings[at].process == process)
            return &repo->readings[at];
    }
    return NULL;
}

/* With repo.mtx held: the one that is overwritten next. */
static struct ofs_reading *oldest(struct ofs_repo *repo)
{
    repo->next_reading = (repo->next_reading + 1) % OFS_READINGS;
    return &repo->readings[repo->next_reading];
}

void ofs_reading_note(struct ofs_repo *repo, const struct ofs_reader *who,
                      struct ofs_bytes *bytes)
{
    OFS_AUTO(ofs_bytes_unrefp) struct ofs_bytes *old = NULL;
    struct ofs_reading *slot;

    if (!who->thread)
        return;
    OFS_GUARD(&repo->mtx);
    slot = of_thread(repo, who->thread);
    if (!slot && !bytes)
        return;
    if (!slot)
        slot = oldest(repo);
    old = slot->bytes;
    *slot = (struct ofs_reading){
        .thread = who->thread,
        .process = who->process,
        .bytes = bytes ? ofs_bytes_ref(bytes) : NULL,
    };
}

struct ofs_bytes *ofs_reading_get(struct ofs_repo *repo,
                                  const struct ofs_reader *who)
{
    const struct ofs_reading *slot;

    if (!who->thread)
        return NULL;
    OFS_GUARD(&repo->mtx);
    slot = of_thread(repo, who->thread);
    if (!slot)
        slot = of_process(repo, who->process);
    return slot && slot->bytes ? ofs_bytes_ref(slot->bytes) : NULL;
}
