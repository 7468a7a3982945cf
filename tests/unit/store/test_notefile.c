/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

static void note_path(const struct world *w, const char *key, char path[512])
{
    struct ofs_digest d;
    char text[OFS_DIGEST_TEXT_MAX];

    assert_int_equal(ofs_digest_of(OFS_SHA256, key, strlen(key), &d), 0);
    (void)snprintf(path, 512, "%s/v1/notes/%s", w->dir,
                   ofs_digest_format(&d, text) + strlen("sha256:"));
}

static void a_note_is_what_was_put_last(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);
    struct world w = { 0 };
    int64_t age = -1;

    (void)state;
    world_init(&w);
    assert_int_equal(ofs_store_note_get(w.s, "tags app", &b, &age), -ENOENT);
    assert_int_equal(ofs_store_note_put(w.s, "tags app", "one", 3), 0);
    assert_int_equal(ofs_store_note_put(w.s, "tags app", "t\0wo", 4), 0);
    assert_int_equal(ofs_store_note_put(w.s, "tags other", "", 0), 0);
    assert_int_equal(ofs_store_note_get(w.s, "tags app", &b, &age), 0);
    assert_int_equal(b.len, 4);
    assert_memory_equal(b.data, "t\0wo", 4);
    assert_in_range(age, 0, 10);
    ofs_buf_reset(&b);
    world_reopen(&w);
    assert_int_equal(ofs_store_note_get(w.s, "tags other", &b, &age), 0);
    assert_int_equal(b.len, 0);
    world_done(&w);
}

static void a_note_tells_its_age(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);
    struct world w = { 0 };
    int64_t age = -1;
    char path[512];
    uint8_t file[512], hash[32];
    ssize_t n;
    int fd;

    (void)state;
    world_init(&w);
    assert_int_equal(ofs_store_note_put(w.s, "k", "data", 4), 0);
    /* Put a hundred seconds earlier. */
    note_path(&w, "k", path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    n = read(fd, file, sizeof(file));
    assert_true(n > 32);
    for (int i = 0, borrow = 100; i < 8 && borrow; i++) {
        int byte = file[15 - i] - borrow % 256;

        borrow = borrow / 256 + (byte < 0);
        file[15 - i] = (uint8_t)byte;
    }
    assert_int_equal(ofs_sha256(file, (size_t)n - 32, hash), 0);
    memcpy(file + n - 32, hash, 32);
    assert_int_equal(pwrite(fd, file, (size_t)n, 0), n);
    assert_int_equal(ofs_store_note_get(w.s, "k", &b, &age), 0);
    assert_in_range(age, 100, 110);
    /* And far in the future: the clock was set back. */
    memset(file + 8, 0x7f, 8);
    assert_int_equal(ofs_sha256(file, (size_t)n - 32, hash), 0);
    memcpy(file + n - 32, hash, 32);
    assert_int_equal(pwrite(fd, file, (size_t)n, 0), n);
    assert_int_equal(ofs_store_note_get(w.s, "k", &b, &age), 0);
    assert_int_equal(age, 0);
    (void)close(fd);
    world_done(&w);
}

static void a_torn_note_is_none(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);
    struct world w = { 0 };
    char path[512];
    struct stat st;
    int64_t age;

    (void)state;
    world_init(&w);
    note_path(&w, "key", path);
    for (int cut = 1; cut < 68; cut++) {
        assert_int_equal(ofs_store_note_put(w.s, "key", "some data", 9), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(truncate(path, st.st_size - cut), 0);
        assert_int_equal(ofs_store_note_get(w.s, "key", &b, &age), -ENOENT);
        assert_int_equal(truncate(path, st.st_size), 0);
        assert_int_equal(ofs_store_note_get(w.s, "key", &b, &age), -ENOENT);
    }
    assert_int_equal(b.len, 0);
    world_done(&w);
}

static void limits_are_kept(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(3);
    OFS_AUTOFREE char *key = malloc(5001);
    struct world w = { 0 };
    int64_t age;

    (void)state;
    world_init(&w);
    assert_int_equal(ofs_store_note_put(w.s, "k", "four", 4), 0);
    assert_true(ofs_store_note_get(w.s, "k", &b, &age) < 0);
    memset(key, 'x', 5000);
    key[5000] = '\0';
    assert_int_equal(ofs_store_note_put(w.s, key, "", 0), -ENAMETOOLONG);
    world_done(&w);
}

static void old_notes_go(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);
    struct timespec old[2] = { { .tv_sec = ofs_wall_s() - 31 * 24 * 3600 },
                               { .tv_sec = ofs_wall_s() - 31 * 24 * 3600 } };
    struct world w = { 0 };
    char path[512];
    int64_t age;

    (void)state;
    world_init(&w);
    assert_int_equal(ofs_store_note_put(w.s, "old", "", 0), 0);
    assert_int_equal(ofs_store_note_put(w.s, "young", "", 0), 0);
    note_path(&w, "old", path);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    world_reopen(&w);
    while (atomic_load(&w.s->disk.n_rounds) == 0)
        (void)sched_yield();
    assert_int_equal(ofs_store_note_get(w.s, "old", &b, &age), -ENOENT);
    assert_int_equal(ofs_store_note_get(w.s, "young", &b, &age), 0);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_is_what_was_put_last),
        cmocka_unit_test(a_note_tells_its_age),
        cmocka_unit_test(a_torn_note_is_none),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(old_notes_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
