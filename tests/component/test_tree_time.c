/* SPDX-License-Identifier: Apache-2.0 */
/* What is known, for how long, and what happens when it changes.
 * S14 S26 S27 S28 S29 */
#include "tree_rig.h"

#define LAYOUT "blobs index.json oci-layout"

static struct fake_image image(struct trig *t, const char *tag, uint64_t seed)
{
    return fake_registry_image(t->fake, "a", tag, seed, 1, 100);
}

static void look_at_everything(struct trig *t)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);

    trig_ls_is(t, "", "a");
    trig_ls_is(t, "a", LAYOUT " v");
    (void)trig_stat(t, "a/v");
    assert_int_equal(trig_read(t, "a/v", &b), 0);
    ofs_buf_reset(&b);
    assert_int_equal(trig_read(t, "a/index.json", &b), 0);
    {
        OFS_AUTOSTRV struct ofs_strv names = { 0 };

        assert_int_equal(trig_list(t, "a/blobs/sha256", &names), 0);
        assert_int_equal(names.n, 3);
    }
}

static void within_the_ttl_nothing_is_asked_again(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    look_at_everything(&t);
    trig_clear(&t);
    trig_pass(&t, TRIG_TTL_MS - 1);
    look_at_everything(&t);
    assert_int_equal(trig_requests(&t), 0);
}

static void beyond_it_names_and_tags_are_asked_and_no_content(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    look_at_everything(&t);
    trig_clear(&t);
    trig_pass(&t, TRIG_TTL_MS);
    look_at_everything(&t);
    assert_int_equal(trig_count(&t, "GET /v2/_catalog*"), 1);
    assert_int_equal(trig_count(&t, "GET /v2/a/tags/list*"), 1);
    assert_int_equal(trig_count(&t, "HEAD /v2/a/manifests/v"), 1);
    assert_int_equal(trig_requests(&t), 3);
}

static void the_kernel_may_believe_what_is_left_of_the_ttl(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    (void)trig_stat(&t, "a/v");
    trig_pass(&t, 4000);
    e = trig_stat(&t, "a/v");
    assert_int_equal(e.valid_ms, TRIG_TTL_MS - 4000);
    assert_int_equal(e.attr.valid_ms, OFS_NEVER); /* of that inode */
    assert_int_equal(trig_stat(&t, "a").valid_ms, TRIG_TTL_MS - 4000);
    assert_int_equal(trig_stat(&t, "a/index.json").valid_ms,
                     TRIG_TTL_MS - 4000);
    assert_int_equal(trig_stat(&t, "a/oci-layout").valid_ms, OFS_NEVER);
    assert_int_equal(ofs_tree_lookup(t.tree, &t.call,
                                     trig_stat(&t, "a").attr.ino, "none", &e,
                                     &t.err),
                     0);
    assert_int_equal(e.attr.ino, 0);
    assert_int_equal(e.valid_ms, TRIG_NEGATIVE_MS);
}

static void a_moved_tag_is_a_new_inode_and_the_old_one_stale(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTO(ofs_file_closep) struct ofs_file *f = NULL;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    struct fake_image before, after;
    struct ofs_open_how how;
    struct ofs_entry old;
    struct ofs_digest d;
    char buf[4096];
    size_t n;

    (void)state;
    trig_start(&t, NULL);
    before = image(&t, "v", 1);
    old = trig_stat(&t, "a/v");
    assert_int_equal(
        ofs_tree_open(t.tree, &t.call, old.attr.ino, &f, &how, &t.err), 0);
    after = image(&t, "v", 2);
    trig_reads(&t, "a/v", &before.manifest); /* not older than the ttl */
    trig_pass(&t, TRIG_TTL_MS);
    assert_int_equal(trig_read_ino(&t, old.attr.ino, &b), -ESTALE);
    trig_reads(&t, "a/v", &after.manifest);
    assert_int_not_equal(trig_stat(&t, "a/v").attr.ino, old.attr.ino);
    /* What was open stays what it was. */
    assert_int_equal(
        ofs_file_pread(f, &t.call, buf, sizeof(buf), 0, &n, &t.err), 0);
    assert_int_equal(n, before.manifest_size);
    assert_int_equal(ofs_digest_of(OFS_SHA256, buf, n, &d), 0);
    assert_true(ofs_digest_eq(&d, &before.manifest));
    /* And one that moves back has its old number. */
    (void)image(&t, "v", 1);
    trig_pass(&t, TRIG_TTL_MS);
    assert_int_equal(trig_stat(&t, "a/v").attr.ino, old.attr.ino);
}

static void the_index_follows_the_tags_as_a_new_inode(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    struct ofs_entry old;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    old = trig_stat(&t, "a/index.json");
    trig_pass(&t, TRIG_TTL_MS);
    assert_int_equal(trig_stat(&t, "a/index.json").attr.ino, old.attr.ino);
    (void)image(&t, "w", 2);
    trig_pass(&t, TRIG_TTL_MS);
    assert_int_equal(trig_read_ino(&t, old.attr.ino, &b), -ESTALE);
    assert_int_equal(trig_read(&t, "a/index.json", &b), 0);
    assert_non_null(strstr(ofs_buf_str(&b), "\"w\""));
    assert_int_not_equal(trig_stat(&t, "a/index.json").attr.ino, old.attr.ino);
}

static void tags_come_and_go(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    struct ofs_entry v;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    v = trig_stat(&t, "a/v");
    trig_ls_is(&t, "a", LAYOUT " v");
    assert_false(trig_exists(&t, "a/w"));
    (void)image(&t, "w", 2);
    /* "No" is good for less long than the list of names. */
    trig_pass(&t, TRIG_NEGATIVE_MS);
    assert_true(trig_exists(&t, "a/w"));
    trig_ls_is(&t, "a", LAYOUT " v w");
    fake_registry_untag(t.fake, "a", "v");
    trig_pass(&t, TRIG_TTL_MS);
    assert_int_equal(trig_read_ino(&t, v.attr.ino, &b), -ENOENT);
    assert_false(trig_exists(&t, "a/v"));
    trig_ls_is(&t, "a", LAYOUT " w");
}

static void what_is_not_listed_costs_nothing_for_a_moment(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    trig_ls_is(&t, "a", LAYOUT " v");
    trig_clear(&t);
    for (int i = 0; i < 20; i++)
        assert_false(trig_exists(&t, "a/none"));
    assert_int_equal(trig_requests(&t), 0);
    trig_pass(&t, TRIG_NEGATIVE_MS);
    assert_false(trig_exists(&t, "a/none"));
    assert_int_equal(trig_count(&t, "GET /v2/a/manifests/none"), 1);
    assert_int_equal(trig_requests(&t), 1);
}

static void repositories_come_and_go(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    trig_ls_is(&t, "", "a");
    (void)fake_registry_image(t.fake, "b/c", "v", 1, 1, 100);
    trig_pass(&t, TRIG_TTL_MS);
    trig_ls_is(&t, "", "a b");
    trig_ls_is(&t, "b/c", LAYOUT " v");
    /* The catalog of many registries goes on to name what is gone. */
    fake_server_canned(t.server, "GET /v2/b/c/tags/list*", 404, NULL, "{}");
    trig_pass(&t, TRIG_TTL_MS);
    assert_int_equal(trig_list(&t, "b/c", &names), -ENOENT);
    assert_false(trig_exists(&t, "b/c"));
    trig_ls_is(&t, "b", "");
}

static void nobody_who_asks_sees_a_time_change(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_entry cold, dir;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    dir = trig_stat(&t, "a");
    cold = trig_stat(&t, "a/v");
    assert_int_equal(cold.attr.mtime_s, TRIG_CREATED_S);
    look_at_everything(&t);
    trig_pass(&t, TRIG_TTL_MS);
    look_at_everything(&t);
    assert_int_equal(trig_stat(&t, "a/v").attr.mtime_s, TRIG_CREATED_S);
    assert_int_equal(trig_stat(&t, "a").attr.mtime_s, dir.attr.mtime_s);
    trig_unmount(&t);
    trig_mount(&t);
    assert_int_equal(trig_stat(&t, "a/v").attr.mtime_s, TRIG_CREATED_S);
}

static void inode_numbers_survive_a_remount(void **state)
{
    TRIG_AUTO struct trig t;
    static const char *const paths[] = {
        "a", "a/v", "a/blobs", "a/blobs/sha256", "a/index.json", "a/oci-layout"
    };
    uint64_t inos[OFS_COUNT_OF(paths)];

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    for (size_t i = 0; i < OFS_COUNT_OF(paths); i++) {
        inos[i] = trig_stat(&t, paths[i]).attr.ino;
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(inos[i], inos[j]);
    }
    trig_unmount(&t);
    trig_mount(&t);
    for (size_t i = 0; i < OFS_COUNT_OF(paths); i++)
        assert_int_equal(trig_stat(&t, paths[i]).attr.ino, inos[i]);
}

static void listed_numbers_are_those_of_stat_where_they_are_known(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTO(ofs_dir_closep) struct ofs_dir *d = NULL;
    struct ofs_dirent de;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    (void)fake_registry_image(t.fake, "a/b", "v", 1, 1, 100);
    (void)trig_stat(&t, "a/index.json"); /* which makes all tags known */
    assert_int_equal(ofs_tree_opendir(t.tree, &t.call,
                                      trig_stat(&t, "a").attr.ino, &d, &t.err),
                     0);
    for (size_t i = 2; ofs_dir_get(d, i, &de); i++) {
        char path[300];

        (void)snprintf(path, sizeof(path), "a/%s", de.name);
        assert_int_equal(trig_stat(&t, path).attr.ino, de.ino);
        assert_int_equal(trig_stat(&t, path).attr.mode & S_IFMT, de.type);
    }
    assert_true(ofs_dir_get(d, 1, &de));
    assert_int_equal(de.ino, OFS_ROOT_INO);
}

static void nodes_go_when_the_kernel_forgets_them(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_statfs fs;
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    for (int i = 0; i < 3; i++)
        e = trig_stat(&t, "a/v");
    ofs_tree_statfs(t.tree, &fs);
    assert_int_equal(fs.nodes, 3);
    ofs_tree_forget(t.tree, e.attr.ino, 3);
    ofs_tree_statfs(t.tree, &fs);
    assert_int_equal(fs.nodes, 2);
    assert_int_equal(
        ofs_tree_getattr(t.tree, &t.call, e.attr.ino, &e.attr, &t.err),
        -ESTALE);
    ofs_tree_forget(t.tree, OFS_ROOT_INO, 5);
    assert_int_equal(
        ofs_tree_getattr(t.tree, &t.call, OFS_ROOT_INO, &e.attr, &t.err), 0);
}

static void who_may_not_wait_is_told_so_and_nothing_happens(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_call hasty;
    struct ofs_entry e;
    struct ofs_dir *d;
    uint64_t a, v;
    struct ofs_file *f;
    struct ofs_open_how how;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "v", 1);
    ofs_call_init(&hasty, OFS_NEVER);
    hasty.may_wait = false;
    assert_int_equal(
        ofs_tree_lookup(t.tree, &hasty, OFS_ROOT_INO, "a", &e, &t.err),
        -EAGAIN);
    assert_int_equal(ofs_tree_opendir(t.tree, &hasty, OFS_ROOT_INO, &d, &t.err),
                     -EAGAIN);
    a = trig_stat(&t, "a").attr.ino;
    trig_clear(&t);
    assert_int_equal(ofs_tree_lookup(t.tree, &hasty, a, "v", &e, &t.err),
                     -EAGAIN);
    assert_int_equal(
        ofs_tree_lookup(t.tree, &hasty, a, "index.json", &e, &t.err), -EAGAIN);
    assert_int_equal(ofs_tree_opendir(t.tree, &hasty, a, &d, &t.err), -EAGAIN);
    assert_int_equal(trig_requests(&t), 0);
    v = trig_stat(&t, "a/v").attr.ino;
    trig_pass(&t, TRIG_TTL_MS);
    assert_int_equal(ofs_tree_open(t.tree, &hasty, v, &f, &how, &t.err),
                     -EAGAIN);
    ofs_call_done(&hasty);
}

static void with_no_ttl_everything_is_asked_each_time(void **state)
{
    TRIG_AUTO struct trig t;
    const struct trig_cfg cfg = { .no_ttl = true };
    struct fake_image img;

    (void)state;
    trig_start(&t, &cfg);
    for (uint64_t i = 1; i < 4; i++) {
        img = image(&t, "v", i);
        trig_pass(&t, 1);
        trig_reads(&t, "a/v", &img.manifest);
        assert_int_equal(trig_stat(&t, "a/v").valid_ms, 0);
        trig_clear(&t);
        trig_pass(&t, 1);
        (void)trig_stat(&t, "a/index.json");
        assert_int_equal(trig_count(&t, "HEAD /v2/a/manifests/v"), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_the_ttl_nothing_is_asked_again),
        cmocka_unit_test(beyond_it_names_and_tags_are_asked_and_no_content),
        cmocka_unit_test(the_kernel_may_believe_what_is_left_of_the_ttl),
        cmocka_unit_test(a_moved_tag_is_a_new_inode_and_the_old_one_stale),
        cmocka_unit_test(the_index_follows_the_tags_as_a_new_inode),
        cmocka_unit_test(tags_come_and_go),
        cmocka_unit_test(what_is_not_listed_costs_nothing_for_a_moment),
        cmocka_unit_test(repositories_come_and_go),
        cmocka_unit_test(nobody_who_asks_sees_a_time_change),
        cmocka_unit_test(inode_numbers_survive_a_remount),
        cmocka_unit_test(listed_numbers_are_those_of_stat_where_they_are_known),
        cmocka_unit_test(nodes_go_when_the_kernel_forgets_them),
        cmocka_unit_test(who_may_not_wait_is_told_so_and_nothing_happens),
        cmocka_unit_test(with_no_ttl_everything_is_asked_each_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
