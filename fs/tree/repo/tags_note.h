/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TAGS_NOTE_H
#define OFS_TAGS_NOTE_H

/* A repository's tags as a note on disk, for a day when the registry is away. */

#include "ocirfs/buf.h"

#include "repo.h"

/* With repo.mtx held. */
int ofs_note_format_tags(const struct ofs_repo *repo, struct ofs_buf *b);
int ofs_note_parse_tags(const char *text, size_t len, struct ofs_repo *repo);

/* Write the repository's note when it has changed and is not too young. */
void ofs_note_tags(struct ofs_repos *repos, struct ofs_repo *repo, bool now);
void ofs_note_load_tags(struct ofs_repos *repos, struct ofs_repo *repo);

#endif
