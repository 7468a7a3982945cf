/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include "sums.h"

enum { N = 8 };

static void path_of(const struct world *w, const struct fake *f,
                    const char *suffix, char path[512])
{
    char name[OFS_BLOBFILE_NAME_MAX];

    ofs_blobfile_name(&f->digest, suffix, name);
    (void)snprintf(path, 512, "%s/v1/blobs/%s", w->dir, name);
}

static bool has(const struct world *w, const struct fake *f, const char *suffix)
{
    char path[512];

    path_of(w, f, suffix, path);
    return access(path, F_OK) == 0;
}

static void set_age(const char *path, int64_t s)
{
    struct timespec t[2] = { { .tv_sec = ofs_wall_s() - s },
                             { .tv_sec = ofs_wall_s() - s } };

    assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void age(const struct world *w, const struct fake *f, int64_t s)
{
    char path[512];

    path_of(w, f, ".map", path);
    set_age(path, s);
}

/* A whole round that began after now. */
static void wait_round(struct world *w)
{
    unsigned seen = atomic_load(&w->s->disk.n_rounds);

    while (atomic_load(&w->s->disk.n_rounds) - seen < 2) {
        ofs_thread_kick(&w->s->disk.evictor);
        (void)sched_yield();
    }
}

static void the_first_count_is_right(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(3 * MIB, 1);
    struct ofs_store_stat st;

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    world_reopen(&w);
    wait_round(&w);
    ofs_store_stat(w.s, &st);
    assert_in_range(st.used_bytes, 3 * MIB, 3 * MIB + 64 * KIB);
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void the_least_recently_used_go_and_their_sums_stay(void **state)
{
    struct world w = { .cfg.max_bytes = 0 };
    struct fake *f[N];

    (void)state;
    world_init(&w);
    for (int i = 0; i < N; i++) {
        f[i] = fake_new(MIB, (uint64_t)i);
        assert_int_equal(fetch_all(&w, f[i]), 0);
    }
    world_close(&w); /* nothing is written any more */
    for (int i = 0; i < N; i++)
        age(&w, f[i], i == 2 ? 10 : 1000 - i);
    w.cfg.max_bytes = 4 * MIB; /* so of 8 at most 3 fit with their maps */
    world_open(&w);
    wait_round(&w);
    for (int i = 0; i < N; i++) {
        bool stays = i == 2 || i >= N - 2;

        assert_int_equal(has(&w, f[i], ""), stays);
        assert_int_equal(has(&w, f[i], ".map"), stays);
        assert_true(has(&w, f[i], ".sums"));
    }
    /* They come back, checked alone: the end needs one chunk. */
    {
        struct ofs_blob *b = blob_open(&w, f[0]);

        assert_int_equal(read_at(b, f[0], MIB - 1, 1), 0);
        assert_int_equal(f[0]->asked[3], 2);
        assert_int_equal(f[0]->asked[0], 1);
        ofs_blob_close(b);
    }
    world_done(&w);
    for (int i = 0; i < N; i++)
        ofs_source_unref(&f[i]->base);
}

static void some_disk(void *arg, struct ofs_disk *ret)
{
    bool low = atomic_load((atomic_bool *)arg);

    *ret = (struct ofs_disk){
        .size = 1000 * MIB,
        .free = low ? 10 * MIB : 500 * MIB,
    };
}

static void what_is_open_stays(void **state)
{
    atomic_bool low = false;
    struct world w = {
        .cfg.min_free_pct = 10,
        .tweaks = { .retry_ms = 10, .disk = some_disk, .arg = &low },
    };
    struct world other;
    struct fake *f[N];
    struct ofs_blob *b[2];

    (void)state;
    world_init(&w);
    for (int i = 0; i < N; i++) {
        f[i] = fake_new(MIB, (uint64_t)i);
        assert_int_equal(fetch_all(&w, f[i]), 0);
    }
    world_reopen(&w); /* nothing is written any more */
    /* One in this store, one in what stands for another process. */
    other = w;
    world_open(&other);
    b[0] = blob_open(&w, f[0]);
    b[1] = blob_open(&other, f[1]);
    age(&w, f[0], 1000);
    age(&w, f[1], 1000);
    atomic_store(&low, true);
    wait_round(&w);
    for (int i = 0; i < N; i++)
        assert_int_equal(has(&w, f[i], ""), i < 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read_all(b[i], f[i]), 0);
        assert_true(fake_each_asked(f[i], 1));
        ofs_blob_close(b[i]);
    }
    world_close(&other);
    wait_round(&w);
    assert_false(has(&w, f[0], "") || has(&w, f[1], ""));
    world_done(&w);
    for (int i = 0; i < N; i++)
        ofs_source_unref(&f[i]->base);
}

/* Left by processes that were killed, long ago. */
static void old_rubbish_goes_and_young_rubbish_stays(void **state)
{
    static const struct {
        const char *name;
        int64_t age_s;
        bool stays;
    } files[] = {
        { ".ofs-tmp-1-1", 7200, false },
        { ".ofs-tmp-1-2", 10, true },
        { "11", 7200, true }, /* not ours */
    };
    struct world w = { 0 };
    struct fake *f = fake_new(MIB, 1);
    char path[512];

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    world_reopen(&w);
    for (size_t i = 0; i < OFS_COUNT_OF(files); i++) {
        path_of(&w, f, "", path);
        (void)snprintf(strrchr(path, '/') + 1, 32, "%s", files[i].name);
        (void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        set_age(path, files[i].age_s);
    }
    /* Data that lost its map. */
    path_of(&w, f, ".map", path);
    assert_int_equal(unlink(path), 0);
    path_of(&w, f, "", path);
    set_age(path, 7200);
    wait_round(&w);
    assert_false(has(&w, f, ""));
    for (size_t i = 0; i < OFS_COUNT_OF(files); i++) {
        path_of(&w, f, "", path);
        (void)snprintf(strrchr(path, '/') + 1, 32, "%s", files[i].name);
        assert_int_equal(access(path, F_OK) == 0, files[i].stays);
    }
    world_done(&w);
    ofs_source_unref(&f->base);
}

static void sums_without_data_go_after_some_weeks(void **state)
{
    struct world w = { 0 };
    struct fake *f = fake_new(MIB, 1), *g = fake_new(MIB, 2);
    char path[512];
    uint64_t freed;

    (void)state;
    world_init(&w);
    assert_int_equal(fetch_all(&w, f), 0);
    assert_int_equal(fetch_all(&w, g), 0);
    world_reopen(&w);
    path_of(&w, f, ".sums", path);
    set_age(path, 31 * 24 * 3600);
    path_of(&w, g, ".sums", path);
    set_age(path, 31 * 24 * 3600);
    assert_int_equal(ofs_blobfile_remove(&w.s->disk.files, &f->digest, &freed),
                     0);
    wait_round(&w);
    assert_false(has(&w, f, ".sums"));
    assert_true(has(&w, g, ".sums"));
    world_done(&w);
    ofs_source_unref(&f->base);
    ofs_source_unref(&g->base);
}

/* ---- under load ---- */

enum { READERS = 4, ROUNDS = 60, BLOBS = 12 };

struct load {
    struct world *w;
    struct fake **f;
    unsigned seed;
    int result;
};

static void *churn(void *arg)
{
    struct load *l = arg;

    for (int i = 0; i < ROUNDS && l->result == 0; i++) {
        struct fake *f;
        struct ofs_blob *b = NULL;

        l->seed = (unsigned)scramble(l->seed);
        f = l->f[l->seed % BLOBS];
        if (ofs_store_open_blob(l->w->s, &f->digest, f->size, &f->base, &b,
                                NULL) < 0) {
            l->result = -1;
            break;
        }
        l->result =
            i % 2 ? read_all(b, f) : read_at(b, f, l->seed % f->size, 5000);
        ofs_blob_close(b);
    }
    return NULL;
}

static void a_small_cache_under_load_gives_right_bytes(void **state)
{
    struct world w = { .cfg.max_bytes = 5 * MIB };
    struct load loads[READERS];
    pthread_t threads[READERS];
    struct fake *f[BLOBS];

    (void)state;
    world_init(&w);
    for (int i = 0; i < BLOBS; i++)
        f[i] = fake_new(MIB + (uint64_t)i * 1000, (uint64_t)i);
    for (int i = 0; i < READERS; i++) {
        loads[i] = (struct load){ .w = &w, .f = f, .seed = (unsigned)i };
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &loads[i]),
                         0);
    }
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(loads[i].result, 0);
    }
    wait_round(&w);
    assert_true(w.s->disk.space.used <= 5 * MIB);
    assert_int_equal(w.s->disk.n_quarantined, 0);
    world_done(&w);
    for (int i = 0; i < BLOBS; i++)
        ofs_source_unref(&f[i]->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_count_is_right),
        cmocka_unit_test(the_least_recently_used_go_and_their_sums_stay),
        cmocka_unit_test(what_is_open_stays),
        cmocka_unit_test(old_rubbish_goes_and_young_rubbish_stays),
        cmocka_unit_test(sums_without_data_go_after_some_weeks),
        cmocka_unit_test(a_small_cache_under_load_gives_right_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
