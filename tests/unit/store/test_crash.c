/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include <signal.h>
#include <sys/wait.h>

/*
 * kill -9 at any moment: a child reads, fetches, evicts and puts; it is
 * killed after a number of bytes that is different each time; then another
 * one, and so on, on the same cache.  Whatever is read in between is right.
 */

enum { BLOBS = 5, ROUNDS = 150 };

static void make_blobs(struct fake *f[BLOBS])
{
    for (int i = 0; i < BLOBS; i++) {
        f[i] =
            fake_new((uint64_t)(i + 1) * 400 * KIB + (uint64_t)i, (uint64_t)i);
        f[i]->piece = 30000; /* so that a kill comes within a chunk */
    }
}

struct countdown {
    _Atomic int64_t left;
};

/* The end of the process comes from the thread that writes. */
static int count_down(void *arg, uint64_t off, size_t len)
{
    struct countdown *c = arg;

    (void)off;
    if (atomic_fetch_sub(&c->left, (int64_t)len) <= (int64_t)len)
        (void)kill(getpid(), SIGKILL);
    return 0;
}

static int child(struct world *w, struct fake *f[BLOBS], uint64_t seed)
{
    struct countdown c = { .left = (int64_t)(scramble(seed) % (3 * MIB)) };
    int r = 0;

    w->tweaks.write = count_down;
    w->tweaks.arg = &c;
    world_open(w);
    for (uint64_t i = 0; r == 0 && i < 40; i++) {
        uint64_t dice = scramble(seed * 1000 + i);
        struct fake *one = f[dice % BLOBS];
        struct ofs_blob *b = blob_open(w, one);
        uint64_t freed;

        if (dice & 256)
            r = read_at(b, one, (dice >> 20) % one->size, 50000);
        else
            r = read_all(b, one);
        ofs_blob_close(b);
        if (dice & 512)
            (void)ofs_blobfile_remove(&w->s->disk.files, &one->digest, &freed);
        if (dice & 1024)
            r = ofs_store_put(w->s, &f[0]->digest, f[0]->data,
                              (size_t)f[0]->size, NULL);
    }
    world_close(w);
    return r;
}

/* 0: ended by itself; 1: killed; else what went wrong. */
static int run_child(struct world *w, struct fake *f[BLOBS], uint64_t seed)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(child(w, f, seed) == 0 ? 0 : 99);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return 1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void check_all(struct world *w, struct fake *f[BLOBS])
{
    world_open(w);
    for (int i = 0; i < BLOBS; i++)
        assert_int_equal(fetch_all(w, f[i]), 0);
    assert_int_equal(w->s->disk.n_quarantined, 0);
    world_close(w);
}

static void whatever_a_killed_process_left_is_right(void **state)
{
    struct world w = { 0 };
    struct fake *f[BLOBS];
    int killed = 0;

    (void)state;
    world_make_dir(&w);
    make_blobs(f);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        int r = run_child(&w, f, i);

        if (r < 0)
            fail_msg("round %d", (int)i);
        killed += r;
        if (i % 10 == 9) {
            check_all(&w, f);
            (void)nftw(w.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
            assert_int_equal(mkdir(w.dir, 0700), 0);
        }
    }
    assert_true(killed > ROUNDS / 3);
    world_done(&w);
    for (int i = 0; i < BLOBS; i++)
        ofs_source_unref(&f[i]->base);
}

/* Killed by us, at a moment that nobody chose. */
static void killed_at_any_other_moment(void **state)
{
    struct world w = { 0 };
    struct fake *f[BLOBS];

    (void)state;
    world_make_dir(&w);
    make_blobs(f);
    for (int i = 0; i < ROUNDS / 3; i++) {
        struct timespec pause = { .tv_nsec =
                                      (long)(scramble((uint64_t)i) % 8000000) };
        sigset_t none;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            struct world mine = w;

            for (uint64_t seed = 0;; seed++) {
                mine.tweaks = (struct ofs_store_tweaks){ 0 };
                world_open(&mine);
                (void)fetch_all(&mine, f[seed % BLOBS]);
                world_close(&mine);
            }
        }
        (void)sigemptyset(&none);
        (void)sigtimedwait(&none, NULL, &pause);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (i % 5 == 4)
            check_all(&w, f);
    }
    world_done(&w);
    for (int i = 0; i < BLOBS; i++)
        ofs_source_unref(&f[i]->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_a_killed_process_left_is_right),
        cmocka_unit_test(killed_at_any_other_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
