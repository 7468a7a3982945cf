/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include "ocirfs/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_was_meant_is_found(void **state)
{
    static const char *const words[] = { "ttl", "timeout", "cache-fsfree",
                                         "allow_delete", "ro" };
    static const struct {
        const char *typed, *meant;
    } rows[] = {
        { "tll", "ttl" },
        { "timout", "timeout" },
        { "time_out", "timeout" },
        { "cache_fsfre", "cache-fsfree" },
        { "allow_deletes", "allow_delete" },
        { "rw", NULL }, /* half of it is another word */
        { "x", NULL },
        { "", NULL },
        { "allow_everything", NULL },
        { "a-name-that-is-longer-than-any-option-of-any-program", NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_nearest n = { 0 };

        for (size_t j = 0; j < OFS_COUNT_OF(words); j++)
            ofs_nearest_offer(&n, rows[i].typed, strlen(rows[i].typed),
                              words[j]);
        if (rows[i].meant)
            assert_string_equal(n.word, rows[i].meant);
        else
            assert_null(n.word);
    }
}

static void dash_and_underscore_are_one(void **state)
{
    (void)state;
    assert_true(ofs_nearest_same("cache_fsfree=5", 12, "cache-fsfree"));
    assert_true(ofs_nearest_same("allow-delete", 12, "allow_delete"));
    assert_false(ofs_nearest_same("allow.delete", 12, "allow_delete"));
    assert_false(ofs_nearest_same("ttl", 3, "tt"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_meant_is_found),
        cmocka_unit_test(dash_and_underscore_are_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
