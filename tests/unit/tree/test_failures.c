/* SPDX-License-Identifier: Apache-2.0 */
#include "failures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int begin(void **state)
{
    struct ofs_failures *t = calloc(1, sizeof(*t));
    struct ofs_nodes *nodes = calloc(1, sizeof(*nodes));

    *state = t;
    if (!t || !nodes || ofs_nodes_init(nodes) < 0)
        return -ENOMEM;
    return ofs_failures_init(t, nodes);
}

static int end(void **state)
{
    struct ofs_failures *t = *state;
    struct ofs_nodes *nodes = t->nodes;

    ofs_failures_done(t);
    ofs_nodes_done(nodes);
    free(nodes);
    free(t);
    return 0;
}

static struct ofs_spot spot(uint64_t dir, const char *name)
{
    struct ofs_spot s = { .dir = dir };

    (void)snprintf(s.name, sizeof(s.name), "%s", name);
    return s;
}

static void note(struct ofs_failures *t, const struct ofs_spot *s,
                 const char *why)
{
    struct ofs_err err = { 0 };

    (void)ofs_err_set(&err, -EINVAL, "%s", why);
    ofs_failure_note(t, s, &err);
}

static void is(struct ofs_failures *t, const struct ofs_spot *s,
               const char *want)
{
    OFS_AUTOFREE char *got = ofs_failure_get(t, s);

    assert_int_equal(got != NULL, want != NULL);
    if (want)
        assert_string_equal(got, want);
}

static void the_last_failure_of_a_name_is_told_until_it_goes_well(void **state)
{
    const struct ofs_spot a = spot(5, "a"), b = spot(6, "a"), c = spot(5, "b");
    struct ofs_failures *t = *state;

    is(t, &a, NULL);
    note(t, &a, "first");
    note(t, &a, "second");
    note(t, &b, "other");
    is(t, &a, "second");
    is(t, &b, "other");
    is(t, &c, NULL);
    ofs_failure_clear(t, &a);
    is(t, &a, NULL);
    is(t, &b, "other");
}

static void the_oldest_are_forgotten(void **state)
{
    const struct ofs_spot first = spot(1, "first");
    struct ofs_failures *t = *state;

    note(t, &first, "x");
    for (uint64_t i = 0; i < OFS_FAILURES - 1; i++) {
        const struct ofs_spot s = spot(100 + i, "y");

        note(t, &s, "y");
    }
    is(t, &first, "x");
    {
        const struct ofs_spot s = spot(2, "y");

        note(t, &s, "y");
    }
    is(t, &first, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_failure_of_a_name_is_told_until_it_goes_well),
        TEST(the_oldest_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
