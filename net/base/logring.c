/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last errors and warnings, for people who cannot read the system's log.
 * A fixed ring of fixed lines: trouble must not need memory.
 */
#include "logring.h"

#include "ocirfs/clock.h"
#include "ocirfs/lock.h"

#include <stdint.h>
#include <time.h>

enum { RING_LINES = 64, RING_LINE_BYTES = 1024 };

struct line {
    int64_t at_s; /* wall clock; 0: never used */
    const char *level;
    char text[RING_LINE_BYTES];
};

static struct ofs_mutex mtx = OFS_MUTEX_INIT(OFS_RANK_LOG);
static struct line ring[RING_LINES]; /* guarded by mtx */
static unsigned n_added;             /* guarded by mtx */

void ofs_logring_add(const char *level, const char *text)
{
    int64_t now_s = ofs_wall_s();

    OFS_GUARD(&mtx);
    struct line *l = &ring[n_added++ % RING_LINES];

    l->at_s = now_s;
    l->level = level;
    (void)snprintf(l->text, sizeof(l->text), "%s", text);
}

static void add_line(const struct line *l, struct ofs_buf *b)
{
    time_t at = (time_t)l->at_s;
    char when[32] = "";
    struct tm tm;

    if (gmtime_r(&at, &tm))
        (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    (void)ofs_buf_addf(b, "%s %s %s\n", when, l->level, l->text);
}

int ofs_logring_dump(struct ofs_buf *b)
{
    OFS_GUARD(&mtx);
    for (unsigned i = 0; i < RING_LINES; i++) {
        const struct line *l = &ring[(n_added + i) % RING_LINES];

        if (l->at_s)
            add_line(l, b);
    }
    return b->failed;
}
