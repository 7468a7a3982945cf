/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ERRCLASS_H
#define OFS_ERRCLASS_H

/* What a negative errno says, whatever has failed: the table of the program. */

#include <stdbool.h>

enum ofs_errclass {
    OFS_ERR_SILENT = 1,   /* no answer was had at all: network, time-out, TLS */
    OFS_ERR_BROKEN = 2,   /* or not the whole of one */
    OFS_ERR_AWAY = 4,     /* or none that says anything of what was asked */
    OFS_ERR_OWN = 8,      /* the caller's own affair, not that of the asked */
    OFS_ERR_ANSWER = 16,  /* an answer: the same again would bring the same */
    OFS_ERR_REFUSAL = 32, /* an answer that it is not for us */
    OFS_ERR_ORDINARY = 64, /* part of ordinary life, and nobody's trouble */
    OFS_ERR_SHOWN = 128,   /* a program can make sense of it; others are EIO */
};

/* Is `code`, 0 or negative, of one of these? */
bool ofs_err_is(int code, unsigned classes);

#endif
