/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "known.h"
#include "sending.h"

#include <stdio.h>

static void a_rate_is_that_of_the_last_seconds(void **state)
{
    static const struct {
        int64_t at_ms;
        uint64_t bytes, rate;
    } steps[] = {
        { 0, 0, 0 },          { 500, 500, 1000 },
        { 1000, 3000, 3000 }, { 2000, 6000, 3000 }, /* marks 2000 */
        { 3000, 6000, 2000 },                       /* still from 0 */
        { 4000, 8000, 2000 },                       /* marks 4000 */
        { 5000, 8000, 666 },                        /* from 2000 on */
        { 6000, 0, 0 },                             /* began anew */
        { 7000, 1000, 333 },
    };
    struct ofs_pace p;

    (void)state;
    ofs_pace_start(&p, 0);
    for (size_t i = 0; i < OFS_COUNT_OF(steps); i++)
        assert_int_equal(ofs_pace_rate(&p, steps[i].at_ms, steps[i].bytes),
                         steps[i].rate);
}

static void count(void *arg, const struct ofs_sent *sent)
{
    *(uint64_t *)arg += sent->sent;
}

static void who_sends_is_listed(void **state)
{
    struct ofs_senders l;
    struct ofs_sender a = { .repo = "a" }, b = { .repo = "b" };
    uint64_t sum = 0;

    (void)state;
    ofs_senders_init(&l, &ofs_system_clock);
    ofs_senders_add(&l, &a);
    ofs_senders_add(&l, &b);
    a.size = 10;
    a.sent = 3;
    b.size = 5;
    b.sent = 9; /* never more than there is */
    ofs_senders_each(&l, count, &sum);
    assert_int_equal(sum, 8);
    ofs_senders_remove(&l, &b);
    sum = 0;
    ofs_senders_each(&l, count, &sum);
    assert_int_equal(sum, 3);
    ofs_senders_remove(&l, &a);
    ofs_senders_done(&l);
}

static void what_is_known_is_bounded(void **state)
{
    struct ofs_known k;
    struct ofs_digest d = { .alg = OFS_SHA256 };

    (void)state;
    assert_int_equal(ofs_known_init(&k), 0);
    ofs_known_add(&k, "app", &d, false);
    assert_true(ofs_known_has(&k, "app", &d, false));
    assert_false(ofs_known_has(&k, "app", &d, true));
    assert_false(ofs_known_has(&k, "ap", &d, false));
    for (int i = 0; i < 60000; i++) {
        memcpy(d.bytes, &i, sizeof(i));
        ofs_known_add(&k, "app", &d, true);
        assert_true(ofs_known_has(&k, "app", &d, true));
    }
    assert_in_range(ofs_map_count(k.map), 1, 50000);
    ofs_known_forget(&k);
    assert_false(ofs_known_has(&k, "app", &d, true));
    ofs_known_done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_that_of_the_last_seconds),
        cmocka_unit_test(who_sends_is_listed),
        cmocka_unit_test(what_is_known_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
