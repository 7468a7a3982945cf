/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "held.h"

static int one, other; /* owners: any two addresses */

static void put(struct ofs_held_pool *p, const void *owner, uint32_t chunk)
{
    struct ofs_held *h = ofs_held_new(p, owner, chunk);

    assert_non_null(h);
    ofs_held_publish(p, h);
    ofs_held_unpin(p, h);
}

static bool has(struct ofs_held_pool *p, const void *owner, uint32_t chunk)
{
    struct ofs_held *h = ofs_held_get(p, owner, chunk);

    ofs_held_unpin(p, h);
    return h != NULL;
}

static void done(struct ofs_held_pool *p)
{
    ofs_held_drop_all(p, &one);
    ofs_held_drop_all(p, &other);
    ofs_held_done(p);
}

static void beyond_the_budget_the_least_used_goes(void **state)
{
    struct ofs_held_pool p;

    (void)state;
    ofs_held_init(&p, 2);
    put(&p, &one, 1);
    put(&p, &one, 2);
    assert_true(has(&p, &one, 1)); /* now 2 is the older one */
    put(&p, &other, 1);
    assert_true(has(&p, &one, 1));
    assert_false(has(&p, &one, 2));
    assert_true(has(&p, &other, 1));
    done(&p);
}

static void what_is_used_up_goes_first(void **state)
{
    struct ofs_held_pool p;
    struct ofs_held *h;

    (void)state;
    ofs_held_init(&p, 2);
    put(&p, &one, 1);
    put(&p, &one, 2);
    h = ofs_held_get(&p, &one, 2);
    ofs_held_use_up(&p, h);
    ofs_held_unpin(&p, h);
    put(&p, &one, 3);
    assert_true(has(&p, &one, 1));
    assert_false(has(&p, &one, 2));
    /* Alone, first and last at once; and not on the list at all. */
    ofs_held_drop_all(&p, &one);
    put(&p, &one, 1);
    h = ofs_held_get(&p, &one, 1);
    ofs_held_use_up(&p, h);
    ofs_held_drop(&p, h);
    ofs_held_use_up(&p, h);
    ofs_held_unpin(&p, h);
    done(&p);
}

static void what_is_pinned_stays(void **state)
{
    struct ofs_held_pool p;
    struct ofs_held *h;

    (void)state;
    ofs_held_init(&p, 1);
    put(&p, &one, 1);
    h = ofs_held_get(&p, &one, 1);
    put(&p, &one, 2);
    put(&p, &one, 3);
    assert_true(has(&p, &one, 1));
    ofs_held_pin(&p, h);
    ofs_held_unpin(&p, h);
    ofs_held_unpin(&p, h);
    put(&p, &one, 4);
    assert_false(has(&p, &one, 1));
    assert_true(has(&p, &one, 4));
    done(&p);
}

static void nobody_finds_what_is_not_published_or_dropped(void **state)
{
    struct ofs_held_pool p;
    struct ofs_held *h, *again;

    (void)state;
    ofs_held_init(&p, 4);
    h = ofs_held_new(&p, &one, 1);
    assert_false(has(&p, &one, 1));
    ofs_held_publish(&p, h);
    assert_true(has(&p, &one, 1));
    ofs_held_drop(&p, h);
    ofs_held_drop(&p, h); /* once more is nothing */
    assert_false(has(&p, &one, 1));
    again = ofs_held_new(&p, &one, 1);
    ofs_held_publish(&p, again);
    ofs_held_unpin(&p, again);
    ofs_held_unpin(&p, h); /* it was still there for who had pinned it */
    ofs_held_unpin(&p, NULL);
    assert_true(has(&p, &one, 1));
    done(&p);
}

static void owners_are_kept_apart(void **state)
{
    struct ofs_held_pool p;

    (void)state;
    ofs_held_init(&p, 4);
    put(&p, &one, 1);
    put(&p, &other, 1);
    put(&p, &one, 2);
    ofs_held_drop_all(&p, &one);
    assert_false(has(&p, &one, 1));
    assert_false(has(&p, &one, 2));
    assert_true(has(&p, &other, 1));
    done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beyond_the_budget_the_least_used_goes),
        cmocka_unit_test(what_is_used_up_goes_first),
        cmocka_unit_test(what_is_pinned_stays),
        cmocka_unit_test(nobody_finds_what_is_not_published_or_dropped),
        cmocka_unit_test(owners_are_kept_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
