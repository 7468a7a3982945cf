/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

/* How a source may fail, and what its reader is told. */
static const struct {
    const char *label;
    int code;
    int result;
} failures[] = {
    { "refused", -EACCES, -EACCES },
    { "gone", -ENOENT, -ENOENT },
    { "reset", -EIO, -EIO },
    { "unreachable", -EHOSTUNREACH, -EHOSTUNREACH },
    { "ends early and calls it well", 0, -EBADMSG },
};

static void a_failure_is_told_once_and_the_next_read_tries_again(void **state)
{
    static const uint64_t places[] = { 0, 100 * KIB, OFS_CHUNK_BYTES + 1 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(failures); i++) {
        for (size_t j = 0; j < OFS_COUNT_OF(places); j++) {
            struct world w = { 0 };
            struct fake *f = fake_new(2 * MIB, 1);
            struct ofs_blob *b;
            int r;

            world_init(&w);
            f->fail_at = places[j];
            f->fail_code = failures[i].code;
            b = blob_open(&w, f);
            r = read_through(b, f, 0, f->size, (size_t)MIB);
            if (r != failures[i].result)
                fail_msg("%s: %d", failures[i].label, r);
            assert_int_equal(read_all(b, f), 0);
            ofs_blob_close(b);
            world_done(&w);
            ofs_source_unref(&f->base);
        }
    }
}

static void what_came_before_a_failure_is_kept(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(2 * MIB, 1);
    struct ofs_blob *b;
    uint64_t before;

    (void)state;
    world_init(&w);
    f->fail_at = 3 * OFS_CHUNK_BYTES;
    f->fail_code = -EIO;
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, (size_t)MIB), -EIO);
    before = f->bytes;
    assert_int_equal(read_at(b, f, 0, 3 * OFS_CHUNK_BYTES), 0);
    assert_true(f->asked[0] == 1 && f->asked[2] == 1);
    assert_true(before >= 3 * OFS_CHUNK_BYTES);
    assert_int_equal(read_all(b, f), 0);
    assert_true(fake_each_asked(f, 1));
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void a_failure_is_told_to_those_who_wait_for_it_only(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(32 * MIB, 1);
    struct other_read readers[3];
    struct ofs_blob *b, *c;

    (void)state;
    world_init(&w);
    f->piece = 1;
    f->fail_at = 10 * MIB; /* at its start */
    f->fail_code = -EIO;
    f->stall_at = 20 * MIB;
    f->piece = 64 * KIB;
    b = blob_open(&w, f);
    c = blob_open(&w, f);
    other_start(&readers[0], b, f, 20 * MIB, 10);
    fake_wait_stalled(f, 1);
    other_start(&readers[1], c, f, 10 * MIB, 10);
    assert_int_equal(other_end(&readers[1]), -EIO);
    assert_string_equal(readers[1].err.text, "fake: told to fail");
    other_start(&readers[2], c, f, 5 * MIB, 10);
    assert_int_equal(other_end(&readers[2]), 0);
    fake_release(f);
    assert_int_equal(other_end(&readers[0]), 0);
    ofs_blob_close(b);
    ofs_blob_close(c);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* What lies ahead and fails is not asked for again until somebody reads. */
static void a_failure_ahead_is_not_tried_for_ever(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(8 * MIB, 1), *other = fake_new(4 * MIB, 2);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->fail_at = 3 * MIB;
    f->fail_code = -EIO;
    f->fail_times = 1000000;
    b = blob_open(&w, f);
    assert_int_equal(read_through(b, f, 0, 2 * MIB, (size_t)MIB), 0);
    for (int i = 0; i < 20; i++) {
        struct ofs_blob *c = blob_open(&w, other);

        assert_int_equal(read_at(c, other, (uint64_t)i * 100 * KIB, 10), 0);
        ofs_blob_close(c);
    }
    assert_in_range(f->reads, 1, 10);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
    ofs_source_unref(&other->base);
}

/* A handle without a source waits for the fetch of one that has. */
static void who_waits_for_anothers_fetch_is_told_when_that_ends(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(64 * MIB, 1);
    struct ofs_blob *b, *without = NULL;
    struct other_read r;

    (void)state;
    world_init(&w);
    f->stall_at = 2 * MIB;
    b = blob_open(&w, f);
    read_and_leave(b, f, 2 * MIB, (size_t)(4 * MIB), 1);
    assert_int_equal(
        ofs_store_open_blob(w.s, &f->digest, f->size, NULL, &without, NULL), 0);
    other_start(&r, without, f, 2 * MIB + 5, 10);
    for (bool wait = true; wait;) {
        OFS_GUARD(&b->object->mtx);
        wait = !b->object->wants;
    }
    ofs_sched_abandon(b->object);
    assert_int_equal(other_end(&r), -ENOENT);
    ofs_blob_close(without);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* Two repositories have the blob; of the one we may not read any more. */
static void a_failure_of_anothers_source_is_tried_with_ours(void **state)
{
    struct world w = { 0 };
    struct fake *bad = fake_new(4 * MIB, 1), *good = fake_new(4 * MIB, 1);
    struct other_read readers[2];
    struct ofs_blob *b, *c;

    (void)state;
    world_init(&w);
    bad->stall_at = 0;
    bad->fail_at = 64 * KIB;
    bad->fail_code = -EACCES;
    b = blob_open(&w, bad);
    other_start(&readers[0], b, bad, 100, 10);
    fake_wait_stalled(bad, 1);
    c = blob_open(&w, good);
    other_start(&readers[1], c, good, 200 * KIB, 10);
    /* The second waits for what the first one's source will not give. */
    for (bool waits = false; !waits;) {
        OFS_GUARD(&c->object->mtx);
        waits = c->object->wants && c->object->wants->next;
    }
    fake_release(bad);
    assert_int_equal(other_end(&readers[0]), -EACCES);
    assert_int_equal(other_end(&readers[1]), 0);
    assert_int_equal(good->reads > 0, true);
    ofs_blob_close(b);
    ofs_blob_close(c);
    world_done(&w);
    ofs_source_unref(&bad->base);
    ofs_source_unref(&good->base);
}

static void giving_up_ends_the_wait_and_not_the_fetch(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(4 * MIB, 1);
    struct other_read readers[2];
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->stall_at = 64 * KIB;
    b = blob_open(&w, f);
    other_start(&readers[0], b, f, 0, 4096 * 40);
    other_start(&readers[1], b, f, 0, 4096 * 40);
    fake_wait_stalled(f, 1);
    ofs_call_cancel(&readers[0].call);
    assert_int_equal(other_end(&readers[0]), -EINTR);
    assert_int_equal(try_read(b, f, 0, 4096 * 40, 10), -ETIMEDOUT);
    fake_release(f);
    assert_int_equal(other_end(&readers[1]), 0);
    assert_true(f->asked[0] == 1);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* Its patience is on the store's clock; the watcher looks by the true one. */
static void a_source_that_stands_still_is_given_up(void **state)
{
    struct clock clock = { .base.mono_ms = clock_ms, .ms = 1 };
    struct world w = { .cfg = { .read_timeout_ms = 50, .clock = &clock.base } };
    struct fake *f = fake_new(4 * MIB, 1);
    struct other_read r;
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->stall_at = 300 * KIB;
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 128 * KIB), 0);
    other_start(&r, b, f, 290 * KIB, 128 * KIB);
    fake_wait_stalled(f, 1);
    for (bool wait = true; wait;) {
        OFS_GUARD(&b->object->mtx);
        wait = !b->object->wants;
    }
    atomic_fetch_add(&clock.ms, 50);
    assert_int_equal(other_end(&r), -ETIMEDOUT);
    fake_release(f);
    assert_int_equal(read_all(b, f), 0);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void who_closes_last_ends_what_is_fetched(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(64 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->stall_at = 2 * MIB;
    b = blob_open(&w, f);
    read_and_leave(b, f, f->size - 1, 1, 1);
    ofs_blob_close(b);
    while (f->n_now > 0)
        (void)sched_yield();
    f->stall_at = NOWHERE;
    assert_int_equal(fetch_all(&w, f), 0);
    assert_true(fake_each_asked(f, 1));
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* The fetch ended because its blob was closed; a new reader must not fail. */
static void closing_is_no_failure_for_who_opens_next(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(8 * MIB, 1);

    (void)state;
    world_init(&w);
    for (int i = 0; i < 200; i++) {
        struct ofs_blob *b = blob_open(&w, f);

        assert_int_equal(read_at(b, f, (uint64_t)i % 4 * MIB, 10), 0);
        (void)try_read(b, f, 0, 10, 0);
        ofs_blob_close(b);
        if (i % 10 == 9)
            world_reopen(&w);
    }
    assert_int_equal(fetch_all(&w, f), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void stopping_ends_readers(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(4 * MIB, 1);
    struct other_read r;
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->stall_at = 0;
    b = blob_open(&w, f);
    other_start(&r, b, f, 0, 10);
    fake_wait_stalled(f, 1);
    ofs_store_stop(w.s);
    assert_int_equal(other_end(&r), -EINTR);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_told_once_and_the_next_read_tries_again),
        cmocka_unit_test(what_came_before_a_failure_is_kept),
        cmocka_unit_test(a_failure_is_told_to_those_who_wait_for_it_only),
        cmocka_unit_test(a_failure_ahead_is_not_tried_for_ever),
        cmocka_unit_test(who_waits_for_anothers_fetch_is_told_when_that_ends),
        cmocka_unit_test(a_failure_of_anothers_source_is_tried_with_ours),
        cmocka_unit_test(giving_up_ends_the_wait_and_not_the_fetch),
        cmocka_unit_test(a_source_that_stands_still_is_given_up),
        cmocka_unit_test(who_closes_last_ends_what_is_fetched),
        cmocka_unit_test(closing_is_no_failure_for_who_opens_next),
        cmocka_unit_test(stopping_ends_readers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
