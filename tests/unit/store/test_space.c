/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "space.h"

#include <errno.h>

struct world {
    struct ofs_clock clock; /* first: it is how the clock finds us */
    int64_t now_ms;
    struct ofs_disk disk;
    unsigned looks, kicks;
    struct ofs_space space;
};

static int64_t mono_ms(const struct ofs_clock *clock)
{
    return ((const struct world *)clock)->now_ms;
}

static void look(void *arg, struct ofs_disk *ret)
{
    struct world *w = arg;

    w->looks++;
    *ret = w->disk;
}

static void make_room(void *arg)
{
    struct world *w = arg;

    w->kicks++;
}

static void init(struct world *w, uint64_t max_bytes, unsigned min_free_pct)
{
    *w = (struct world){
        .clock.mono_ms = mono_ms,
        .now_ms = 1000000,
        .disk = { .size = 1000, .free = 500 },
    };
    ofs_space_init(&w->space, &(struct ofs_space_cfg){
                                  .max_bytes = max_bytes,
                                  .min_free_pct = min_free_pct,
                                  .retry_ms = 10000,
                                  .clock = &w->clock,
                                  .disk = look,
                                  .make_room = make_room,
                                  .arg = w,
                              });
}

static void without_limits_all_is_kept(void **state)
{
    struct world w;

    (void)state;
    init(&w, 0, 0);
    assert_true(ofs_space_reserve(&w.space, UINT64_MAX / 4));
    ofs_space_settle(&w.space, UINT64_MAX / 4, UINT64_MAX / 4);
    assert_true(ofs_space_is_caching(&w.space));
    assert_int_equal(w.kicks, 0);
    assert_int_equal(w.looks, 0);
}

static void nothing_goes_beyond_the_limit(void **state)
{
    struct world w;

    (void)state;
    init(&w, 1000, 0);
    assert_true(ofs_space_reserve(&w.space, 600));
    assert_false(ofs_space_reserve(&w.space, 500));
    ofs_space_settle(&w.space, 600, 100);
    assert_true(ofs_space_reserve(&w.space, 800));
    assert_false(ofs_space_reserve(&w.space, 101));
    ofs_space_settle(&w.space, 800, 800);
    assert_false(ofs_space_is_caching(&w.space));
    w.now_ms += 1000;
    assert_true(ofs_space_is_caching(&w.space));
    ofs_space_counted(&w.space, 1000);
    assert_false(ofs_space_is_caching(&w.space));
    ofs_space_counted(&w.space, 500);
    assert_true(ofs_space_reserve(&w.space, 100));
}

static void room_is_made_before_the_limit_is_reached(void **state)
{
    struct world w;

    (void)state;
    init(&w, 1000, 0);
    assert_true(ofs_space_reserve(&w.space, 900));
    assert_int_equal(w.kicks, 0);
    assert_true(ofs_space_reserve(&w.space, 60));
    assert_int_equal(w.kicks, 1);
}

static void much_that_was_added_is_counted_anew(void **state)
{
    struct world w;

    (void)state;
    init(&w, 32000, 0);
    assert_true(ofs_space_reserve(&w.space, 2000));
    ofs_space_settle(&w.space, 2000, 1000);
    assert_int_equal(w.kicks, 0);
    assert_true(ofs_space_reserve(&w.space, 10));
    ofs_space_settle(&w.space, 10, 10);
    assert_int_equal(w.kicks, 1);
    ofs_space_counted(&w.space, 1010);
    assert_true(ofs_space_reserve(&w.space, 10));
    ofs_space_settle(&w.space, 10, 10);
    assert_int_equal(w.kicks, 1);
}

static void a_low_disk_stops_caching_for_a_while(void **state)
{
    struct world w;

    (void)state;
    init(&w, 0, 10);
    assert_true(ofs_space_reserve(&w.space, 1));
    w.disk.free = 99;
    assert_false(ofs_space_reserve(&w.space, 1));
    assert_false(ofs_space_is_caching(&w.space));
    assert_int_equal(w.kicks, 1);
    w.disk.free = 500;
    w.now_ms += 9999;
    assert_false(ofs_space_reserve(&w.space, 1));
    w.now_ms += 1;
    assert_true(ofs_space_is_caching(&w.space));
    assert_true(ofs_space_reserve(&w.space, 1));
}

static void what_would_take_the_part_that_stays_free_is_not_kept(void **state)
{
    struct world w;

    (void)state;
    init(&w, 0, 10);
    assert_true(ofs_space_reserve(&w.space, 300));
    assert_false(ofs_space_reserve(&w.space, 101)); /* 300 are on their way */
    /* The disk has what it should have, but somebody wants more. */
    assert_int_equal(ofs_space_excess(&w.space, 1000), 100);
    w.now_ms += 10000;
    assert_true(ofs_space_reserve(&w.space, 100));
}

static void a_failed_write_stops_caching_for_a_while(void **state)
{
    struct world w;

    (void)state;
    init(&w, 0, 0);
    ofs_space_failed(&w.space, -EIO);
    assert_false(ofs_space_reserve(&w.space, 1));
    w.now_ms += 10000;
    assert_true(ofs_space_reserve(&w.space, 1));
}

static void a_full_disk_has_some_of_the_cache_removed_once(void **state)
{
    struct world w;

    (void)state;
    init(&w, 0, 0);
    ofs_space_failed(&w.space, -EIO);
    assert_int_equal(ofs_space_excess(&w.space, 1000), 0);
    ofs_space_failed(&w.space, -ENOSPC);
    assert_int_equal(ofs_space_excess(&w.space, 1000), 100);
    assert_int_equal(ofs_space_excess(&w.space, 1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_all_is_kept),
        cmocka_unit_test(nothing_goes_beyond_the_limit),
        cmocka_unit_test(room_is_made_before_the_limit_is_reached),
        cmocka_unit_test(much_that_was_added_is_counted_anew),
        cmocka_unit_test(a_low_disk_stops_caching_for_a_while),
        cmocka_unit_test(what_would_take_the_part_that_stays_free_is_not_kept),
        cmocka_unit_test(a_failed_write_stops_caching_for_a_while),
        cmocka_unit_test(a_full_disk_has_some_of_the_cache_removed_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
