/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/str.h"

static void ends_of_texts(void **state)
{
    (void)state;
    assert_true(ofs_str_starts("abc", "ab"));
    assert_true(ofs_str_starts("abc", ""));
    assert_false(ofs_str_starts("ab", "abc"));
    assert_false(ofs_str_starts("xab", "ab"));
    assert_true(ofs_str_ends("a.tar", ".tar"));
    assert_true(ofs_str_ends("a", ""));
    assert_false(ofs_str_ends("tar", ".tar"));
    assert_false(ofs_str_ends("a.tar.gz", ".tar"));
}

static void case_is_ignored_in_ascii_only(void **state)
{
    (void)state;
    assert_true(ofs_str_ieq("Content-Type", "cONTENT-tYPE"));
    assert_true(ofs_str_ieq("", ""));
    assert_false(ofs_str_ieq("a", "ab"));
    assert_false(ofs_str_ieq("ab", "a"));
    assert_false(ofs_str_ieq("[", "{"));
    assert_false(ofs_str_ieq("\xc3\xa3", "\xc3\x83"));
}

static void numbers_are_digits_and_nothing_else(void **state)
{
    static const struct {
        const char *text;
        int want;
        uint64_t n;
    } rows[] = {
        { "0", 0, 0 },
        { "007", 0, 7 },
        { "18446744073709551615", 0, UINT64_MAX },
        { "18446744073709551616", -ERANGE, 0 },
        { "99999999999999999999999", -ERANGE, 0 },
        { "", -EBADMSG, 0 },
        { "-1", -EBADMSG, 0 },
        { "+1", -EBADMSG, 0 },
        { " 1", -EBADMSG, 0 },
        { "1 ", -EBADMSG, 0 },
        { "0x1", -EBADMSG, 0 },
        { "1.0", -EBADMSG, 0 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        uint64_t n = 77;

        assert_int_equal(ofs_str_u64(rows[i].text, &n), rows[i].want);
        assert_int_equal(n, rows[i].want ? 77 : rows[i].n);
    }
}

static void sizes_may_have_a_unit(void **state)
{
    static const struct {
        const char *text;
        int want;
        uint64_t n;
    } rows[] = {
        { "512", 0, 512 },           { "1k", 0, 1024 },
        { "3M", 0, 3 << 20 },        { "10G", 0, 10ULL << 30 },
        { "2t", 0, 2ULL << 40 },     { "16777215T", 0, 16777215ULL << 40 },
        { "16777216T", -ERANGE, 0 }, { "18446744073709551616", -ERANGE, 0 },
        { "", -EBADMSG, 0 },         { "G", -EBADMSG, 0 },
        { "1GB", -EBADMSG, 0 },      { "1.5G", -EBADMSG, 0 },
        { "1 G", -EBADMSG, 0 },      { "1P", -EBADMSG, 0 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        uint64_t n = 77;

        assert_int_equal(ofs_str_size(rows[i].text, &n), rows[i].want);
        assert_int_equal(n, rows[i].want ? 77 : rows[i].n);
    }
}

static void sizes_for_people_are_never_too_great(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *want;
    } rows[] = {
        { 0, "0 B" },
        { 1023, "1023 B" },
        { 1024, "1.0 KiB" },
        { 1536, "1.5 KiB" },
        { (1 << 20) - 1, "1023.9 KiB" },
        { 1 << 20, "1.0 MiB" },
        { 1503238553, "1.3 GiB" },
        { 5ULL << 40, "5.0 TiB" },
        { UINT64_MAX, "15.9 EiB" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        char text[16];

        assert_string_equal(ofs_str_human(rows[i].bytes, text), rows[i].want);
    }
}

static void texts_are_formatted_into_new_memory(void **state)
{
    char *text = ofs_strf("%s-%d", "a", 1);

    (void)state;
    assert_string_equal(text, "a-1");
    free(text);
    assert_null(ofs_strf("%ls", L"\u20ac")); /* not in the C locale */
}

static void percent_coding_spares_only_the_unreserved(void **state)
{
    struct ofs_buf b = OFS_BUF_INIT(100), small = OFS_BUF_INIT(2);

    (void)state;
    assert_int_equal(ofs_str_percent(&b, "aZ09-._~ /?&=%+:@\xc3\xa3"), 0);
    assert_string_equal(ofs_buf_str(&b),
                        "aZ09-._~%20%2F%3F%26%3D%25%2B%3A%40%C3%A3");
    ofs_buf_done(&b);
    assert_int_equal(ofs_str_percent(&small, "/"), -EFBIG);
    ofs_buf_done(&small);
}

static void lists_grow_sort_and_find(void **state)
{
    OFS_AUTOSTRV struct ofs_strv v = { 0 };
    char text[8];

    (void)state;
    ofs_strv_sort(&v);
    ofs_strv_unique(&v);
    assert_false(ofs_strv_has(&v, "1"));
    for (int i = 40; i-- > 0;) {
        (void)snprintf(text, sizeof(text), "%d", i % 20);
        assert_int_equal(ofs_strv_add(&v, text), 0);
    }
    assert_int_equal(ofs_strv_add_own(&v, strdup("\xff")), 0);
    assert_int_equal(ofs_strv_add_own(&v, strdup("")), 0);
    ofs_strv_sort(&v);
    assert_int_equal(v.n, 42);
    ofs_strv_unique(&v);
    assert_int_equal(v.n, 22);
    assert_string_equal(v.at[0], "");
    assert_string_equal(v.at[1], "0");
    assert_string_equal(v.at[2], "1");
    assert_string_equal(v.at[3], "10");
    assert_string_equal(v.at[21], "\xff");
    assert_true(ofs_strv_has(&v, "19"));
    assert_true(ofs_strv_has(&v, ""));
    assert_false(ofs_strv_has(&v, "20"));
}

static void a_list_is_an_array_that_ends(void **state)
{
    struct ofs_strv v = { 0 };

    (void)state;
    for (size_t n = 0; n < 20; n++) {
        const char *const *at = ofs_strv_array(&v);

        assert_null(at[n]);
        assert_int_equal(v.n, n);
        if (n > 0)
            assert_string_equal(at[0], "x");
        assert_int_equal(ofs_strv_add(&v, "x"), 0);
    }
    ofs_strv_wipe(&v);
    assert_int_equal(v.n, 0);
    assert_null(v.at);
}

static void an_emptied_list_can_be_used_again(void **state)
{
    struct ofs_strv v = { 0 };

    (void)state;
    assert_int_equal(ofs_strv_add(&v, "a"), 0);
    ofs_strv_done(&v);
    assert_int_equal(v.n, 0);
    assert_int_equal(ofs_strv_add(&v, "b"), 0);
    assert_string_equal(v.at[0], "b");
    ofs_strv_done(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_of_texts),
        cmocka_unit_test(case_is_ignored_in_ascii_only),
        cmocka_unit_test(numbers_are_digits_and_nothing_else),
        cmocka_unit_test(sizes_may_have_a_unit),
        cmocka_unit_test(sizes_for_people_are_never_too_great),
        cmocka_unit_test(texts_are_formatted_into_new_memory),
        cmocka_unit_test(percent_coding_spares_only_the_unreserved),
        cmocka_unit_test(lists_grow_sort_and_find),
        cmocka_unit_test(a_list_is_an_array_that_ends),
        cmocka_unit_test(an_emptied_list_can_be_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
