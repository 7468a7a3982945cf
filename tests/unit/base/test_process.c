/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ocirfs/process.h"

#include <sys/wait.h>
#include <unistd.h>

static void numbers_stand_behind_their_names(void **state)
{
    uint64_t n = 0;

    (void)state;
    assert_true(ofs_process_number("a\nb:\t12\nc:\t7\n", "\nb:\t", 10, &n));
    assert_int_equal(n, 12);
    assert_true(ofs_process_number("a\nb:\t12\n", "\nb:\t", 8, &n));
    assert_int_equal(n, 10);
    assert_false(ofs_process_number("a\nb:\tx\n", "\nb:\t", 10, &n));
    assert_false(ofs_process_number("a\nb:\t1", "\nb:\t", 10, &n));
    assert_false(ofs_process_number("", "\nb:\t", 10, &n));
}

static void we_see_ourselves_and_who_has_ended(void **state)
{
    pid_t child;
    siginfo_t info;

    (void)state;
    assert_int_equal(ofs_process_of(getpid()), getpid());
    assert_int_equal(ofs_process_parent(getpid()), getppid());
    assert_int_equal(ofs_process_parent(0), 0);
    assert_int_equal(ofs_process_of(0), 0);
    child = fork();
    if (child == 0)
        _exit(0);
    /* Nobody has asked for its status yet. */
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(ofs_process_parent(child), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(ofs_process_parent(child), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_behind_their_names),
        cmocka_unit_test(we_see_ourselves_and_who_has_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
