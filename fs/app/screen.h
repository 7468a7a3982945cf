/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SCREEN_H
#define OFS_SCREEN_H

/*
 * Standard output: a terminal on which the same lines are drawn again and
 * again, or a file, a pipe or a dumb terminal, where each goes below the last.
 */

#include "ocirfs/buf.h"

#include <stdbool.h>

struct ofs_screen {
    int fd;
    bool redraws;
    unsigned columns, rows; /* when it redraws; as of ofs_screen_measure() */
    unsigned drawn;         /* lines that the next drawing replaces */
};

/* `term` is $TERM; NULL or "dumb": it cannot be drawn on. */
void ofs_screen_init(struct ofs_screen *s, int fd, const char *term);
/* How large is it now?  A terminal that has changed is cleared. */
void ofs_screen_measure(struct ofs_screen *s);
/* Replace what was shown last, or add to it.  -errno of write(). */
int ofs_screen_show(struct ofs_screen *s, const char *text,
                    struct ofs_err *err) OFS_MUST_CHECK;

/*
 * The lines of `text` that fit: `columns` characters of UTF-8 each, `rows`
 * lines in all; when there are more, the last one tells how many.  Pure.
 */
int ofs_screen_fit(const char *text, unsigned columns, unsigned rows,
                   struct ofs_buf *b);

#endif
