/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SECRET_H
#define OFS_SECRET_H

/*
 * A password, token or key: lives in memory only, is wiped when it goes, and
 * has no way to be printed.  Not thread-safe.
 */

#include "ocirfs/err.h"

#include <stddef.h>

struct ofs_secret {
    char *text; /* owned; NUL-terminated; NULL: none */
    size_t len; /* bytes */
};

/* Copies; what was there before is wiped.  0 or -ENOMEM. */
int ofs_secret_set(struct ofs_secret *s, const char *text,
                   size_t len) OFS_MUST_CHECK;
void ofs_secret_done(struct ofs_secret *s); /* wipes, leaves it empty */

/* Wipe memory so that the compiler cannot leave it out. */
void ofs_wipe(void *data, size_t len);

/* Wipe and free a string; NULL is nothing. */
void ofs_wipe_free(char *text);

static inline void ofs_wipe_freep(char **text)
{
    ofs_wipe_free(*text);
}

#define OFS_AUTOSECRET   OFS_AUTO(ofs_secret_done)
#define OFS_AUTOWIPEFREE OFS_AUTO(ofs_wipe_freep)

#endif
