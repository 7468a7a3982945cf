/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include <sys/mount.h>

/* A disk that is full from some place of a blob on. */
struct disk {
    atomic_int code;
    _Atomic uint64_t from;
    atomic_uint refused;
};

static int on_write(void *arg, uint64_t off, size_t len)
{
    struct disk *d = arg;

    if (atomic_load(&d->code) == 0 || off + len <= atomic_load(&d->from))
        return 0;
    atomic_fetch_add(&d->refused, 1);
    return atomic_load(&d->code);
}

static void make_full(struct world *w, struct disk *d, int code)
{
    *d = (struct disk){ .code = code };
    w->tweaks.write = on_write;
    w->tweaks.arg = d;
}

static bool is_caching(struct world *w)
{
    struct ofs_store_stat st;

    ofs_store_stat(w->s, &st);
    return st.caching;
}

static void a_full_disk_fails_no_read(void **state)
{
    static const int codes[] = { -ENOSPC, -EDQUOT, -EIO, -EROFS };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(codes); i++) {
        struct world w = { 0 };
        struct disk d;
        struct fake *f = fake_new(20 * MIB + 5, 1);
        struct ofs_blob *b;

        make_full(&w, &d, codes[i]);
        world_init(&w);
        b = blob_open(&w, f);
        assert_int_equal(read_all(b, f), 0);
        assert_false(is_caching(&w));
        assert_true(d.refused > 0);
        /* In order nothing is fetched twice but what the disk refused. */
        assert_true(f->bytes < f->size + 12 * MIB);
        assert_true(f->reads < 40);
        ofs_blob_close(b);
        world_done(&w);
        ofs_source_unref(&f->base);
    }
}

/* The reader does not get away from the chain, see look_at_held(). */
static void in_order_nothing_is_fetched_twice(void **state)
{
    struct world w = { .cfg.max_bytes = 1, .tweaks.held_chunks = 16 };
    struct fake *f = fake_new(30 * MIB + 5, 1);

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_true(fake_each_asked(f, 1));
    assert_in_range(f->reads, 30, 40);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void a_disk_that_becomes_full_midway_fails_no_read(void **state)
{
    struct world w = { 0 };
    struct disk d;
    struct fake *f = fake_new(20 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    make_full(&w, &d, -ENOSPC);
    d.from = 7 * MIB + 100;
    world_init(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_all(b, f), 0);
    assert_int_equal(read_all(b, f), 0);
    assert_true(f->asked[3] == 1); /* that part is on disk */
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void damage_is_found_without_a_disk_too(void **state)
{
    struct world w = { 0 };
    struct disk d;
    struct fake *f = fake_new(5 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    make_full(&w, &d, -ENOSPC);
    world_init(&w);
    f->wrong_at = 2 * MIB;
    b = blob_open(&w, f);
    (void)read_through(b, f, 0, 3 * MIB, 128 * KIB);
    assert_int_equal(read_at(b, f, f->size - 1, 1), -EBADMSG);
    ofs_blob_close(b);
    assert_int_equal(fetch_all(&w, f), 0); /* from the other origin */
    world_done(&w);
    ofs_source_unref(&f->base);
}

static bool is_in_pool(struct world *w, uint32_t chunk)
{
    OFS_GUARD(&w->s->held.mtx);
    for (struct ofs_held *h = w->s->held.first; h; h = h->next)
        if (h->chunk == chunk)
            return true;
    return false;
}

/* Read elsewhere until a chunk is forgotten: what fetched it may let go of it
 * a moment after its reader has it. */
static void forget(struct world *w, struct ofs_blob *b, const struct fake *f,
                   uint32_t chunk)
{
    for (uint64_t off = 4 * MIB; is_in_pool(w, chunk); off ^= MIB)
        assert_int_equal(read_at(b, f, off, 1), 0);
}

/* The wrong chunk is served, forgotten, and right when the chain comes by:
 * the digest matches, and still the reader has wrong bytes. */
static void two_versions_of_a_chunk_are_damage(void **state)
{
    struct world w = { .tweaks.held_chunks = 1 };
    struct disk d;
    struct fake *f = fake_new(6 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    make_full(&w, &d, -ENOSPC);
    world_init(&w);
    f->wrong_at = 3 * MIB;
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 3 * MIB, 1), 1);
    f->wrong_at = NOWHERE;
    forget(&w, b, f, 12);
    assert_int_equal(read_at(b, f, f->size - 1, 1), -EBADMSG);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* Once the chain has passed a chunk, another version of it is not served. */
static void what_comes_again_is_checked_by_the_chain(void **state)
{
    struct world w = { .tweaks.held_chunks = 1 };
    struct disk d;
    struct fake *f = fake_new(6 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    make_full(&w, &d, -ENOSPC);
    world_init(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, f->size - 1, 1), 0);
    forget(&w, b, f, 8);
    f->wrong_at = 2 * MIB;
    assert_int_equal(read_at(b, f, 2 * MIB, 10), 0); /* attempt 1 helps */
    f->wrong_attempts = 100;
    forget(&w, b, f, 8);
    assert_int_equal(read_at(b, f, 2 * MIB, 10), -EBADMSG);
    assert_int_equal(read_at(b, f, 3 * MIB, 10), 0);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void memory_stays_within_its_budget(void **state)
{
    struct world w = { .tweaks.held_chunks = 8 };
    struct disk d;
    struct fake *f[4];
    struct ofs_blob *b[4];

    (void)state;
    make_full(&w, &d, -ENOSPC);
    world_init(&w);
    for (uint64_t i = 0; i < 4; i++) {
        f[i] = fake_new(6 * MIB, i);
        b[i] = blob_open(&w, f[i]);
    }
    for (uint64_t off = 0; off < 6 * MIB; off += 100 * KIB) {
        for (int i = 0; i < 4; i++)
            assert_int_equal(read_at(b[i], f[i], off, 100 * KIB), 0);
        OFS_GUARD(&w.s->held.mtx);
        assert_true(w.s->held.n <= 8 + w.s->cfg.max_transfers);
    }
    for (int i = 0; i < 4; i++) {
        ofs_blob_close(b[i]);
        ofs_source_unref(&f[i]->base);
    }
    world_done(&w);
}

static void after_a_while_the_disk_is_tried_again(void **state)
{
    struct clock clock = { .base.mono_ms = clock_ms, .ms = 1 };
    struct world w = { .cfg.clock = &clock.base };
    struct disk d;
    struct fake *f = fake_new(3 * MIB, 1);

    (void)state;
    make_full(&w, &d, -ENOSPC);
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    d.code = 0;
    assert_int_equal(fetch_all_anew(&w, f), 0);
    assert_false(is_caching(&w));
    atomic_fetch_add(&clock.ms, 10 * 1000);
    assert_int_equal(fetch_all_anew(&w, f), 0);
    assert_true(is_caching(&w));
    {
        uint64_t before = f->bytes;

        assert_int_equal(fetch_all_anew(&w, f), 0);
        assert_int_equal(f->bytes, before);
    }
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void low_disk(void *arg, struct ofs_disk *ret)
{
    (void)arg;
    *ret = (struct ofs_disk){ .size = 1000 * MIB, .free = 40 * MIB };
}

static void a_disk_that_is_nearly_full_is_left_alone(void **state)
{
    struct world w = {
        .cfg.min_free_pct = 5,
        .tweaks.disk = low_disk,
    };
    struct fake *f = fake_new(3 * MIB, 1);

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_false(is_caching(&w));
    assert_true(w.s->disk.space.used < MIB);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void
a_blob_larger_than_the_cache_is_read_and_the_limit_kept(void **state)
{
    struct world w = { .cfg.max_bytes = 4 * MIB };
    struct fake *f = fake_new(20 * MIB, 1);

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    world_reopen(&w); /* for an exact count */
    while (atomic_load(&w.s->disk.n_rounds) == 0)
        (void)sched_yield();
    assert_true(w.s->disk.space.used <= 4 * MIB + 64 * KIB);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void real_full_disk(struct world *w)
{
    char options[32];

    world_make_dir(w);
    (void)snprintf(options, sizeof(options), "size=%d", 6 << 20);
    if (mount("none", w->dir, "tmpfs", 0, options) < 0)
        skip();
    world_open(w);
}

static void a_disk_that_really_is_full_fails_no_read(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(20 * MIB, 1), *g = fake_new(2 * MIB, 2);
    struct ofs_blob *b;

    (void)state;
    real_full_disk(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_all(b, f), 0);
    assert_int_equal(read_all(b, f), 0);
    assert_int_equal(fetch_all(&w, g), 0);
    ofs_blob_close(b);
    world_reopen(&w);
    assert_int_equal(fetch_all(&w, g), 0);
    assert_int_equal(fetch_all(&w, f), 0);
    world_close(&w);
    assert_int_equal(umount(w.dir), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
    ofs_source_unref(&g->base);
}

/* As a disk with a bad place: what was written cannot be read. */
static void shorten(struct ofs_blob *b, uint64_t to)
{
    assert_int_equal(ftruncate(b->object->file.data_fd, (off_t)to), 0);
}

static void
what_the_disk_lost_is_fetched_again_if_it_can_be_proven(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(6 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_all(b, f), 0);
    shorten(b, 2 * MIB + 5);
    assert_int_equal(read_all(b, f), 0);
    assert_true(f->asked[3] == 1);
    assert_true(f->asked[9] >= 2);
    ofs_blob_close(b);
    world_reopen(&w); /* whoever held on to it has let go */
    {
        char name[OFS_BLOBFILE_NAME_MAX];

        /* A file with holes is of no use to anybody. */
        ofs_blobfile_name(&f->digest, "", name);
        assert_int_equal(faccessat(w.s->disk.files.blobs_fd, name, F_OK, 0),
                         -1);
    }
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void what_the_disk_lost_before_it_was_proven_is_an_error(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(6 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 3 * MIB, 10), 0);
    shorten(b, 0);
    assert_int_equal(read_at(b, f, 3 * MIB, 10), -EIO);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_int_equal(read_at(b, f, 0, 10), -EIO);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_fails_no_read),
        cmocka_unit_test(in_order_nothing_is_fetched_twice),
        cmocka_unit_test(a_disk_that_becomes_full_midway_fails_no_read),
        cmocka_unit_test(damage_is_found_without_a_disk_too),
        cmocka_unit_test(two_versions_of_a_chunk_are_damage),
        cmocka_unit_test(what_comes_again_is_checked_by_the_chain),
        cmocka_unit_test(memory_stays_within_its_budget),
        cmocka_unit_test(after_a_while_the_disk_is_tried_again),
        cmocka_unit_test(a_disk_that_is_nearly_full_is_left_alone),
        cmocka_unit_test(
            a_blob_larger_than_the_cache_is_read_and_the_limit_kept),
        cmocka_unit_test(a_disk_that_really_is_full_fails_no_read),
        cmocka_unit_test(
            what_the_disk_lost_is_fetched_again_if_it_can_be_proven),
        cmocka_unit_test(what_the_disk_lost_before_it_was_proven_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
