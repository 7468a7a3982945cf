/* SPDX-License-Identifier: Apache-2.0 */
/* Many tags, many blobs, many threads.  S4 S10 S19 S27 */
#include "tree_rig.h"

#include <sched.h>

enum { N_THREADS = 16, DELAY_MS = 20 };

/* What `ls -l` does: list, then look at each in that order. */
static unsigned ls_l(struct trig *t, const char *path)
{
    OFS_AUTO(ofs_dir_closep) struct ofs_dir *d = NULL;
    struct ofs_entry dir = trig_stat(t, path), e;
    struct ofs_dirent de;
    unsigned n = 0;

    assert_int_equal(
        ofs_tree_opendir(t->tree, &t->call, dir.attr.ino, &d, &t->err), 0);
    for (size_t i = 2; ofs_dir_get(d, i, &de); i++) {
        int r = ofs_tree_lookup(t->tree, &t->call, dir.attr.ino, de.name, &e,
                                &t->err);

        assert_int_equal(r, 0);
        assert_int_not_equal(e.attr.ino, 0);
        n++;
    }
    return n;
}

static void many_tags(struct trig *t, unsigned n)
{
    struct fake_image img = fake_registry_image(t->fake, "a", NULL, 1, 1, 100);

    fake_registry_many_tags(t->fake, "a", "t", n, &img.manifest);
}

static void a_listing_costs_no_request_for_a_tag(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 2500);
    assert_int_equal(trig_list(&t, "a", &names), 0);
    assert_int_equal(names.n, 2500 + 3);
    assert_in_range(trig_count(&t, "GET /v2/a/tags/list*"), 3, 4);
    assert_int_equal(trig_count(&t, "* /v2/a/manifests/*"), 0);
    assert_int_equal(trig_count(&t, "* /v2/a/blobs/*"), 0);
}

static void attributes_come_with_a_listing_where_they_are_known(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTO(ofs_dir_closep) struct ofs_dir *d = NULL;
    struct ofs_statfs before, after;
    struct ofs_entry e;
    struct ofs_dirent de;
    unsigned n_known = 0;

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 3);
    e = trig_stat(&t, "a/t0001");
    assert_int_equal(ofs_tree_opendir(t.tree, &t.call,
                                      trig_stat(&t, "a").attr.ino, &d, &t.err),
                     0);
    trig_clear(&t);
    ofs_tree_statfs(t.tree, &before);
    for (size_t i = 0; ofs_dir_get(d, i, &de); i++) {
        bool known = ofs_dir_entry(d, i, &e);

        assert_int_equal(known, strcmp(de.name, "blobs") == 0 ||
                                    strcmp(de.name, "oci-layout") == 0 ||
                                    strcmp(de.name, "t0001") == 0);
        if (known)
            assert_int_equal(e.attr.ino, de.ino);
        n_known += known;
    }
    assert_int_equal(n_known, 3);
    /* Each of them was counted as a lookup is. */
    ofs_tree_statfs(t.tree, &after);
    assert_int_equal(after.nodes, before.nodes + 2);
    assert_int_equal(trig_requests(&t), 0);
}

static void looking_at_each_tag_costs_one_request_for_each(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 300);
    assert_int_equal(ls_l(&t, "a"), 303);
    assert_int_equal(trig_count(&t, "GET /v2/a/manifests/t*"), 300);
    assert_int_equal(trig_count(&t, "GET /v2/a/blobs/*"), 1);
    assert_int_equal(trig_count(&t, "HEAD *"), 0);
    trig_clear(&t);
    assert_int_equal(ls_l(&t, "a"), 303);
    assert_int_equal(trig_requests(&t), 0);
    /* Later again: has any of them moved?  One small request for each. */
    trig_pass(&t, TRIG_TTL_MS);
    assert_int_equal(ls_l(&t, "a"), 303);
    assert_int_equal(trig_count(&t, "HEAD /v2/a/manifests/t*"), 300);
    assert_int_equal(trig_count(&t, "GET /v2/a/manifests/*"), 0);
}

/* Without index.json, whose size needs them all. */
static void the_second_tag_makes_all_be_fetched_side_by_side(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 200);
    assert_int_equal(trig_list(&t, "a", &names), 0);
    (void)trig_stat(&t, "a/t0000");
    assert_int_equal(trig_count(&t, "GET /v2/a/manifests/*"), 1);
    fake_server_fault(t.server, &(struct fake_fault){
                                    .match = "GET /v2/a/manifests/t01*",
                                    .kind = FAKE_STALL,
                                });
    /* It waits for its own answer only, while the others do not come. */
    (void)trig_stat(&t, "a/t0001");
    assert_true(fake_server_wait_stalled(t.server, 40, RIG_CALL_MS));
    (void)trig_stat(&t, "a/t0099");
    fake_server_no_faults(t.server);
    fake_server_release(t.server);
    for (int i = 0; i < 200; i++) {
        char path[32];

        (void)snprintf(path, sizeof(path), "a/t%04d", i);
        (void)trig_stat(&t, path);
    }
    assert_int_equal(trig_count(&t, "* /v2/a/manifests/*"), 200);
}

static void single_tags_fetch_no_others(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 50);
    for (int i = 0; i < 5; i++) {
        char path[32];

        (void)snprintf(path, sizeof(path), "a/t%04d", i);
        (void)trig_stat(&t, path);
    }
    assert_int_equal(trig_count(&t, "GET /v2/a/manifests/*"), 5);
    assert_int_equal(trig_count(&t, "GET /v2/a/tags/list*"), 0);
}

static void ls_l_of_a_thousand_tags_far_away_does_not_add_up(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 1000);
    /* A manifest is less than a KiB: so long before each. */
    fake_server_fault(t.server, &(struct fake_fault){
                                    .match = "* /v2/*",
                                    .kind = FAKE_SLOW_BODY,
                                    .n = DELAY_MS,
                                });
    assert_int_equal(ls_l(&t, "a"), 1003);
    /* Side by side; how long that takes is the bench's to say. */
    assert_true(fake_server_peak(t.server) >= 32);
}

static void ten_thousand_tags_are_listed_and_looked_at(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 10000);
    assert_int_equal(ls_l(&t, "a"), 10003);
    assert_in_range(trig_count(&t, "* /v2/a/manifests/*"), 10000, 10000);
}

static void ten_thousand_repositories_are_listed(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    trig_start(&t, NULL);
    for (int i = 0; i < 10000; i++) {
        char repo[32];

        (void)snprintf(repo, sizeof(repo), "g%d/r%d", i % 100, i);
        fake_registry_repo(t.fake, repo);
    }
    assert_int_equal(trig_list(&t, "", &names), 0);
    assert_int_equal(names.n, 100);
    trig_clear(&t);
    for (int i = 0; i < 10000; i += 7) {
        char repo[32];

        (void)snprintf(repo, sizeof(repo), "g%d/r%d", i % 100, i);
        (void)trig_stat(&t, repo);
    }
    assert_int_equal(trig_requests(&t), 0);
}

static void what_was_not_used_for_long_is_forgotten(void **state)
{
    enum { MANY = 1500, KEPT = 1000 };
    TRIG_AUTO struct trig t;
    struct ofs_entry first;
    char path[64];

    (void)state;
    trig_start(&t, NULL);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(path, sizeof(path), "r%d", i);
        (void)fake_registry_image(t.fake, path, "v", 1, 1, 100);
    }
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(path, sizeof(path), "r%d/v", i);
        (void)trig_stat(&t, path);
    }
    first = trig_stat(&t, "r0");
    trig_clear(&t);
    for (int i = MANY - KEPT; i < MANY; i++) {
        (void)snprintf(path, sizeof(path), "r%d/v", i);
        (void)trig_stat(&t, path);
    }
    assert_int_equal(trig_requests(&t), 0);
    /* Of the first one a note is left, which has to be asked about. */
    (void)trig_stat(&t, "r0/v");
    assert_int_equal(trig_count(&t, "HEAD /v2/r0/manifests/v"), 1);
    assert_int_equal(trig_requests(&t), 1);
    assert_true(trig_stat(&t, "r0").attr.mtime_s >= first.attr.mtime_s);
}

/* ---- blobs ---- */

static bool has(const struct ofs_strv *names, const struct ofs_digest *d)
{
    char text[OFS_DIGEST_TEXT_MAX];

    return ofs_strv_has(names, trig_hex(d, text));
}

static void blobs_lists_all_that_the_tags_reach(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    struct fake_image img[3], lonely;
    struct ofs_digest index;
    char path[512];

    (void)state;
    trig_start(&t, NULL);
    for (uint64_t i = 0; i < 3; i++)
        img[i] =
            fake_registry_image(t.fake, "a", i ? NULL : "v", 10 * i, 2, 50);
    index = trig_index(&t, "a", "multi", &img[1], 2);
    lonely = fake_registry_image(t.fake, "a", NULL, 90, 1, 50);
    assert_int_equal(trig_list(&t, "a/blobs/sha256", &names), 0);
    assert_true(has(&names, &index));
    for (int i = 0; i < 3; i++) {
        assert_true(has(&names, &img[i].manifest));
        assert_true(has(&names, &img[i].config));
        assert_true(has(&names, &img[i].layers[0]));
        assert_true(has(&names, &img[i].layers[1]));
    }
    assert_false(has(&names, &lonely.manifest));
    assert_int_equal(names.n, 1 + 3 * 4);
    /* All of them can be looked at and read, and nothing needs a HEAD. */
    trig_clear(&t);
    for (size_t i = 0; i < names.n; i++) {
        (void)snprintf(path, sizeof(path), "a/blobs/sha256/%s", names.at[i]);
        (void)trig_stat(&t, path);
    }
    assert_int_equal(trig_requests(&t), 0);
    for (int i = 0; i < 3; i++) {
        trig_reads(&t, trig_blob_path("a", &img[i].manifest, path),
                   &img[i].manifest);
        trig_reads(&t, trig_blob_path("a", &img[i].config, path),
                   &img[i].config);
        trig_reads(&t, trig_blob_path("a", &img[i].layers[1], path),
                   &img[i].layers[1]);
    }
}

static void what_the_registry_does_not_have_is_not_listed(void **state)
{
    static const char foreign[] =
        "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x/config\","
        "\"digest\":\"sha256:"
        "1111111111111111111111111111111111111111111111111111111111111111\","
        "\"size\":2},\"layers\":[{\"mediaType\":\"application/vnd.docker.image."
        "rootfs.foreign.diff.tar.gzip\",\"size\":9,\"digest\":\"sha256:"
        "2222222222222222222222222222222222222222222222222222222222222222\","
        "\"urls\":[\"https://elsewhere.test/\"]}]}";
    TRIG_AUTO struct trig t;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    struct fake_image img[2];

    (void)state;
    trig_start(&t, NULL);
    img[0] = fake_registry_image(t.fake, "a", NULL, 1, 1, 50);
    img[1] = fake_registry_image(t.fake, "a", NULL, 9, 1, 50);
    (void)trig_index(&t, "a", "sparse", img, 2);
    fake_registry_remove(t.fake, "a", &img[1].manifest);
    (void)trig_manifest(&t, "a", "foreign", OFS_MT_OCI_MANIFEST, foreign);
    assert_int_equal(trig_list(&t, "a/blobs/sha256", &names), 0);
    /* Two tags, one manifest with two parts, one configuration. */
    assert_int_equal(names.n, 2 + 3 + 1);
    assert_true(has(&names, &img[0].manifest));
    assert_false(has(&names, &img[1].manifest));
    assert_false(has(&names, &img[1].layers[0]));
}

static void one_broken_manifest_does_not_hide_the_others(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    struct fake_image img;
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    img = fake_registry_image(t.fake, "a", "good", 1, 1, 50);
    (void)fake_registry_image(t.fake, "a", "huge", 2, 1, 50);
    (void)fake_registry_image(t.fake, "a", "wrong", 3, 1, 50);
    fake_server_fault(t.server, &(struct fake_fault){
                                    .match = "* /v2/a/manifests/huge",
                                    .kind = FAKE_HUGE,
                                });
    fake_server_fault(t.server, &(struct fake_fault){
                                    .match = "* /v2/a/manifests/wrong",
                                    .kind = FAKE_WRONG_DIGEST,
                                });
    assert_int_equal(trig_read(&t, "a/index.json", &b), 0);
    assert_non_null(strstr(ofs_buf_str(&b), "\"good\""));
    assert_null(strstr(ofs_buf_str(&b), "\"huge\""));
    assert_null(strstr(ofs_buf_str(&b), "\"wrong\""));
    assert_int_equal(trig_list(&t, "a/blobs/sha256", &names), 0);
    assert_true(has(&names, &img.manifest));
    assert_int_equal(names.n, 3);
    assert_true(trig_walk(&t, "a/huge", &e) < 0);
    assert_true(trig_walk(&t, "a/wrong", &e) < 0);
    trig_ls_is(&t, "a", "blobs good huge index.json oci-layout wrong");
}

/* ---- threads ---- */

struct looker {
    struct trig *t;
    const char *path;
    pthread_t thread;
    uint64_t ino;
    int r;
};

static void *look(void *arg)
{
    struct looker *l = arg;
    struct ofs_entry e = { .attr = { .ino = OFS_ROOT_INO } };
    const char *path = l->path;
    struct ofs_err err = { 0 };
    struct ofs_call call;
    char name[512];

    ofs_call_init(&call, RIG_CALL_MS);
    while (l->r == 0 && trig_next(&path, name)) {
        l->r = ofs_tree_lookup(l->t->tree, &call, e.attr.ino, name, &e, &err);
        if (l->r == 0 && e.attr.ino == 0)
            l->r = -ENOENT;
    }
    l->ino = e.attr.ino;
    ofs_call_done(&call);
    return NULL;
}

static void threads_that_want_one_tag_share_one_request(void **state)
{
    TRIG_AUTO struct trig t;
    struct looker lookers[N_THREADS];

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 3);
    for (int i = 0; i < N_THREADS; i++) {
        lookers[i] = (struct looker){ .t = &t, .path = "a/t0001" };
        assert_int_equal(
            pthread_create(&lookers[i].thread, NULL, look, &lookers[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        (void)pthread_join(lookers[i].thread, NULL);
        assert_int_equal(lookers[i].r, 0);
        assert_int_equal(lookers[i].ino, lookers[0].ino);
    }
    assert_int_equal(trig_count(&t, "GET /v2/_catalog*"), 1);
    assert_int_equal(trig_count(&t, "GET /v2/a/manifests/t0001"), 1);
    assert_int_equal(trig_requests(&t), 3);
}

static void everybody_does_everything_at_once(void **state)
{
    static const char *const paths[] = {
        "a/t0001", "a/index.json", "a/t0007",      "a/blobs/sha256",
        "b/x",     "a/oci-layout", "b/index.json", "a/t0003",
    };
    TRIG_AUTO struct trig t;
    struct looker lookers[N_THREADS];

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 40);
    (void)fake_registry_image(t.fake, "b", "x", 5, 1, 100);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < N_THREADS; i++) {
            lookers[i] = (struct looker){
                .t = &t, .path = paths[(size_t)i % OFS_COUNT_OF(paths)]
            };
            assert_int_equal(
                pthread_create(&lookers[i].thread, NULL, look, &lookers[i]), 0);
        }
        assert_int_equal(ls_l(&t, "a"), 43);
        {
            OFS_AUTOSTRV struct ofs_strv names = { 0 };

            assert_int_equal(trig_list(&t, "a/blobs/sha256", &names), 0);
            assert_int_equal(names.n, 3);
        }
        for (int i = 0; i < N_THREADS; i++) {
            (void)pthread_join(lookers[i].thread, NULL);
            assert_int_equal(lookers[i].r, 0);
            ofs_tree_forget(t.tree, lookers[i].ino, 1);
        }
        trig_pass(&t, TRIG_TTL_MS);
    }
}

static void ctrl_c_ends_a_waiting_lookup_and_no_other(void **state)
{
    TRIG_AUTO struct trig t;
    struct looker other = { .t = &t, .path = "a/t0001" };
    struct ofs_call call;
    struct ofs_entry e;
    uint64_t a;

    (void)state;
    trig_start(&t, NULL);
    many_tags(&t, 3);
    a = trig_stat(&t, "a").attr.ino;
    fake_server_fault(t.server, &(struct fake_fault){
                                    .match = "* /v2/a/manifests/*",
                                    .nth = 1,
                                    .kind = FAKE_STALL,
                                });
    assert_int_equal(pthread_create(&other.thread, NULL, look, &other), 0);
    assert_true(fake_server_wait_stalled(t.server, 1, RIG_CALL_MS));
    /* We wait for the same tag as the other, and give up. */
    ofs_call_init(&call, 50);
    assert_int_equal(ofs_tree_lookup(t.tree, &call, a, "t0001", &e, &t.err),
                     -ETIMEDOUT);
    ofs_call_done(&call);
    fake_server_release(t.server);
    (void)pthread_join(other.thread, NULL);
    assert_int_equal(other.r, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listing_costs_no_request_for_a_tag),
        cmocka_unit_test(attributes_come_with_a_listing_where_they_are_known),
        cmocka_unit_test(looking_at_each_tag_costs_one_request_for_each),
        cmocka_unit_test(the_second_tag_makes_all_be_fetched_side_by_side),
        cmocka_unit_test(single_tags_fetch_no_others),
        cmocka_unit_test(ls_l_of_a_thousand_tags_far_away_does_not_add_up),
        cmocka_unit_test(ten_thousand_tags_are_listed_and_looked_at),
        cmocka_unit_test(ten_thousand_repositories_are_listed),
        cmocka_unit_test(what_was_not_used_for_long_is_forgotten),
        cmocka_unit_test(blobs_lists_all_that_the_tags_reach),
        cmocka_unit_test(what_the_registry_does_not_have_is_not_listed),
        cmocka_unit_test(one_broken_manifest_does_not_hide_the_others),
        cmocka_unit_test(threads_that_want_one_tag_share_one_request),
        cmocka_unit_test(everybody_does_everything_at_once),
        cmocka_unit_test(ctrl_c_ends_a_waiting_lookup_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
