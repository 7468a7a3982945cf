/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/backoff.h"

static void each_failure_doubles_the_pause(void **state)
{
    static const struct {
        unsigned n;
        double jitter;
        int64_t want_ms;
    } rows[] = {
        { 1, 1, 100 },         { 2, 1, 200 }, { 5, 1, 1600 },  { 6, 1, 2500 },
        { UINT_MAX, 1, 2500 }, { 1, 0, 50 },  { 3, 0.5, 300 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(ofs_backoff_ms(100, 2500, rows[i].n, rows[i].jitter),
                         rows[i].want_ms);
}

static void chance_is_less_than_one(void **state)
{
    double sum = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        double c = ofs_chance();

        assert_true(c >= 0 && c < 1);
        sum += c;
    }
    assert_true(sum > 100 && sum < 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_doubles_the_pause),
        cmocka_unit_test(chance_is_less_than_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
