/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/call.h"

#include "ocirfs/clock.h"
#include "ocirfs/list.h"

#include <sched.h>
#include <sys/syscall.h>

enum { LONG_MS = 30 * 1000 };

/* A thread that sleeps in a call once, and what came of it. */
struct sleeper {
    struct ofs_call call;
    pthread_t thread;
    atomic_int tid;
    int r;
    struct ofs_err err;
};

static void *sleep_once(void *arg)
{
    struct sleeper *s = arg;

    atomic_store(&s->tid, (int)syscall(SYS_gettid));
    s->r = ofs_call_sleep(&s->call, &s->err);
    return NULL;
}

static char state_of(int tid)
{
    char path[64], line[256] = "";
    const char *end;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
    f = fopen(path, "re");
    if (!f)
        return '?';
    if (!fgets(line, sizeof(line), f))
        line[0] = '\0';
    (void)fclose(f);
    end = strrchr(line, ')');
    return end ? end[2] : '?';
}

/* Returns when the thread is asleep, or gone. */
static void start(struct sleeper *s, int64_t timeout_ms)
{
    *s = (struct sleeper){ .r = 1 };
    ofs_call_init(&s->call, timeout_ms);
    assert_int_equal(pthread_create(&s->thread, NULL, sleep_once, s), 0);
    while (atomic_load(&s->tid) == 0)
        (void)sched_yield();
    while (state_of(atomic_load(&s->tid)) == 'R')
        (void)sched_yield();
}

static int finish(struct sleeper *s)
{
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    ofs_call_done(&s->call);
    return s->r;
}

static void a_wake_up_ends_a_sleep(void **state)
{
    struct sleeper s;

    (void)state;
    start(&s, LONG_MS);
    ofs_call_wake(&s.call);
    assert_int_equal(finish(&s), 0);
    start(&s, OFS_NEVER);
    ofs_call_wake(&s.call);
    assert_int_equal(finish(&s), 0);
}

static void a_cancel_ends_a_sleep(void **state)
{
    struct sleeper s;

    (void)state;
    start(&s, OFS_NEVER);
    ofs_call_cancel(&s.call);
    assert_int_equal(finish(&s), -EINTR);
    assert_int_equal(s.err.code, -EINTR);
    start(&s, LONG_MS);
    ofs_call_cancel(&s.call);
    assert_int_equal(finish(&s), -EINTR);
}

static void a_deadline_ends_a_sleep_and_not_before(void **state)
{
    int64_t begin = ofs_mono_ms();
    struct sleeper s;

    (void)state;
    start(&s, 20);
    assert_int_equal(finish(&s), -ETIMEDOUT);
    assert_int_equal(s.err.code, -ETIMEDOUT);
    assert_true(ofs_mono_ms() - begin >= 20);
}

static void a_wake_up_before_the_sleep_is_not_lost(void **state)
{
    struct ofs_call call;

    (void)state;
    ofs_call_init(&call, OFS_NEVER);
    ofs_call_wake(&call);
    ofs_call_wake(&call);
    assert_int_equal(ofs_call_sleep(&call, NULL), 0);
    ofs_call_done(&call);
}

static void a_sleep_consumes_the_wake_up(void **state)
{
    struct ofs_call call;

    (void)state;
    ofs_call_init(&call, 5);
    ofs_call_wake(&call);
    assert_int_equal(ofs_call_sleep(&call, NULL), 0);
    assert_int_equal(ofs_call_sleep(&call, NULL), -ETIMEDOUT);
    ofs_call_done(&call);
}

static void a_late_wake_up_counts_but_not_after_a_cancel(void **state)
{
    struct ofs_call call;

    (void)state;
    ofs_call_init(&call, 0);
    ofs_call_wake(&call);
    assert_int_equal(ofs_call_sleep(&call, NULL), 0);
    ofs_call_wake(&call);
    ofs_call_cancel(&call);
    assert_int_equal(ofs_call_sleep(&call, NULL), -EINTR);
    assert_int_equal(ofs_call_sleep(&call, NULL), -EINTR);
    ofs_call_done(&call);
}

static void check_tells_what_a_sleep_would(void **state)
{
    static const struct {
        int64_t timeout_ms;
        bool may_wait, cancelled;
        int want;
    } rows[] = {
        { OFS_NEVER, true, false, 0 },        { LONG_MS, true, false, 0 },
        { 0, true, false, -ETIMEDOUT },       { -5, true, false, -ETIMEDOUT },
        { OFS_NEVER, false, false, -EAGAIN }, { OFS_NEVER, true, true, -EINTR },
        { 0, false, true, -EINTR },           { 0, false, false, -ETIMEDOUT },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_err err = { 0 };
        struct ofs_call call;

        ofs_call_init(&call, rows[i].timeout_ms);
        call.may_wait = rows[i].may_wait;
        if (rows[i].cancelled)
            ofs_call_cancel(&call);
        assert_int_equal(ofs_call_check(&call, &err), rows[i].want);
        assert_int_equal(err.code, rows[i].want);
        if (rows[i].want < 0)
            assert_int_equal(ofs_call_sleep(&call, NULL), rows[i].want);
        ofs_call_done(&call);
    }
}

static void time_left_runs_down_to_nothing(void **state)
{
    struct ofs_call call;

    (void)state;
    ofs_call_init(&call, LONG_MS);
    assert_in_range(ofs_call_left_ms(&call), 1, LONG_MS);
    call.deadline_ms = ofs_mono_ms() - 1;
    assert_int_equal(ofs_call_left_ms(&call), 0);
    ofs_call_done(&call);
    ofs_call_init(&call, OFS_NEVER - 1); /* beyond the end of time */
    assert_true(ofs_call_left_ms(&call) == OFS_NEVER);
    ofs_call_done(&call);
}

static void a_list_wakes_all_and_keeps_them(void **state)
{
    struct ofs_waitlist list = { 0 };
    struct ofs_waiter w[3] = { 0 };
    struct ofs_call calls[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        ofs_call_init(&calls[i], 0);
        w[i].call = &calls[i];
        ofs_list_add(&list.first, &w[i]);
    }
    for (int again = 0; again < 2; again++) {
        ofs_waitlist_wake(&list);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(ofs_call_sleep(&calls[i], NULL), 0);
    }
    ofs_list_remove(&w[1]); /* from the middle */
    ofs_waitlist_wake(&list);
    assert_int_equal(ofs_call_sleep(&calls[0], NULL), 0);
    assert_int_equal(ofs_call_sleep(&calls[1], NULL), -ETIMEDOUT);
    assert_int_equal(ofs_call_sleep(&calls[2], NULL), 0);
    ofs_list_remove(&w[2]);
    ofs_list_remove(&w[0]);
    assert_null(list.first);
    for (size_t i = 0; i < 3; i++)
        ofs_call_done(&calls[i]);
}

/* The pattern of the header, with a counter that another thread moves. */
struct meeting {
    struct ofs_mutex mtx;
    struct ofs_waitlist waiters;
    int count;
};

struct meeting_at {
    struct meeting *m;
    int count;
};

static bool has_counted(void *arg)
{
    const struct meeting_at *at = arg;

    return at->m->count >= at->count;
}

static int wait_for_count(struct meeting *m, int count, struct ofs_call *call)
{
    struct meeting_at at = { .m = m, .count = count };

    return ofs_waitlist_wait(&m->waiters, &m->mtx, call, has_counted, &at,
                             NULL);
}

enum { MEETINGS = 2000 };

static void *count_up(void *arg)
{
    struct meeting *m = arg;

    for (int i = 0; i < MEETINGS; i++) {
        OFS_GUARD(&m->mtx);
        m->count++;
        ofs_waitlist_wake(&m->waiters);
    }
    return NULL;
}

static void a_wait_misses_nothing(void **state)
{
    struct meeting m = { .mtx = OFS_MUTEX_INIT(OFS_RANK_NODE) };
    struct ofs_call call;
    pthread_t thread;

    (void)state;
    ofs_call_init(&call, LONG_MS);
    assert_int_equal(pthread_create(&thread, NULL, count_up, &m), 0);
    for (int i = 1; i <= MEETINGS; i++)
        assert_int_equal(wait_for_count(&m, i, &call), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_null(m.waiters.first);
    ofs_call_done(&call);
}

static bool third_time(void *arg)
{
    int *asked = arg;

    return ++*asked == 3;
}

static void a_wait_asks_again_after_each_wake_up(void **state)
{
    struct ofs_mutex mtx = OFS_MUTEX_INIT(OFS_RANK_INFLIGHT);
    struct ofs_waitlist list = { 0 };
    struct ofs_call call;
    int asked = 0;

    (void)state;
    ofs_call_init(&call, 1);
    ofs_call_wake(&call);
    assert_int_equal(
        ofs_waitlist_wait(&list, &mtx, &call, third_time, &asked, NULL),
        -ETIMEDOUT);
    assert_int_equal(asked, 2);
    assert_null(list.first);
    assert_int_equal(
        ofs_waitlist_wait(&list, &mtx, &call, third_time, &asked, NULL), 0);
    assert_null(list.first);
    ofs_call_done(&call);
}

static void a_pause_lasts_and_ends_with_the_deadline(void **state)
{
    struct ofs_call call;
    int64_t begin = ofs_mono_ms();

    (void)state;
    ofs_call_init(&call, 60 * 1000);
    ofs_call_wake(&call);
    assert_int_equal(ofs_call_pause(&call, 20, NULL), 0);
    assert_true(ofs_mono_ms() - begin >= 20);
    assert_int_equal(ofs_call_pause(&call, 120 * 1000, NULL), -ETIMEDOUT);
    ofs_call_cancel(&call);
    assert_int_equal(ofs_call_pause(&call, 1, NULL), -EINTR);
    ofs_call_done(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wake_up_ends_a_sleep),
        cmocka_unit_test(a_cancel_ends_a_sleep),
        cmocka_unit_test(a_deadline_ends_a_sleep_and_not_before),
        cmocka_unit_test(a_wake_up_before_the_sleep_is_not_lost),
        cmocka_unit_test(a_sleep_consumes_the_wake_up),
        cmocka_unit_test(a_late_wake_up_counts_but_not_after_a_cancel),
        cmocka_unit_test(check_tells_what_a_sleep_would),
        cmocka_unit_test(time_left_runs_down_to_nothing),
        cmocka_unit_test(a_list_wakes_all_and_keeps_them),
        cmocka_unit_test(a_wait_misses_nothing),
        cmocka_unit_test(a_wait_asks_again_after_each_wake_up),
        cmocka_unit_test(a_pause_lasts_and_ends_with_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
