/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lru.h"

enum { ROOM = 16, OFFERED = 1000 };

static struct ofs_lru_item item(int64_t used_s, uint64_t bytes)
{
    return (struct ofs_lru_item){ .used_s = used_s, .bytes = bytes };
}

static void the_oldest_are_remembered_whatever_the_order(void **state)
{
    static const int64_t steps[] = { 1, 7, 999, 333 }; /* prime to 1000 */

    (void)state;
    for (size_t s = 0; s < OFS_COUNT_OF(steps); s++) {
        struct ofs_lru_item items[ROOM];
        struct ofs_lru l = { .items = items, .room = ROOM };

        for (int64_t i = 0; i < OFFERED; i++) {
            struct ofs_lru_item one = item(i * steps[s] % OFFERED, 1);

            ofs_lru_offer(&l, &one);
        }
        ofs_lru_sort(&l);
        assert_int_equal(l.n, ROOM);
        for (int64_t i = 0; i < ROOM; i++)
            assert_int_equal(items[i].used_s, i);
    }
}

static void of_one_age_the_larger_goes_first(void **state)
{
    struct ofs_lru_item items[ROOM];
    struct ofs_lru l = { .items = items, .room = ROOM };
    struct ofs_lru_item small = item(5, 10), large = item(5, 20);

    (void)state;
    ofs_lru_offer(&l, &small);
    ofs_lru_offer(&l, &large);
    ofs_lru_sort(&l);
    assert_int_equal(items[0].bytes, 20);
}

static void without_items_there_is_nothing(void **state)
{
    struct ofs_lru l = { 0 };
    struct ofs_lru_item one = item(1, 1);

    (void)state;
    ofs_lru_offer(&l, &one);
    ofs_lru_sort(&l);
    assert_int_equal(l.n, 0);
}

static void excess_is_what_limits_say(void **state)
{
    static const struct {
        const char *label;
        uint64_t used, max, disk, disk_free;
        unsigned min_free_pct;
        uint64_t excess;
    } cases[] = {
        { "no limits", 500, 0, 1000, 0, 0, 0 },
        { "below the limit", 940, 1000, 9999, 9999, 0, 0 },
        { "near the limit", 960, 1000, 9999, 9999, 0, 60 },
        { "beyond the limit", 1500, 1000, 9999, 9999, 0, 600 },
        { "room on disk", 500, 0, 1000, 200, 10, 0 },
        { "disk nearly low", 500, 0, 1000, 104, 10, 6 },
        { "disk low", 500, 0, 1000, 50, 10, 60 },
        { "disk low by others", 30, 0, 1000, 50, 10, 30 },
        { "both, limit more", 960, 1000, 1000, 90, 10, 60 },
        { "both, disk more", 960, 1000, 1000, 10, 10, 100 },
        { "no overflow", UINT64_MAX / 2, UINT64_MAX / 4, UINT64_MAX, UINT64_MAX,
          10, UINT64_MAX / 2 - UINT64_MAX / 40 * 9 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        uint64_t got =
            ofs_lru_excess(cases[i].used, cases[i].max, cases[i].disk,
                           cases[i].disk_free, cases[i].min_free_pct);
        uint64_t off = got > cases[i].excess ? got - cases[i].excess
                                             : cases[i].excess - got;

        if (off > (cases[i].used >> 40)) /* rounding of huge numbers */
            fail_msg("%s: %llu", cases[i].label, (unsigned long long)got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_are_remembered_whatever_the_order),
        cmocka_unit_test(of_one_age_the_larger_goes_first),
        cmocka_unit_test(without_items_there_is_nothing),
        cmocka_unit_test(excess_is_what_limits_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
