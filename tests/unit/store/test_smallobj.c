/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

static int put(struct world *w, const struct fake *f)
{
    return ofs_store_put(w->s, &f->digest, f->data, (size_t)f->size, NULL);
}

/* 0 and the right bytes, or a negative errno. */
static int get(struct world *w, const struct fake *f, size_t limit)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4 * MIB);
    struct ofs_err err;
    int r = ofs_store_get(w->s, &f->digest, limit, &b, &err);

    if (r < 0) {
        assert_int_equal(b.len, 0);
        return r;
    }
    assert_int_equal(b.len, f->size);
    assert_memory_equal(ofs_buf_str(&b), f->data, b.len);
    return 0;
}

/* The file of a small object; waits for the writer. */
static int open_file(struct world *w, const struct fake *f)
{
    char name[OFS_DIGEST_TEXT_MAX];

    while (ofs_workers_busy(w->s->disk.small.workers) > 0)
        sched_yield();
    return openat(w->s->disk.small.fd, ofs_digest_format(&f->digest, name),
                  O_RDWR | O_CLOEXEC);
}

static int overwrite(struct world *w, const struct fake *f, off_t at)
{
    OFS_AUTOCLOSE int fd = open_file(w, f);

    return fd >= 0 && pwrite(fd, "?!", 2, at) == 2 ? 0 : -1;
}

static void what_was_put_is_got(void **state)
{
    static const uint64_t sizes[] = { 0, 1, 3000, OFS_CHUNK_BYTES, MIB + 1 };
    struct world w = { 0 };

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < OFS_COUNT_OF(sizes); i++) {
        struct fake *f = fake_new(sizes[i], i);
        uint64_t size = 0;

        if (sizes[i] > 0)
            assert_int_equal(get(&w, f, MIB * 2), -ENOENT);
        assert_int_equal(put(&w, f), 0);
        assert_int_equal(put(&w, f), 0);
        assert_int_equal(get(&w, f, MIB * 2), 0);
        if (sizes[i] > 0) {
            assert_int_equal(get(&w, f, (size_t)sizes[i] - 1), -EFBIG);
            assert_int_equal(ofs_store_size(w.s, &f->digest, &size), 0);
            assert_int_equal(size, sizes[i]);
        }
        ofs_source_unref(&f->base);
    }
    world_done(&w);
}

static void what_was_put_outlives_the_process(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(3000, 1);
    struct stat st;
    int fd;

    (void)state;
    world_init(&w);
    assert_int_equal(put(&w, f), 0);
    world_reopen(&w);
    assert_int_equal(get(&w, f, MIB), 0);
    fd = open_file(&w, f);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)close(fd);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void wrong_bytes_are_refused(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(3000, 1);
    struct ofs_err err;

    (void)state;
    world_init(&w);
    f->data[7] ^= 1;
    assert_int_equal(ofs_store_put(w.s, &f->digest, f->data, 3000, &err),
                     -EBADMSG);
    f->data[7] ^= 1;
    assert_int_equal(get(&w, f, MIB), -ENOENT);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void what_the_disk_spoilt_is_not_got_and_can_be_put_again(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(3000, 1);

    (void)state;
    world_init(&w);
    assert_int_equal(put(&w, f), 0);
    assert_int_equal(overwrite(&w, f, 100), 0);
    assert_int_equal(get(&w, f, MIB), -ENOENT);
    assert_int_equal(put(&w, f), 0);
    assert_int_equal(get(&w, f, MIB), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
}

/* Its bytes are nobody's proof for what was read of the blob before. */
static void an_open_blob_is_not_verified_by_a_put(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(3 * MIB, 1); /* more than the first fetch */
    struct ofs_blob *b;

    (void)state;
    world_init(&w);
    f->wrong_at = 5;
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 10), 1);
    assert_int_equal(put(&w, f), 0);
    assert_int_equal(read_at(b, f, f->size - 1, 1), -EBADMSG);
    assert_int_equal(get(&w, f, 4 * MIB), 0);
    ofs_blob_close(b);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void what_is_old_goes_when_there_is_too_much(void **state)
{
    struct world w = { .cfg.max_bytes = 2 * MIB };
    const struct timespec long_ago[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
    struct fake *old = fake_new(3000, 1);
    int fd;

    (void)state;
    world_init(&w);
    assert_int_equal(put(&w, old), 0);
    fd = open_file(&w, old);
    assert_int_equal(futimens(fd, long_ago), 0);
    (void)close(fd);
    assert_true(ofs_sweep_small(&w.s->disk) == 0);
    assert_int_equal(get(&w, old, MIB), -ENOENT);
    for (uint64_t i = 2; i < 102; i++) {
        struct fake *f = fake_new(4000, i);

        assert_int_equal(put(&w, f), 0);
        ofs_source_unref(&f->base);
    }
    while (ofs_workers_busy(w.s->disk.small.workers) > 0)
        sched_yield();
    assert_true(ofs_sweep_small(&w.s->disk) <= 2 * MIB / 8);
    world_done(&w);
    ofs_source_unref(&old->base);
}

static int no_disk(void *arg, uint64_t off, size_t len)
{
    (void)arg;
    (void)off;
    (void)len;
    return -ENOSPC;
}

static void a_failing_disk_is_no_error_of_put(void **state)
{
    struct world w = { .tweaks.write = no_disk };
    struct fake *f = fake_new(MIB, 1);

    (void)state;
    world_init(&w);
    assert_int_equal(put(&w, f), 0);
    while (ofs_workers_busy(w.s->disk.small.workers) > 0)
        sched_yield();
    assert_int_equal(get(&w, f, MIB), -ENOENT);
    world_done(&w);
    ofs_source_unref(&f->base);
}

struct task {
    struct world *w;
    struct fake *f;
    int result;
};

static void *put_and_get(void *arg)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);
    struct task *t = arg;

    for (int i = 0; i < 50 && t->result == 0; i++) {
        ofs_buf_reset(&b);
        t->result = put(t->w, t->f);
        if (t->result == 0)
            t->result = ofs_store_get(t->w->s, &t->f->digest, MIB, &b, NULL);
        /* Another thread may be at it just now. */
        if (t->result == -ENOENT)
            t->result = 0;
        else if (t->result == 0 &&
                 (b.len != t->f->size || memcmp(b.data, t->f->data, b.len)))
            t->result = 1;
    }
    return NULL;
}

static void many_put_and_get_the_same(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(300 * KIB, 1);
    struct task tasks[4];
    pthread_t threads[4];

    (void)state;
    world_init(&w);
    for (int i = 0; i < 4; i++) {
        tasks[i] = (struct task){ .w = &w, .f = f };
        assert_int_equal(
            pthread_create(&threads[i], NULL, put_and_get, &tasks[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(tasks[i].result, 0);
    }
    assert_int_equal(get(&w, f, MIB), 0);
    world_done(&w);
    ofs_source_unref(&f->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_got),
        cmocka_unit_test(what_was_put_outlives_the_process),
        cmocka_unit_test(wrong_bytes_are_refused),
        cmocka_unit_test(what_the_disk_spoilt_is_not_got_and_can_be_put_again),
        cmocka_unit_test(an_open_blob_is_not_verified_by_a_put),
        cmocka_unit_test(what_is_old_goes_when_there_is_too_much),
        cmocka_unit_test(a_failing_disk_is_no_error_of_put),
        cmocka_unit_test(many_put_and_get_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
