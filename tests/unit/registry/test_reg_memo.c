/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_memo.h"

#include "ocirfs/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void hints_live_until_their_time(void **state)
{
    OFS_AUTO(ofs_reg_memo_done) struct reg_memo m = { 0 };

    (void)state;
    assert_int_equal(ofs_reg_memo_init(&m, 10), 0);
    assert_null(ofs_reg_memo_get(&m, "a", 0));
    ofs_reg_memo_put(&m, "a", "one", 100);
    assert_string_equal(ofs_reg_memo_get(&m, "a", 99), "one");
    ofs_reg_memo_put(&m, "a", "two", 200);
    assert_string_equal(ofs_reg_memo_get(&m, "a", 199), "two");
    assert_null(ofs_reg_memo_get(&m, "a", 200));
    assert_null(ofs_reg_memo_get(&m, "a", 0));
}

static void only_the_text_that_failed_is_forgotten(void **state)
{
    OFS_AUTO(ofs_reg_memo_done) struct reg_memo m = { 0 };

    (void)state;
    assert_int_equal(ofs_reg_memo_init(&m, 10), 0);
    ofs_reg_memo_put(&m, "a", "new", 100);
    ofs_reg_memo_forget(&m, "a", "old");
    assert_non_null(ofs_reg_memo_get(&m, "a", 0));
    ofs_reg_memo_forget(&m, "a", "new");
    assert_null(ofs_reg_memo_get(&m, "a", 0));
    ofs_reg_memo_put(&m, "a", "new", 100);
    ofs_reg_memo_forget(&m, "a", NULL);
    assert_null(ofs_reg_memo_get(&m, "a", 0));
    ofs_reg_memo_forget(&m, "a", NULL);
}

static void a_full_memo_starts_anew(void **state)
{
    OFS_AUTO(ofs_reg_memo_done) struct reg_memo m = { 0 };

    (void)state;
    assert_int_equal(ofs_reg_memo_init(&m, 2), 0);
    ofs_reg_memo_put(&m, "a", "1", 100);
    ofs_reg_memo_put(&m, "b", "2", 100);
    ofs_reg_memo_put(&m, "c", "3", 100);
    assert_null(ofs_reg_memo_get(&m, "a", 0));
    assert_string_equal(ofs_reg_memo_get(&m, "c", 0), "3");
    assert_int_equal(ofs_map_count(m.map), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hints_live_until_their_time),
        cmocka_unit_test(only_the_text_that_failed_is_forgotten),
        cmocka_unit_test(a_full_memo_starts_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
