/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/secret.h"

static void a_secret_is_copied_with_its_nuls(void **state)
{
    OFS_AUTOSECRET struct ofs_secret s = { 0 };
    char text[] = "to\0ken";

    (void)state;
    assert_int_equal(ofs_secret_set(&s, text, 6), 0);
    text[0] = 'X';
    assert_int_equal(s.len, 6);
    assert_memory_equal(s.text, "to\0ken", 7);
}

static void a_new_value_replaces_the_old(void **state)
{
    struct ofs_secret s = { 0 };

    (void)state;
    assert_int_equal(ofs_secret_set(&s, "longer", 6), 0);
    assert_int_equal(ofs_secret_set(&s, "b", 1), 0);
    assert_string_equal(s.text, "b");
    assert_int_equal(ofs_secret_set(&s, NULL, 0), 0);
    assert_string_equal(s.text, "");
    ofs_secret_done(&s);
    assert_null(s.text);
    assert_int_equal(s.len, 0);
    ofs_secret_done(&s);
}

static void a_secret_may_be_made_of_itself(void **state)
{
    OFS_AUTOSECRET struct ofs_secret s = { 0 };

    (void)state;
    assert_int_equal(ofs_secret_set(&s, "Bearer abc", 10), 0);
    assert_int_equal(ofs_secret_set(&s, s.text + 7, 3), 0);
    assert_string_equal(s.text, "abc");
}

static void wiped_memory_is_zero(void **state)
{
    char text[] = "password";

    (void)state;
    ofs_wipe(text, 4);
    assert_memory_equal(text, "\0\0\0\0word", 8);
    ofs_wipe(NULL, 4);
}

static void strings_are_wiped_and_freed(void **state)
{
    OFS_AUTOWIPEFREE char *text = strdup("leak checkers see it");

    (void)state;
    assert_non_null(text);
    ofs_wipe_free(strdup("this one, too"));
    ofs_wipe_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_copied_with_its_nuls),
        cmocka_unit_test(a_new_value_replaces_the_old),
        cmocka_unit_test(a_secret_may_be_made_of_itself),
        cmocka_unit_test(wiped_memory_is_zero),
        cmocka_unit_test(strings_are_wiped_and_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
