/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include "sums.h"

/* A byte of the stored data becomes another, as on a bad disk. */
static void spoil(struct world *w, const struct fake *f, uint64_t at)
{
    char name[OFS_BLOBFILE_NAME_MAX], path[512];
    OFS_AUTOCLOSE int fd = -1;
    uint8_t byte = (uint8_t)(f->data[at] ^ 1);

    ofs_blobfile_name(&f->digest, "", name);
    (void)snprintf(path, sizeof(path), "%s/v1/blobs/%s", w->dir, name);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

static void drop(struct world *w, const struct fake *f)
{
    uint64_t freed;

    assert_int_equal(ofs_blobfile_remove(&w->s->disk.files, &f->digest, &freed),
                     0);
}

static uint64_t quarantined(struct world *w)
{
    struct ofs_store_stat st;

    ofs_store_stat(w->s, &st);
    return st.n_quarantined;
}

/* Where the wrong byte is; the reader gets all before the end. */
static void damage_is_found_before_the_last_byte(void **state)
{
    static const uint64_t places[] = { 0, 700 * KIB, 3 * MIB - 1 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(places); i++) {
        struct world w = { 0 };
        struct fake *f = fake_new(3 * MIB, 1);
        struct ofs_blob *b;

        world_init(&w);
        f->wrong_at = places[i];
        b = blob_open(&w, f);
        (void)read_through(b, f, 0, 2 * MIB, 128 * KIB); /* right or not */
        assert_int_equal(read_at(b, f, 3 * MIB - 1, 1), -EBADMSG);
        /* From now on nothing of it. */
        assert_int_equal(read_at(b, f, 0, 1), -EBADMSG);
        /* A new one begins afresh, at another origin, while the old one is
         * still open and stays what it is. */
        assert_int_equal(fetch_all(&w, f), 0);
        assert_int_equal(read_at(b, f, 0, 1), -EBADMSG);
        assert_int_equal(quarantined(&w), 1);
        ofs_blob_close(b);
        world_reopen(&w);
        assert_int_equal(fetch_all(&w, f), 0);
        assert_int_equal(quarantined(&w), 1);
        world_done(&w);
        ofs_source_unref(&f->base);
    }
}

static void a_blob_that_is_wrong_everywhere_stays_unreadable(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(MIB, 1);

    (void)state;
    world_init(&w);
    f->wrong_at = 5;
    f->wrong_attempts = 100;
    for (int i = 0; i < 7; i++) {
        struct ofs_blob *b = blob_open(&w, f);

        assert_int_equal(read_at(b, f, f->size - 1, 1), -EBADMSG);
        ofs_blob_close(b);
    }
    assert_int_equal(quarantined(&w), 4); /* no more are kept */
    f->wrong_attempts = 0;
    assert_int_equal(fetch_all(&w, f), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void a_large_quarantine_is_emptied(void **state)
{
    struct world w = { .tweaks.max_quarantine_bytes = MIB };
    struct fake *f = fake_new(2 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->wrong_at = 5;
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, f->size - 1, 1), -EBADMSG);
    ofs_blob_close(b);
    assert_int_equal(quarantined(&w), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
}

struct told {
    atomic_int n;
    struct ofs_digest digest;
};

static void on_damaged(void *arg, const struct ofs_digest *digest)
{
    struct told *t = arg;

    t->digest = *digest;
    atomic_fetch_add(&t->n, 1);
}

static void damage_after_parts_were_served_is_told(void **state)
{
    struct told told = { 0 };
    struct world w = {
        .cfg = { .damaged = on_damaged, .damaged_arg = &told },
    };
    struct fake *f = fake_new(2 * MIB, 1), *unseen = fake_new(MIB, 2);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    unseen->wrong_at = 0;
    b = blob_open(&w, unseen);
    assert_int_equal(read_at(b, unseen, unseen->size - 1, 1), -EBADMSG);
    ofs_blob_close(b);
    f->wrong_at = 5;
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 2), 0);
    assert_int_equal(read_at(b, f, f->size - 1, 1), -EBADMSG);
    while (atomic_load(&told.n) == 0)
        (void)sched_yield();
    assert_int_equal(told.n, 1);
    assert_true(ofs_digest_eq(&told.digest, &f->digest));
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
    ofs_source_unref(&unseen->base);
}

static void strict_gives_nothing_before_all_is_verified(void **state)
{
    struct world w = { .cfg.verify = OFS_VERIFY_STRICT };
    struct fake *f = fake_new(3 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->wrong_at = 3 * MIB - 1;
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 1), -EBADMSG);
    ofs_blob_close(b);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 1), 0);
    assert_true(fake_each_asked(f, 2));
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void the_last_byte_alone_fetches_all(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(40 * MIB + 3, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, f->size - 1, 1), 0);
    assert_true(fake_each_asked(f, 1));
    assert_in_range(f->reads, 3, 9);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* Removed but for its sums: what comes again is checked chunk by chunk. */
static void what_is_fetched_again_is_checked_alone(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(5 * MIB + 9, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    world_reopen(&w);
    drop(&w, f);
    f->wrong_at = 2 * MIB;
    b = blob_open(&w, f);
    /* The end needs its own chunk only. */
    assert_int_equal(read_at(b, f, f->size - 1, 1), 0);
    assert_int_equal(f->asked[3], 1);
    /* The wrong chunk is fetched once more, from elsewhere. */
    assert_int_equal(read_at(b, f, 2 * MIB, 1), 0);
    assert_int_equal(f->asked[8], 3);
    ofs_blob_close(b);

    /* Wrong there too: that chunk fails, the others do not. */
    world_reopen(&w);
    drop(&w, f);
    f->wrong_attempts = 100;
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 2 * MIB, 1), -EBADMSG);
    assert_int_equal(read_at(b, f, 0, 1), 0);
    assert_int_equal(read_at(b, f, f->size - 10, 10), 0);
    f->wrong_attempts = 0;
    assert_int_equal(read_all(b, f), 0);
    ofs_blob_close(b);
    assert_int_equal(quarantined(&w), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void what_was_fetched_ahead_is_checked_and_kept(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(5 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    world_reopen(&w);
    drop(&w, f);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 10), 0);
    while (f->asked[3] < 2)
        (void)sched_yield();
    ofs_blob_close(b);
    world_reopen(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, (size_t)MIB), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(f->asked[i], 2);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* All that was written before the machine stopped is doubted. */
static void after_a_restart_of_the_machine_chunks_are_checked(void **state)
{
    struct world w = {
        .tweaks.boot_id = "00000000-0000-0000-0000-000000000001",
    };
    struct fake *f = fake_new(4 * MIB, 1), *part = fake_new(4 * MIB, 2);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    b = blob_open(&w, part);
    assert_int_equal(read_at(b, part, 0, 10), 0);
    ofs_blob_close(b);
    world_close(&w);

    w.tweaks.boot_id = "00000000-0000-0000-0000-000000000002";
    spoil(&w, f, MIB + 7);
    spoil(&w, part, 7);
    world_open(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_int_equal(f->asked[4], 2);
    assert_int_equal(f->asked[5], 1);
    assert_int_equal(fetch_all(&w, part), 0);
    assert_int_equal(part->asked[0], 2);
    /* Now it is of this boot. */
    world_reopen(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_int_equal(f->asked[4], 2);
    world_done(&w);
    ofs_source_unref(&f->base);
    ofs_source_unref(&part->base);
}

/* What one process left is hashed by the next, from the disk. */
static void a_part_that_was_left_is_part_of_the_verdict(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(4 * MIB, 1);
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, MIB, (size_t)MIB), 0);
    ofs_blob_close(b);
    world_close(&w);
    spoil(&w, f, MIB + 5);
    world_open(&w);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, f->size - 1, 1), -EBADMSG);
    ofs_blob_close(b);
    assert_int_equal(fetch_all(&w, f), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void sha512_works_as_well(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(2 * MIB + 5, 1);

    (void)state;
    assert_int_equal(
        ofs_digest_of(OFS_SHA512, f->data, (size_t)f->size, &f->digest), 0);
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    world_reopen(&w);
    drop(&w, f);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_true(fake_each_asked(f, 2));
    f->digest.bytes[63] ^= 1;
    assert_int_equal(fetch_all(&w, f), -EBADMSG);
    world_done(&w);
    ofs_source_unref(&f->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_found_before_the_last_byte),
        cmocka_unit_test(a_blob_that_is_wrong_everywhere_stays_unreadable),
        cmocka_unit_test(a_large_quarantine_is_emptied),
        cmocka_unit_test(damage_after_parts_were_served_is_told),
        cmocka_unit_test(strict_gives_nothing_before_all_is_verified),
        cmocka_unit_test(the_last_byte_alone_fetches_all),
        cmocka_unit_test(what_is_fetched_again_is_checked_alone),
        cmocka_unit_test(what_was_fetched_ahead_is_checked_and_kept),
        cmocka_unit_test(after_a_restart_of_the_machine_chunks_are_checked),
        cmocka_unit_test(a_part_that_was_left_is_part_of_the_verdict),
        cmocka_unit_test(sha512_works_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
