/* SPDX-License-Identifier: Apache-2.0 */
#include "push_world.h"

static void digest_is(struct world *w, struct ofs_draft *d, const void *bytes,
                      size_t len)
{
    struct ofs_digest want = digest_of(bytes, len);
    struct ofs_content c = { 0 };

    check(w, ofs_draft_content(d, &w->call, OFS_SHA256, &c, &w->err));
    assert_int_equal(c.size, len);
    assert_true(ofs_digest_eq(&c.digest, &want));
}

static void write_at(struct world *w, struct ofs_draft *d, const char *text,
                     uint64_t off)
{
    check(w, ofs_draft_write(d, &w->call, text, strlen(text), off, &w->err));
}

static void any_order_of_writes_has_the_right_digest(void **state)
{
    static const struct {
        struct {
            const char *text;
            uint64_t off;
        } writes[4];
        const char *want;
        size_t len;
        bool sequential;
    } cases[] = {
        { { { "abc", 0 }, { "def", 3 }, { "g", 6 } }, "abcdefg", 7, true },
        { { { "abc", 0 }, { "x", 1 } }, "axc", 3, false },
        { { { "def", 3 }, { "abc", 0 } }, "abcdef", 6, false },
        { { { "a", 0 }, { "b", 3 } }, "a\0\0b", 4, false },
        { { { "abc", 0 }, { "bcd", 1 }, { "e", 4 } }, "abcde", 5, false },
    };
    struct world w;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
        char got[16];
        size_t n = 0;

        check(&w, ofs_draft_new(w.p, "app", &d, &w.err));
        assert_true(ofs_draft_is_blank(d));
        for (size_t k = 0; cases[i].writes[k].text; k++)
            write_at(&w, d, cases[i].writes[k].text, cases[i].writes[k].off);
        assert_false(ofs_draft_is_blank(d));
        assert_int_equal(ofs_draft_size(d), cases[i].len);
        assert_int_equal(d->sequential, cases[i].sequential);
        digest_is(&w, d, cases[i].want, cases[i].len);
        check(&w, ofs_draft_read(d, &w.call, got, sizeof(got), 0, &n, &w.err));
        assert_int_equal(n, cases[i].len);
        assert_memory_equal(got, cases[i].want, n);
    }
    world_done(&w);
}

static void a_digest_may_be_asked_for_in_between(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct ofs_digest want;
    struct ofs_content c = { 0 };
    struct world w;

    (void)state;
    world_init(&w);
    d = draft_of(&w, "app", "abc", 3);
    digest_is(&w, d, "abc", 3);
    write_at(&w, d, "def", 3);
    digest_is(&w, d, "abcdef", 6);
    assert_int_equal(ofs_digest_of(OFS_SHA512, "abcdef", 6, &want), 0);
    check(&w, ofs_draft_content(d, &w.call, OFS_SHA512, &c, &w.err));
    assert_true(ofs_digest_eq(&c.digest, &want));
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

static void truncating_is_a_write(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct world w;

    (void)state;
    world_init(&w);
    d = draft_of(&w, "app", "abcdef", 6);
    check(&w, ofs_draft_truncate(d, &w.call, 3, &w.err));
    digest_is(&w, d, "abc", 3);
    check(&w, ofs_draft_truncate(d, &w.call, 5, &w.err));
    digest_is(&w, d, "abc\0\0", 5);
    check(&w, ofs_draft_truncate(d, &w.call, 0, &w.err));
    assert_true(d->sequential);
    digest_is(&w, d, "", 0);
    write_at(&w, d, "xy", 0);
    assert_true(d->sequential);
    digest_is(&w, d, "xy", 2);
    assert_int_equal(ofs_draft_truncate(d, &w.call, UINT64_MAX, &w.err),
                     -EFBIG);
    assert_int_equal(ofs_draft_write(d, &w.call, "a", 1, INT64_MAX, &w.err),
                     -EFBIG);
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

static void a_draft_that_nobody_has_is_gone(void **state)
{
    struct ofs_draft *d;
    struct world w;
    struct ofs_push_stat st;

    (void)state;
    world_init(&w);
    d = ofs_draft_ref(draft_of(&w, "app", "abc", 3));
    ofs_draft_unref(d);
    ofs_push_stat(w.p, &st);
    assert_int_equal(st.n_drafts, 1);
    assert_int_equal(st.staged_bytes, 3);
    ofs_draft_unref(d);
    ofs_draft_unref(NULL);
    ofs_push_stat(w.p, &st);
    assert_int_equal(st.n_drafts, 0);
    assert_int_equal(st.staged_bytes, 0);
    world_done(&w);
}

static void full_staging_is_enospc_and_nothing_is_lost(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *a = NULL, *b = NULL;
    struct world w;
    struct ofs_push_stat st;

    (void)state;
    world_make(&w);
    w.cfg.max_bytes = 10;
    assert_int_equal(world_open(&w), 0);
    a = draft_of(&w, "app", "123456", 6);
    check(&w, ofs_draft_new(w.p, "app", &b, &w.err));
    assert_int_equal(ofs_draft_write(b, &w.call, "12345", 5, 0, &w.err),
                     -ENOSPC);
    assert_non_null(strstr(w.err.text, "full"));
    write_at(&w, b, "1234", 0);
    write_at(&w, a, "xxx", 0); /* no more room than it has */
    assert_int_equal(ofs_draft_write(a, &w.call, "7", 1, 6, &w.err), -ENOSPC);
    assert_int_equal(ofs_draft_truncate(a, &w.call, 7, &w.err), -ENOSPC);
    digest_is(&w, a, "xxx456", 6);
    digest_is(&w, b, "1234", 4);
    check(&w, ofs_draft_truncate(b, &w.call, 1, &w.err));
    write_at(&w, a, "789", 6);
    ofs_push_stat(w.p, &st);
    assert_int_equal(st.staged_bytes, 10);
    ofs_draft_unref(ofs_take(&a));
    ofs_draft_unref(ofs_take(&b));
    world_done(&w);
}

/* ---- copies ---- */

static struct ofs_clone clone_of(const struct ofs_digest *digest, uint64_t size)
{
    return (struct ofs_clone){
        .repo = "from",
        .digest = *digest,
        .size = size,
    };
}

static void a_copy_moves_nothing_while_it_is_one(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    static const char text[] = "0123456789";
    struct ofs_digest digest;
    struct ofs_clone of;
    struct ofs_push_stat st;
    struct world w;
    char got[16];
    size_t n = 0;

    (void)state;
    world_init(&w);
    digest = remote_put(w.remote, REMOTE_BLOB, "from", text, 10);
    of = clone_of(&digest, 10);
    check(&w, ofs_draft_new(w.p, "app", &d, &w.err));
    check(&w, ofs_draft_clone(d, &w.call, &of, 0, 4, 0, &w.err));
    assert_int_equal(ofs_draft_origin(d, &o), -ENOENT);
    check(&w, ofs_draft_clone(d, &w.call, &of, 4, 6, 4, &w.err));
    assert_int_equal(ofs_draft_origin(d, &o), 0);
    assert_string_equal(o.repo, "from");
    assert_int_equal(ofs_draft_size(d), 10);
    ofs_push_stat(w.p, &st);
    assert_int_equal(st.staged_bytes, 0);
    check(&w, ofs_draft_read(d, &w.call, got, sizeof(got), 3, &n, &w.err));
    assert_int_equal(n, 7);
    assert_memory_equal(got, "3456789", 7);
    ofs_push_stat(w.p, &st);
    assert_int_equal(st.staged_bytes, 0);
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

static void anything_else_makes_a_copy_a_file(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    static const char text[] = "0123456789";
    struct ofs_digest digest;
    struct ofs_clone of;
    struct world w;

    (void)state;
    world_init(&w);
    digest = remote_put(w.remote, REMOTE_BLOB, "from", text, 10);
    of = clone_of(&digest, 10);
    check(&w, ofs_draft_new(w.p, "app", &d, &w.err));
    check(&w, ofs_draft_clone(d, &w.call, &of, 0, 10, 0, &w.err));
    write_at(&w, d, "x", 10);
    assert_int_equal(ofs_draft_origin(d, &o), -ENOENT);
    assert_true(d->sequential);
    digest_is(&w, d, "0123456789x", 11);
    check(&w, ofs_draft_clone(d, &w.call, &of, 8, 2, 0, &w.err));
    digest_is(&w, d, "8923456789x", 11);
    check(&w, ofs_draft_truncate(d, &w.call, 0, &w.err));
    check(&w, ofs_draft_clone(d, &w.call, &of, 0, 10, 0, &w.err));
    check(&w, ofs_draft_truncate(d, &w.call, 4, &w.err));
    digest_is(&w, d, "0123", 4);
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

static void a_copy_of_what_is_gone_fails_and_stays_one(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct ofs_digest digest = digest_of("gone", 4);
    struct ofs_clone of = clone_of(&digest, 4);
    struct world w;

    (void)state;
    world_init(&w);
    check(&w, ofs_draft_new(w.p, "app", &d, &w.err));
    check(&w, ofs_draft_clone(d, &w.call, &of, 0, 4, 0, &w.err));
    assert_int_equal(ofs_draft_write(d, &w.call, "x", 1, 0, &w.err), -ENOENT);
    assert_false(ofs_draft_is_plain(d));
    (void)remote_put(w.remote, REMOTE_BLOB, "from", "gone", 4);
    write_at(&w, d, "x", 0);
    digest_is(&w, d, "xone", 4);
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_writes_has_the_right_digest),
        cmocka_unit_test(a_digest_may_be_asked_for_in_between),
        cmocka_unit_test(truncating_is_a_write),
        cmocka_unit_test(a_draft_that_nobody_has_is_gone),
        cmocka_unit_test(full_staging_is_enospc_and_nothing_is_lost),
        cmocka_unit_test(a_copy_moves_nothing_while_it_is_one),
        cmocka_unit_test(anything_else_makes_a_copy_a_file),
        cmocka_unit_test(a_copy_of_what_is_gone_fails_and_stays_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
