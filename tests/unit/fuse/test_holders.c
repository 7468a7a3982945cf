/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "holders.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_descriptor_is_told_by_number_and_mode(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        { "pos:\t0\nflags:\t0100001\nmnt_id:\t24\nino:\t4711\n", true },
        { "pos:\t0\nflags:\t0100002\nmnt_id:\t24\nino:\t4711\n", true },
        { "pos:\t0\nflags:\t0100000\nmnt_id:\t24\nino:\t4711\n", false },
        { "pos:\t0\nflags:\t0100001\nmnt_id:\t24\nino:\t47110\n", false },
        { "pos:\t4711\nflags:\t01\nmnt_id:\t4711\nino:\t1\n", false },
        { "pos:\t0\nflags:\t0100001\nmnt_id:\t24\n", false }, /* before 5.15 */
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(ofs_holders_in_fdinfo(rows[i].text, 4711),
                         rows[i].want);
}

/* Asked about a child that has closed its copy. */
static bool seen_above_a_child(uint64_t ino, int fd)
{
    int status = -1;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)close(fd);
        _exit(ofs_holders_above(getpid(), ino) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* proves S93 */
static void who_is_above_is_looked_at(void **state)
{
    char path[] = "/tmp/ofs-holders-XXXXXX";
    int fd = mkstemp(path);
    struct stat st;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_true(seen_above_a_child(st.st_ino, fd));
    assert_true(ofs_holders_above(getpid(), st.st_ino));
    assert_int_equal(close(fd), 0);
    assert_false(ofs_holders_above(getpid(), st.st_ino));
    assert_false(ofs_holders_above(0, st.st_ino));
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_is_told_by_number_and_mode),
        cmocka_unit_test(who_is_above_is_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
