/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

enum { READERS = 16 };

struct reader {
    struct world *w;
    struct fake *f;
    struct ofs_blob *b; /* NULL: opens its own */
    uint64_t seed;
    unsigned rounds;
    int result;
};

static void *read_at_random(void *arg)
{
    struct reader *r = arg;
    struct ofs_blob *b = r->b ? r->b : blob_open(r->w, r->f);

    for (unsigned i = 0; i < r->rounds && r->result == 0; i++) {
        uint64_t dice = scramble(r->seed * 10000 + i);

        r->result = read_at(b, r->f, dice % r->f->size,
                            (size_t)(dice >> 40) % (300 * KIB) + 1);
    }
    if (!r->b)
        ofs_blob_close(b);
    return NULL;
}

static void *read_in_order(void *arg)
{
    struct reader *r = arg;
    struct ofs_blob *b = r->b ? r->b : blob_open(r->w, r->f);

    r->result = read_through(b, r->f, 0, r->f->size,
                             (size_t)(64 * KIB + r->seed * 5000));
    if (!r->b)
        ofs_blob_close(b);
    return NULL;
}

static void run(struct reader *readers, int n, void *(*fn)(void *))
{
    pthread_t threads[READERS];

    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fn, &readers[i]), 0);
    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < n; i++)
        assert_int_equal(readers[i].result, 0);
}

static void many_readers_fetch_each_byte_once(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(24 * MIB + 3, 1);
    struct reader readers[READERS];

    (void)state;
    world_init(&w);
    for (int i = 0; i < READERS; i++)
        readers[i] = (struct reader){ .w = &w, .f = f, .seed = (uint64_t)i };
    run(readers, READERS, read_in_order);
    assert_true(fake_each_asked(f, 1));
    assert_int_equal(f->bytes, f->size);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void random_reads_are_right_and_fetch_once(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(12 * MIB + 3, 1);
    struct reader readers[READERS];

    (void)state;
    world_init(&w);
    for (int i = 0; i < READERS; i++)
        readers[i] = (struct reader){
            .w = &w, .f = f, .seed = (uint64_t)i, .rounds = 60
        };
    run(readers, READERS, read_at_random);
    for (uint32_t i = 0; i < ofs_chunk_count(f->size); i++)
        assert_in_range(f->asked[i], 0, 1);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void one_handle_serves_many_threads(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(12 * MIB + 3, 1);
    struct reader readers[READERS];
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    b = blob_open(&w, f);
    for (int i = 0; i < READERS; i++)
        readers[i] = (struct reader){
            .w = &w, .f = f, .b = b, .seed = (uint64_t)i, .rounds = 40
        };
    run(readers, READERS, read_at_random);
    run(readers, READERS, read_in_order);
    assert_true(fake_each_asked(f, 1));
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static int no_disk(void *arg, uint64_t off, size_t len)
{
    (void)arg;
    (void)off;
    (void)len;
    return -ENOSPC;
}

static void random_reads_are_right_without_a_disk(void **state)
{
    struct world w = {
        .tweaks = { .write = no_disk, .held_chunks = 4 },
    };
    struct fake *f = fake_new(6 * MIB + 3, 1);
    struct reader readers[READERS];

    (void)state;
    world_init(&w);
    for (int i = 0; i < READERS; i++)
        readers[i] = (struct reader){
            .w = &w, .f = f, .seed = (uint64_t)i, .rounds = 30
        };
    run(readers, READERS, read_at_random);
    run(readers, 4, read_in_order);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* Eight at once: each gets on, and no more is fetched at a time than may be. */
static void many_blobs_take_turns(void **state)
{
    struct world w = { .cfg.max_transfers = 4 };
    struct reader readers[8];

    (void)state;
    world_init(&w);
    for (int i = 0; i < 8; i++)
        readers[i] = (struct reader){ .w = &w,
                                      .f = fake_new(6 * MIB, (uint64_t)i),
                                      .seed = 1 };
    run(readers, 8, read_in_order);
    for (int i = 0; i < 8; i++) {
        assert_true(fake_each_asked(readers[i].f, 1));
        assert_in_range(readers[i].f->n_most, 1, 4);
        ofs_source_unref(&readers[i].f->base);
    }
    world_done(&w);
}

/* A blob whose source does not answer must not take all transfers. */
static void a_dead_source_leaves_room_for_others(void **state)
{
    struct world w = { .cfg.max_transfers = 16 };
    struct fake *dead = fake_new(64 * MIB, 1), *f = fake_new(8 * MIB, 2);
    struct reader readers[READERS];
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    dead->stall_at = 0;
    b = blob_open(&w, dead);
    read_and_leave(b, dead, 0, 10, 1);
    readers[0] = (struct reader){ .w = &w, .f = f, .seed = 3 };
    run(readers, 1, read_in_order);
    fake_release(dead);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&dead->base);
    ofs_source_unref(&f->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_readers_fetch_each_byte_once),
        cmocka_unit_test(random_reads_are_right_and_fetch_once),
        cmocka_unit_test(one_handle_serves_many_threads),
        cmocka_unit_test(random_reads_are_right_without_a_disk),
        cmocka_unit_test(many_blobs_take_turns),
        cmocka_unit_test(a_dead_source_leaves_room_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
