/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FLIGHT_H
#define OFS_FLIGHT_H

/*
 * Single flight: of all threads that want the same thing at the same time one
 * does the work and the others share its result.  Nothing is remembered once
 * the work is done; the caller's cache is the memory, and the work looks there
 * first, so that a late-comer does not do it again.
 *
 * When the worker's own call is cancelled or may not wait (-EINTR, -EAGAIN)
 * or runs past its own deadline, the result is not shared: one of the waiters
 * takes over.  Thread-safe.
 */

#include "ocirfs/call.h"

struct ofs_flights;

typedef int ofs_flight_fn(struct ofs_call *call, void *arg,
                          struct ofs_err *err);

struct ofs_flights *ofs_flights_new(void);    /* NULL: no memory */
void ofs_flights_free(struct ofs_flights *f); /* no flight under way */
OFS_DEFINE_AUTO(struct ofs_flights, ofs_flights_free)

/*
 * Run `work(call, arg, err)` for `key` (any string), or wait for the thread
 * that does.  Blocks as long as the call allows; the caller holds no lock.
 * The work's result and its err, or -EINTR, -ETIMEDOUT, -EAGAIN, -ENOMEM.
 */
int ofs_flights_run(struct ofs_flights *f, const char *key,
                    struct ofs_call *call, ofs_flight_fn *work, void *arg,
                    struct ofs_err *err) OFS_MUST_CHECK;

/* How many threads wait now, over all keys (for status and tests). */
unsigned ofs_flights_waiting(struct ofs_flights *f);

#endif
