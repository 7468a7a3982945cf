/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OUTCOME_H
#define OFS_OUTCOME_H

/* What a failure means for what was asked.  Pure. */

#include <stdbool.h>
#include <stdint.h>

/*
 * Is it the answer, so that to try again later is of no use?  The other kind
 * is the network's, the disk's or Ctrl-C, and the job stays pending.
 */
bool ofs_outcome_is_final(int code);

/* How long to wait before the n-th (from 0) round of trying again, ms. */
int64_t ofs_outcome_pause_ms(unsigned n);

#endif
