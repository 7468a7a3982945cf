/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pathset.h"

static void fill(struct ofs_strv *v, const char *const *names)
{
    for (; *names; names++)
        assert_int_equal(ofs_strv_add(v, *names), 0);
    ofs_strv_sort(v);
}

/* All of them, with spaces between. */
static const char *joined(const struct ofs_strv *v)
{
    static char text[256];

    text[0] = '\0';
    for (size_t i = 0; i < v->n; i++) {
        if (i > 0)
            (void)strcat(text, " ");
        (void)strcat(text, v->at[i]);
    }
    return text;
}

static const char *const names[] = { "a",    "a-b", "a/b/c", "a/b/d", "a/e",
                                     "ab/c", "b/c", "blobs", "b.c/d", NULL };

static const struct {
    const char *path;
    bool below;
    const char *parts;
} cases[] = {
    { "", true, "a a-b ab b b.c blobs" },
    { "a", true, "b e" },
    { "a/b", true, "c d" },
    { "a/b/c", false, "" },
    { "a-b", false, "" },
    { "ab", true, "c" },
    { "b", true, "c" },
    { "b.", false, "" },
    { "nothing", false, "" },
    { "z", false, "" },
};

static void names_make_directories(void **state)
{
    OFS_AUTOSTRV struct ofs_strv v = { 0 };

    (void)state;
    fill(&v, names);
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTOSTRV struct ofs_strv parts = { 0 };

        assert_int_equal(ofs_paths_below(&v, cases[i].path), cases[i].below);
        assert_int_equal(ofs_paths_parts(&v, cases[i].path, &parts), 0);
        assert_string_equal(joined(&parts), cases[i].parts);
    }
}

static void without_names_there_is_nothing(void **state)
{
    OFS_AUTOSTRV struct ofs_strv v = { 0 }, parts = { 0 };

    (void)state;
    assert_false(ofs_paths_below(&v, ""));
    assert_int_equal(ofs_paths_parts(&v, "", &parts), 0);
    assert_int_equal(parts.n, 0);
}

static void names_come_and_go_in_order(void **state)
{
    OFS_AUTOSTRV struct ofs_strv v = { 0 }, w = { 0 };

    (void)state;
    assert_int_equal(ofs_paths_add(&v, "b"), 0);
    assert_int_equal(ofs_paths_add(&v, "c"), 0);
    assert_int_equal(ofs_paths_add(&v, "a"), 0);
    assert_int_equal(ofs_paths_add(&v, "b"), 0);
    assert_string_equal(joined(&v), "a b c");
    ofs_paths_remove(&v, "b");
    ofs_paths_remove(&v, "nothing");
    ofs_paths_remove(&v, "z");
    assert_string_equal(joined(&v), "a c");
    assert_false(ofs_paths_equal(&v, &w));
    fill(&w, (const char *const[]){ "a", "d", NULL });
    assert_false(ofs_paths_equal(&v, &w));
    ofs_paths_remove(&w, "d");
    assert_int_equal(ofs_paths_add(&w, "c"), 0);
    assert_true(ofs_paths_equal(&v, &w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_make_directories),
        cmocka_unit_test(without_names_there_is_nothing),
        cmocka_unit_test(names_come_and_go_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
