/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pending_save.h"

#include "ocirfs/clock.h"
#include "ocirfs/store.h"

#include "batch.h"

#include <ftw.h>
#include <sched.h>
#include <stdio.h>

enum { N = 300, FOR_EVER_MS = 1000000 };

struct rig {
    char dir[64];
    struct ofs_store *store;
    struct ofs_batches *batches;
    struct ofs_pending_save p;
};

static void start(struct rig *rig)
{
    const struct ofs_store_cfg cfg = { .dir = rig->dir,
                                       .clock = &ofs_system_clock };

    (void)snprintf(rig->dir, sizeof(rig->dir), "/tmp/ocirfs-pending-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    assert_int_equal(ofs_store_open(&cfg, &rig->store, NULL), 0);
    assert_int_equal(ofs_store_start(rig->store, NULL), 0);
    rig->batches = ofs_batches_new(2);
    assert_non_null(rig->batches);
    assert_int_equal(ofs_pending_save_init(&rig->p, rig->store, rig->batches),
                     0);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void stop(struct rig *rig)
{
    ofs_batches_free(rig->batches);
    ofs_pending_save_done(&rig->p);
    ofs_store_stop(rig->store);
    ofs_store_free(rig->store);
    (void)nftw(rig->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct ofs_digest add(struct rig *rig, const char *text)
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_of(OFS_SHA256, text, strlen(text), &d), 0);
    ofs_pending_save_add(&rig->p, &d, text, strlen(text));
    return d;
}

static bool is_pending(struct rig *rig, const struct ofs_digest *d,
                       const char *text)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 25);

    return ofs_pending_save_get(&rig->p, d, &b) == 0 &&
           strcmp(ofs_buf_str(&b), text) == 0;
}

static bool is_stored(struct rig *rig, const struct ofs_digest *d)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 25);

    return ofs_store_get(rig->store, d, 1 << 25, &b, NULL) == 0;
}

static void what_is_held_back_can_be_read_at_once(void **state)
{
    OFS_AUTO(stop) struct rig rig;
    struct ofs_digest d;

    (void)state;
    start(&rig);
    ofs_pending_save_hold(&rig.p);
    d = add(&rig, "one");
    (void)add(&rig, "one");
    assert_true(is_pending(&rig, &d, "one"));
    assert_false(is_stored(&rig, &d));
    assert_int_equal(rig.p.bytes, 3);
    ofs_pending_save_resume(&rig.p);
    while (!is_stored(&rig, &d))
        (void)sched_yield();
}

static void it_is_always_in_one_of_the_two_places(void **state)
{
    OFS_AUTO(stop) struct rig rig;

    (void)state;
    start(&rig);
    for (int i = 0; i < N; i++) {
        struct ofs_digest d;
        char text[16];

        (void)snprintf(text, sizeof(text), "%d", i);
        d = add(&rig, text);
        assert_true(is_pending(&rig, &d, text) || is_stored(&rig, &d));
    }
    ofs_batches_stop(rig.batches);
    ofs_pending_save_flush(&rig.p, FOR_EVER_MS);
    assert_int_equal(rig.p.bytes, 0);
}

static void a_flush_writes_what_there_is(void **state)
{
    OFS_AUTO(stop) struct rig rig;
    struct ofs_digest a, b;

    (void)state;
    start(&rig);
    ofs_pending_save_hold(&rig.p);
    a = add(&rig, "a");
    b = add(&rig, "b");
    ofs_batches_stop(rig.batches);
    ofs_pending_save_flush(&rig.p, 0);
    assert_false(is_stored(&rig, &a));
    ofs_pending_save_flush(&rig.p, FOR_EVER_MS);
    assert_true(is_stored(&rig, &a));
    assert_true(is_stored(&rig, &b));
    assert_false(is_pending(&rig, &a, "a"));
}

static void what_is_too_much_is_written_by_who_brings_it(void **state)
{
    OFS_AUTO(stop) struct rig rig;
    OFS_AUTOFREE char *big = malloc(10 << 20);
    struct ofs_digest first, second;

    (void)state;
    start(&rig);
    assert_non_null(big);
    memset(big, 'x', (10 << 20) - 1);
    big[(10 << 20) - 1] = '\0';
    ofs_pending_save_hold(&rig.p);
    first = add(&rig, big);
    big[0] = 'y';
    second = add(&rig, big);
    assert_false(is_stored(&rig, &first));
    assert_true(is_stored(&rig, &second));
    assert_true(rig.p.bytes < 16 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_back_can_be_read_at_once),
        cmocka_unit_test(it_is_always_in_one_of_the_two_places),
        cmocka_unit_test(a_flush_writes_what_there_is),
        cmocka_unit_test(what_is_too_much_is_written_by_who_brings_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
