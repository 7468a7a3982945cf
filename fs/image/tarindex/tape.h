/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TAPE_H
#define OFS_TAPE_H

/*
 * A buffer before the stream that an archive comes from.
 */

#include "ocirfs/err.h"

#include <stdbool.h>
#include <stddef.h>

struct ofs_tape {
    int (*read)(void *arg, void *buf, size_t len, size_t *ret_n,
                struct ofs_err *err);
    void *arg;
    struct ofs_err *err;
    uint8_t *buf; /* owned */
    size_t at, len;
    uint64_t off; /* bytes that were taken */
    bool ended;
};

int ofs_tape_init(struct ofs_tape *t)
    OFS_MUST_CHECK; /* read, arg, err are set */
void ofs_tape_done(struct ofs_tape *t);

/* `len` bytes; *ret_n is less only at the end. */
int ofs_tape_read(struct ofs_tape *t, void *to, size_t len,
                  size_t *ret_n) OFS_MUST_CHECK;
/* All of them, else -EBADMSG. */
int ofs_tape_full(struct ofs_tape *t, void *to, size_t len) OFS_MUST_CHECK;
int ofs_tape_skip(struct ofs_tape *t, uint64_t len) OFS_MUST_CHECK;
int ofs_tape_drain(struct ofs_tape *t) OFS_MUST_CHECK; /* to its end */

#endif
