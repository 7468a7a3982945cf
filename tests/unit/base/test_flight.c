/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/flight.h"

#include <sched.h>

enum { N_THREADS = 12, LONG_MS = 30 * 1000, ROUNDS = 400 };

/* One table, one piece of work, and what each run of it answers. */
struct fixture {
    struct ofs_flights *table;
    atomic_int runs;
    unsigned waiters_first; /* the first run ends when so many wait */
    int first;              /* what the first run answers */
    int later;              /* what all others answer */
    bool past_deadline;     /* the first run ends after its own deadline */
};

/* One thread that asks for the work. */
struct asker {
    struct fixture *fx;
    struct ofs_call call;
    pthread_t thread;
    int r;
    struct ofs_err err;
};

static int work(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    struct fixture *fx = arg;
    bool is_first = atomic_fetch_add(&fx->runs, 1) == 0;
    int r = is_first ? fx->first : fx->later;

    while (is_first && ofs_flights_waiting(fx->table) < fx->waiters_first)
        (void)sched_yield();
    while (is_first && fx->past_deadline && ofs_call_left_ms(call) > 0)
        (void)sched_yield();
    return r < 0 ? ofs_err_set(err, r, "answer %d", r) : r;
}

static void *ask(void *arg)
{
    struct asker *a = arg;

    a->r = ofs_flights_run(a->fx->table, "key", &a->call, work, a->fx, &a->err);
    return NULL;
}

static void start(struct asker *a, struct fixture *fx, int64_t timeout_ms)
{
    *a = (struct asker){ .fx = fx };
    ofs_call_init(&a->call, timeout_ms);
    assert_int_equal(pthread_create(&a->thread, NULL, ask, a), 0);
}

static int finish(struct asker *a)
{
    assert_int_equal(pthread_join(a->thread, NULL), 0);
    ofs_call_done(&a->call);
    return a->r;
}

static void wait_for_runs(struct fixture *fx, int runs)
{
    while (atomic_load(&fx->runs) < runs)
        (void)sched_yield();
}

static void wait_for_waiters(struct fixture *fx, unsigned n)
{
    while (ofs_flights_waiting(fx->table) != n)
        (void)sched_yield();
}

static int setup(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    if (fx)
        fx->table = ofs_flights_new();
    *state = fx;
    return fx && fx->table ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fx = *state;

    ofs_flights_free(fx->table);
    free(fx);
    return 0;
}

static void one_run_serves_all(void **state)
{
    struct fixture *fx = *state;
    struct asker a[N_THREADS];

    fx->waiters_first = N_THREADS - 1;
    fx->first = -ENOENT;
    for (int i = 0; i < N_THREADS; i++)
        start(&a[i], fx, LONG_MS);
    for (int i = 0; i < N_THREADS; i++) {
        assert_int_equal(finish(&a[i]), -ENOENT);
        assert_int_equal(a[i].err.code, -ENOENT);
        assert_string_equal(a[i].err.text, "answer -2");
    }
    assert_int_equal(atomic_load(&fx->runs), 1);
    assert_int_equal(ofs_flights_waiting(fx->table), 0);
}

static void success_is_shared_and_leaves_err_alone(void **state)
{
    struct fixture *fx = *state;
    struct asker a[2];

    fx->waiters_first = 1;
    fx->first = 7;
    fx->later = -EIO;
    for (int i = 0; i < 2; i++)
        start(&a[i], fx, LONG_MS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(finish(&a[i]), 7);
        assert_int_equal(a[i].err.code, 0);
    }
}

static void nothing_is_remembered(void **state)
{
    struct fixture *fx = *state;
    struct ofs_call call;

    fx->first = -EIO;
    ofs_call_init(&call, OFS_NEVER);
    assert_int_equal(ofs_flights_run(fx->table, "k", &call, work, fx, NULL),
                     -EIO);
    assert_int_equal(ofs_flights_run(fx->table, "k", &call, work, fx, NULL), 0);
    assert_int_equal(atomic_load(&fx->runs), 2);
    ofs_call_done(&call);
}

static int nested(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    struct fixture *fx = arg;

    return ofs_flights_run(fx->table, "inner", call, work, fx, err);
}

static void two_keys_are_two_flights(void **state)
{
    struct fixture *fx = *state;
    struct ofs_call call;

    fx->first = 3;
    ofs_call_init(&call, OFS_NEVER);
    assert_int_equal(ofs_flights_run(fx->table, "o", &call, nested, fx, NULL),
                     3);
    ofs_call_done(&call);
}

/* What a leader answers when it gives up for a reason of its own. */
static void gives_up(struct fixture *fx, int with, int64_t timeout_ms)
{
    struct asker leader, waiter;

    atomic_store(&fx->runs, 0);
    fx->waiters_first = 1;
    fx->first = with;
    fx->later = 5;
    start(&leader, fx, timeout_ms);
    wait_for_runs(fx, 1);
    start(&waiter, fx, LONG_MS);
    assert_int_equal(finish(&leader), with);
    assert_int_equal(leader.err.code, with);
    assert_int_equal(finish(&waiter), 5);
    assert_int_equal(atomic_load(&fx->runs), 2);
}

static void an_interrupted_leader_hands_over(void **state)
{
    gives_up(*state, -EINTR, LONG_MS);
}

static void a_leader_that_may_not_wait_hands_over(void **state)
{
    gives_up(*state, -EAGAIN, LONG_MS);
}

static void a_leader_past_its_deadline_hands_over(void **state)
{
    struct fixture *fx = *state;

    fx->past_deadline = true;
    gives_up(fx, -ETIMEDOUT, 5);
}

static void a_time_out_of_the_thing_itself_is_shared(void **state)
{
    struct fixture *fx = *state;
    struct asker a[2];

    fx->waiters_first = 1;
    fx->first = -ETIMEDOUT;
    for (int i = 0; i < 2; i++)
        start(&a[i], fx, LONG_MS);
    for (int i = 0; i < 2; i++)
        assert_int_equal(finish(&a[i]), -ETIMEDOUT);
    assert_int_equal(atomic_load(&fx->runs), 1);
}

/* The first run ends once two wait at the same time; until then it is busy. */
static void a_waiter_that_goes_holds_nobody_up(void **state)
{
    struct fixture *fx = *state;
    struct asker leader, goes, stays[2];

    fx->waiters_first = 2;
    fx->first = 9;
    start(&leader, fx, LONG_MS);
    wait_for_runs(fx, 1);
    start(&goes, fx, LONG_MS);
    wait_for_waiters(fx, 1);
    ofs_call_cancel(&goes.call);
    assert_int_equal(finish(&goes), -EINTR);
    assert_int_equal(goes.err.code, -EINTR);
    start(&goes, fx, 5);
    assert_int_equal(finish(&goes), -ETIMEDOUT);
    for (int i = 0; i < 2; i++)
        start(&stays[i], fx, LONG_MS);
    for (int i = 0; i < 2; i++)
        assert_int_equal(finish(&stays[i]), 9);
    assert_int_equal(finish(&leader), 9);
}

static void who_may_not_wait_is_told_at_once(void **state)
{
    struct fixture *fx = *state;
    struct asker leader, waiter;
    struct ofs_call call;

    fx->waiters_first = 1;
    start(&leader, fx, LONG_MS);
    wait_for_runs(fx, 1);
    ofs_call_init(&call, OFS_NEVER);
    call.may_wait = false;
    assert_int_equal(ofs_flights_run(fx->table, "key", &call, work, fx, NULL),
                     -EAGAIN);
    ofs_call_done(&call);
    start(&waiter, fx, LONG_MS);
    assert_int_equal(finish(&leader), 0);
    assert_int_equal(finish(&waiter), 0);
}

static void who_may_not_wait_may_work(void **state)
{
    struct fixture *fx = *state;
    struct ofs_call call;

    fx->first = 4;
    ofs_call_init(&call, OFS_NEVER);
    call.may_wait = false;
    assert_int_equal(ofs_flights_run(fx->table, "key", &call, work, fx, NULL),
                     4);
    ofs_call_done(&call);
}

static int sometimes(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    static atomic_uint n;
    unsigned turn = atomic_fetch_add(&n, 1);

    (void)call;
    (void)arg;
    (void)sched_yield();
    return turn % 3 == 0 ? ofs_err_set(err, -EINTR, "turn %u", turn) : 1;
}

static void *churn(void *arg)
{
    static const char *const keys[] = { "a", "b", "c" };
    struct asker *a = arg;

    for (int i = 0; i < ROUNDS; i++) {
        int r = ofs_flights_run(a->fx->table, keys[i % 3], &a->call, sometimes,
                                NULL, NULL);

        a->r += r == 1 || r == -EINTR;
    }
    return NULL;
}

static void many_flights_at_once_leave_nothing_behind(void **state)
{
    struct fixture *fx = *state;
    struct asker a[N_THREADS];

    for (int i = 0; i < N_THREADS; i++) {
        a[i] = (struct asker){ .fx = fx };
        ofs_call_init(&a[i].call, LONG_MS);
        assert_int_equal(pthread_create(&a[i].thread, NULL, churn, &a[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(finish(&a[i]), ROUNDS);
    assert_int_equal(ofs_flights_waiting(fx->table), 0);
}

static void no_table_is_freed_as_well(void **state)
{
    (void)state;
    ofs_flights_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_run_serves_all, setup, teardown),
        cmocka_unit_test_setup_teardown(success_is_shared_and_leaves_err_alone,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(two_keys_are_two_flights, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_interrupted_leader_hands_over, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_leader_that_may_not_wait_hands_over,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_leader_past_its_deadline_hands_over,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_time_out_of_the_thing_itself_is_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(a_waiter_that_goes_holds_nobody_up,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(who_may_not_wait_is_told_at_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_may_not_wait_may_work, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            many_flights_at_once_leave_nothing_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(no_table_is_freed_as_well, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
