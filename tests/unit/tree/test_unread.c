/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unread.h"

#include <errno.h>
#include <string.h>

static struct ofs_digest digest_of(unsigned n)
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_of(OFS_SHA256, &n, sizeof(n), &d), 0);
    return d;
}

static void what_failed_is_known_for_a_while(void **state)
{
    struct ofs_unread u = { .next = 0 };
    const struct ofs_digest a = digest_of(1), b = digest_of(2);

    (void)state;
    assert_int_equal(ofs_unread_find(&u, &a, 100, 50), 0);
    assert_true(ofs_unread_note(&u, &a, -EIO, 100));
    assert_int_equal(ofs_unread_find(&u, &a, 149, 50), -EIO);
    assert_int_equal(ofs_unread_find(&u, &a, 150, 50), 0);
    assert_int_equal(ofs_unread_find(&u, &b, 100, 50), 0);
}

static void the_same_again_is_no_news(void **state)
{
    struct ofs_unread u = { .next = 0 };
    const struct ofs_digest a = digest_of(1);

    (void)state;
    assert_true(ofs_unread_note(&u, &a, -EIO, 100));
    assert_false(ofs_unread_note(&u, &a, -EIO, 500));
    assert_int_equal(ofs_unread_find(&u, &a, 501, 50), -EIO);
    assert_true(ofs_unread_note(&u, &a, -EACCES, 600));
}

static void the_oldest_of_many_goes(void **state)
{
    struct ofs_unread u = { .next = 0 };
    const struct ofs_digest first = digest_of(0);

    (void)state;
    for (unsigned i = 0; i < OFS_UNREAD; i++) {
        const struct ofs_digest d = digest_of(i);

        assert_true(ofs_unread_note(&u, &d, -EIO, 100));
    }
    assert_int_equal(ofs_unread_find(&u, &first, 100, 50), -EIO);
    {
        const struct ofs_digest d = digest_of(OFS_UNREAD);

        assert_true(ofs_unread_note(&u, &d, -EIO, 100));
    }
    assert_int_equal(ofs_unread_find(&u, &first, 100, 50), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_failed_is_known_for_a_while),
        cmocka_unit_test(the_same_again_is_no_news),
        cmocka_unit_test(the_oldest_of_many_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
