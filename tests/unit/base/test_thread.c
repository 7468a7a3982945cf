/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/thread.h"

#include <sched.h>
#include <signal.h>

struct seen {
    struct ofs_thread thread;
    atomic_int rounds;
    char name[16];
    int takes_sigterm;
};

static void *run(void *arg)
{
    struct seen *seen = arg;
    sigset_t set;

    (void)pthread_sigmask(SIG_SETMASK, NULL, &set);
    seen->takes_sigterm = !sigismember(&set, SIGTERM);
    while (ofs_thread_sleep(&seen->thread, OFS_NEVER))
        atomic_fetch_add(&seen->rounds, 1);
    return NULL;
}

static void a_kick_is_a_round_and_a_stop_is_the_end(void **state)
{
    struct seen seen = { .takes_sigterm = -1 };

    (void)state;
    ofs_thread_init(&seen.thread);
    assert_int_equal(ofs_thread_start(&seen.thread, "a-name", run, &seen), 0);
    assert_int_equal(
        pthread_getname_np(seen.thread.thread, seen.name, sizeof(seen.name)),
        0);
    assert_string_equal(seen.name, "a-name");
    for (int i = 1; i <= 3; i++) {
        ofs_thread_kick(&seen.thread);
        while (atomic_load(&seen.rounds) < i)
            sched_yield();
    }
    ofs_thread_stop(&seen.thread);
    assert_int_equal(atomic_load(&seen.rounds), 3);
    assert_int_equal(seen.takes_sigterm, 0);
    ofs_thread_stop(&seen.thread);
    ofs_thread_done(&seen.thread);
}

static void *rest(void *arg)
{
    struct ofs_thread *t = arg;

    ofs_thread_rest(t, OFS_NEVER / 2);
    assert_true(ofs_thread_is_stopping(t));
    return NULL;
}

static void a_kick_does_not_end_a_rest_but_a_stop_does(void **state)
{
    struct ofs_thread t;

    (void)state;
    ofs_thread_init(&t);
    assert_int_equal(ofs_thread_start(&t, "rests", rest, &t), 0);
    ofs_thread_kick(&t);
    ofs_thread_stop(&t);
    ofs_thread_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kick_is_a_round_and_a_stop_is_the_end),
        cmocka_unit_test(a_kick_does_not_end_a_rest_but_a_stop_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
