/* SPDX-License-Identifier: Apache-2.0 */
#include "push_image.h"

static void a_tag_whose_parts_are_there_is_set(void **state)
{
    struct world w;
    struct image m;

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    check(&w, push_blobs(&w, "app", &m));
    check(&w, push_tag(&w, "app", "1.5", m.manifest));
    assert_true(has_tag(&w, "app", "1.5", &m));
    assert_string_equal(w.last, "app:1.5");
    assert_int_equal(pending(&w), 0);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 0);
    world_done(&w);
}

static void what_is_missing_is_mounted_from_where_it_is(void **state)
{
    (void)state;
    for (int no_mount = 0; no_mount < 2; no_mount++) {
        struct world w;
        struct image m;

        world_init(&w);
        image_make(&m, "a");
        image_put(&w, &m, "base", NULL);
        w.where = "base";
        w.remote->no_mount = no_mount;
        check(&w, push_tag(&w, "app", "1", m.manifest));
        assert_true(has_tag(&w, "app", "1", &m));
        assert_int_equal(w.remote->n_mounts, no_mount ? 0 : 2);
        assert_int_equal(w.n_arrived, 2);
        world_done(&w);
    }
}

static void what_is_nowhere_fails_and_is_named(void **state)
{
    struct world w;
    struct image m;
    char digest[OFS_DIGEST_TEXT_MAX];

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    check(&w, push_bytes(&w, "app", m.config));
    assert_int_equal(push_tag(&w, "app", "1", m.manifest), -ENOENT);
    assert_non_null(
        strstr(w.err.text, ofs_digest_format(&m.layer_digest, digest)));
    assert_int_equal(pending(&w), 0);
    w.where = "elsewhere"; /* which does not have it either */
    assert_int_equal(push_tag(&w, "app", "1", m.manifest), -ENOENT);
    assert_non_null(strstr(w.err.text, digest));
    assert_null(remote_find(w.remote, REMOTE_TAG, "app", NULL, "1"));
    assert_int_equal(w.remote->n_puts, 0);
    world_done(&w);
}

static void an_index_brings_its_platforms_along(void **state)
{
    struct image a, b;
    const struct image *const both[] = { &a, &b, NULL };
    OFS_AUTOFREE char *index = NULL;
    struct ofs_digest digest;
    struct world w;

    (void)state;
    world_init(&w);
    image_make(&a, "a");
    image_make(&b, "b");
    index = index_make(both, NULL);
    image_put(&w, &a, "base", NULL);
    image_put(&w, &b, "base", NULL);
    digest =
        remote_put(w.remote, REMOTE_MANIFEST, "base", index, strlen(index));
    check(&w, ofs_push_copy(w.p, &w.call, "base", &digest, "app", "1", &w.err));
    assert_true(remote_tag_is(w.remote, "app", "1", &digest));
    assert_true(remote_has(w.remote, REMOTE_MANIFEST, "app", &a.digest));
    assert_true(remote_has(w.remote, REMOTE_MANIFEST, "app", &b.digest));
    assert_int_equal(w.remote->n_mounts, 4);
    assert_int_equal(w.remote->sent, 0);
    /* A file that is a copy of the manifest is the same. */
    {
        OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
        struct ofs_clone of = { .repo = "base",
                                .digest = digest,
                                .size = strlen(index),
                                .manifest = true };
        struct ofs_digest now;

        check(&w, ofs_draft_new(w.p, "other", &d, &w.err));
        check(&w, ofs_draft_clone(d, &w.call, &of, 0, of.size, 0, &w.err));
        check(&w, ofs_push_tag(w.p, &w.call, d, "other", "2", &now, &w.err));
        assert_true(ofs_digest_eq(&now, &digest));
        assert_true(remote_tag_is(w.remote, "other", "2", &digest));
    }
    /* One whose platform is nowhere fails and names that. */
    remote_find(w.remote, REMOTE_BLOB, "base", &b.layer_digest, NULL)->kind = 0;
    assert_int_equal(
        ofs_push_copy(w.p, &w.call, "base", &digest, "third", "1", &w.err),
        -ENOENT);
    assert_null(remote_find(w.remote, REMOTE_TAG, "third", NULL, "1"));
    world_done(&w);
}

/* A registry that has cleared up since the parts were seen. */
static void what_has_vanished_is_brought_again(void **state)
{
    struct world w;
    struct image m;

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    image_put(&w, &m, "base", NULL);
    check(&w, push_blobs(&w, "app", &m));
    remote_find(w.remote, REMOTE_BLOB, "app", &m.layer_digest, NULL)->kind = 0;
    assert_int_equal(push_tag(&w, "app", "1", m.manifest), -ENOENT);
    w.where = "base";
    check(&w, push_blobs(&w, "app", &m));
    remote_find(w.remote, REMOTE_BLOB, "app", &m.layer_digest, NULL)->kind = 0;
    check(&w, push_tag(&w, "app", "1", m.manifest));
    assert_true(has_tag(&w, "app", "1", &m));
    world_done(&w);
}

static void a_retag_looks_at_no_part(void **state)
{
    struct world w;
    struct image m;

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    image_put(&w, &m, "app", "1");
    check(&w,
          ofs_push_copy(w.p, &w.call, "app", &m.digest, "app", "2", &w.err));
    assert_true(has_tag(&w, "app", "2", &m));
    assert_int_equal(w.remote->n_heads, 1); /* of the tag */
    world_done(&w);
}

static void guards_are_asked_before_a_tag_moves(void **state)
{
    struct world w;
    struct image a, b;

    (void)state;
    world_make(&w);
    w.cfg.no_overwrite = true;
    assert_int_equal(world_open(&w), 0);
    image_make(&a, "a");
    image_make(&b, "b");
    image_put(&w, &a, "app", "1");
    image_put(&w, &b, "app", NULL);
    check(&w, push_tag(&w, "app", "1", a.manifest)); /* moves nothing */
    assert_int_equal(w.n_asked, 0);
    assert_int_equal(push_tag(&w, "app", "1", b.manifest), -EPERM);
    assert_non_null(strstr(w.err.text, "no_overwrite"));
    check(&w, push_tag(&w, "app", "2", b.manifest));
    assert_int_equal(w.n_asked, 1);
    w.may_move = -EPERM;
    assert_int_equal(push_tag(&w, "app", "3", b.manifest), -EPERM);
    assert_true(has_tag(&w, "app", "1", &a));
    assert_int_equal(pending(&w), 0);
    world_done(&w);
}

static void what_is_no_image_is_refused(void **state)
{
    static const char *const bad[] = {
        "hello", "{}", "{\"schemaVersion\":1,\"fsLayers\":[]}", "{", " ",
    };
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *blank = NULL;
    struct ofs_digest now;
    struct world w;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < OFS_COUNT_OF(bad); i++)
        assert_int_equal(push_tag(&w, "app", "1", bad[i]), -EINVAL);
    assert_int_equal(pending(&w), 0);
    check(&w, ofs_draft_new(w.p, "app", &blank, &w.err));
    check(&w, ofs_push_tag(w.p, &w.call, blank, "app", "1", &now, &w.err));
    assert_int_equal(now.alg, 0);
    assert_int_equal(w.remote->n_things, 0);
    ofs_draft_unref(ofs_take(&blank));
    world_done(&w);
}

/* ---- the next mount ---- */

static void interrupt(struct world *w, const char *manifest)
{
    w->remote->fail_code = -ETIMEDOUT;
    w->remote->fail_at = w->remote->steps + 2; /* after the look at the tag */
    w->remote->fail_for = 20;
    assert_int_equal(push_tag(w, "app", "1", manifest), -ETIMEDOUT);
    w->remote->fail_at = 0;
    assert_int_equal(pending(w), 1);
}

static void an_interrupted_tag_is_set_by_the_next_mount(void **state)
{
    struct world w;
    struct image a, b;

    (void)state;
    world_init(&w);
    image_make(&a, "a");
    image_make(&b, "b");
    image_put(&w, &a, "app", "1");
    image_put(&w, &b, "app", NULL);
    interrupt(&w, b.manifest);
    world_reopen(&w);
    world_start(&w);
    until_all_is_done(&w);
    assert_true(has_tag(&w, "app", "1", &b));
    world_done(&w);
}

static void it_does_not_undo_what_others_did_since(void **state)
{
    struct world w;
    struct image a, b, c;

    (void)state;
    world_init(&w);
    image_make(&a, "a");
    image_make(&b, "b");
    image_make(&c, "c");
    image_put(&w, &a, "app", "1");
    image_put(&w, &b, "app", NULL);
    interrupt(&w, b.manifest);
    image_put(&w, &c, "app", "1");
    world_reopen(&w);
    world_start(&w);
    until_all_is_done(&w);
    assert_true(has_tag(&w, "app", "1", &c));
    world_done(&w);
}

static void a_newer_push_of_the_tag_replaces_what_is_pending(void **state)
{
    struct world w;
    struct image a, b;

    (void)state;
    world_init(&w);
    image_make(&a, "a");
    image_make(&b, "b");
    image_put(&w, &a, "app", NULL);
    image_put(&w, &b, "app", NULL);
    interrupt(&w, a.manifest);
    check(&w, push_tag(&w, "app", "1", b.manifest));
    assert_int_equal(pending(&w), 0);
    world_reopen(&w);
    assert_int_equal(pending(&w), 0);
    assert_true(has_tag(&w, "app", "1", &b));
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_whose_parts_are_there_is_set),
        cmocka_unit_test(what_is_missing_is_mounted_from_where_it_is),
        cmocka_unit_test(what_is_nowhere_fails_and_is_named),
        cmocka_unit_test(an_index_brings_its_platforms_along),
        cmocka_unit_test(what_has_vanished_is_brought_again),
        cmocka_unit_test(a_retag_looks_at_no_part),
        cmocka_unit_test(guards_are_asked_before_a_tag_moves),
        cmocka_unit_test(what_is_no_image_is_refused),
        cmocka_unit_test(an_interrupted_tag_is_set_by_the_next_mount),
        cmocka_unit_test(it_does_not_undo_what_others_did_since),
        cmocka_unit_test(a_newer_push_of_the_tag_replaces_what_is_pending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
