/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NOTELINES_H
#define OFS_NOTELINES_H

/* The lines and words that notes are made of. */

#include "ocirfs/buf.h"

#include <stdbool.h>

enum { OFS_NOTE_MAX_BYTES = 256 * 1024 * 1024 };

/* One line as a string of its own; the rest.  False at the end. */
bool ofs_note_line(const char **text, size_t *left, struct ofs_buf *line);
/* The next word of a line, cut off in place; NULL: there is none. */
char *ofs_note_word(char **rest);
/* Could ofs_note_word() give it?  Not empty, no spaces. */
bool ofs_note_is_word(const char *s);

/*
 * A note is of whoever asked first.  Is `key` still his?  What was seen as one
 * user is not noted as another, who has signed in meanwhile.
 */
bool ofs_note_is_of(char **first, const char *key);

#endif
