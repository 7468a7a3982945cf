/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "batch.h"

#include "ocirfs/clock.h"

#include <sched.h>
#include <stdatomic.h>

enum { N = 500, LONG_MS = 30 * 1000 };

/* What the items of one batch do, and what became of it. */
struct job {
    atomic_uint runs[N];
    atomic_uint total, at_once, most_at_once;
    atomic_int ended, freed;
    atomic_bool hold;   /* items wait until this is false */
    int fail_at;        /* item; -1: none */
    int code;           /* how it fails */
    atomic_bool wanted; /* by nobody in particular */
    struct job *before; /* whose item comes before our third */
};

static void job_init(struct job *j)
{
    memset(j, 0, sizeof(*j));
    j->fail_at = -1;
    atomic_store(&j->wanted, true);
}

static bool must_wait(const struct job *j, size_t i)
{
    return atomic_load(&j->hold) ||
           (j->before && i >= 2 && atomic_load(&j->before->total) == 0);
}

static int item(void *arg, size_t i, struct ofs_call *call, struct ofs_err *err)
{
    struct job *j = arg;
    unsigned now = atomic_fetch_add(&j->at_once, 1) + 1;
    unsigned most = atomic_load(&j->most_at_once);
    int r = 0;

    while (now > most &&
           !atomic_compare_exchange_weak(&j->most_at_once, &most, now))
        ;
    atomic_fetch_add(&j->runs[i], 1);
    atomic_fetch_add(&j->total, 1);
    while (r == 0 && must_wait(j, i)) {
        (void)sched_yield();
        r = ofs_call_check(call, err);
    }
    atomic_fetch_sub(&j->at_once, 1);
    if (r == 0 && (int)i == j->fail_at)
        r = ofs_err_set(err, j->code, "item %zu", i);
    return r;
}

static bool is_end(int code)
{
    return code == -EACCES;
}

static bool is_wanted(void *arg)
{
    struct job *j = arg;

    return atomic_load(&j->wanted);
}

static void ended(void *arg)
{
    struct job *j = arg;

    atomic_fetch_add(&j->ended, 1);
}

static void let_go(void *arg)
{
    struct job *j = arg;

    atomic_fetch_add(&j->freed, 1);
}

static const struct ofs_batch_ops ops = {
    .item = item,
    .is_end = is_end,
    .is_wanted = is_wanted,
    .ended = ended,
    .free = let_go,
};

static struct ofs_batch *start(struct ofs_batches *p, struct job *j, size_t n)
{
    struct ofs_batch *b = ofs_batch_new(p, &ops, j, n);

    assert_non_null(b);
    assert_int_equal(ofs_batch_go(b, NULL), 0);
    return b;
}

static int wait_for(struct ofs_batch *b, int64_t max_ms, bool *ret_ended,
                    struct ofs_err *err)
{
    struct ofs_call call;
    int r;

    ofs_call_init(&call, LONG_MS);
    r = ofs_batch_wait(b, &call, max_ms, ret_ended, err);
    /* The call is as it was. */
    assert_true(ofs_call_left_ms(&call) > LONG_MS / 2);
    ofs_call_done(&call);
    return r;
}

static void every_item_is_done_once_side_by_side(void **state)
{
    struct ofs_batches *p = ofs_batches_new(8);
    struct ofs_batch *b;
    bool over = false;
    struct job j;

    (void)state;
    job_init(&j);
    atomic_store(&j.hold, true);
    b = start(p, &j, N);
    while (atomic_load(&j.most_at_once) < 8)
        (void)sched_yield();
    atomic_store(&j.hold, false);
    assert_int_equal(wait_for(b, OFS_NEVER, &over, NULL), 0);
    assert_true(over);
    for (int i = 0; i < N; i++)
        assert_int_equal(atomic_load(&j.runs[i]), 1);
    assert_int_equal(atomic_load(&j.most_at_once), 8);
    assert_int_equal(atomic_load(&j.ended), 1);
    ofs_batch_unref(b);
    ofs_batches_free(p);
    assert_int_equal(atomic_load(&j.freed), 1);
}

static void a_failure_that_concerns_all_ends_it(void **state)
{
    struct ofs_batches *p = ofs_batches_new(1);
    struct ofs_err err = { 0 };
    struct ofs_batch *b;
    bool over = false;
    struct job j;

    (void)state;
    job_init(&j);
    j.fail_at = 3;
    j.code = -EACCES;
    b = start(p, &j, N);
    assert_int_equal(wait_for(b, OFS_NEVER, &over, &err), -EACCES);
    assert_true(over);
    assert_string_equal(err.text, "item 3");
    assert_int_equal(atomic_load(&j.total), 4);
    ofs_batch_unref(b);
    ofs_batches_free(p);
}

static void a_failure_of_one_item_is_its_own(void **state)
{
    struct ofs_batches *p = ofs_batches_new(4);
    struct ofs_batch *b;
    bool over = false;
    struct job j;

    (void)state;
    job_init(&j);
    j.fail_at = 3;
    j.code = -ENOENT;
    b = start(p, &j, N);
    assert_int_equal(wait_for(b, OFS_NEVER, &over, NULL), 0);
    assert_int_equal(atomic_load(&j.total), N);
    ofs_batch_unref(b);
    ofs_batches_free(p);
}

static void two_batches_share_the_workers(void **state)
{
    struct ofs_batches *p = ofs_batches_new(2);
    struct ofs_batch *big, *small;
    bool over = false;
    struct job many, few;

    (void)state;
    job_init(&many);
    job_init(&few);
    many.before = &few;
    atomic_store(&many.hold, true);
    big = start(p, &many, N);
    small = start(p, &few, 1);
    while (atomic_load(&many.total) < 2)
        (void)sched_yield();
    atomic_store(&many.hold, false);
    /* It comes after those that run now, not after all of them: else they
     * wait for each other until the call's end. */
    assert_int_equal(wait_for(small, OFS_NEVER, &over, NULL), 0);
    assert_int_equal(wait_for(big, OFS_NEVER, &over, NULL), 0);
    ofs_batch_unref(small);
    ofs_batch_unref(big);
    ofs_batches_free(p);
}

static void what_nobody_wants_is_left_out(void **state)
{
    struct ofs_batches *p = ofs_batches_new(1);
    struct ofs_batch *b;
    struct job j;

    (void)state;
    job_init(&j);
    atomic_store(&j.hold, true);
    b = start(p, &j, N);
    while (atomic_load(&j.total) < 1)
        (void)sched_yield();
    atomic_store(&j.wanted, false);
    atomic_store(&j.hold, false);
    while (atomic_load(&j.ended) == 0)
        (void)sched_yield();
    assert_int_equal(atomic_load(&j.total), 1);
    ofs_batch_unref(b);
    ofs_batches_free(p);
}

static void patience_ends_and_the_batch_goes_on(void **state)
{
    struct ofs_batches *p = ofs_batches_new(1);
    struct ofs_batch *b;
    bool over = true;
    struct job j;

    (void)state;
    job_init(&j);
    atomic_store(&j.hold, true);
    b = start(p, &j, 1);
    assert_int_equal(wait_for(b, 1, &over, NULL), -ETIMEDOUT);
    assert_false(over);
    atomic_store(&j.hold, false);
    assert_int_equal(wait_for(b, OFS_NEVER, &over, NULL), 0);
    assert_true(over);
    ofs_batch_unref(b);
    ofs_batches_free(p);
}

static void stopping_ends_what_runs(void **state)
{
    struct ofs_batches *p = ofs_batches_new(4);
    struct ofs_batch *b;
    bool over = false;
    struct job j;

    (void)state;
    job_init(&j);
    atomic_store(&j.hold, true);
    b = start(p, &j, N);
    while (atomic_load(&j.at_once) < 4)
        (void)sched_yield();
    ofs_batches_stop(p);
    assert_int_equal(wait_for(b, OFS_NEVER, &over, NULL), -EINTR);
    assert_true(over);
    ofs_batch_unref(b);

    /* And what comes after that ends at once. */
    b = ofs_batch_new(p, &ops, &j, 3);
    assert_non_null(b);
    assert_int_equal(ofs_batch_go(b, NULL), -EBUSY);
    assert_int_equal(wait_for(b, OFS_NEVER, &over, NULL), -EBUSY);
    ofs_batch_unref(b);
    ofs_batches_free(p);
    assert_int_equal(atomic_load(&j.freed), 2);
    assert_int_equal(atomic_load(&j.ended), 2);
}

static void one_that_never_begins_is_freed(void **state)
{
    struct ofs_batches *p = ofs_batches_new(1);
    struct job j;

    (void)state;
    job_init(&j);
    ofs_batch_unref(ofs_batch_new(p, &ops, &j, 1));
    assert_int_equal(atomic_load(&j.freed), 1);
    assert_int_equal(atomic_load(&j.ended), 0);
    ofs_batches_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_done_once_side_by_side),
        cmocka_unit_test(a_failure_that_concerns_all_ends_it),
        cmocka_unit_test(a_failure_of_one_item_is_its_own),
        cmocka_unit_test(two_batches_share_the_workers),
        cmocka_unit_test(what_nobody_wants_is_left_out),
        cmocka_unit_test(patience_ends_and_the_batch_goes_on),
        cmocka_unit_test(stopping_ends_what_runs),
        cmocka_unit_test(one_that_never_begins_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
