/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OUTCOME_H
#define OFS_OUTCOME_H

/* What a failure means for what was asked.  Pure. */

#include <stdbool.h>
#include <stdint.h>

enum { OFS_OUTCOME_FIRST_PAUSE_MS = 5 * 1000 };

enum ofs_outcome {
    OFS_OUTCOME_REFUSED, /* that is the answer, and nothing stays */
    OFS_OUTCOME_RETRY,   /* it may be well again soon: it is tried again */
    OFS_OUTCOME_KEPT,    /* it stays for the next mount */
};

/*
 * `acknowledged`: somebody was told that it will be done.  Then it is not
 * dropped for any answer, and what a new login or more room would heal is
 * tried again.  Else Ctrl-C means that nobody goes on with it in this mount.
 */
enum ofs_outcome ofs_outcome_of(int code, bool acknowledged);

/* How long to wait after the n-th (from 0) failure, ms.  `asked_ms`: what the
 * registry has asked for; not positive: nothing. */
int64_t ofs_outcome_pause_ms(int64_t first_ms, unsigned n, int64_t asked_ms);

#endif
