/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/clock.h"

#include "ocirfs/cleanup.h"

#include <errno.h>
#include <time.h>

static const struct {
    const char *text;
    int want;
    int64_t s;
} rows[] = {
    { "1970-01-01T00:00:00Z", 0, 0 },
    { "2026-01-05T21:31:40.123Z", 0, 1767648700 },
    { "2026-01-05T21:31:40.123456789Z", 0, 1767648700 },
    { "2026-01-05T22:31:40+01:00", 0, 1767648700 },
    { "2026-01-05T18:31:40-03:00", 0, 1767648700 },
    { "2026-01-06T03:01:40+05:30", 0, 1767648700 },
    { "2026-01-05t21:31:40z", 0, 1767648700 },
    { "2000-02-29T12:00:00Z", 0, 951825600 },
    { "2024-02-29T00:00:00Z", 0, 1709164800 },
    { "2016-12-31T23:59:60Z", 0, 1483228800 },
    { "1969-12-31T23:59:59Z", 0, -1 },
    { "1900-03-01T00:00:00Z", 0, -2203891200 },
    { "0001-01-01T00:00:00Z", 0, -62135596800 },
    { "0000-01-01T00:00:00Z", 0, -62167219200 },
    { "0000-03-01T00:00:00Z", 0, -62162035200 },
    { "9999-12-31T23:59:59Z", 0, 253402300799 },
    { "Sun, 06 Nov 1994 08:49:37 GMT", 0, 784111777 },
    { "Mon, 05 Jan 2026 21:31:40 GMT", 0, 1767648700 },

    { "", -EBADMSG, 0 },
    { "2026", -EBADMSG, 0 },
    { "2026-01-05", -EBADMSG, 0 },
    { "2026-01-05T21:31:40", -EBADMSG, 0 },
    { "2026-01-05 21:31:40Z", -EBADMSG, 0 },
    { "2026-01-05T21:31:40ZZ", -EBADMSG, 0 },
    { "2026-01-05T21:31:40.Z", -EBADMSG, 0 },
    { "2026-01-05T21:31:40.1", -EBADMSG, 0 },
    { "2026-01-05T21:31:40+1:00", -EBADMSG, 0 },
    { "2026-01-05T21:31:40+0100", -EBADMSG, 0 },
    { "2026-01-05T21:31:40+24:00", -EBADMSG, 0 },
    { "2026-01-05T21:31:40+01:60", -EBADMSG, 0 },
    { "2026-1-5T21:31:40Z", -EBADMSG, 0 },
    { "2026-00-05T21:31:40Z", -EBADMSG, 0 },
    { "2026-13-05T21:31:40Z", -EBADMSG, 0 },
    { "2026-01-00T21:31:40Z", -EBADMSG, 0 },
    { "2026-01-32T21:31:40Z", -EBADMSG, 0 },
    { "2023-02-29T00:00:00Z", -EBADMSG, 0 },
    { "1900-02-29T00:00:00Z", -EBADMSG, 0 },
    { "2026-04-31T00:00:00Z", -EBADMSG, 0 },
    { "2026-01-05T24:00:00Z", -EBADMSG, 0 },
    { "2026-01-05T23:60:00Z", -EBADMSG, 0 },
    { "2026-01-05T23:59:61Z", -EBADMSG, 0 },
    { "-2026-01-05T23:59:59Z", -EBADMSG, 0 },
    { "Sun, 6 Nov 1994 08:49:37 GMT", -EBADMSG, 0 },
    { "Sun, 06 Nov 1994 08:49:37", -EBADMSG, 0 },
    { "Sun, 06 Nov 1994 08:49:37 UTC", -EBADMSG, 0 },
    { "Sun, 06 Nov 1994 08:49:37 GMT ", -EBADMSG, 0 },
    { "Sun, 06 Foo 1994 08:49:37 GMT", -EBADMSG, 0 },
    { "Xyz, 06 Nov 1994 08:49:37 GMT", -EBADMSG, 0 },
    { "Sunday, 06-Nov-94 08:49:37 GMT", -EBADMSG, 0 },
    { "Sun Nov  6 08:49:37 1994", -EBADMSG, 0 },
    { "Thu, 31 Apr 2026 08:49:37 GMT", -EBADMSG, 0 },
};

static void times_are_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        int64_t s = 42;
        int r = ofs_time_parse(rows[i].text, &s);

        if (r != rows[i].want || s != (r ? 42 : rows[i].s))
            fail_msg("'%s': %d, %lld", rows[i].text, r, (long long)s);
    }
}

/* Each day of 800 years, which is twice what the calendar takes to repeat. */
static void days_agree_with_the_c_library(void **state)
{
    const int64_t day = 24 * 60 * 60;

    (void)state;
    for (int64_t want = -146097 * day; want < 146097 * day; want += day) {
        time_t t = want;
        struct tm tm;
        char text[32];
        int64_t got = 1;

        assert_non_null(gmtime_r(&t, &tm));
        assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm));
        if (ofs_time_parse(text, &got) < 0 || got != want)
            fail_msg("%s: %lld", text, (long long)got);
    }
}

static void the_clocks_go_on(void **state)
{
    int64_t before = ofs_mono_ms();

    (void)state;
    assert_true(ofs_system_clock.mono_ms(&ofs_system_clock) >= before);
    assert_true(ofs_wall_s() > 1700000000);
}

static void times_are_written_as_they_are_read(void **state)
{
    static const int64_t times[] = { 0, 1, 951782400, 1767648700,
                                     253370764800 };
    char text[32];
    int64_t s;

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        assert_int_equal(ofs_time_parse(ofs_time_format(times[i], text), &s),
                         0);
        assert_int_equal(s, times[i]);
    }
    assert_string_equal(ofs_time_format(1767648700, text),
                        "2026-01-05T21:31:40Z");
    assert_string_equal(ofs_time_format(INT64_MAX, text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_strictly),
        cmocka_unit_test(days_agree_with_the_c_library),
        cmocka_unit_test(times_are_written_as_they_are_read),
        cmocka_unit_test(the_clocks_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
