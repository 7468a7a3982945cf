/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tagtable.h"

enum { MANY = 10000 };

/* A sorted list of the words of `text`. */
static struct ofs_strv words(const char *text)
{
    struct ofs_strv v = { 0 };

    while (*text) {
        size_t len = strcspn(text, " ");
        char word[32];

        (void)snprintf(word, sizeof(word), "%.*s", (int)len, text);
        assert_int_equal(ofs_strv_add(&v, word), 0);
        text += len + (text[len] == ' ');
    }
    ofs_strv_sort(&v);
    return v;
}

static bool set_names(struct ofs_tags *t, const char *text)
{
    OFS_AUTOSTRV struct ofs_strv names = words(text);
    bool changed = false;

    assert_int_equal(ofs_tags_set_names(t, &names, &changed), 0);
    return changed;
}

static struct ofs_tag_info info_of(const char *content)
{
    struct ofs_tag_info info = { .size = strlen(content),
                                 .media_type = strdup("t/x") };

    assert_non_null(info.media_type);
    assert_int_equal(
        ofs_digest_of(OFS_SHA256, content, strlen(content), &info.digest), 0);
    return info;
}

static void learn(struct ofs_tags *t, const char *name, const char *content)
{
    struct ofs_tag_info info = info_of(content);
    struct ofs_tag *tag = ofs_tags_need(t, name);

    assert_non_null(tag);
    ofs_tag_set(tag, 7, &info);
    assert_null(info.media_type);
}

static void is(const struct ofs_tags *t, const char *text)
{
    OFS_AUTOSTRV struct ofs_strv names = words(text);

    assert_int_equal(t->n, names.n);
    for (size_t i = 0; i < t->n; i++)
        assert_string_equal(t->at[i].name, names.at[i]);
}

static void a_new_list_keeps_what_is_known_of_those_that_stay(void **state)
{
    OFS_AUTO(ofs_tags_done) struct ofs_tags t = { 0 };

    (void)state;
    assert_true(set_names(&t, "a c e"));
    learn(&t, "a", "1");
    learn(&t, "c", "22");
    learn(&t, "e", "333");
    assert_true(set_names(&t, "b c d e"));
    is(&t, "b c d e");
    assert_false(ofs_tags_find(&t, "b")->known);
    assert_true(ofs_tags_find(&t, "c")->known);
    assert_int_equal(ofs_tags_find(&t, "c")->info.size, 2);
    assert_int_equal(ofs_tags_find(&t, "e")->info.size, 3);
    assert_int_equal(ofs_tags_find(&t, "e")->at_ms, 7);
    assert_null(ofs_tags_find(&t, "a"));
}

static void only_other_names_are_a_change(void **state)
{
    OFS_AUTO(ofs_tags_done) struct ofs_tags t = { 0 };

    (void)state;
    assert_false(set_names(&t, ""));
    assert_true(set_names(&t, "a b"));
    assert_false(set_names(&t, "a b"));
    assert_true(set_names(&t, "a c"));
    assert_true(set_names(&t, "a"));
    assert_true(set_names(&t, ""));
    is(&t, "");
}

static void single_tags_find_their_place(void **state)
{
    OFS_AUTO(ofs_tags_done) struct ofs_tags t = { 0 };

    (void)state;
    learn(&t, "m", "1");
    learn(&t, "a", "2");
    learn(&t, "z", "3");
    learn(&t, "m", "4444");
    is(&t, "a m z");
    assert_int_equal(ofs_tags_find(&t, "m")->info.size, 4);
    ofs_tags_remove(&t, "a");
    ofs_tags_remove(&t, "nothing");
    is(&t, "m z");
    ofs_tags_remove(&t, "z");
    ofs_tags_remove(&t, "m");
    is(&t, "");
    assert_null(ofs_tags_find(&t, "m"));
}

static void ten_thousand_tags_are_found(void **state)
{
    OFS_AUTO(ofs_tags_done) struct ofs_tags t = { 0 };
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    char name[16];
    bool changed;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof(name), "%05d", i);
        assert_int_equal(ofs_strv_add(&names, name), 0);
    }
    for (int round = 0; round < 2; round++) {
        assert_int_equal(ofs_tags_set_names(&t, &names, &changed), 0);
        assert_int_equal(changed, round == 0);
        for (int i = 0; i < MANY; i++)
            assert_ptr_equal(ofs_tags_find(&t, names.at[i]), &t.at[i]);
    }
}

static void the_same_manifest_is_told_from_another(void **state)
{
    OFS_AUTOTAGINFO struct ofs_tag_info a = info_of("x"), b = info_of("x");
    OFS_AUTOTAGINFO struct ofs_tag_info c = info_of("y"), copy = { 0 };

    (void)state;
    assert_true(ofs_tag_info_eq(&a, &b));
    assert_false(ofs_tag_info_eq(&a, &c));
    assert_int_equal(ofs_tag_info_copy(&a, &copy), 0);
    assert_ptr_not_equal(copy.media_type, a.media_type);
    assert_true(ofs_tag_info_eq(&a, &copy));
    copy.media_type[0] = 'u';
    assert_false(ofs_tag_info_eq(&a, &copy));
}

static void a_tag_that_is_known_is_refused_no_more(void **state)
{
    OFS_AUTO(ofs_tags_done) struct ofs_tags t = { 0 };

    (void)state;
    learn(&t, "a", "1");
    ofs_tags_find(&t, "a")->refused = -EBADMSG;
    learn(&t, "a", "1");
    assert_int_equal(ofs_tags_find(&t, "a")->refused, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_list_keeps_what_is_known_of_those_that_stay),
        cmocka_unit_test(only_other_names_are_a_change),
        cmocka_unit_test(single_tags_find_their_place),
        cmocka_unit_test(ten_thousand_tags_are_found),
        cmocka_unit_test(the_same_manifest_is_told_from_another),
        cmocka_unit_test(a_tag_that_is_known_is_refused_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
