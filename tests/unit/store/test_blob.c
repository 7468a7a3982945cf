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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_give_the_sources_bytes),
        cmocka_unit_test(what_was_fetched_is_here_after_a_restart),
        cmocka_unit_test(a_random_read_asks_for_its_chunk_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
