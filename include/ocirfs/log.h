/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LOG_H
#define OFS_LOG_H

/*
 * The log: one line for one failure, at one level, to stderr or syslog.
 * Thread-safe; never blocks on anything but the sink.  Below fs/fuse only
 * OFS_DEBUG is used: library code returns its errors.
 *
 * Form: "store: evicted 37 blobs (148 MiB), 61% full" - module first, names
 * in single quotes, digests shortened to 12, times in ms.
 */

#include "ocirfs/buf.h"

#include <stdbool.h>

enum ofs_log_level {
    OFS_ERROR, /* the user lost something */
    OFS_WARN,  /* handled, but somebody should know */
    OFS_INFO,  /* start, stop, configuration */
    OFS_DEBUG, /* everything, with sizes and times */
};

enum ofs_log_sink {
    OFS_LOG_STDERR,
    OFS_LOG_SYSLOG, /* journald listens there */
};

/* Once at start and once after daemonising. */
void ofs_log_init(enum ofs_log_level level, enum ofs_log_sink sink);
bool ofs_log_on(enum ofs_log_level level);
void ofs_log_(enum ofs_log_level level, const char *fmt, ...) OFS_PRINTF(2, 3);

/* Arguments are not evaluated when the level is off. */
#define ofs_log(level, ...)                                                    \
    do {                                                                       \
        if (ofs_log_on(level))                                                 \
            ofs_log_((level), __VA_ARGS__);                                    \
    } while (0)

/* The last errors and warnings, oldest first, a line each.  0, or b->failed. */
int ofs_log_recent(struct ofs_buf *b);

#endif
