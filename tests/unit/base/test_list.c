/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/list.h"

struct item {
    struct item *next, **link;
    char name;
};

static void is(const struct item *first, const char *names)
{
    struct item *const *link = NULL;

    for (const struct item *i = first; i; i = i->next) {
        assert_int_equal(i->name, *names++);
        if (link)
            assert_ptr_equal(i->link, link);
        link = &i->next;
    }
    assert_int_equal(*names, '\0');
}

static void an_item_goes_where_it_is_put(void **state)
{
    struct item a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
    struct item *first = NULL;

    (void)state;
    ofs_list_add(&first, &a);
    ofs_list_add(&first, &b);
    is(first, "ba");
    ofs_list_add(&b.next, &c);
    is(first, "bca");
    assert_ptr_equal(first->link, &first);
}

static void an_item_leaves_from_anywhere_and_comes_back(void **state)
{
    struct item at[] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' } };
    struct item *first = NULL;

    (void)state;
    for (int i = 2; i >= 0; i--)
        ofs_list_add(&first, &at[i]);
    ofs_list_remove(&at[1]);
    is(first, "ac");
    ofs_list_add(&at[2].next, &at[1]);
    is(first, "acb");
    ofs_list_remove(first);
    is(first, "cb");
    ofs_list_remove(&at[1]);
    is(first, "c");
    ofs_list_remove(&at[2]);
    assert_null(first);
}

static void what_is_in_no_list_can_be_removed(void **state)
{
    struct item a = { .name = 'a' }, *first = NULL;

    (void)state;
    ofs_list_remove(&a);
    ofs_list_add(&first, &a);
    ofs_list_remove(&a);
    ofs_list_remove(&a);
    assert_null(first);
    assert_null(a.link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_goes_where_it_is_put),
        cmocka_unit_test(an_item_leaves_from_anywhere_and_comes_back),
        cmocka_unit_test(what_is_in_no_list_can_be_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
