/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_READINGS_H
#define OFS_READINGS_H

/*
 * Which index.json somebody has read last.  Who writes one hands back the
 * entries that he has read; without knowing those nobody could tell an old
 * entry from a wish to move a tag back.  Thread-safe.
 */

#include "repo_state.h"

/* Who reads or writes: a thread (0: not known) and its process. */
struct ofs_reader {
    int thread, process;
};

/* `bytes` NULL: what he has read counts no more, as he has written since. */
void ofs_reading_note(struct ofs_repo *repo, const struct ofs_reader *who,
                      struct ofs_bytes *bytes);
/* What the thread has read, else another one of its process: with a reference;
 * NULL: nothing, or others have read since. */
struct ofs_bytes *ofs_reading_get(struct ofs_repo *repo,
                                  const struct ofs_reader *who);

#endif
