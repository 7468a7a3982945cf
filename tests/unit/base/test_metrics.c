/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/metrics.h"

#include "ocirfs/cleanup.h"

#include <pthread.h>

enum { N_THREADS = 8, ROUNDS = 5000 };

static struct ofs_metric plain =
    OFS_COUNTER("t_pushed_total", "Pushes that ended.");
static struct ofs_metric longer =
    OFS_COUNTER("t_pushed_total_bytes", "Bytes pushed.");
static struct ofs_metric not_found =
    OFS_COUNTER("t_pushed_total{code=\"404\"}", "Pushes that ended.");
static struct ofs_metric denied =
    OFS_COUNTER("t_pushed_total{code=\"401\"}", "Pushes that ended.");
static struct ofs_metric level = OFS_GAUGE("t_level", "Bytes in use.");
static struct ofs_metric unused = OFS_GAUGE("t_unused", "Nothing.");
static struct ofs_metric raced = OFS_COUNTER("t_raced_total", "Many threads.");

static void nothing_used_is_nothing_told(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);

    (void)state;
    assert_int_equal(ofs_metrics_dump(&b), 0);
    assert_int_equal(b.len, 0);
    assert_int_equal(ofs_metric_get("t_level"), 0);
}

static void values_add_up_and_can_be_set(void **state)
{
    (void)state;
    ofs_metric_add(&plain, 2);
    ofs_metric_add(&plain, 3);
    assert_int_equal(ofs_metric_get("t_pushed_total"), 5);
    ofs_metric_set(&level, 100);
    ofs_metric_add(&level, -30);
    assert_int_equal(ofs_metric_get("t_level"), 70);
    assert_int_equal(ofs_metric_get("t_unused"), 0);
    assert_int_equal(ofs_metric_get(unused.name), 0);
}

static void families_stay_together_in_the_text(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);

    (void)state;
    ofs_metric_add(&longer, 9);
    ofs_metric_add(&not_found, 4);
    ofs_metric_add(&denied, 1);
    assert_int_equal(ofs_metrics_dump(&b), 0);
    assert_string_equal(ofs_buf_str(&b),
                        "# HELP t_level Bytes in use.\n"
                        "# TYPE t_level gauge\n"
                        "t_level 70\n"
                        "# HELP t_pushed_total Pushes that ended.\n"
                        "# TYPE t_pushed_total counter\n"
                        "t_pushed_total 5\n"
                        "t_pushed_total{code=\"401\"} 1\n"
                        "t_pushed_total{code=\"404\"} 4\n"
                        "# HELP t_pushed_total_bytes Bytes pushed.\n"
                        "# TYPE t_pushed_total_bytes counter\n"
                        "t_pushed_total_bytes 9\n");
}

static void a_dump_obeys_the_limit(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(20);

    (void)state;
    assert_int_equal(ofs_metrics_dump(&b), -EFBIG);
}

static void *add_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        ofs_metric_add(&raced, 1);
        (void)ofs_metric_get("t_none");
    }
    return NULL;
}

static void no_addition_is_lost(void **state)
{
    pthread_t threads[N_THREADS];

    (void)state;
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_often, NULL), 0);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(ofs_metric_get("t_raced_total"), N_THREADS * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_used_is_nothing_told),
        cmocka_unit_test(values_add_up_and_can_be_set),
        cmocka_unit_test(families_stay_together_in_the_text),
        cmocka_unit_test(a_dump_obeys_the_limit),
        cmocka_unit_test(no_addition_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
