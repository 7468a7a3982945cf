/* SPDX-License-Identifier: Apache-2.0 */
#include "push_image.h"

/* What waits for its parts, and who finishes it. */

static void a_manifest_is_put_when_its_blobs_are_there(void **state)
{
    struct world w;
    struct image m;

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    check(&w, push_blobs(&w, "app", &m));
    check(&w, push_bytes(&w, "app", m.manifest));
    assert_true(remote_has(w.remote, REMOTE_MANIFEST, "app", &m.digest));
    assert_false(remote_has(w.remote, REMOTE_BLOB, "app", &m.digest));
    assert_int_equal(pending(&w), 0);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 0);
    assert_int_equal(staged(&w, w.p->stage.jobs_fd), 0);
    assert_string_equal(w.last, "app:");
    world_done(&w);
}

static void a_manifest_that_came_first_waits_and_can_be_read(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    OFS_AUTOFREE struct ofs_digest *all = NULL;
    struct world w;
    struct image m;
    char text[2048];
    size_t n = 0;

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    check(&w, push_bytes(&w, "app", m.manifest));
    assert_false(remote_has(w.remote, REMOTE_MANIFEST, "app", &m.digest));
    assert_int_equal(ofs_push_waiting(w.p, "other", &m.digest, &d), -ENOENT);
    assert_int_equal(ofs_push_waiting(w.p, "app", &m.config_digest, &d),
                     -ENOENT);
    assert_int_equal(ofs_push_waiting(w.p, "app", &m.digest, &d), 0);
    check(&w, ofs_draft_read(d, &w.call, text, sizeof(text), 0, &n, &w.err));
    assert_int_equal(n, strlen(m.manifest));
    assert_memory_equal(text, m.manifest, n);
    assert_int_equal(ofs_draft_write(d, &w.call, "x", 1, 0, NULL), -EROFS);
    assert_int_equal(ofs_push_list_waiting(w.p, "app", &all, &n), 0);
    assert_int_equal(n, 1);
    assert_true(ofs_digest_eq(&all[0], &m.digest));
    ofs_draft_unref(ofs_take(&d));

    check(&w, push_bytes(&w, "app", m.layer));
    assert_false(remote_has(w.remote, REMOTE_MANIFEST, "app", &m.digest));
    check(&w, push_bytes(&w, "other", m.config));
    assert_false(remote_has(w.remote, REMOTE_MANIFEST, "app", &m.digest));
    check(&w, push_bytes(&w, "app", m.config));
    assert_true(remote_has(w.remote, REMOTE_MANIFEST, "app", &m.digest));
    assert_int_equal(ofs_push_waiting(w.p, "app", &m.digest, &d), -ENOENT);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 0);
    world_done(&w);
}

/* In every order of blobs, manifests, index and index.json. */
static void any_order_ends_in_the_same_tags(void **state)
{
    struct image a, b;
    const struct image *const both[] = { &a, &b, NULL };
    const struct image *const first[] = { &a, NULL };
    const char *const tags[] = { "1", NULL };

    (void)state;
    image_make(&a, "a");
    image_make(&b, "b");
    for (int order = 0; order < 120; order++) {
        OFS_AUTOFREE char *index = index_make(both, NULL);
        struct ofs_digest digest = digest_of(index, strlen(index));
        int left[5] = { 0, 1, 2, 3, 4 }, dice = order;
        struct world w;

        world_init(&w);
        for (int n = 5; n > 0; n--) {
            int pick = dice % n, what = left[pick];

            dice /= n;
            memmove(left + pick, left + pick + 1,
                    (size_t)(n - pick - 1) * sizeof(int));
            if (what == 0)
                check(&w, push_blobs(&w, "app", &a));
            else if (what == 1)
                check(&w, push_blobs(&w, "app", &b));
            else if (what == 2)
                check(&w, push_bytes(&w, "app", a.manifest));
            else if (what == 3)
                check(&w, push_bytes(&w, "app", index));
            else
                check(&w, push_index(&w, "app", first, tags));
        }
        check(&w, push_bytes(&w, "app", b.manifest));
        assert_true(has_tag(&w, "app", "1", &a));
        assert_true(remote_has(w.remote, REMOTE_MANIFEST, "app", &digest));
        assert_int_equal(pending(&w), 0);
        world_done(&w);
    }
}

static void what_waits_survives_the_mount(void **state)
{
    struct world w;
    struct image m;
    const struct image *const all[] = { &m, NULL };
    const char *const tags[] = { "1.5", NULL };

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    check(&w, push_index(&w, "app", all, tags));
    check(&w, push_bytes(&w, "app", m.manifest));
    assert_int_equal(pending(&w), 2);
    world_reopen(&w);
    assert_int_equal(pending(&w), 2);
    check(&w, push_blobs(&w, "app", &m));
    assert_true(has_tag(&w, "app", "1.5", &m));
    assert_int_equal(pending(&w), 0);
    world_reopen(&w);
    assert_int_equal(pending(&w), 0);
    assert_int_equal(staged(&w, w.p->stage.jobs_fd), 0);
    world_done(&w);
}

static void entries_that_say_what_is_known_cost_nothing(void **state)
{
    struct world w;
    struct image m, n;
    const struct image *const all[] = { &m, &n, NULL };
    const char *const tags[] = { "old", "new", NULL };

    (void)state;
    world_init(&w);
    image_make(&m, "m");
    image_make(&n, "n");
    image_put(&w, &n, "app", NULL);
    w.known_tag = "old";
    w.known_digest = m.digest;
    check(&w, push_index(&w, "app", all, tags));
    assert_true(has_tag(&w, "app", "new", &n));
    assert_null(remote_find(w.remote, REMOTE_TAG, "app", NULL, "old"));
    assert_int_equal(pending(&w), 0);
    world_done(&w);
}

static void names_that_are_no_tags_are_no_wishes(void **state)
{
    struct world w;
    struct image m, n;
    const struct image *const all[] = { &m, &m, &n, &m, NULL };
    const char *const tags[] = { "docker.io/library/app:1", NULL, "1", "1" };

    (void)state;
    world_init(&w);
    image_make(&m, "m");
    image_make(&n, "n");
    image_put(&w, &m, "app", NULL);
    image_put(&w, &n, "app", NULL);
    check(&w, push_index(&w, "app", all, tags));
    assert_true(has_tag(&w, "app", "1", &m)); /* the last one counts */
    assert_int_equal(w.remote->n_puts, 1);
    world_done(&w);
}

static void a_broken_index_is_refused(void **state)
{
    static const char *const bad[] = { "", "{", "[]", "{\"manifests\":1}",
                                       "{\"config\":{}}" };
    struct world w;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < OFS_COUNT_OF(bad); i++) {
        OFS_AUTO(ofs_draft_unrefp)
        struct ofs_draft *d = draft_of(&w, "app", bad[i], strlen(bad[i]));

        assert_int_equal(ofs_push_index(w.p, &w.call, d, "app", NULL, &w.err),
                         -EINVAL);
    }
    world_done(&w);
}

/* The last part's close() tells, and what was promised stays. */
static void a_failure_at_the_end_is_told_and_kept(void **state)
{
    struct world w;
    struct image m;
    struct ofs_buf text OFS_AUTOBUF = OFS_BUF_INIT(4096);

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    check(&w, push_bytes(&w, "app", m.manifest));
    check(&w, push_bytes(&w, "app", m.config));
    w.remote->fail_code = -ETIMEDOUT;
    w.remote->fail_at = w.remote->steps + 4; /* the layer takes three */
    assert_int_equal(push_bytes(&w, "app", m.layer), -ETIMEDOUT);
    assert_true(remote_has(w.remote, REMOTE_BLOB, "app", &m.layer_digest));
    assert_int_equal(pending(&w), 1);
    assert_int_equal(ofs_push_render_pending(w.p, &text), 0);
    assert_non_null(strstr(text.data, "app: manifest sha256:"));
    assert_non_null(strstr(text.data, "told to fail"));
    /* Another arrival leaves it alone; the thread tries it again. */
    check(&w, push_bytes(&w, "app", "something else"));
    assert_int_equal(pending(&w), 1);
    world_start(&w);
    until_all_is_done(&w);
    assert_true(remote_has(w.remote, REMOTE_MANIFEST, "app", &m.digest));
    world_done(&w);
}

static void parts_that_vanished_make_it_wait_again(void **state)
{
    struct world w;
    struct image m;

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    check(&w, push_blobs(&w, "app", &m));
    remote_find(w.remote, REMOTE_BLOB, "app", &m.config_digest, NULL)->kind = 0;
    check(&w, push_bytes(&w, "app", m.manifest));
    assert_int_equal(pending(&w), 1);
    check(&w, push_bytes(&w, "app", m.config));
    assert_true(remote_has(w.remote, REMOTE_MANIFEST, "app", &m.digest));
    assert_int_equal(pending(&w), 0);
    world_done(&w);
}

static void a_tag_that_may_not_move_is_refused_at_once(void **state)
{
    struct world w;
    struct image m;
    const struct image *const all[] = { &m, NULL };
    const char *const tags[] = { "1", NULL };

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    w.may_move = -EPERM;
    assert_int_equal(push_index(&w, "app", all, tags), -EPERM);
    assert_int_equal(pending(&w), 0);
    w.may_move = 0;
    check(&w, push_index(&w, "app", all, tags));
    assert_int_equal(pending(&w), 1);
    world_done(&w);
}

static void what_is_dropped_is_forgotten(void **state)
{
    struct world w;
    struct image m;
    const struct image *const all[] = { &m, NULL };
    const char *const tags[] = { "1", NULL };

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    assert_int_equal(ofs_push_drop(w.p, "app", &m.digest), -ENOENT);
    check(&w, push_index(&w, "app", all, tags));
    check(&w, push_bytes(&w, "app", m.manifest));
    assert_int_equal(ofs_push_drop(w.p, "app", &m.digest), 0);
    assert_int_equal(pending(&w), 0);
    check(&w, push_blobs(&w, "app", &m));
    assert_null(remote_find(w.remote, REMOTE_TAG, "app", NULL, "1"));
    world_done(&w);
}

static void one_that_waits_has_asked_once(void **state)
{
    struct world w;
    struct image m;

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    (void)remote_put(w.remote, REMOTE_BLOB, "app", m.config, strlen(m.config));
    check(&w, push_bytes(&w, "app", m.manifest));
    assert_int_equal(w.remote->n_heads, 1);
    check(&w, push_bytes(&w, "app", m.layer));
    assert_int_equal(w.remote->n_heads, 2); /* the configuration */
    assert_true(remote_has(w.remote, REMOTE_MANIFEST, "app", &m.digest));
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_is_put_when_its_blobs_are_there),
        cmocka_unit_test(a_manifest_that_came_first_waits_and_can_be_read),
        cmocka_unit_test(one_that_waits_has_asked_once),
        cmocka_unit_test(any_order_ends_in_the_same_tags),
        cmocka_unit_test(what_waits_survives_the_mount),
        cmocka_unit_test(entries_that_say_what_is_known_cost_nothing),
        cmocka_unit_test(names_that_are_no_tags_are_no_wishes),
        cmocka_unit_test(a_broken_index_is_refused),
        cmocka_unit_test(a_failure_at_the_end_is_told_and_kept),
        cmocka_unit_test(parts_that_vanished_make_it_wait_again),
        cmocka_unit_test(a_tag_that_may_not_move_is_refused_at_once),
        cmocka_unit_test(what_is_dropped_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
