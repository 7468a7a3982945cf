/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "freshness.h"

#include "ocirfs/cleanup.h"

#include <errno.h>

static const struct left_case {
    int64_t at, now, ttl, left;
} left_cases[] = {
    { 100, 100, 10, 10 },
    { 100, 101, 10, 9 },
    { 100, 109, 10, 1 },
    { 100, 110, 10, 0 },
    { 100, 999, 10, 0 },
    { 101, 100, 10, 10 }, /* the asker's later clock */
    { 100, 100, 0, 0 },
    { OFS_LONG_AGO, 100, 10, 0 },
    { OFS_LONG_AGO, 100, INT64_MAX, 0 },
    { 100, 200, INT64_MAX, INT64_MAX - 100 },
};

static void an_answer_is_good_for_the_rest_of_its_ttl(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(left_cases); i++) {
        const struct left_case *c = &left_cases[i];

        assert_int_equal(ofs_fresh_left(c->at, c->now, c->ttl), c->left);
    }
}

enum { TTL = 10, NEGATIVE = 3, NOW = 1000 };

static const struct step_case {
    const char *what;
    enum ofs_listing_state state;
    int64_t at;
    enum ofs_fresh_step step;
} step_cases[] = {
    { "never asked", OFS_LIST_UNKNOWN, 0, OFS_FRESH_ASK },
    { "just asked", OFS_LIST_KNOWN, NOW, OFS_FRESH_USE },
    { "almost too old", OFS_LIST_KNOWN, NOW - TTL + 1, OFS_FRESH_USE },
    { "too old", OFS_LIST_KNOWN, NOW - TTL, OFS_FRESH_REFRESH },
    /* Yesterday's list must not be shown because today's takes a second. */
    { "from a note", OFS_LIST_KNOWN, OFS_LONG_AGO, OFS_FRESH_ASK },
    { "just refused", OFS_LIST_REFUSED, NOW - NEGATIVE + 1, OFS_FRESH_USE },
    { "refused before", OFS_LIST_REFUSED, NOW - NEGATIVE, OFS_FRESH_ASK },
};

static void a_listing_is_used_asked_for_or_refreshed(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(step_cases); i++) {
        const struct step_case *c = &step_cases[i];
        const struct ofs_fresh_view v = { .state = c->state,
                                          .at = c->at,
                                          .now = NOW,
                                          .ttl = TTL,
                                          .negative_ttl = NEGATIVE };

        if (ofs_fresh_step(&v) != c->step)
            fail_msg("%s", c->what);
    }
}

static void the_second_tag_after_a_listing_fetches_all(void **state)
{
    (void)state;
    assert_false(ofs_fresh_prefetch(NOW, NOW, 1));
    assert_true(ofs_fresh_prefetch(NOW, NOW, 2));
    assert_true(ofs_fresh_prefetch(NOW, NOW + OFS_LISTED_MS - 1, 9));
    assert_false(ofs_fresh_prefetch(NOW, NOW + OFS_LISTED_MS, 9));
    assert_false(ofs_fresh_prefetch(OFS_LONG_AGO, NOW, 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_good_for_the_rest_of_its_ttl),
        cmocka_unit_test(a_listing_is_used_asked_for_or_refreshed),
        cmocka_unit_test(the_second_tag_after_a_listing_fetches_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
