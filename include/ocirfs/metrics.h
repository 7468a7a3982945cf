/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_METRICS_H
#define OFS_METRICS_H

/*
 * Counters and gauges with static registration.  A module defines
 *
 *     static struct ofs_metric hits =
 *         OFS_COUNTER("ocirfs_store_hits_total", "Chunks served from disk.");
 *
 * and adds to it; nothing else is to be done.  Adding is one relaxed atomic
 * operation, from any thread.  Status, /.ocirfs/metrics and tests read the
 * same numbers.  Source of the text form: Prometheus exposition format 0.0.4.
 */

#include "ocirfs/buf.h"

#include <stdatomic.h>
#include <stdint.h>

struct ofs_metric {
    const char *name; /* may carry labels: name{code="404"} */
    const char *help;
    const char *type; /* "counter" or "gauge" */
    _Atomic int64_t value;
    atomic_bool listed; /* joined the list at its first use */
    struct ofs_metric *next;
};

#define OFS_COUNTER(metric_name, metric_help)                                  \
    {                                                                          \
        .name = (metric_name), .help = (metric_help), .type = "counter"        \
    }
#define OFS_GAUGE(metric_name, metric_help)                                    \
    {                                                                          \
        .name = (metric_name), .help = (metric_help), .type = "gauge"          \
    }

void ofs_metric_add(struct ofs_metric *m, int64_t n);
void ofs_metric_set(struct ofs_metric *m, int64_t value);
int64_t ofs_metric_get(const char *name); /* 0 when never used */

/* All metrics used so far, sorted by name, as Prometheus text. */
int ofs_metrics_dump(struct ofs_buf *b);

#endif
