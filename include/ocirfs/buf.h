/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BUF_H
#define OFS_BUF_H

/*
 * A byte buffer with a limit given at the start that remembers its first
 * failure: append without looking, look once at the end.  Not thread-safe.
 */

#include "ocirfs/err.h"

#include <stdarg.h>
#include <stddef.h>

struct ofs_buf {
    char *data;   /* owned; NUL-terminated beyond len once anything is in */
    size_t len;   /* bytes */
    size_t room;  /* bytes allocated */
    size_t limit; /* most bytes it may hold */
    int failed;   /* 0, -ENOMEM or -EFBIG: the first failure */
};

#define OFS_BUF_INIT(max)                                                      \
    {                                                                          \
        .limit = (max)                                                         \
    }

void ofs_buf_init(struct ofs_buf *b, size_t limit);
void ofs_buf_done(struct ofs_buf *b);  /* frees; leaves it empty */
void ofs_buf_wipe(struct ofs_buf *b);  /* the same for secrets */
void ofs_buf_reset(struct ofs_buf *b); /* empty again, memory kept */

/* 0, or b->failed; after a failure nothing is added any more. */
int ofs_buf_add(struct ofs_buf *b, const void *data, size_t len);
int ofs_buf_adds(struct ofs_buf *b, const char *text);
int ofs_buf_addc(struct ofs_buf *b, char c);
int ofs_buf_addf(struct ofs_buf *b, const char *fmt, ...) OFS_PRINTF(2, 3);

/* Without the white space at its end. */
void ofs_buf_trim(struct ofs_buf *b);

/* The text so far; "" when empty.  Borrowed until the next call on b. */
const char *ofs_buf_str(const struct ofs_buf *b);

/* The text moves to the caller (free()); NULL when the buffer has failed. */
char *ofs_buf_take(struct ofs_buf *b);

#define OFS_AUTOBUF OFS_AUTO(ofs_buf_done)

#endif
