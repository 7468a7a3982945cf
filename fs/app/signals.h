/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SIGNALS_H
#define OFS_SIGNALS_H

/*
 * Signals whose default is to end the process.  A file system that ends
 * without unmounting leaves a dead mount point to everybody, so each signal
 * either does nothing or unmounts.
 */

#include <stdbool.h>

/*
 * Before the first thread and for the whole process.  Ignored: what log
 * rotation, timers, resource limits and other people's scripts send.  SIGQUIT
 * of a terminal (`foreground`) unmounts as SIGINT does.  SIGHUP, SIGINT and
 * SIGTERM are the session's.
 */
void ofs_signals_tame(bool foreground);

#endif
