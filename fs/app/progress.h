/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PROGRESS_H
#define OFS_PROGRESS_H

/*
 * A transfer as a line: of .ocirfs/transfers, which programs read, and on a
 * screen, with a bar.  Pure.
 */

#include "ocirfs/str.h"

#include <stdbool.h>
#include <stdint.h>

struct ofs_progress {
    bool up;
    uint64_t done, size; /* bytes; done may be more than size for a moment */
    uint64_t rate_bytes; /* per second; 0: nothing moves, or not known yet */
    char what[160];      /* a digest, a tag, or "a blob" */
    char where[256];     /* the repository */
};

/*
 * "down done=N size=N rate=N what=sha256:... where=prod/app": one line, always
 * in this order, `what` without spaces.  New words may come before `where`,
 * which ends the line; parse skips what it does not know.
 */
int ofs_progress_print(const struct ofs_progress *p, struct ofs_buf *b);
/* `line` has no newline.  -EBADMSG. */
int ofs_progress_parse(const char *line,
                       struct ofs_progress *ret) OFS_MUST_CHECK;

/* "7s", "3m20s", "2h05m", "4d03h" until all is done; "" when not known. */
const char *ofs_progress_left(const struct ofs_progress *p, char text[16]);

/*
 * For people: a line of at most `columns` with its newline.  What does not fit
 * is left out, the least telling first; the name, at the end, is cut.  0: not
 * for a screen, so no bar, and nothing left out.
 */
int ofs_progress_draw(const struct ofs_progress *p, unsigned columns,
                      struct ofs_buf *b);

#endif
