/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CLOCK_H
#define OFS_CLOCK_H

/*
 * Time.  Milliseconds of the monotonic clock for everything that lasts,
 * seconds since 1970 for what is shown.  Modules with a time to live take a
 * `const struct ofs_clock *` so that tests own time; thread-safe.
 */

#include <stdint.h>

struct ofs_clock {
    int64_t (*mono_ms)(const struct ofs_clock *clock);
};

extern const struct ofs_clock ofs_system_clock;

int64_t ofs_mono_ms(void);
int64_t ofs_wall_s(void);

/*
 * Seconds since 1970 of an RFC 3339 time ("2026-01-05T21:31:40.123Z", with
 * offset or Z; fractions are dropped) or of an HTTP date (RFC 9110, 5.6.7,
 * IMF-fixdate only).  0 and *ret_s, or -EBADMSG.  Pure.
 */
int ofs_time_parse(const char *text, int64_t *ret_s);
/* "2026-01-05T21:31:40Z" into `text`, "" of no such time; returns it. */
const char *ofs_time_format(int64_t s, char text[32]);

#endif
