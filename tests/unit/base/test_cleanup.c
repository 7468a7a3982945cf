/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/cleanup.h"

#include <fcntl.h>

static int freed;

struct thing {
    int unused;
};

static void thing_free(struct thing *t)
{
    freed += t != NULL;
    free(t);
}
OFS_DEFINE_AUTO(struct thing, thing_free)

static struct thing *make(int hand_on)
{
    OFS_AUTO(thing_freep) struct thing *t = calloc(1, sizeof(*t));

    return hand_on ? ofs_take(&t) : NULL;
}

static void what_is_not_taken_is_freed(void **state)
{
    (void)state;
    freed = 0;
    assert_null(make(0));
    assert_int_equal(freed, 1);
}

static void what_is_taken_stays(void **state)
{
    struct thing *t;

    (void)state;
    freed = 0;
    t = make(1);
    assert_non_null(t);
    assert_int_equal(freed, 0);
    thing_free(t);
}

static int open_null(int hand_on, int *ret_number)
{
    OFS_AUTOCLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    *ret_number = fd;
    return hand_on ? ofs_take_fd(&fd) : -1;
}

static void descriptors_close_unless_taken(void **state)
{
    int number, fd;

    (void)state;
    assert_int_equal(open_null(0, &number), -1);
    assert_true(number >= 0);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    fd = open_null(1, &number);
    assert_int_equal(fd, number);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_int_equal(close(fd), 0);
}

static void plain_memory_is_freed(void **state)
{
    OFS_AUTOFREE char *text = strdup("leak checkers see it otherwise");

    (void)state;
    assert_non_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_taken_is_freed),
        cmocka_unit_test(what_is_taken_stays),
        cmocka_unit_test(descriptors_close_unless_taken),
        cmocka_unit_test(plain_memory_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
