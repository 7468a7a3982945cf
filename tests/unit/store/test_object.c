/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "object.h"

#define MIB ((uint64_t)1 << 20)

enum { CHUNKS = 8 };

static _Atomic uint8_t states[CHUNKS];

static void init(struct ofs_object *o)
{
    memset(o, 0, sizeof(*o));
    memset((void *)(uintptr_t)states, 0, sizeof(states));
    o->size = CHUNKS * (uint64_t)OFS_CHUNK_BYTES;
    o->n_chunks = CHUNKS;
    o->state = states;
}

static void present_chunks_are_counted(void **state)
{
    struct ofs_object o;

    (void)state;
    init(&o);
    ofs_object_set(&o, 3, OFS_PRESENT);
    ofs_object_set(&o, 3, OFS_PRESENT);
    ofs_object_set(&o, 4, OFS_PRESENT);
    assert_int_equal(o.n_present, 2);
    ofs_object_set(&o, 3, OFS_ABSENT);
    ofs_object_set(&o, 3, OFS_ABSENT);
    assert_int_equal(o.n_present, 1);
}

static void complete_is_all_present_and_verified(void **state)
{
    struct ofs_object o;

    (void)state;
    init(&o);
    for (uint32_t i = 0; i < CHUNKS; i++)
        ofs_object_set(&o, i, OFS_PRESENT);
    assert_false(o.complete);
    o.verified = true;
    ofs_object_set(&o, 0, OFS_PRESENT);
    assert_true(o.complete);
    ofs_object_set(&o, 5, OFS_ABSENT);
    assert_false(o.complete);
}

/* Marks of the map, and what they are worth to us. */
static void marks_are_believed_as_far_as_they_go(void **state)
{
    static const struct {
        const char *label;
        uint32_t hashed;
        bool verified;
        uint8_t mark;
        enum ofs_chunk chunk;
    } cases[] = {
        { "absent", 0, false, OFS_MARK_ABSENT, OFS_ABSENT },
        { "new to the chain", 0, false, OFS_MARK_PLAIN, OFS_PRESENT },
        { "behind the chain", 8, false, OFS_MARK_PLAIN, OFS_SUSPECT },
        { "sums known", 8, true, OFS_MARK_PLAIN, OFS_SUSPECT },
        { "proven by sums we know", 8, true, OFS_MARK_PROVEN, OFS_PRESENT },
        { "proven by others", 0, false, OFS_MARK_PROVEN, OFS_PRESENT },
        { "proven by others, behind the chain", 8, false, OFS_MARK_PROVEN,
          OFS_SUSPECT },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        struct ofs_object o;

        init(&o);
        o.hashed = cases[i].hashed;
        o.verified = cases[i].verified;
        ofs_object_adopt(&o, 2, &cases[i].mark, 1);
        if (ofs_object_state(&o, 2) != cases[i].chunk)
            fail_msg("%s: %d", cases[i].label, ofs_object_state(&o, 2));
    }
}

static bool is_woken(struct ofs_call *call)
{
    struct ofs_err err;

    call->may_wait = false;
    return ofs_call_sleep(call, &err) == 0;
}

static void readers_are_told_what_concerns_them(void **state)
{
    struct ofs_want wants[3] = {
        { .first = 0, .last = 1, .await = 1 },
        { .first = 2, .last = 4, .await = 3 },
        { .first = 7, .last = 7, .await = OFS_AWAIT_VERDICT },
    };
    struct ofs_call calls[3];
    struct ofs_err err = { .code = -EIO, .text = "why" };
    struct ofs_object o;

    (void)state;
    init(&o);
    for (int i = 0; i < 3; i++) {
        ofs_call_init(&calls[i], OFS_NEVER);
        wants[i].call = &calls[i];
        ofs_want_add(&o, &wants[i]);
    }
    ofs_object_wake(&o, 3, NULL);
    assert_false(is_woken(&calls[0]));
    assert_true(is_woken(&calls[1]));
    assert_false(is_woken(&calls[2]));

    ofs_object_fail(&o, 4, 6, &err, NULL);
    assert_false(wants[0].failed);
    assert_true(wants[1].failed);
    assert_string_equal(wants[1].err.text, "why");
    assert_true(wants[2].failed); /* it needs every chunk */
    assert_false(is_woken(&calls[0]));

    ofs_object_wake_all(&o);
    assert_true(is_woken(&calls[0]));
    for (int i = 0; i < 3; i++)
        ofs_call_done(&calls[i]);
}

static void wants_stand_in_line(void **state)
{
    struct ofs_want a = { 0 }, b = { 0 }, c = { 0 };
    struct ofs_object o;

    (void)state;
    init(&o);
    ofs_want_add(&o, &a);
    ofs_want_add(&o, &b);
    ofs_want_add(&o, &c);
    ofs_list_remove(&c);
    ofs_list_remove(&c);
    ofs_want_add(&o, &c);
    ofs_list_remove(&a);
    assert_ptr_equal(o.wants, &b);
    assert_ptr_equal(b.next, &c);
    assert_null(c.next);
    ofs_list_remove(&b);
    ofs_list_remove(&c);
    assert_null(o.wants);
    ofs_want_add(&o, &a);
    assert_ptr_equal(o.wants, &a);
}

static void the_rate_is_of_the_last_seconds(void **state)
{
    struct ofs_rate rate = { 0 };
    int64_t now = 1000000;

    (void)state;
    assert_int_equal(ofs_rate_get(&rate, now), 0);
    for (int i = 0; i < 40; i++) {
        ofs_rate_add(&rate, now, MIB);
        now += 100;
    }
    assert_in_range(ofs_rate_get(&rate, now - 1), 9 * MIB, 11 * MIB);
    now += 2000;
    assert_in_range(ofs_rate_get(&rate, now), 2 * MIB, 6 * MIB);
    now += 10000;
    assert_int_equal(ofs_rate_get(&rate, now), 0);
    ofs_rate_add(&rate, now, MIB);
    assert_in_range(ofs_rate_get(&rate, now), 1, MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(present_chunks_are_counted),
        cmocka_unit_test(complete_is_all_present_and_verified),
        cmocka_unit_test(marks_are_believed_as_far_as_they_go),
        cmocka_unit_test(readers_are_told_what_concerns_them),
        cmocka_unit_test(wants_stand_in_line),
        cmocka_unit_test(the_rate_is_of_the_last_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
