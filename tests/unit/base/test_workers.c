/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/workers.h"

#include "ocirfs/lock.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { MANY = 200 };

/* A job that stays until the gate opens. */
struct gate {
    atomic_int inside;
    atomic_bool open;
};

static void pass(void *arg)
{
    struct gate *g = arg;

    (void)atomic_fetch_add(&g->inside, 1);
    while (!atomic_load(&g->open))
        (void)sched_yield();
}

static void wait_for_inside(struct gate *g, int n)
{
    while (atomic_load(&g->inside) < n)
        (void)sched_yield();
}

static struct ofs_workers *make(unsigned threads, unsigned queue)
{
    struct ofs_workers *w = ofs_workers_new(&(struct ofs_workers_cfg){
        .name = "a-name-that-is-too-long",
        .max_threads = threads,
        .max_queue = queue,
    });

    assert_non_null(w);
    return w;
}

static void count(void *arg)
{
    (void)atomic_fetch_add((atomic_int *)arg, 1);
}

static void stop_runs_what_is_queued(void **state)
{
    struct ofs_workers *w = make(3, MANY);
    atomic_int n = 0;

    (void)state;
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ofs_workers_add(w, count, &n), 0);
    ofs_workers_stop(w);
    assert_int_equal(atomic_load(&n), MANY);
    assert_int_equal(ofs_workers_busy(w), 0);
    ofs_workers_free(w);
}

/* Nobody can be given a thread, beside the one that is there.  Sanitizers end the
 * process when they get no memory of their own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void what_has_started_needs_no_other_thread(void **state)
{
    struct ofs_workers *w = make(3, MANY), *late = make(3, MANY);
    struct rlimit before, none = { 0 };
    atomic_int n = 0;

    (void)state;
    assert_int_equal(ofs_workers_start(w), 0);
    assert_int_equal(ofs_workers_start(w), 0);
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    none.rlim_max = before.rlim_max;
    if (setrlimit(RLIMIT_AS, &none) < 0)
        skip();
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ofs_workers_add(w, count, &n), 0);
    assert_int_equal(ofs_workers_add(late, count, &n), -ENOMEM);
    assert_int_equal(ofs_workers_start(late), -ENOMEM);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    ofs_workers_free(w);
    assert_int_equal(atomic_load(&n), MANY);
    assert_int_equal(ofs_workers_add(late, count, &n), 0);
    ofs_workers_free(late);
}
#endif

static void free_stops_by_itself(void **state)
{
    struct ofs_workers *w = make(1, 10);
    atomic_int n = 0;

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(ofs_workers_add(w, count, &n), 0);
    ofs_workers_free(w);
    assert_int_equal(atomic_load(&n), 10);
    ofs_workers_free(NULL);
}

static void stopped_workers_refuse(void **state)
{
    struct ofs_workers *w = make(1, 10);
    atomic_int n = 0;

    (void)state;
    ofs_workers_stop(w);
    assert_int_equal(ofs_workers_add(w, count, &n), -EBUSY);
    ofs_workers_stop(w);
    ofs_workers_free(w);
    assert_int_equal(atomic_load(&n), 0);
}

static void threads_are_made_up_to_the_limit(void **state)
{
    struct ofs_workers *w = make(4, 2);
    struct gate g = { 0 };

    (void)state;
    for (int i = 0; i < 6; i++)
        assert_int_equal(ofs_workers_add(w, pass, &g), 0);
    wait_for_inside(&g, 4);
    assert_int_equal(atomic_load(&g.inside), 4);
    assert_int_equal(ofs_workers_busy(w), 6);
    atomic_store(&g.open, true);
    ofs_workers_free(w);
    assert_int_equal(atomic_load(&g.inside), 6);
}

static void a_full_queue_is_busy_until_a_job_ends(void **state)
{
    struct ofs_workers *w = make(1, 2);
    struct gate g = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(ofs_workers_add(w, pass, &g), 0);
    assert_int_equal(ofs_workers_add(w, pass, &g), -EBUSY);
    wait_for_inside(&g, 1);
    assert_int_equal(ofs_workers_add(w, pass, &g), -EBUSY);
    atomic_store(&g.open, true);
    while (ofs_workers_busy(w) > 0)
        (void)sched_yield();
    assert_int_equal(ofs_workers_add(w, pass, &g), 0);
    ofs_workers_free(w);
    assert_int_equal(atomic_load(&g.inside), 4);
}

static void without_a_queue_a_free_thread_takes_jobs(void **state)
{
    struct ofs_workers *w = make(2, 0);
    struct gate g = { 0 };

    (void)state;
    assert_int_equal(ofs_workers_add(w, pass, &g), 0);
    assert_int_equal(ofs_workers_add(w, pass, &g), 0);
    assert_int_equal(ofs_workers_add(w, pass, &g), -EBUSY);
    atomic_store(&g.open, true);
    ofs_workers_free(w);
}

/* What jobs see, written by the one thread of the pool only. */
struct seen {
    int order[MANY];
    int n;
    char name[32];
    bool blocked;
    int rank;
};

struct numbered {
    struct seen *seen;
    int number;
};

static void note(void *arg)
{
    const struct numbered *job = arg;

    job->seen->order[job->seen->n++] = job->number;
}

static void one_thread_keeps_the_order(void **state)
{
    struct ofs_workers *w = make(1, 7);
    struct numbered jobs[MANY];
    struct seen seen = { 0 };

    (void)state;
    for (int i = 0; i < MANY; i++) {
        jobs[i] = (struct numbered){ .seen = &seen, .number = i };
        while (ofs_workers_add(w, note, &jobs[i]) == -EBUSY)
            (void)sched_yield();
    }
    ofs_workers_free(w);
    assert_int_equal(seen.n, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(seen.order[i], i);
}

static void look_around(void *arg)
{
    struct seen *seen = arg;
    sigset_t set;

    (void)pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
    (void)pthread_sigmask(SIG_SETMASK, NULL, &set);
    seen->blocked = sigismember(&set, SIGTERM) && sigismember(&set, SIGINT);
    seen->rank = ofs_rank_held;
}

static void jobs_run_named_unlocked_and_without_signals(void **state)
{
    struct ofs_workers *w = make(1, 1);
    struct seen seen = { .rank = -1 };
    sigset_t set;

    (void)state;
    assert_int_equal(ofs_workers_add(w, look_around, &seen), 0);
    ofs_workers_free(w);
    assert_string_equal(seen.name, "a-name-that-is-");
    assert_true(seen.blocked);
    assert_int_equal(seen.rank, 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
    assert_false(sigismember(&set, SIGTERM));
}

struct adder {
    struct ofs_workers *w;
    atomic_int *n;
    int refused;
};

static void *add_many(void *arg)
{
    struct adder *a = arg;

    for (int i = 0; i < MANY; i++)
        a->refused += ofs_workers_add(a->w, count, a->n) < 0;
    return NULL;
}

static void every_job_is_run_once_or_refused(void **state)
{
    struct ofs_workers *w = make(3, 5);
    struct adder adders[4];
    pthread_t threads[4];
    atomic_int n = 0;
    int refused = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        adders[i] = (struct adder){ .w = w, .n = &n };
        assert_int_equal(
            pthread_create(&threads[i], NULL, add_many, &adders[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        refused += adders[i].refused;
    }
    ofs_workers_free(w);
    assert_int_equal(atomic_load(&n) + refused, 4 * MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_runs_what_is_queued),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(what_has_started_needs_no_other_thread),
#endif
        cmocka_unit_test(free_stops_by_itself),
        cmocka_unit_test(stopped_workers_refuse),
        cmocka_unit_test(threads_are_made_up_to_the_limit),
        cmocka_unit_test(a_full_queue_is_busy_until_a_job_ends),
        cmocka_unit_test(without_a_queue_a_free_thread_takes_jobs),
        cmocka_unit_test(one_thread_keeps_the_order),
        cmocka_unit_test(jobs_run_named_unlocked_and_without_signals),
        cmocka_unit_test(every_job_is_run_once_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
