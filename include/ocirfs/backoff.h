/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BACKOFF_H
#define OFS_BACKOFF_H

/* How long to wait before something is tried again. */

#include <stdint.h>

/*
 * After the `n`th failure, from 1: `base_ms`, twice as much each time, at most
 * `cap_ms`.  Half of it is fixed and half of it `jitter`, [0,1), so that
 * clients spread out; 1 is all of it.
 */
int64_t ofs_backoff_ms(int64_t base_ms, int64_t cap_ms, unsigned n,
                       double jitter);

/* For jitter: not a secret, and it never fails. */
double ofs_chance(void);

#endif
