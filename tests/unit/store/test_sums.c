/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sums.h"

#include "ocirfs/file.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

enum { CHUNKS = 5 };
static const uint64_t size = (CHUNKS - 1) * (uint64_t)OFS_CHUNK_BYTES + 7;

struct world {
    char path[64];
    struct ofs_blobdir dir;
    struct ofs_digest digest;
    uint8_t states[(CHUNKS - 1) * 64];
    size_t n;
    char name[OFS_BLOBFILE_NAME_MAX];
};

static void world_init(struct world *w, enum ofs_digest_alg alg)
{
    char path[256];

    (void)snprintf(w->path, sizeof(w->path), "/tmp/ofs-sums-XXXXXX");
    assert_non_null(mkdtemp(w->path));
    w->dir = (struct ofs_blobdir){ .quarantine_fd = -1 };
    w->dir.blobs_fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(ofs_digest_of(alg, "x", 1, &w->digest), 0);
    ofs_blobfile_name(&w->digest, ".sums", w->name);
    (void)snprintf(path, sizeof(path), "%s/%s", w->path, w->name);
    *strrchr(path, '/') = '\0';
    assert_int_equal(ofs_mkdirs(path), 0);
    w->n = ofs_sums_len(size, alg);
    for (size_t i = 0; i < w->n; i++)
        w->states[i] = (uint8_t)(i * 7);
    assert_int_equal(ofs_sums_save(&w->dir, &w->digest, size, w->states), 0);
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
    (void)nftw(w->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int load(struct world *w, uint64_t of_size)
{
    OFS_AUTOFREE uint8_t *states = NULL;
    int r = ofs_sums_load(&w->dir, &w->digest, of_size, &states);

    if (r == 0)
        assert_memory_equal(states, w->states, w->n);
    return r;
}

static void what_was_saved_is_loaded(void **state)
{
    static const enum ofs_digest_alg algs[] = { OFS_SHA256, OFS_SHA512 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(algs); i++) {
        struct world w;
        uint64_t got = 0;

        world_init(&w, algs[i]);
        assert_int_equal(load(&w, size), 0);
        assert_int_equal(ofs_sums_size(&w.dir, &w.digest, &got), 0);
        assert_int_equal(got, size);
        assert_int_equal(load(&w, size + 1), -EBADMSG);
        world_done(&w);
    }
}

static void of_another_blob_there_are_none(void **state)
{
    struct world w;
    struct ofs_digest right;

    (void)state;
    world_init(&w, OFS_SHA256);
    right = w.digest;
    assert_int_equal(ofs_digest_of(OFS_SHA256, "y", 1, &w.digest), 0);
    assert_int_equal(load(&w, size), -ENOENT);
    /* Not even when the file has the name. */
    {
        char other[OFS_BLOBFILE_NAME_MAX];
        uint64_t got;

        ofs_blobfile_name(&w.digest, ".sums", other);
        if (mkdirat(w.dir.blobs_fd, "sha256/a1", 0700) < 0)
            assert_int_equal(errno, EEXIST);
        assert_int_equal(
            linkat(w.dir.blobs_fd, w.name, w.dir.blobs_fd, other, 0), 0);
        assert_int_equal(ofs_sums_size(&w.dir, &w.digest, &got), -ENOENT);
        assert_int_equal(load(&w, size), -ENOENT);
    }
    w.digest = right;
    assert_int_equal(load(&w, size), 0);
    world_done(&w);
}

static void torn_ones_are_none(void **state)
{
    struct world w;
    struct stat st;

    (void)state;
    world_init(&w, OFS_SHA256);
    assert_int_equal(fstatat(w.dir.blobs_fd, w.name, &st, 0), 0);
    for (off_t len = st.st_size - 1; len >= 0; len -= 13) {
        OFS_AUTOCLOSE int fd =
            openat(w.dir.blobs_fd, w.name, O_RDWR | O_CLOEXEC);

        assert_int_equal(ftruncate(fd, len), 0);
        assert_int_equal(load(&w, size), -ENOENT);
        /* As after a power failure: the length is there, the bytes not. */
        assert_int_equal(ftruncate(fd, st.st_size), 0);
        assert_int_equal(load(&w, size), -ENOENT);
    }
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_is_loaded),
        cmocka_unit_test(of_another_blob_there_are_none),
        cmocka_unit_test(torn_ones_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
