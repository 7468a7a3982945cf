/* SPDX-License-Identifier: Apache-2.0 */

/* What somebody else changes in the cache is noticed. */

#include "store_world.h"

enum { N_CHUNKS = 12 };
#define SIZE (N_CHUNKS * (uint64_t)OFS_CHUNK_BYTES - 100)

static void path_of(const struct world *w, const struct fake *f,
                    const char *suffix, char path[512])
{
    char name[OFS_BLOBFILE_NAME_MAX];

    ofs_blobfile_name(&f->digest, suffix, name);
    (void)snprintf(path, 512, "%s/v1/blobs/%s", w->dir, name);
}

/* False: the clock of the file system has not moved on since `before`. */
static bool looks_otherwise(const char *path, const struct stat *before)
{
    struct stat now;

    assert_int_equal(stat(path, &now), 0);
    return now.st_ctim.tv_sec != before->st_ctim.tv_sec ||
           now.st_ctim.tv_nsec != before->st_ctim.tv_nsec;
}

/* One byte becomes another. */
static void spoil(const struct world *w, const struct fake *f, uint64_t at)
{
    OFS_AUTOCLOSE int fd = -1;
    uint8_t byte = (uint8_t)(f->data[at] ^ 1);
    struct stat before;
    char path[512];

    path_of(w, f, "", path);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(chmod(path, 0600), 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    do
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    while (!looks_otherwise(path, &before));
}

static void touch(const struct world *w, const struct fake *f)
{
    struct stat before;
    char path[512];

    path_of(w, f, "", path);
    assert_int_equal(stat(path, &before), 0);
    do
        assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
    while (!looks_otherwise(path, &before));
}

static mode_t mode_of(const struct world *w, const struct fake *f)
{
    struct stat st;
    char path[512];

    path_of(w, f, "", path);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

/* Does the seal hold, whoever made it? */
static bool is_sealed(const struct world *w, const struct fake *f)
{
    struct ofs_blobfile file = { .size = f->size };
    char path[512];
    bool holds;

    path_of(w, f, "", path);
    file.data_fd = open(path, O_RDONLY | O_CLOEXEC);
    path_of(w, f, ".map", path);
    file.map_fd = open(path, O_RDONLY | O_CLOEXEC);
    holds = ofs_blobfile_seal_look(&file) != 0;
    ofs_blobfile_close(&file);
    return holds;
}

/* As a disk does that gives other bytes than it was given. */
static void spoil_in_secret(const struct world *w, const struct fake *f,
                            uint64_t at)
{
    struct ofs_blobfile file = { .size = f->size };
    char path[512];

    spoil(w, f, at);
    path_of(w, f, "", path);
    file.data_fd = open(path, O_RDONLY | O_CLOEXEC);
    path_of(w, f, ".map", path);
    file.map_fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(ofs_blobfile_seal(&file) != 0);
    ofs_blobfile_close(&file);
}

static struct fake *fetched(struct world *w)
{
    struct fake *f = fake_new(SIZE, 1);

    world_init(w);
    assert_int_equal(fetch_all(w, f), 0);
    world_reopen(w);
    assert_true(is_sealed(w, f));
    assert_int_equal(mode_of(w, f), 0400);
    return f;
}

static void done(struct world *w, struct fake *f)
{
    world_done(w);
    ofs_source_unref(&f->base);
}

/* Once each, but `again`, if there is such a chunk. */
static bool is_fetched(const struct fake *f, uint32_t again, unsigned times)
{
    for (uint32_t i = 0; i < N_CHUNKS; i++)
        if (f->asked[i] != (i == again ? times : 1))
            return false;
    return true;
}

/* proves S17 */
static void changed_bytes_are_fetched_again(void **state)
{
    static const uint64_t places[] = { 0, 700 * KIB, SIZE - 1 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(places); i++) {
        struct world w = { .cfg.verify =
                               i == 1 ? OFS_VERIFY_STRICT : OFS_VERIFY_LAZY };
        struct fake *f = fetched(&w);
        uint32_t chunk = (uint32_t)(places[i] / OFS_CHUNK_BYTES);

        spoil(&w, f, places[i]);
        assert_int_equal(fetch_all(&w, f), 0);
        assert_true(is_fetched(f, chunk, 2));
        assert_int_equal(fetch_all_anew(&w, f), 0);
        world_reopen(&w);
        assert_int_equal(fetch_all(&w, f), 0);
        assert_true(is_fetched(f, chunk, 2));
        world_close(&w);
        assert_true(is_sealed(&w, f));
        done(&w, f);
    }
}

static void bytes_that_change_while_it_is_open_are_noticed(void **state)
{
    struct world w = { 0 };
    struct fake *f = fetched(&w);
    struct ofs_blob *b = blob_open(&w, f);

    (void)state;
    assert_int_equal(read_all(b, f), 0);
    spoil(&w, f, MIB);
    assert_int_equal(read_all(b, f), 0);
    assert_true(is_fetched(f, 4, 2));
    ofs_blob_close(b);
    world_reopen(&w); /* what could not be written any more is gone */
    assert_int_equal(fetch_all(&w, f), 0);
    assert_int_equal(fetch_all_anew(&w, f), 0);
    world_close(&w);
    assert_true(is_sealed(&w, f));
    done(&w, f);
}

/* Proven once more, and nothing else comes of it. */
static void a_file_that_only_looks_otherwise_is_kept(void **state)
{
    struct world w = { 0 };
    struct fake *f = fetched(&w);
    struct ofs_blob *b = blob_open(&w, f);

    (void)state;
    touch(&w, f);
    assert_false(is_sealed(&w, f));
    assert_int_equal(read_all(b, f), 0);
    assert_true(is_sealed(&w, f));
    ofs_blob_close(b);
    world_reopen(&w);
    touch(&w, f);
    assert_int_equal(fetch_all(&w, f), 0);
    world_close(&w);
    assert_true(is_sealed(&w, f));
    assert_true(is_fetched(f, 0, 1));
    done(&w, f);
}

/* What was proven before the last change does not make a seal. */
static void a_change_while_it_is_proven_is_noticed(void **state)
{
    struct world w = { 0 };
    struct fake *f = fetched(&w);
    struct ofs_blob *b;

    (void)state;
    touch(&w, f);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 10), 0);
    spoil(&w, f, 100);
    assert_int_equal(read_through(b, f, MIB / 4, SIZE, 128 * KIB), 0);
    assert_false(is_sealed(&w, f));
    assert_int_equal(read_all(b, f), 0);
    assert_true(is_fetched(f, 0, 2));
    ofs_blob_close(b);
    done(&w, f);
}

/* Another file with the same bytes and modification time. */
static void copy_in_place_of(const struct world *w, const struct fake *f)
{
    OFS_AUTOFREE char *command = NULL;
    char path[512];

    path_of(w, f, "", path);
    assert_true(asprintf(&command, "cp -p %s %s/x && mv -f %s/x %s", path,
                         w->dir, w->dir, path) > 0);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void a_cache_that_was_copied_is_proven_and_kept(void **state)
{
    struct world w = { 0 };
    struct fake *f = fetched(&w);

    (void)state;
    copy_in_place_of(&w, f);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_true(is_fetched(f, 0, 1));
    copy_in_place_of(&w, f);
    spoil(&w, f, 3);
    assert_int_equal(fetch_all_anew(&w, f), 0);
    assert_true(is_fetched(f, 0, 2));
    done(&w, f);
}

static void cut_seal_off(const struct world *w, const struct fake *f)
{
    char path[512];

    path_of(w, f, "", path);
    assert_int_equal(chmod(path, 0600), 0);
    path_of(w, f, ".map", path);
    assert_int_equal(truncate(path, OFS_MAP_HEAD_LEN + N_CHUNKS), 0);
}

/* As versions before this one left it. */
static void a_cache_without_seals_is_proven_and_sealed(void **state)
{
    struct world w = { 0 };
    struct fake *f = fetched(&w);

    (void)state;
    cut_seal_off(&w, f);
    spoil(&w, f, SIZE - 1);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_true(is_fetched(f, N_CHUNKS - 1, 2));
    assert_int_equal(fetch_all_anew(&w, f), 0);
    world_close(&w);
    assert_true(is_sealed(&w, f));
    done(&w, f);
}

/* A verified blob of which not all is here has no seal. */
static void a_part_of_a_blob_is_proven_when_it_is_opened(void **state)
{
    struct world w = { 0 };
    struct fake *f = fetched(&w);
    struct ofs_blob *b;
    uint64_t freed;

    (void)state;
    assert_int_equal(ofs_blobfile_remove(&w.s->disk.files, &f->digest, &freed),
                     0);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 10), 0);
    ofs_blob_close(b);
    world_reopen(&w);
    spoil(&w, f, 5);
    b = blob_open(&w, f);
    assert_int_equal(read_at(b, f, 0, 10), 0);
    assert_int_equal(f->asked[0], 3);
    ofs_blob_close(b);
    done(&w, f);
}

/* proves S72 */
static void with_always_no_seal_is_believed(void **state)
{
    struct world w = { 0 };
    struct fake *f = fetched(&w);

    (void)state;
    spoil_in_secret(&w, f, 2 * MIB);
    assert_int_equal(fetch_all(&w, f), 1); /* so nobody can tell without */
    world_close(&w);
    w.cfg.verify = OFS_VERIFY_ALWAYS;
    world_open(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_true(is_fetched(f, 8, 2));
    assert_int_equal(fetch_all_anew(&w, f), 0);
    done(&w, f);
}

static void without_the_source_changed_bytes_are_an_error(void **state)
{
    struct world w = { 0 };
    struct fake *f = fetched(&w);
    struct ofs_blob *b = NULL;

    (void)state;
    spoil(&w, f, MIB + 1);
    assert_int_equal(
        ofs_store_open_blob(w.s, &f->digest, f->size, NULL, &b, NULL), 0);
    assert_int_equal(read_at(b, f, 0, 100), 0);
    assert_int_equal(read_at(b, f, MIB, 100), -ENOENT);
    ofs_blob_close(b);
    done(&w, f);
}

/* Two stores are two processes: the seal of one is good for the other. */
static void processes_share_a_seal(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(SIZE, 1);
    struct world other;
    struct ofs_blob *a, *b;

    (void)state;
    world_init(&w);
    other = w;
    world_open(&other);
    a = blob_open(&w, f);
    b = blob_open(&other, f);
    assert_int_equal(read_all(a, f), 0);
    assert_int_equal(read_all(b, f), 0);
    touch(&w, f);
    assert_int_equal(read_all(a, f), 0);
    assert_int_equal(read_all(b, f), 0);
    assert_true(is_sealed(&w, f));
    spoil(&w, f, 9);
    assert_int_equal(read_all(b, f), 0);
    assert_int_equal(read_all(a, f), 0);
    ofs_blob_close(a);
    ofs_blob_close(b);
    world_close(&other);
    assert_int_equal(fetch_all_anew(&w, f), 0);
    done(&w, f);
}

/* To root a read-only file is a file like any other. */
static void an_ordinary_user_may_mend_it_too(void **state)
{
    uid_t before = geteuid();

    if (before == 0 && seteuid(65534) < 0)
        skip();
    changed_bytes_are_fetched_again(state);
    bytes_that_change_while_it_is_open_are_noticed(state);
    a_cache_without_seals_is_proven_and_sealed(state);
    assert_int_equal(seteuid(before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_bytes_are_fetched_again),
        cmocka_unit_test(bytes_that_change_while_it_is_open_are_noticed),
        cmocka_unit_test(a_file_that_only_looks_otherwise_is_kept),
        cmocka_unit_test(a_change_while_it_is_proven_is_noticed),
        cmocka_unit_test(a_cache_that_was_copied_is_proven_and_kept),
        cmocka_unit_test(a_cache_without_seals_is_proven_and_sealed),
        cmocka_unit_test(a_part_of_a_blob_is_proven_when_it_is_opened),
        cmocka_unit_test(with_always_no_seal_is_believed),
        cmocka_unit_test(without_the_source_changed_bytes_are_an_error),
        cmocka_unit_test(processes_share_a_seal),
        cmocka_unit_test(an_ordinary_user_may_mend_it_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
