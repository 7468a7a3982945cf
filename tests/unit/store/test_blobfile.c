/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blobfile.h"

#include "ocirfs/file.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

enum { CHUNKS = 4 };
static const uint64_t size = (CHUNKS - 1) * (uint64_t)OFS_CHUNK_BYTES + 100;
static const struct ofs_digest digest = { .alg = OFS_SHA256,
                                          .bytes = { 0xab, 0xcd } };

/* Every open takes its own locks, as another process would. */
struct world {
    char path[64];
    struct ofs_blobdir dir;
    char map[OFS_BLOBFILE_NAME_MAX], data[OFS_BLOBFILE_NAME_MAX];
};

static int sub_dir(const char *parent, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", parent, name);
    assert_int_equal(mkdir(path, 0700), 0);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void world_init(struct world *w)
{
    (void)snprintf(w->path, sizeof(w->path), "/tmp/ofs-blobfile-XXXXXX");
    assert_non_null(mkdtemp(w->path));
    w->dir.blobs_fd = sub_dir(w->path, "blobs");
    w->dir.quarantine_fd = sub_dir(w->path, "quarantine");
    memset(w->dir.boot_id, 1, sizeof(w->dir.boot_id));
    ofs_blobfile_name(&digest, ".map", w->map);
    ofs_blobfile_name(&digest, "", w->data);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void world_done(struct world *w)
{
    (void)close(w->dir.blobs_fd);
    (void)close(w->dir.quarantine_fd);
    (void)nftw(w->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int open_it(struct world *w, unsigned flags, struct ofs_blobfile *f,
                   uint8_t marks[CHUNKS])
{
    OFS_AUTOFREE uint8_t *got = NULL;
    int r = ofs_blobfile_open(&w->dir, &digest, size, flags, f, &got);

    if (r == 0)
        memcpy(marks, got, CHUNKS);
    return r;
}

/* Open, let `mark` be what all chunks have, close. */
static void make(struct world *w, enum ofs_mark mark)
{
    struct ofs_blobfile f;
    uint8_t marks[CHUNKS];

    assert_int_equal(open_it(w, OFS_BLOBFILE_CREATE, &f, marks), 0);
    for (uint32_t i = 0; i < CHUNKS; i++)
        assert_int_equal(ofs_blobfile_mark(&f, i, 1, mark), 0);
    ofs_blobfile_close(&f);
}

static bool exists(struct world *w, const char *name)
{
    return faccessat(w->dir.blobs_fd, name, F_OK, 0) == 0;
}

/* Files in the blob's directory. */
static unsigned count_files(struct world *w)
{
    char command[160];
    unsigned n = 0;
    FILE *p;

    (void)snprintf(command, sizeof(command), "ls -A %s/blobs/sha256/ab | wc -l",
                   w->path);
    p = popen(command, "re");
    assert_non_null(p);
    assert_int_equal(fscanf(p, "%u", &n), 1);
    (void)pclose(p);
    return n;
}

static void a_new_one_has_no_marks_and_is_private(void **state)
{
    struct world w;
    struct ofs_blobfile f;
    uint8_t marks[CHUNKS], none[CHUNKS] = { 0 };
    struct stat st;

    (void)state;
    world_init(&w);
    assert_int_equal(open_it(&w, 0, &f, marks), -ENOENT);
    assert_int_equal(open_it(&w, OFS_BLOBFILE_CREATE, &f, marks), 0);
    assert_memory_equal(marks, none, CHUNKS);
    assert_int_equal(fstat(f.data_fd, &st), 0);
    assert_int_equal(st.st_size, size);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(fstat(f.map_fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(count_files(&w), 2);
    ofs_blobfile_close(&f);
    world_done(&w);
}

static void marks_stay_and_are_seen_by_others_at_once(void **state)
{
    struct world w;
    struct ofs_blobfile f, g;
    uint8_t marks[CHUNKS];

    (void)state;
    world_init(&w);
    assert_int_equal(open_it(&w, OFS_BLOBFILE_CREATE, &f, marks), 0);
    assert_int_equal(open_it(&w, 0, &g, marks), 0);
    assert_int_equal(ofs_blobfile_mark(&f, 2, 1, OFS_MARK_PLAIN), 0);
    ofs_blobfile_marks(&g, 1, 3, marks);
    assert_memory_equal(marks, ((uint8_t[]){ 0, 1, 0 }), 3);
    ofs_blobfile_marks(&g, 3, CHUNKS, marks); /* beyond the end: nothing */
    assert_memory_equal(marks, ((uint8_t[CHUNKS]){ 0 }), CHUNKS);
    ofs_blobfile_close(&f);
    ofs_blobfile_close(&g);
    assert_int_equal(open_it(&w, 0, &f, marks), 0);
    assert_memory_equal(marks, ((uint8_t[]){ 0, 0, 1, 0 }), CHUNKS);
    ofs_blobfile_close(&f);
    world_done(&w);
}

static void what_is_open_is_not_removed(void **state)
{
    struct world w;
    struct ofs_blobfile f;
    uint8_t marks[CHUNKS];
    uint64_t freed = 0;

    (void)state;
    world_init(&w);
    make(&w, OFS_MARK_PLAIN);
    assert_int_equal(open_it(&w, 0, &f, marks), 0);
    assert_int_equal(pwrite(f.data_fd, "x", 1, 0), 1);
    assert_int_equal(ofs_blobfile_remove(&w.dir, &digest, &freed), -EBUSY);
    ofs_blobfile_close(&f);
    assert_int_equal(ofs_blobfile_remove(&w.dir, &digest, &freed), 0);
    assert_true(freed > 0);
    assert_int_equal(count_files(&w), 0);
    assert_int_equal(ofs_blobfile_remove(&w.dir, &digest, &freed), -ENOENT);
    world_done(&w);
}

static void data_without_a_map_can_be_removed(void **state)
{
    struct world w;
    uint64_t freed;

    (void)state;
    world_init(&w);
    make(&w, OFS_MARK_PLAIN);
    assert_int_equal(unlinkat(w.dir.blobs_fd, w.map, 0), 0);
    assert_int_equal(ofs_blobfile_remove(&w.dir, &digest, &freed), 0);
    assert_int_equal(count_files(&w), 0);
    world_done(&w);
}

/* What may be wrong with files, and what an open then finds. */
static void truncate_map(struct world *w)
{
    int fd = openat(w->dir.blobs_fd, w->map, O_RDWR | O_CLOEXEC);

    assert_int_equal(ftruncate(fd, OFS_MAP_HEAD_LEN + CHUNKS - 1), 0);
    (void)close(fd);
}

static void empty_map(struct world *w)
{
    int fd = openat(w->dir.blobs_fd, w->map, O_RDWR | O_TRUNC | O_CLOEXEC);

    assert_true(fd >= 0);
    (void)close(fd);
}

static void spoil_map(struct world *w)
{
    int fd = openat(w->dir.blobs_fd, w->map, O_RDWR | O_CLOEXEC);

    assert_int_equal(pwrite(fd, "garbage", 7, 20), 7);
    (void)close(fd);
}

static void remove_data(struct world *w)
{
    assert_int_equal(unlinkat(w->dir.blobs_fd, w->data, 0), 0);
}

static void shorten_data(struct world *w)
{
    int fd = openat(w->dir.blobs_fd, w->data, O_RDWR | O_CLOEXEC);

    assert_int_equal(ftruncate(fd, (off_t)size - 1), 0);
    (void)close(fd);
}

static void new_boot(struct world *w)
{
    memset(w->dir.boot_id, 2, sizeof(w->dir.boot_id));
}

static void strange_marks(struct world *w)
{
    int fd = openat(w->dir.blobs_fd, w->map, O_RDWR | O_CLOEXEC);

    assert_int_equal(pwrite(fd, "\3\377", 2, OFS_MAP_HEAD_LEN + 1), 2);
    (void)close(fd);
}

static void nothing(struct world *w)
{
    (void)w;
}

static const struct {
    const char *label;
    void (*spoil)(struct world *w);
    unsigned flags;
    uint8_t marks[CHUNKS];
} spoilt[] = {
    { "nothing", nothing, 0, { 2, 2, 2, 2 } },
    { "map cut", truncate_map, OFS_BLOBFILE_CREATE, { 0 } },
    { "map empty", empty_map, OFS_BLOBFILE_CREATE, { 0 } },
    { "map garbage", spoil_map, OFS_BLOBFILE_CREATE, { 0 } },
    { "data gone", remove_data, OFS_BLOBFILE_CREATE, { 0 } },
    { "data short", shorten_data, OFS_BLOBFILE_CREATE, { 0 } },
    { "marks of no meaning", strange_marks, 0, { 2, 0, 0, 2 } },
    { "machine restarted", new_boot, OFS_BLOBFILE_CREATE, { 0 } },
    { "restarted, sums known", new_boot, OFS_BLOBFILE_PROVEN, { 1, 1, 1, 1 } },
    { "map garbage, sums known",
      spoil_map,
      OFS_BLOBFILE_PROVEN | OFS_BLOBFILE_CREATE,
      { 0 } },
};

static void spoilt_files_are_not_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(spoilt); i++) {
        struct world w;
        struct ofs_blobfile f;
        uint8_t marks[CHUNKS];

        world_init(&w);
        make(&w, OFS_MARK_PROVEN);
        spoilt[i].spoil(&w);
        if (open_it(&w, spoilt[i].flags, &f, marks) != 0 ||
            memcmp(marks, spoilt[i].marks, CHUNKS) != 0)
            fail_msg("%s: %d %d %d %d", spoilt[i].label, marks[0], marks[1],
                     marks[2], marks[3]);
        assert_int_equal(count_files(&w), 2);
        ofs_blobfile_close(&f);
        /* And so for the next. */
        assert_int_equal(open_it(&w, 0, &f, marks), 0);
        assert_memory_equal(marks, spoilt[i].marks, CHUNKS);
        ofs_blobfile_close(&f);
        world_done(&w);
    }
}

/* Nothing is taken away from who has it open, whatever became of the names. */
static void a_spoilt_map_in_use_is_left_alone(void **state)
{
    struct world w;
    struct ofs_blobfile f, g;
    uint8_t marks[CHUNKS];

    (void)state;
    world_init(&w);
    make(&w, OFS_MARK_PLAIN);
    assert_int_equal(open_it(&w, 0, &f, marks), 0);
    spoil_map(&w);
    assert_int_equal(open_it(&w, OFS_BLOBFILE_CREATE, &g, marks), -EBUSY);
    assert_true(exists(&w, w.data));
    ofs_blobfile_close(&f);
    assert_int_equal(open_it(&w, OFS_BLOBFILE_CREATE, &g, marks), 0);
    ofs_blobfile_close(&g);
    world_done(&w);
}

static void one_process_at_a_time_may_write_a_chunk(void **state)
{
    struct world w;
    struct ofs_blobfile f, g;
    uint8_t marks[CHUNKS];

    (void)state;
    world_init(&w);
    assert_int_equal(open_it(&w, OFS_BLOBFILE_CREATE, &f, marks), 0);
    assert_int_equal(open_it(&w, 0, &g, marks), 0);
    assert_int_equal(ofs_blobfile_claim(&f, 0, OFS_CHUNK_BYTES), 0);
    assert_int_equal(ofs_blobfile_claim(&g, 100, 1), -EAGAIN);
    assert_int_equal(ofs_blobfile_claim(&g, OFS_CHUNK_BYTES, 10), 0);
    ofs_blobfile_disclaim(&f, 0, OFS_CHUNK_BYTES);
    assert_int_equal(ofs_blobfile_claim(&g, 0, 10), 0);
    ofs_blobfile_close(&g); /* as the end of its process would */
    assert_int_equal(ofs_blobfile_claim(&f, 0, size), 0);
    ofs_blobfile_close(&f);
    world_done(&w);
}

static void a_mark_is_taken_back_only_when_nobody_else_looks(void **state)
{
    struct world w;
    struct ofs_blobfile f, g;
    uint8_t marks[CHUNKS];

    (void)state;
    world_init(&w);
    make(&w, OFS_MARK_PLAIN);
    assert_int_equal(open_it(&w, 0, &f, marks), 0);
    assert_int_equal(open_it(&w, 0, &g, marks), 0);
    assert_int_equal(ofs_blobfile_unmark(&f, 1), -EBUSY);
    ofs_blobfile_close(&g);
    assert_int_equal(ofs_blobfile_unmark(&f, 1), 0);
    assert_int_equal(open_it(&w, 0, &g, marks), 0);
    assert_memory_equal(marks, ((uint8_t[]){ 1, 0, 1, 1 }), CHUNKS);
    ofs_blobfile_close(&f);
    ofs_blobfile_close(&g);
    world_done(&w);
}

static void condemned_is_found_by_nobody(void **state)
{
    struct world w;
    struct ofs_blobfile f, g, h;
    uint8_t marks[CHUNKS], none[CHUNKS] = { 0 };
    bool moved;

    (void)state;
    world_init(&w);
    make(&w, OFS_MARK_PLAIN);
    assert_int_equal(open_it(&w, 0, &f, marks), 0);
    assert_int_equal(open_it(&w, 0, &g, marks), 0);
    ofs_blobfile_condemn(&w.dir, &digest, &f, &moved);
    assert_false(moved);
    /* The other one marks on; it makes no map of what is none. */
    assert_int_equal(ofs_blobfile_mark(&g, 2, 1, OFS_MARK_PLAIN), 0);
    assert_int_equal(open_it(&w, OFS_BLOBFILE_CREATE, &h, marks), -EBUSY);
    ofs_blobfile_close(&f);
    ofs_blobfile_condemn(&w.dir, &digest, &g, &moved);
    assert_true(moved);
    assert_int_equal(open_it(&w, OFS_BLOBFILE_CREATE, &h, marks), 0);
    assert_memory_equal(marks, none, CHUNKS);
    /* Once more does not harm the new one. */
    ofs_blobfile_condemn(&w.dir, &digest, &g, &moved);
    assert_false(moved);
    assert_true(exists(&w, w.map));
    ofs_blobfile_close(&g);
    ofs_blobfile_close(&h);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_has_no_marks_and_is_private),
        cmocka_unit_test(marks_stay_and_are_seen_by_others_at_once),
        cmocka_unit_test(what_is_open_is_not_removed),
        cmocka_unit_test(data_without_a_map_can_be_removed),
        cmocka_unit_test(spoilt_files_are_not_believed),
        cmocka_unit_test(a_spoilt_map_in_use_is_left_alone),
        cmocka_unit_test(one_process_at_a_time_may_write_a_chunk),
        cmocka_unit_test(a_mark_is_taken_back_only_when_nobody_else_looks),
        cmocka_unit_test(condemned_is_found_by_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
