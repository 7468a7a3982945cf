/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/lock.h"

#include <signal.h>
#include <sys/wait.h>

static struct ofs_mutex low = OFS_MUTEX_INIT(OFS_RANK_TREE);
static struct ofs_mutex high = OFS_MUTEX_INIT(OFS_RANK_STORE);

static void a_guard_holds_until_its_block_ends(void **state)
{
    (void)state;
    {
        OFS_GUARD(&low);
        assert_int_equal(ofs_rank_held, OFS_RANK_TREE);
        {
            OFS_GUARD(&high);
            assert_int_equal(ofs_rank_held, OFS_RANK_STORE);
            assert_int_not_equal(pthread_mutex_trylock(&high.m), 0);
        }
        assert_int_equal(ofs_rank_held, OFS_RANK_TREE);
    }
    assert_int_equal(ofs_rank_held, 0);
    ofs_assert_unlocked();
    assert_int_equal(pthread_mutex_trylock(&low.m), 0);
    assert_int_equal(pthread_mutex_unlock(&low.m), 0);
}

static void take_twice(void)
{
    OFS_GUARD(&low);
    OFS_GUARD(&low);
}

static void take_falling(void)
{
    OFS_GUARD(&high);
    OFS_GUARD(&low);
}

static void wait_locked(void)
{
    OFS_GUARD(&low);
    ofs_assert_unlocked();
}

/* In a child, as it is to die of an assertion. */
static int signal_of(void (*fn)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        (void)close(STDERR_FILENO);
        fn();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void wrong_order_dies(void **state)
{
    (void)state;
    assert_int_equal(signal_of(take_twice), SIGABRT);
    assert_int_equal(signal_of(take_falling), SIGABRT);
    assert_int_equal(signal_of(wait_locked), SIGABRT);
}

static void *rank_of_another(void *arg)
{
    *(int *)arg = ofs_rank_held;
    return NULL;
}

static void ranks_belong_to_threads(void **state)
{
    pthread_t thread;
    int rank = -1;

    (void)state;
    OFS_GUARD(&high);
    assert_int_equal(pthread_create(&thread, NULL, rank_of_another, &rank), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rank, 0);
}

static void mutexes_can_be_made_at_run_time(void **state)
{
    struct ofs_mutex mtx;

    (void)state;
    ofs_mutex_init(&mtx, OFS_RANK_LOG);
    {
        OFS_GUARD(&mtx);
        assert_int_equal(ofs_rank_held, OFS_RANK_LOG);
    }
    ofs_mutex_done(&mtx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guard_holds_until_its_block_ends),
        cmocka_unit_test(wrong_order_dies),
        cmocka_unit_test(ranks_belong_to_threads),
        cmocka_unit_test(mutexes_can_be_made_at_run_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
