/* SPDX-License-Identifier: Apache-2.0 */
#include "new_repos.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/prctl.h>

#include <cmocka.h>

enum { SOMEBODY = 1 };

static int begin(void **state)
{
    struct ofs_new_repos *t = calloc(1, sizeof(*t));

    *state = t;
    return t ? ofs_new_repos_init(t) : -ENOMEM;
}

static int end(void **state)
{
    ofs_new_repos_done(*state);
    free(*state);
    return 0;
}

static void what_was_made_is_there_until_it_is_forgotten(void **state)
{
    struct ofs_new_repos *t = *state;

    assert_false(ofs_new_repo_has(t, "a"));
    assert_int_equal(ofs_new_repo_add(t, "a", SOMEBODY), 0);
    assert_int_equal(ofs_new_repo_add(t, "a", SOMEBODY), -EEXIST);
    assert_true(ofs_new_repo_has(t, "a"));
    assert_true(ofs_new_repo_is_new(t, "a"));
    ofs_new_repo_pushed(t, "a");
    assert_true(ofs_new_repo_has(t, "a"));
    assert_false(ofs_new_repo_is_new(t, "a"));
    ofs_new_repo_forget(t, "a");
    assert_false(ofs_new_repo_has(t, "a"));
}

static void a_new_one_shows_what_was_made_in_it_and_no_more(void **state)
{
    struct ofs_new_repos *t = *state;

    assert_int_equal(ofs_new_repo_add(t, "a", SOMEBODY), 0);
    assert_true(ofs_new_repo_hides(t, 77, "a", OFS_NEW_REPO_BLOBS));
    assert_int_equal(ofs_new_repo_show(t, "a", OFS_NEW_REPO_BLOBS), 0);
    assert_false(ofs_new_repo_hides(t, 77, "a", OFS_NEW_REPO_BLOBS));
    assert_true(ofs_new_repo_hides(t, 77, "a", OFS_NEW_REPO_INDEX));
    assert_true(ofs_new_repo_is_new(t, "a"));
    ofs_new_repo_pushed(t, "a");
    assert_false(ofs_new_repo_hides(t, 77, "a", OFS_NEW_REPO_INDEX));
    assert_false(ofs_new_repo_hides(t, 77, "other", OFS_NEW_REPO_INDEX));
}

static void a_cp_goes_on_seeing_only_what_it_made(void **state)
{
    struct ofs_new_repos *t = *state;
    char name[16];

    assert_int_equal(prctl(PR_GET_NAME, name), 0);
    assert_int_equal(ofs_new_repo_add(t, "a", (int)getpid()), 0);
    ofs_new_repo_pushed(t, "a");
    assert_false(ofs_new_repo_hides_all(t, (int)getpid(), "a"));
    assert_int_equal(prctl(PR_SET_NAME, "cp"), 0);
    assert_true(ofs_new_repo_hides_all(t, (int)getpid(), "a"));
    assert_true(ofs_new_repo_hides(t, (int)getpid(), "a", OFS_NEW_REPO_INDEX));
    assert_int_equal(ofs_new_repo_show(t, "a", OFS_NEW_REPO_INDEX), 0);
    assert_false(ofs_new_repo_hides(t, (int)getpid(), "a", OFS_NEW_REPO_INDEX));
    assert_false(ofs_new_repo_hides_all(t, SOMEBODY, "a"));
    assert_false(ofs_new_repo_hides_all(t, (int)getpid(), "b"));
    assert_int_equal(prctl(PR_SET_NAME, name), 0);
}

static void
who_takes_a_file_away_does_not_see_it_until_he_makes_it(void **state)
{
    struct ofs_new_repos *t = *state;

    assert_int_equal(ofs_new_repo_hide(t, 7, "a", OFS_NEW_REPO_INDEX), -ENOENT);
    assert_int_equal(ofs_new_repo_add(t, "a", SOMEBODY), 0);
    ofs_new_repo_pushed(t, "a");
    assert_int_equal(ofs_new_repo_hide(t, 7, "a", OFS_NEW_REPO_INDEX), 0);
    assert_true(ofs_new_repo_hides(t, 7, "a", OFS_NEW_REPO_INDEX));
    assert_false(ofs_new_repo_hides(t, 7, "a", OFS_NEW_REPO_HEADER));
    assert_false(ofs_new_repo_hides(t, 8, "a", OFS_NEW_REPO_INDEX));
    assert_int_equal(ofs_new_repo_show(t, "a", OFS_NEW_REPO_INDEX), 0);
    assert_false(ofs_new_repo_hides(t, 7, "a", OFS_NEW_REPO_INDEX));
}

static void what_was_unmade_is_gone_until_it_is_made_or_pushed(void **state)
{
    struct ofs_new_repos *t = *state;

    assert_int_equal(ofs_new_repo_unmake(t, "a"), 0);
    assert_true(ofs_new_repo_is_unmade(t, "a"));
    assert_false(ofs_new_repo_has(t, "a"));
    ofs_new_repo_pushed(t, "a");
    assert_false(ofs_new_repo_is_unmade(t, "a"));
    assert_true(ofs_new_repo_has(t, "a"));
    assert_int_equal(ofs_new_repo_unmake(t, "a"), 0);
    assert_int_equal(ofs_new_repo_add(t, "a", SOMEBODY), 0);
    assert_true(ofs_new_repo_is_new(t, "a"));
}

static void the_parts_below_a_path_are_found(void **state)
{
    struct ofs_new_repos *t = *state;
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };

    assert_int_equal(ofs_new_repo_add(t, "a", SOMEBODY), 0);
    assert_int_equal(ofs_new_repo_add(t, "a/b", SOMEBODY), 0);
    assert_int_equal(ofs_new_repo_add(t, "a/c/d", SOMEBODY), 0);
    assert_int_equal(ofs_new_repo_add(t, "ab", SOMEBODY), 0);
    assert_int_equal(ofs_new_repo_add(t, "a/gone", SOMEBODY), 0);
    assert_int_equal(ofs_new_repo_unmake(t, "a/gone"), 0);
    assert_int_equal(ofs_new_repo_parts(t, "a", &parts), 0);
    ofs_strv_sort(&parts);
    assert_int_equal(parts.n, 2);
    assert_string_equal(parts.at[0], "b");
    assert_string_equal(parts.at[1], "c");
    assert_true(ofs_new_repo_is_parent(t, "a"));
    assert_true(ofs_new_repo_is_parent(t, "a/c"));
    assert_false(ofs_new_repo_is_parent(t, "a/b"));
    assert_false(ofs_new_repo_is_parent(t, "b"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_made_is_there_until_it_is_forgotten),
        TEST(a_new_one_shows_what_was_made_in_it_and_no_more),
        TEST(a_cp_goes_on_seeing_only_what_it_made),
        TEST(who_takes_a_file_away_does_not_see_it_until_he_makes_it),
        TEST(what_was_unmade_is_gone_until_it_is_made_or_pushed),
        TEST(the_parts_below_a_path_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
