/* SPDX-License-Identifier: Apache-2.0 */
/* Names that exist here only.  Drafts are push's, so these are directories,
 * and files without bytes. */
#include "overlay.h"

#include "view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static int begin(void **state)
{
    struct ofs_overlay *t = calloc(1, sizeof(*t));

    *state = t;
    return t ? ofs_overlay_init(t) : -ENOMEM;
}

static int end(void **state)
{
    ofs_overlay_done(*state);
    free(*state);
    return 0;
}

static struct ofs_local *add(struct ofs_overlay *t, uint64_t dir,
                             const char *name, enum ofs_target_kind kind)
{
    const struct ofs_target target = { .kind = kind };
    struct ofs_local_spec spec = {
        .spot = { .dir = dir }, .repo = "app", .target = &target, .mode = 0700
    };
    struct ofs_local *s = NULL;
    int r;

    (void)snprintf(spec.spot.name, sizeof(spec.spot.name), "%s", name);
    r = ofs_local_add(t, &spec, &s);
    if (r < 0)
        assert_int_equal(r, -EEXIST);
    return s;
}

static bool is_at(struct ofs_overlay *t, uint64_t dir, const char *name,
                  const struct ofs_local *want)
{
    struct ofs_local *s = ofs_local_at(t, dir, name);
    bool same = s == want;

    ofs_local_put(t, s);
    return same;
}

static void a_name_is_one_things(void **state)
{
    struct ofs_overlay *t = *state;
    struct ofs_local *a = add(t, 5, "x", OFS_TARGET_SCRATCH_DIR);

    assert_non_null(a);
    assert_null(add(t, 5, "x", OFS_TARGET_SCRATCH_DIR));
    assert_true(is_at(t, 5, "x", a));
    assert_true(is_at(t, 6, "x", NULL));
    assert_false(ofs_local_is_empty(t, 5));
    assert_true(ofs_local_is_empty(t, 6));
    ofs_local_unlink(t, a);
    assert_true(is_at(t, 5, "x", NULL));
    assert_true(ofs_local_is_empty(t, 5));
    ofs_local_put(t, a);
}

static void a_move_takes_the_place_of_what_was_there(void **state)
{
    struct ofs_overlay *t = *state;
    struct ofs_local *a = add(t, 5, "a", OFS_TARGET_SCRATCH);
    struct ofs_local *b = add(t, 6, "b", OFS_TARGET_SCRATCH);
    const struct ofs_target target = { .kind = OFS_TARGET_TAG };
    struct ofs_spot to = { .dir = 6, .name = "b" };
    struct ofs_local_now now;

    assert_int_equal(ofs_local_move(t, a, &to, "other", &target), 0);
    assert_true(is_at(t, 6, "b", a));
    assert_true(is_at(t, 5, "a", NULL));
    ofs_local_look(t, b, &now);
    assert_true(now.gone);
    ofs_local_look(t, a, &now);
    assert_false(now.gone);
    assert_string_equal(now.repo, "other");
    assert_int_equal(now.target.kind, OFS_TARGET_TAG);
    ofs_local_put(t, a);
    ofs_local_put(t, b);
}

static void
what_was_pushed_loses_its_name_until_it_is_written_again(void **state)
{
    struct ofs_overlay *t = *state;
    struct ofs_local *a = add(t, 5, "1.5", OFS_TARGET_TAG);
    const struct ofs_err why = { .code = -EINVAL, .text = "no" };
    struct ofs_local_now now;

    ofs_local_open(t, a, 0);
    ofs_local_changed(t, a, 100);
    ofs_local_look(t, a, &now);
    assert_false(now.settled);
    assert_int_equal(now.n_changes, 1);
    assert_int_equal(now.mtime_s, 100);
    ofs_local_pushed(t, a, &now, -EINVAL, &why);
    assert_true(is_at(t, 5, "1.5", NULL));
    ofs_local_look(t, a, &now);
    assert_true(now.settled);
    assert_int_equal(now.result, -EINVAL);
    assert_string_equal(now.why.text, "no");
    ofs_local_changed(t, a, 101);
    assert_true(is_at(t, 5, "1.5", a));
    ofs_local_look(t, a, &now);
    assert_false(now.settled);
    ofs_local_close(t, a);
    assert_true(is_at(t, 5, "1.5", NULL));
    ofs_local_put(t, a);
}

static void what_was_taken_away_does_not_come_back(void **state)
{
    struct ofs_overlay *t = *state;
    struct ofs_local *a = add(t, 5, "1.5", OFS_TARGET_TAG);

    ofs_local_open(t, a, 0);
    ofs_local_unlink(t, a);
    ofs_local_changed(t, a, 1);
    assert_true(is_at(t, 5, "1.5", NULL));
    ofs_local_close(t, a);
    ofs_local_put(t, a);
}

static bool is_seen(struct ofs_overlay *t, int who,
                    const struct ofs_local *want)
{
    struct ofs_local *s = ofs_local_seen(t, 5, "1.5", who);
    bool same = s == want;

    ofs_local_put(t, s);
    return same;
}

static void the_name_is_the_last_openers_and_both_are_pushed(void **state)
{
    struct ofs_overlay *t = *state;
    struct ofs_local *a = add(t, 5, "1.5", OFS_TARGET_TAG), *b;
    struct ofs_local_now now;

    ofs_local_open(t, a, 0);
    assert_true(ofs_local_is_taken(t, a));
    b = add(t, 5, "1.5", OFS_TARGET_TAG);
    assert_ptr_not_equal(a, b);
    assert_false(ofs_local_is_taken(t, b));
    assert_true(is_at(t, 5, "1.5", b));
    ofs_local_changed(t, a, 100);
    assert_true(is_at(t, 5, "1.5", b));
    ofs_local_look(t, a, &now);
    assert_false(now.gone);
    ofs_local_put(t, b);
    ofs_local_close(t, a);
    ofs_local_put(t, a);
}

static void only_its_process_sees_what_is_written(void **state)
{
    struct ofs_overlay *t = *state;
    struct ofs_local *a = add(t, 5, "1.5", OFS_TARGET_TAG);

    ofs_local_open(t, a, getpid());
    assert_true(is_seen(t, getpid(), a));
    assert_true(is_seen(t, getppid(), NULL));
    assert_true(is_seen(t, 0, a)); /* nobody knows who asks */
    ofs_local_close(t, a);
    ofs_local_put(t, a);
}

static void a_promise_is_kept_to_whom_it_was_made(void **state)
{
    enum { ME = 1 << 28, HIM };
    struct ofs_overlay *t = *state;
    const struct ofs_target target = { .kind = OFS_TARGET_TAG };
    const struct ofs_local_spec spec = {
        .spot = { .dir = 5, .name = "1.5" },
        .repo = "app",
        .target = &target,
        .promised = true,
        .promised_to = ME,
    };
    struct ofs_local *a = NULL;

    assert_int_equal(ofs_local_add(t, &spec, &a), 0);
    assert_true(is_at(t, 5, "1.5", NULL));
    assert_true(is_seen(t, HIM, NULL));
    assert_true(is_seen(t, ME, a));
    ofs_local_open(t, a, ME);
    assert_null(ofs_local_promised(t, &spec.spot, ME));
    assert_true(is_at(t, 5, "1.5", a));
    ofs_local_close(t, a);
    ofs_local_put(t, a);
    assert_int_equal(t->n_promised, 0);
}

static void what_was_to_be_pushed_leaves_a_trace(void **state)
{
    struct ofs_overlay *t = *state;
    struct ofs_local *a = add(t, 5, "1.5", OFS_TARGET_TAG);
    struct ofs_local_trace trace;
    char id[24];

    (void)snprintf(id, sizeof(id), "%s", ofs_local_id(a));
    ofs_local_open(t, a, 0);
    assert_int_equal(ofs_local_recall(t, id, &trace), -ENOENT);
    ofs_local_close(t, a);
    ofs_local_put(t, a);
    assert_int_equal(ofs_local_recall(t, id, &trace), 0);
    assert_string_equal(trace.spot.name, "1.5");
    assert_int_equal(trace.spot.dir, 5);
    assert_string_equal(trace.repo, "app");
}

static void a_scratch_file_outlives_its_writers(void **state)
{
    struct ofs_overlay *t = *state;
    struct ofs_local *a = add(t, 5, ".x", OFS_TARGET_SCRATCH);

    ofs_local_open(t, a, 0);
    ofs_local_close(t, a);
    assert_true(is_at(t, 5, ".x", a));
    ofs_local_put(t, a);
}

static int note(void *arg, struct ofs_local *s, const char *name)
{
    (void)s;
    return ofs_strv_add(arg, name);
}

static void a_directory_lists_what_is_in_it(void **state)
{
    struct ofs_overlay *t = *state;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    ofs_local_put(t, add(t, 5, "b", OFS_TARGET_SCRATCH));
    ofs_local_put(t, add(t, 5, "a", OFS_TARGET_SCRATCH_DIR));
    ofs_local_put(t, add(t, 6, "c", OFS_TARGET_SCRATCH));
    assert_int_equal(ofs_local_each(t, 5, note, &names), 0);
    ofs_strv_sort(&names);
    assert_int_equal(names.n, 2);
    assert_string_equal(names.at[0], "a");
    assert_string_equal(names.at[1], "b");
}

static void no_two_have_one_number(void **state)
{
    struct ofs_overlay *t = *state;
    struct ofs_local *a = add(t, 5, "a", OFS_TARGET_SCRATCH_DIR);
    struct ofs_local *b;
    char first[24];

    (void)snprintf(first, sizeof(first), "%s", ofs_local_id(a));
    ofs_local_unlink(t, a);
    ofs_local_put(t, a);
    b = add(t, 5, "a", OFS_TARGET_SCRATCH_DIR);
    assert_string_not_equal(ofs_local_id(b), first);
    ofs_local_put(t, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_is_one_things),
        TEST(a_move_takes_the_place_of_what_was_there),
        TEST(what_was_pushed_loses_its_name_until_it_is_written_again),
        TEST(what_was_taken_away_does_not_come_back),
        TEST(the_name_is_the_last_openers_and_both_are_pushed),
        TEST(only_its_process_sees_what_is_written),
        TEST(a_promise_is_kept_to_whom_it_was_made),
        TEST(what_was_to_be_pushed_leaves_a_trace),
        TEST(a_scratch_file_outlives_its_writers),
        TEST(a_directory_lists_what_is_in_it),
        TEST(no_two_have_one_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
