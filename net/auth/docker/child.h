/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CHILD_H
#define OFS_CHILD_H

/*
 * Run a program, give it a few bytes, take what it writes.  Made for a process
 * of many threads: nothing is inherited but the three standard descriptors,
 * SIGPIPE and SIGCHLD are left to whom they belong to, and whoever waits can
 * give up at any moment.  Thread-safe.
 */

#include "ocirfs/buf.h"
#include "ocirfs/call.h"

struct ofs_child {
    const char *program; /* a path; executed as it is, never by a shell */
    const char *name;    /* argv[0], and for messages */
    const char *arg;     /* argv[1] */
    const char *input;   /* what it reads; at most 4096 bytes */
    size_t max_output;   /* bytes */
    int64_t timeout_ms;
};

struct ofs_child_result {
    struct ofs_buf output; /* what it wrote; holds secrets, wiped by done */
    int exit_code;         /* -1: not told (signal, SIGCHLD ignored) */
    int signal;            /* that ended it; 0: none */
};

void ofs_child_result_done(struct ofs_child_result *result);
#define OFS_AUTOCHILD OFS_AUTO(ofs_child_result_done)

/*
 * Run `what` and wait for its end.  It is in a session of its own, without a
 * terminal; its standard error goes nowhere; its environment is ours.  What
 * does not end in time, writes too much, or is not waited for any more is
 * killed with all of its process group; it is reaped in each case, if need be
 * later, by a thread that outlives this call.
 *
 * -EIO it cannot be started or ran too long, -EFBIG it wrote more than
 * max_output, -EINVAL the input is too long; -EINTR, -ETIMEDOUT, -EAGAIN as
 * `call` says; -ENOMEM.  `ret` was empty before.
 */
int ofs_child_run(const struct ofs_child *what, struct ofs_call *call,
                  struct ofs_child_result *ret,
                  struct ofs_err *err) OFS_MUST_CHECK;

#endif
