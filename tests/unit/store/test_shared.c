/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include <sys/wait.h>

/* Two stores on one directory have their own descriptors and locks, and so
 * are to each other what two processes are. */
static void open_second(struct world *w, struct world *other)
{
    *other = *w;
    world_open(other);
}

static void what_one_fetched_the_other_has(void **state)
{
    struct world w = { 0 }, other;
    struct fake *f = fake_new(4 * MIB, 1);
    struct ofs_blob *a, *b;

    (void)state;
    world_init(&w);
    open_second(&w, &other);
    a = blob_open(&w, f);
    b = blob_open(&other, f);
    assert_int_equal(read_at(a, f, 2 * MIB, (size_t)MIB), 0);
    assert_int_equal(read_at(b, f, 2 * MIB, (size_t)MIB), 0);
    assert_int_equal(f->bytes, MIB);
    assert_int_equal(read_all(b, f), 0);
    assert_int_equal(read_all(a, f), 0);
    assert_true(fake_each_asked(f, 1));
    ofs_blob_close(a);
    ofs_blob_close(b);
    world_close(&other);
    world_done(&w);
    ofs_source_unref(&f->base);
}

struct task {
    struct world *w;
    struct fake *f;
    int result;
};

static void *fetch_it(void *arg)
{
    struct task *t = arg;

    t->result = fetch_all(t->w, t->f);
    return NULL;
}

static void two_that_read_at_once_fetch_each_byte_once(void **state)
{
    struct world w = { .tweaks.patience_ms = 60 * 1000 }, other;
    struct fake *f = fake_new(24 * MIB, 1);
    struct task tasks[2];
    pthread_t threads[2];

    (void)state;
    world_init(&w);
    open_second(&w, &other);
    tasks[0] = (struct task){ .w = &w, .f = f };
    tasks[1] = (struct task){ .w = &other, .f = f };
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fetch_it, &tasks[i]),
                         0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(tasks[i].result, 0);
    }
    assert_true(fake_each_asked(f, 1));
    world_close(&other);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* The other process fetches what we want and has been stopped. */
static void a_process_that_stands_still_holds_up_nobody(void **state)
{
    struct world w = { .tweaks.patience_ms = 50 }, other;
    struct fake *slow = fake_new(4 * MIB, 1), *f = fake_new(4 * MIB, 1);
    struct ofs_blob *a, *b;

    (void)state;
    world_init(&w);
    open_second(&w, &other);
    slow->stall_at = 64 * KIB;
    a = blob_open(&w, slow);
    read_and_leave(a, slow, 0, 10, 1);
    b = blob_open(&other, f);
    assert_int_equal(read_all(b, f), 0);
    fake_release(slow);
    assert_int_equal(read_all(a, slow), 0);
    ofs_blob_close(a);
    ofs_blob_close(b);
    world_close(&other);
    world_done(&w);
    ofs_source_unref(&slow->base);
    ofs_source_unref(&f->base);
}

/* One has found the damage; the other still has the files open. */
static void damage_is_damage_for_both(void **state)
{
    struct world w = { 0 }, other;
    struct fake *f = fake_new(4 * MIB, 1);
    struct ofs_blob *a, *b;

    (void)state;
    world_init(&w);
    open_second(&w, &other);
    f->wrong_at = 100;
    a = blob_open(&w, f);
    b = blob_open(&other, f);
    assert_int_equal(read_at(b, f, 100, 1), 1); /* wrong, not known yet */
    assert_int_equal(read_at(a, f, f->size - 1, 1), -EBADMSG);
    assert_int_equal(read_at(b, f, f->size - 1, 1), -EBADMSG);
    ofs_blob_close(a);
    ofs_blob_close(b);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_int_equal(fetch_all(&other, f), 0);
    world_close(&other);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/*
 * One has no use for the disk and verifies what it holds in memory; what the
 * other has put into the file is not proven by that.
 */
static int no_disk(void *arg, uint64_t off, size_t len)
{
    (void)arg;
    (void)off;
    (void)len;
    return -ENOSPC;
}

static void sums_of_one_do_not_prove_the_file_of_another(void **state)
{
    struct world w = { 0 }, other;
    struct fake *bad = fake_new(4 * MIB, 1), *f = fake_new(4 * MIB, 1);
    struct ofs_blob *a, *b, *c;

    (void)state;
    world_init(&w);
    other = w;
    other.tweaks.write = no_disk;
    world_open(&other);
    b = blob_open(&other, f);
    assert_int_equal(read_at(b, f, 3 * MIB, 10), 0); /* no disk from now on */
    assert_int_equal(read_all(b, f), 0);
    ofs_blob_close(b);
    bad->wrong_at = MIB + 5;
    a = blob_open(&w, bad);
    /* Has the sums by now or not: in the first case the chunk is checked. */
    (void)read_at(a, bad, MIB, 10);
    world_reopen(&other);
    c = blob_open(&other, f);
    assert_int_equal(read_at(c, f, MIB, 10), 0);
    ofs_blob_close(a);
    ofs_blob_close(c);
    world_close(&other);
    world_done(&w);
    ofs_source_unref(&bad->base);
    ofs_source_unref(&f->base);
}

/* Real processes, the same blobs, at once. */
enum { CHILDREN = 3, BLOBS = 4 };

static int child(struct world *w, struct fake **f, unsigned seed)
{
    int r = 0;

    world_open(w);
    for (int i = 0; i < 3 * BLOBS && r == 0; i++) {
        struct fake *one = f[(seed + (unsigned)i) % BLOBS];
        struct ofs_blob *b = blob_open(w, one);

        r = read_at(b, one, scramble(seed * 100 + (unsigned)i) % one->size,
                    70000);
        if (r == 0)
            r = read_all(b, one);
        ofs_blob_close(b);
    }
    world_close(w);
    return r;
}

static void processes_share_a_cache(void **state)
{
    struct world w = { 0 };
    struct fake *f[BLOBS];
    pid_t pids[CHILDREN];

    (void)state;
    world_make_dir(&w);
    for (int i = 0; i < BLOBS; i++)
        f[i] = fake_new(2 * MIB + (uint64_t)i, (uint64_t)i);
    for (unsigned i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(child(&w, f, i));
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    world_open(&w);
    for (int i = 0; i < BLOBS; i++) {
        assert_int_equal(fetch_all(&w, f[i]), 0);
        assert_int_equal(f[i]->bytes, 0); /* in this process: nothing */
        ofs_source_unref(&f[i]->base);
    }
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_fetched_the_other_has),
        cmocka_unit_test(two_that_read_at_once_fetch_each_byte_once),
        cmocka_unit_test(a_process_that_stands_still_holds_up_nobody),
        cmocka_unit_test(damage_is_damage_for_both),
        cmocka_unit_test(sums_of_one_do_not_prove_the_file_of_another),
        cmocka_unit_test(processes_share_a_cache),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
