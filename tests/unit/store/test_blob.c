/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

static void reads_give_the_sources_bytes(void **state)
{
    static const uint64_t sizes[] = {
        1,
        100,
        OFS_CHUNK_BYTES - 1,
        OFS_CHUNK_BYTES,
        OFS_CHUNK_BYTES + 1,
        3 * OFS_CHUNK_BYTES,
        5 * MIB + 17,
    };
    struct world w = { 0 };

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < OFS_COUNT_OF(sizes); i++) {
        struct fake *f = fake_new(sizes[i], i);
        struct ofs_blob *b = blob_open(&w, f);

        assert_int_equal(read_all(b, f), 0);
        assert_int_equal(read_all(b, f), 0);
        assert_true(fake_each_asked(f, 1));
        assert_int_equal(read_at(b, f, f->size, 10), 0);
        assert_int_equal(read_at(b, f, f->size + 10, 10), 0);
        assert_int_equal(read_at(b, f, 0, (size_t)f->size + 10), 0);
        ofs_blob_close(b);
        ofs_source_unref(&f->base);
    }
    world_done(&w);
}

static void what_was_fetched_is_here_after_a_restart(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(3 * MIB + 5, 1);

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    world_reopen(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_true(fake_each_asked(f, 1));
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void a_random_read_asks_for_its_chunk_only(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(16 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 7 * MIB + 4096, 4096), 0);
    assert_int_equal(f->reads, 1);
    assert_int_equal(f->bytes, OFS_CHUNK_BYTES);
    assert_int_equal(read_at(b, f, 3 * MIB - 10, 20), 0);
    assert_int_equal(f->reads, 2);
    assert_int_equal(f->bytes, 3 * OFS_CHUNK_BYTES);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void a_sequential_read_asks_in_few_requests(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(64 * MIB, 1);

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_true(fake_each_asked(f, 1));
    assert_in_range(f->reads, 8, 28);
    assert_in_range(f->n_most, 1, 6);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* Where each connection has its own limit, several make the speed. */
static void far_into_a_sequence_several_requests_run_at_once(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(64 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->stall_all = true;
    b = blob_open(&w, f);
    read_and_leave(b, f, 0, (size_t)(50 * MIB), 4);
    fake_release(f);
    assert_int_equal(read_all(b, f), 0);
    assert_true(fake_each_asked(f, 1));
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void the_first_request_is_a_mebibyte(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(64 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->piece = MIB;
    f->stall_at = 1 * MIB; /* nothing beyond it comes */
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 4096), 0);
    while (f->n_now > 0)
        (void)sched_yield();
    assert_int_equal(f->reads, 1);
    assert_int_equal(f->bytes, 1 * MIB);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void who_may_not_wait_is_told_and_nothing_is_fetched(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(MIB, 1);
    struct ofs_blob *b;
    struct ofs_err err;
    struct ofs_call call;
    char byte;
    size_t n = 7;

    (void)state;
    world_init(&w);
    b = blob_open(&w, f);
    ofs_call_init(&call, OFS_NEVER);
    call.may_wait = false;
    assert_int_equal(ofs_blob_read(b, &call, &byte, 1, 0, &n, &err), -EAGAIN);
    assert_int_equal(n, 7);
    assert_int_equal(f->reads, 0);
    assert_int_equal(read_at(b, f, 0, 1), 0);
    assert_int_equal(ofs_blob_read(b, &call, &byte, 1, 0, &n, &err), 0);
    ofs_call_cancel(&call);
    assert_int_equal(ofs_blob_read(b, &call, &byte, 1, 0, &n, &err), 0);
    ofs_call_done(&call);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void without_a_source_only_what_is_here_can_be_read(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(4 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 2 * MIB, 10), 0);
    ofs_blob_close(b);
    assert_int_equal(
        ofs_store_open_blob(w.s, &f->digest, f->size, NULL, &b, NULL), 0);
    assert_int_equal(read_at(b, f, 2 * MIB, 10), 0);
    assert_int_equal(read_at(b, f, 0, 10), -ENOENT);
    assert_int_equal(read_at(b, f, f->size - 1, 1), -ENOENT);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void a_wrong_size_is_refused_once_the_right_one_is_known(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(3 * MIB, 1);
    struct ofs_blob *b = NULL;
    struct ofs_err err;
    uint64_t size = 0;

    (void)state;
    world_init(&w);
    assert_int_equal(ofs_store_size(w.s, &f->digest, &size), -ENOENT);
    assert_int_equal(fetch_all(&w, f), 0);
    world_reopen(&w); /* what is written in the background is there then */
    assert_int_equal(ofs_store_size(w.s, &f->digest, &size), 0);
    assert_int_equal(size, f->size);
    assert_int_equal(
        ofs_store_open_blob(w.s, &f->digest, f->size + 1, &f->base, &b, &err),
        -EBADMSG);
    assert_int_equal(ofs_store_open_blob(w.s, &f->digest,
                                         OFS_BLOB_MAX_BYTES + 1, &f->base, &b,
                                         &err),
                     -EFBIG);
    assert_int_equal(fetch_all(&w, f), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* A manifest with a wrong size must not keep others from the blob. */
static void a_wrong_size_does_not_disturb_the_right_one(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(3 * MIB, 1);
    struct ofs_blob *wrong = NULL, *right;

    (void)state;
    world_init(&w);
    assert_int_equal(ofs_store_open_blob(w.s, &f->digest, f->size - 1, &f->base,
                                         &wrong, NULL),
                     0);
    right = blob_open(&w, f);
    assert_int_equal(read_at(wrong, f, 0, 10), 0);
    assert_int_equal(read_all(right, f), 0);
    assert_int_equal(try_read(wrong, f, f->size - 2, 1, 60000), -EBADMSG);
    assert_int_equal(read_all(right, f), 0);
    ofs_blob_close(wrong);
    ofs_blob_close(right);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void an_empty_blob_needs_nobody(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(0, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 10), 0);
    ofs_blob_close(b);
    f->digest.bytes[0] ^= 1;
    assert_int_equal(
        ofs_store_open_blob(w.s, &f->digest, 0, &f->base, &b, NULL), -EBADMSG);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void a_transfer_is_shown_while_it_lasts(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(16 * MIB, 1);
    struct ofs_transfer t[2];
    struct ofs_store_stat st;
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->stall_at = 512 * KIB;
    b = blob_open(&w, f);
    assert_int_equal(ofs_store_transfers(w.s, t, 2), 0);
    assert_int_equal(read_at(b, f, 0, 300 * KIB), 0);
    assert_int_equal(ofs_store_transfers(w.s, t, 2), 1);
    assert_string_equal(t[0].name, "fake");
    assert_int_equal(t[0].size, f->size);
    assert_in_range(t[0].done, 512 * KIB, f->size);
    assert_true(t[0].rate_bytes > 0);
    assert_true(t[0].n_ranges >= 1);
    ofs_store_stat(w.s, &st);
    assert_int_equal(st.n_open, 1);
    assert_true(st.caching);
    assert_true(st.free_bytes > 0);
    fake_release(f);
    assert_int_equal(read_all(b, f), 0);
    ofs_blob_close(b);
    assert_int_equal(ofs_store_transfers(w.s, t, 2), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_give_the_sources_bytes),
        cmocka_unit_test(what_was_fetched_is_here_after_a_restart),
        cmocka_unit_test(a_random_read_asks_for_its_chunk_only),
        cmocka_unit_test(a_sequential_read_asks_in_few_requests),
        cmocka_unit_test(far_into_a_sequence_several_requests_run_at_once),
        cmocka_unit_test(the_first_request_is_a_mebibyte),
        cmocka_unit_test(who_may_not_wait_is_told_and_nothing_is_fetched),
        cmocka_unit_test(without_a_source_only_what_is_here_can_be_read),
        cmocka_unit_test(a_wrong_size_is_refused_once_the_right_one_is_known),
        cmocka_unit_test(a_wrong_size_does_not_disturb_the_right_one),
        cmocka_unit_test(an_empty_blob_needs_nobody),
        cmocka_unit_test(a_transfer_is_shown_while_it_lasts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
