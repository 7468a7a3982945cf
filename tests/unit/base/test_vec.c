/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/vec.h"

struct pair {
    int a;
    char b;
};

static void what_was_added_stays_when_it_grows(void **state)
{
    struct pair *at = NULL;
    size_t n = 0, room = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ofs_vec_grow(at, n, room), 0);
        assert_true(room > n);
        at[n++] = (struct pair){ i, (char)i };
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(at[i].a, i);
        assert_int_equal(at[i].b, (char)i);
    }
    free(at);
}

static void new_room_is_zeroed(void **state)
{
    uint64_t *at = NULL;
    size_t n = 0, room = 0;

    (void)state;
    do {
        assert_int_equal(ofs_vec_grow(at, n, room), 0);
        assert_int_equal(at[n], 0);
        at[n++] = UINT64_MAX;
    } while (n < 100);
    free(at);
}

static void more_than_can_be_counted_is_refused(void **state)
{
    volatile size_t most = SIZE_MAX / 2 + 1; /* twice that is 0 */
    struct pair *at = malloc(sizeof(*at)), *old = at;
    size_t n = most, room = most;

    (void)state;
    assert_int_equal(ofs_vec_grow(at, n, room), -ENOMEM);
    assert_ptr_equal(at, old);
    assert_true(room == most);
    free(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_stays_when_it_grows),
        cmocka_unit_test(new_room_is_zeroed),
        cmocka_unit_test(more_than_can_be_counted_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
