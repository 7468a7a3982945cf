/* SPDX-License-Identifier: Apache-2.0 */
/* A registry that is gone, frozen, back again, or says no.
 * S29 S30 S32 S33 S34 */
#include "tree_rig.h"

#include "ocirfs/metrics.h"

#define LAYOUT "blobs index.json oci-layout"

static struct fake_image fill(struct trig *t)
{
    (void)fake_registry_image(t->fake, "a", "w", 7, 1, 100);
    return fake_registry_image(t->fake, "a", "v", 1, 1, 100);
}

/* Have everything seen, and the layer read whole. */
static void look_everywhere(struct trig *t, const struct fake_image *img)
{
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    char path[512];

    trig_ls_is(t, "", "a");
    trig_ls_is(t, "a", LAYOUT " v w");
    trig_reads(t, "a/v", &img->manifest);
    (void)trig_stat(t, "a/index.json");
    assert_int_equal(trig_list(t, "a/blobs/sha256", &names), 0);
    assert_int_equal(names.n, 6);
    trig_reads(t, trig_blob_path("a", &img->layers[0], path), &img->layers[0]);
}

/* What was seen, and only that, is served; nothing is said to be absent. */
static void serves_what_was_seen(struct trig *t, const struct fake_image *img)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    struct ofs_digest absent;
    struct ofs_entry e;
    char path[512];
    int r;

    look_everywhere(t, img);
    assert_int_equal(trig_read(t, "a/index.json", &b), 0);
    assert_non_null(strstr(ofs_buf_str(&b), "\"v\""));
    assert_non_null(strstr(ofs_buf_str(&b), "\"w\""));
    assert_true(trig_stat(t, "a/w").valid_ms <= 1000);
    r = trig_walk(t, "a/never-seen", &e);
    assert_true(r < 0 && r != -ENOENT);
    assert_int_equal(ofs_digest_of(OFS_SHA256, "?", 1, &absent), 0);
    r = trig_walk(t, trig_blob_path("a", &absent, path), &e);
    assert_true(r < 0 && r != -ENOENT);
}

static void what_was_seen_is_served_without_a_registry(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    look_everywhere(&t, &img);
    fake_server_down(t.server);
    trig_pass(&t, TRIG_TTL_MS);
    serves_what_was_seen(&t, &img);
    trig_pass(&t, 1000 * TRIG_TTL_MS);
    serves_what_was_seen(&t, &img);
}

static void the_next_mount_serves_it_too(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    look_everywhere(&t, &img);
    trig_unmount(&t);
    fake_server_down(t.server);
    trig_mount(&t);
    serves_what_was_seen(&t, &img);
}

static void so_it_is_where_there_is_no_catalog(void **state)
{
    const struct trig_cfg cfg = { .rig.fake.no_catalog = true };
    TRIG_AUTO struct trig t;
    struct fake_image img;

    (void)state;
    trig_start(&t, &cfg);
    img = fill(&t);
    trig_reads(&t, "a/v", &img.manifest);
    trig_ls_is(&t, "a", LAYOUT " v w");
    trig_unmount(&t);
    fake_server_down(t.server);
    trig_mount(&t);
    trig_reads(&t, "a/v", &img.manifest);
    trig_ls_is(&t, "a", LAYOUT " v w");
}

static void single_tags_of_an_earlier_mount_are_not_lost(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image v, w;

    (void)state;
    trig_start(&t, NULL);
    v = fill(&t);
    trig_reads(&t, "a/v", &v.manifest); /* never listed */
    trig_unmount(&t);
    trig_mount(&t);
    w = fake_registry_image(t.fake, "a", "w", 7, 1, 100);
    trig_reads(&t, "a/w", &w.manifest);
    trig_unmount(&t);
    fake_server_down(t.server);
    trig_mount(&t);
    trig_reads(&t, "a/v", &v.manifest);
    trig_reads(&t, "a/w", &w.manifest);
}

static void
an_answer_of_yesterday_is_not_used_while_there_is_one_of_today(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    look_everywhere(&t, &img);
    trig_unmount(&t);
    fake_registry_untag(t.fake, "a", "w");
    trig_mount(&t);
    trig_ls_is(&t, "a", LAYOUT " v");
    assert_false(trig_exists(&t, "a/w"));
}

static void what_was_gone_before_is_not_served(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    (void)fill(&t);
    (void)trig_stat(&t, "a/v");
    (void)trig_stat(&t, "a/index.json");
    fake_registry_untag(t.fake, "a", "w");
    trig_pass(&t, TRIG_TTL_MS);
    trig_ls_is(&t, "a", LAYOUT " v");
    trig_unmount(&t);
    fake_server_down(t.server);
    trig_mount(&t);
    (void)trig_stat(&t, "a/v");
    assert_true(trig_walk(&t, "a/w", &e) < 0);
    fake_server_up(t.server);

    fake_server_canned(t.server, "GET /v2/a/tags/list*", 404, NULL, "{}");
    trig_pass(&t, TRIG_TTL_MS);
    while (trig_list(&t, "a", &names) != -ENOENT)
        ofs_strv_done(&names); /* until it is found to be up again */
    trig_unmount(&t);
    fake_server_down(t.server);
    trig_mount(&t);
    assert_true(trig_walk(&t, "a/v", &e) < 0);
}

/* A registry that stops answering, without a word. */
static void freeze(struct trig *t)
{
    fake_server_fault(t->server, &(struct fake_fault){
                                     .match = "* *",
                                     .kind = FAKE_STALL,
                                 });
}

static void thaw(struct trig *t)
{
    fake_server_no_faults(t->server);
    fake_server_release(t->server);
}

static void listing_what_is_known_does_not_wait_for_long(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;
    int64_t start;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    look_everywhere(&t, &img);
    freeze(&t);
    trig_pass(&t, TRIG_TTL_MS);
    start = ofs_mono_ms();
    trig_ls_is(&t, "", "a");
    trig_ls_is(&t, "a", LAYOUT " v w");
    assert_true(ofs_mono_ms() - start < RIG_CALL_MS / 2);
    /* Once somebody's patience has ended, nobody else's is tried. */
    start = ofs_mono_ms();
    for (int i = 0; i < 20; i++) {
        struct ofs_statfs fs;

        trig_ls_is(&t, "a", LAYOUT " v w");
        (void)trig_stat(&t, "a/v");
        (void)trig_stat(&t, "a/index.json");
        (void)trig_stat(&t, "");
        ofs_tree_statfs(t.tree, &fs);
    }
    assert_true(ofs_mono_ms() - start < RIG_CALL_MS / 4);
    thaw(&t);
}

static void it_heals_by_itself(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img, moved;
    struct ofs_entry old;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    look_everywhere(&t, &img);
    old = trig_stat(&t, "a/v");
    freeze(&t);
    trig_pass(&t, TRIG_TTL_MS);
    trig_ls_is(&t, "", "a");
    assert_int_equal(trig_stat(&t, "a/v").attr.ino, old.attr.ino);
    moved = fake_registry_image(t.fake, "a", "v", 5, 1, 100);
    thaw(&t);
    /* What was asked behind our back is answered now. */
    for (int i = 0; trig_stat(&t, "a/v").attr.ino == old.attr.ino; i++) {
        trig_pass(&t, TRIG_TTL_MS);
        assert_true(i < 1000000);
    }
    trig_reads(&t, "a/v", &moved.manifest);
}

static void slow_down(struct trig *t)
{
    fake_server_fault(t->server, &(struct fake_fault){
                                     .match = "* *",
                                     .kind = FAKE_SLOW_HEADER,
                                     .n = 1,
                                 });
}

static bool lists(struct trig *t, const char *path, const char *name)
{
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    assert_int_equal(trig_list(t, path, &names), 0);
    return ofs_strv_has(&names, name);
}

enum { TRIES = 30 };

/* To what was asked in the background; but not for ever. */
static void give_time(struct trig *t, int i)
{
    assert_true(i < TRIES);
    (void)fake_server_wait(t->server, "* *", trig_requests(t) + 1, 300);
}

/* Does a listing show what has just come? */
static bool is_seen_at_once(struct trig *t, int i)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "n%d", i);
    fake_registry_repo(t->fake, name);
    trig_pass(t, TRIG_TTL_MS);
    return lists(t, "", name);
}

/* Does a look at a tag show where it has just moved? */
static bool is_new_at_once(struct trig *t, int i)
{
    uint64_t before = trig_stat(t, "a/v").attr.ino;

    (void)fake_registry_image(t->fake, "a", "v", (uint64_t)(100 + i), 1, 100);
    trig_pass(t, TRIG_TTL_MS);
    return trig_stat(t, "a/v").attr.ino != before;
}

static void after_it_has_healed_listings_are_waited_for_again(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    look_everywhere(&t, &img);
    freeze(&t);
    trig_pass(&t, TRIG_TTL_MS);
    trig_ls_is(&t, "", "a");
    fake_registry_repo(t.fake, "b");
    thaw(&t);
    for (int i = 0; !lists(&t, "", "b"); i++) {
        trig_pass(&t, TRIG_TTL_MS);
        assert_true(i < 1000000);
    }
    /* Slower than who does not wait, faster than who has patience. */
    slow_down(&t);
    for (int i = 0; !is_seen_at_once(&t, i); i++)
        give_time(&t, i);
}

/* Nothing is listed here: looking at the tag must be enough. */
static void after_it_has_healed_tags_are_waited_for_again(void **state)
{
    struct trig_cfg cfg = { .no_ttl = false };
    TRIG_AUTO struct trig t;
    struct fake_image img;
    uint64_t ino;

    (void)state;
    assert_int_equal(ofs_strv_add(&cfg.repos, "a"), 0);
    trig_start(&t, &cfg);
    img = fill(&t);
    look_everywhere(&t, &img);
    ino = trig_stat(&t, "a/v").attr.ino;
    freeze(&t);
    trig_pass(&t, TRIG_TTL_MS);
    trig_ls_is(&t, "a", LAYOUT " v w");
    fake_server_down(t.server); /* what was asked is never answered */
    thaw(&t);
    (void)fake_registry_image(t.fake, "a", "v", 20, 1, 100);
    fake_server_up(t.server);
    for (int i = 0; trig_stat(&t, "a/v").attr.ino == ino; i++) {
        trig_pass(&t, TRIG_TTL_MS);
        assert_true(i < 1000000);
    }
    slow_down(&t);
    for (int i = 0; !is_new_at_once(&t, i); i++)
        give_time(&t, i);
    ofs_strv_done(&cfg.repos);
}

/* Not one failure for each of a thousand tags. */
static void a_registry_that_is_gone_is_not_asked_for_every_tag(void **state)
{
    static const char asked[] = "ocirfs_tree_tags_asked_total";
    TRIG_AUTO struct trig t;
    struct fake_image img;
    struct ofs_entry e;
    int64_t before;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    fake_registry_many_tags(t.fake, "a", "t", 1000, &img.manifest);
    e = trig_stat(&t, "a/index.json");
    fake_server_down(t.server);
    trig_pass(&t, TRIG_TTL_MS);
    before = ofs_metric_get(asked);
    assert_int_equal(trig_stat(&t, "a/index.json").attr.ino, e.attr.ino);
    assert_true(ofs_metric_get(asked) - before < 500);
}

static void
opening_asks_until_the_deadline_then_serves_what_it_has(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTO(ofs_file_closep) struct ofs_file *f = NULL;
    struct ofs_open_how how;
    struct fake_image img;
    struct ofs_call call;
    uint64_t ino;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    look_everywhere(&t, &img);
    ino = trig_stat(&t, "a/v").attr.ino;
    freeze(&t);
    trig_pass(&t, TRIG_TTL_MS);
    trig_clear(&t);
    ofs_call_init(&call, 1000);
    assert_int_equal(ofs_tree_open(t.tree, &call, ino, &f, &how, &t.err), 0);
    assert_int_equal(ofs_call_left_ms(&call), 0);
    assert_int_equal(trig_count(&t, "HEAD /v2/a/manifests/v"), 1);
    ofs_call_done(&call);
    ofs_file_close(f);
    f = NULL;
    thaw(&t);
}

static void what_was_never_seen_is_an_error_at_the_deadline(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_call call;
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    (void)fill(&t);
    freeze(&t);
    ofs_call_init(&call, 100);
    assert_int_equal(
        ofs_tree_lookup(t.tree, &call, OFS_ROOT_INO, "a", &e, &t.err),
        -ETIMEDOUT);
    assert_true(t.err.text[0] != '\0');
    ofs_call_done(&call);
    thaw(&t);
}

static void refusals_are_told_as_such(void **state)
{
    static const struct {
        int status, code;
    } cases[] = { { 403, -EACCES }, { 404, -ENOENT } };
    TRIG_AUTO struct trig t;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    trig_start(&t, NULL);
    (void)fill(&t);
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        struct ofs_entry e;

        fake_server_fault(t.server, &(struct fake_fault){
                                        .match = "* /v2/a/*",
                                        .kind = FAKE_STATUS,
                                        .n = cases[i].status,
                                        .text = "{}",
                                    });
        trig_pass(&t, TRIG_TTL_MS);
        assert_int_equal(trig_list(&t, "a", &names), cases[i].code);
        trig_pass(&t, TRIG_TTL_MS);
        assert_int_equal(trig_walk(&t, "a/v", &e), cases[i].code);
        trig_pass(&t, TRIG_TTL_MS);
        assert_int_equal(trig_walk(&t, "a/index.json", &e), cases[i].code);
        fake_server_no_faults(t.server);
    }
    trig_pass(&t, TRIG_TTL_MS);
    trig_ls_is(&t, "a", LAYOUT " v w");
}

static void answers_with_5xx_are_no_answers(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    look_everywhere(&t, &img);
    fake_server_fault(t.server, &(struct fake_fault){
                                    .match = "* *",
                                    .kind = FAKE_STATUS,
                                    .n = 500,
                                    .text = "oops",
                                });
    trig_pass(&t, TRIG_TTL_MS);
    look_everywhere(&t, &img);
    assert_int_equal(trig_walk(&t, "a/never-seen", &e), -EIO);
}

static void stopping_does_not_wait_for_a_silent_registry(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;
    int64_t start;

    (void)state;
    trig_start(&t, NULL);
    img = fill(&t);
    look_everywhere(&t, &img);
    freeze(&t);
    trig_pass(&t, TRIG_TTL_MS);
    trig_ls_is(&t, "a", LAYOUT " v w"); /* leaves a question behind */
    start = ofs_mono_ms();
    trig_unmount(&t);
    assert_true(ofs_mono_ms() - start < 5000);
    thaw(&t);
    trig_mount(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_is_served_without_a_registry),
        cmocka_unit_test(the_next_mount_serves_it_too),
        cmocka_unit_test(so_it_is_where_there_is_no_catalog),
        cmocka_unit_test(single_tags_of_an_earlier_mount_are_not_lost),
        cmocka_unit_test(
            an_answer_of_yesterday_is_not_used_while_there_is_one_of_today),
        cmocka_unit_test(what_was_gone_before_is_not_served),
        cmocka_unit_test(listing_what_is_known_does_not_wait_for_long),
        cmocka_unit_test(it_heals_by_itself),
        cmocka_unit_test(after_it_has_healed_listings_are_waited_for_again),
        cmocka_unit_test(after_it_has_healed_tags_are_waited_for_again),
        cmocka_unit_test(a_registry_that_is_gone_is_not_asked_for_every_tag),
        cmocka_unit_test(
            opening_asks_until_the_deadline_then_serves_what_it_has),
        cmocka_unit_test(what_was_never_seen_is_an_error_at_the_deadline),
        cmocka_unit_test(refusals_are_told_as_such),
        cmocka_unit_test(answers_with_5xx_are_no_answers),
        cmocka_unit_test(stopping_does_not_wait_for_a_silent_registry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
