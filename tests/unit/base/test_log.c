/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/log.h"

#include <fcntl.h>
#include <sys/mman.h>

/* What `level` and `text` leave on stderr. */
static char *logged(enum ofs_log_level level, const char *text)
{
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int fd = memfd_create("log", MFD_CLOEXEC);
    char *line = calloc(1, 8192);

    assert_non_null(line);
    assert_true(saved >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    ofs_log(level, "%s", text);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    assert_true(pread(fd, line, 8191, 0) >= 0);
    assert_int_equal(close(saved), 0);
    assert_int_equal(close(fd), 0);
    return line;
}

static void a_line_has_time_level_and_text(void **state)
{
    static const char *const names[] = {
        [OFS_ERROR] = "ERROR",
        [OFS_WARN] = "WARN",
        [OFS_INFO] = "INFO",
        [OFS_DEBUG] = "DEBUG",
    };

    (void)state;
    ofs_log_init(OFS_DEBUG, OFS_LOG_STDERR);
    for (int level = OFS_ERROR; level <= OFS_DEBUG; level++) {
        OFS_AUTOFREE char *line =
            logged((enum ofs_log_level)level, "store: all is well");
        char want[64];

        (void)snprintf(want, sizeof(want), " %s store: all is well\n",
                       names[level]);
        assert_string_equal(line + strlen("2026-01-05T21:31:40.123Z"), want);
        assert_int_equal(line[10], 'T');
        assert_int_equal(line[23], 'Z');
    }
}

static int asked;

static int ask(void)
{
    return ++asked;
}

static void levels_that_are_off_cost_nothing(void **state)
{
    OFS_AUTOFREE char *line = NULL;

    (void)state;
    ofs_log_init(OFS_WARN, OFS_LOG_STDERR);
    assert_true(ofs_log_on(OFS_ERROR));
    assert_true(ofs_log_on(OFS_WARN));
    assert_false(ofs_log_on(OFS_INFO));
    line = logged(OFS_INFO, "x");
    assert_string_equal(line, "");
    ofs_log(OFS_DEBUG, "%d", ask());
    assert_int_equal(asked, 0);
}

static void control_characters_are_harmless(void **state)
{
    OFS_AUTOFREE char *line = NULL;

    (void)state;
    ofs_log_init(OFS_INFO, OFS_LOG_STDERR);
    line = logged(OFS_INFO, "a\nERROR b\r\x1b[2J\x7f\t|\xc2\x9b"
                            "31m|\xc2\xa0|S\xc3\xa3o");
    assert_non_null(
        strstr(line, "INFO a?ERROR b??[2J??|??31m|\xc2\xa0|S\xc3\xa3o\n"));
}

static void long_lines_are_cut_visibly(void **state)
{
    OFS_AUTOFREE char *line = NULL;
    char text[4000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    line = logged(OFS_ERROR, text);
    assert_in_range(strlen(line), 2000, 2200);
    assert_string_equal(line + strlen(line) - 5, "x...\n");
}

static void errno_stays(void **state)
{
    OFS_AUTOFREE char *line = NULL;

    (void)state;
    errno = EXDEV;
    line = logged(OFS_ERROR, "x");
    assert_int_equal(errno, EXDEV);
}

/* A sink that fails, here a pipe nobody reads, is nobody's failure. */
static void a_broken_sink_is_borne(void **state)
{
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    errno = 0;
    ofs_log(OFS_ERROR, "%s", "lost");
    assert_int_equal(errno, 0);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(close(saved), 0);
    assert_int_equal(close(fd), 0);
}

static void syslog_takes_the_lines_instead(void **state)
{
    OFS_AUTOFREE char *line = NULL;

    (void)state;
    ofs_log_init(OFS_INFO, OFS_LOG_SYSLOG);
    line = logged(OFS_INFO, "test: this line goes to syslog");
    assert_string_equal(line, "");
    ofs_log_init(OFS_INFO, OFS_LOG_STDERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_and_text),
        cmocka_unit_test(levels_that_are_off_cost_nothing),
        cmocka_unit_test(control_characters_are_harmless),
        cmocka_unit_test(long_lines_are_cut_visibly),
        cmocka_unit_test(errno_stays),
        cmocka_unit_test(a_broken_sink_is_borne),
        cmocka_unit_test(syslog_takes_the_lines_instead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
