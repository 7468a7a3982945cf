/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_GIVEUP_H
#define OFS_GIVEUP_H

/*
 * Does an interrupt of the kernel mean that the user gave up?  The kernel
 * sends one for any signal that reaches a waiting thread: for Ctrl-C, and for
 * those that mean nothing, like the SIGURG by which Go's runtime moves its
 * threads along.  Nobody repeats a close() that ended with EINTR.
 */

#include <stdbool.h>

struct ofs_op;
struct ofs_session;

/* Pure: is a signal on its way that ends what the thread does?  `status` is the
 * text of /proc/<thread>/status. */
bool ofs_giveup_in_status(const char *status);

/* The kernel interrupted it: end it, or watch what else comes.  On any
 * thread; `op` is waiting and not settled. */
void ofs_giveup_asked(struct ofs_op *op);

#endif
