/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logring.h"

#include "ocirfs/log.h"

#include <pthread.h>

enum { RING = 64, N_THREADS = 4, ROUNDS = 500 };

static unsigned lines_of(const struct ofs_buf *b)
{
    unsigned n = 0;

    for (const char *p = ofs_buf_str(b); *p; p++)
        n += *p == '\n';
    return n;
}

static void an_unused_ring_is_empty(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 16);

    (void)state;
    assert_int_equal(ofs_log_recent(&b), 0);
    assert_int_equal(b.len, 0);
}

static void lines_come_oldest_first_with_time_and_level(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 16);
    const char *second;

    (void)state;
    ofs_logring_add("ERROR", "store: disk full");
    ofs_logring_add("WARN", "http: slow");
    assert_int_equal(ofs_log_recent(&b), 0);
    assert_int_equal(lines_of(&b), 2);
    assert_memory_equal(b.data + strlen("2026-01-05T21:31:40Z"),
                        " ERROR store: disk full\n", 24);
    second = strchr(ofs_buf_str(&b), '\n') + 1;
    assert_string_equal(second + strlen("2026-01-05T21:31:40Z"),
                        " WARN http: slow\n");
}

static void only_the_last_lines_are_kept(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 16);

    (void)state;
    for (int i = 0; i < RING + 10; i++) {
        char text[32];

        (void)snprintf(text, sizeof(text), "line %d.", i);
        ofs_logring_add("ERROR", text);
    }
    assert_int_equal(ofs_log_recent(&b), 0);
    assert_int_equal(lines_of(&b), RING);
    assert_null(strstr(b.data, "line 9."));
    assert_non_null(strstr(b.data, "line 10."));
    assert_non_null(strstr(b.data, "line 73."));
}

static void long_lines_are_cut(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 17);
    OFS_AUTOBUF struct ofs_buf small = OFS_BUF_INIT(100);
    char text[4000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < RING; i++)
        ofs_logring_add("ERROR", text);
    assert_int_equal(ofs_log_recent(&b), 0);
    assert_int_equal(lines_of(&b), RING);
    assert_int_equal(ofs_log_recent(&small), -EFBIG);
}

static void *add_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++)
        ofs_logring_add("WARN", "busy");
    return NULL;
}

static void threads_may_write_and_read_at_once(void **state)
{
    pthread_t threads[N_THREADS];

    (void)state;
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    for (int i = 0; i < 20; i++) {
        /* The test before has left long lines. */
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);

        assert_int_equal(ofs_log_recent(&b), 0);
        assert_int_equal(lines_of(&b), RING);
    }
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void only_errors_and_warnings_get_there(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 16);

    (void)state;
    ofs_log_init(OFS_DEBUG, OFS_LOG_STDERR);
    ofs_log(OFS_INFO, "an info");
    ofs_log(OFS_DEBUG, "a debug");
    ofs_log(OFS_WARN, "a warning\n");
    ofs_log(OFS_ERROR, "an error");
    assert_int_equal(ofs_log_recent(&b), 0);
    assert_null(strstr(b.data, "an info"));
    assert_null(strstr(b.data, "a debug"));
    assert_non_null(strstr(b.data, " WARN a warning?\n"));
    assert_non_null(strstr(b.data, " ERROR an error\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unused_ring_is_empty),
        cmocka_unit_test(lines_come_oldest_first_with_time_and_level),
        cmocka_unit_test(only_the_last_lines_are_kept),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(threads_may_write_and_read_at_once),
        cmocka_unit_test(only_errors_and_warnings_get_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
