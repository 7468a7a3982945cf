/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/map.h"

#include "ocirfs/cleanup.h"

enum { MANY = 5000 };

static char *key_of(int i, char key[32])
{
    /* Of every length around the eight bytes that are hashed at once. */
    (void)snprintf(key, 32, "%.*s%d", i % 20, "xxxxxxxxxxxxxxxxxxxx", i);
    return key;
}

static void what_was_put_is_there(void **state)
{
    struct ofs_map *m = ofs_map_new();
    int values[MANY];
    char key[32];

    (void)state;
    assert_non_null(m);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ofs_map_put(m, key_of(i, key), &values[i], NULL), 0);
    assert_int_equal(ofs_map_count(m), MANY);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(ofs_map_get(m, key_of(i, key)), &values[i]);
    assert_null(ofs_map_get(m, "y"));
    ofs_map_free(m, NULL);
}

static void what_was_removed_is_gone(void **state)
{
    struct ofs_map *m = ofs_map_new();
    int values[MANY];
    char key[32];

    (void)state;
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ofs_map_put(m, key_of(i, key), &values[i], NULL), 0);
    for (int i = 0; i < MANY; i += 2)
        assert_ptr_equal(ofs_map_remove(m, key_of(i, key)), &values[i]);
    assert_int_equal(ofs_map_count(m), MANY / 2);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(ofs_map_get(m, key_of(i, key)),
                         i % 2 ? &values[i] : NULL);
    assert_null(ofs_map_remove(m, key_of(0, key)));
    ofs_map_free(m, NULL);
}

static void put_again_replaces_and_gives_the_old(void **state)
{
    struct ofs_map *m = ofs_map_new();
    int a, b;
    void *old = &b;

    (void)state;
    assert_int_equal(ofs_map_put(m, "k", &a, &old), 0);
    assert_null(old);
    assert_int_equal(ofs_map_put(m, "k", &b, &old), 0);
    assert_ptr_equal(old, &a);
    assert_int_equal(ofs_map_put(m, "k", &a, NULL), 0);
    assert_int_equal(ofs_map_count(m), 1);
    ofs_map_free(m, NULL);
}

static void keys_are_copied_and_may_be_empty(void **state)
{
    struct ofs_map *m = ofs_map_new();
    char key[] = "key";
    int a;

    (void)state;
    assert_int_equal(ofs_map_put(m, key, &a, NULL), 0);
    key[0] = 'X';
    assert_ptr_equal(ofs_map_get(m, "key"), &a);
    assert_null(ofs_map_get(m, ""));
    assert_int_equal(ofs_map_put(m, "", &a, NULL), 0);
    assert_ptr_equal(ofs_map_remove(m, ""), &a);
    ofs_map_free(m, NULL);
}

static void values_are_freed_on_wish(void **state)
{
    struct ofs_map *m = ofs_map_new();

    (void)state;
    assert_int_equal(ofs_map_put(m, "a", strdup("1"), NULL), 0);
    assert_int_equal(ofs_map_put(m, "b", strdup("2"), NULL), 0);
    ofs_map_free(m, free);
    ofs_map_free(NULL, free);
}

struct visit {
    int left; /* visits until the visitor has had enough; < 0: never */
    int n;
};

static int visitor(const char *key, void *value, void *arg)
{
    struct visit *v = arg;

    assert_string_equal(key, value);
    v->n++;
    return --v->left == 0 ? 42 : 0;
}

static void each_visits_all_or_until_enough(void **state)
{
    static char keys[3][2] = { "a", "b", "c" };
    struct visit all = { .left = -1 }, some = { .left = 2 };
    struct ofs_map *m = ofs_map_new();

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(ofs_map_put(m, keys[i], keys[i], NULL), 0);
    assert_int_equal(ofs_map_each(m, visitor, &all), 0);
    assert_int_equal(all.n, 3);
    assert_int_equal(ofs_map_each(m, visitor, &some), 42);
    assert_int_equal(some.n, 2);
    ofs_map_free(m, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_there),
        cmocka_unit_test(what_was_removed_is_gone),
        cmocka_unit_test(put_again_replaces_and_gives_the_old),
        cmocka_unit_test(keys_are_copied_and_may_be_empty),
        cmocka_unit_test(values_are_freed_on_wish),
        cmocka_unit_test(each_visits_all_or_until_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
