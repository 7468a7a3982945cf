/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PROCESS_H
#define OFS_PROCESS_H

/* What /proc says of other processes, as far as we may look. */

#include <stdbool.h>
#include <stdint.h>

/* The number behind `name` in `text`, digits of `base`; false: there is none.
 * Pure. */
bool ofs_process_number(const char *text, const char *name, unsigned base,
                        uint64_t *ret);

/* The process of a thread; the thread's own number where we cannot see it. */
int ofs_process_of(int thread);
/* 0: there is none, it has ended, or it is not to be seen. */
int ofs_process_parent(int process);

#endif
