/* SPDX-License-Identifier: Apache-2.0 */
/* What is where in the tree, and under which name.  S1 S3 S6 S7 S8 S9 */
#include "tree_rig.h"

#define LAYOUT "blobs index.json oci-layout"

static struct fake_image image(struct trig *t, const char *repo,
                               const char *tag, uint64_t seed)
{
    return fake_registry_image(t->fake, repo, tag, seed, 1, 100);
}

static void repositories_are_directories_and_tags_files(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "prod/eu/app", "1.0", 1);
    (void)image(&t, "prod/eu/app", "latest", 2);
    (void)image(&t, "prod", "x", 3);
    (void)image(&t, "other", "y", 4);
    trig_ls_is(&t, "", "other prod");
    trig_ls_is(&t, "prod", "blobs eu index.json oci-layout x");
    trig_ls_is(&t, "prod/eu", "app");
    trig_ls_is(&t, "prod/eu/app", "1.0 blobs index.json latest oci-layout");
    trig_ls_is(&t, "prod/eu/app/blobs", "sha256");
    e = trig_stat(&t, "prod/eu");
    assert_true(S_ISDIR(e.attr.mode));
    e = trig_stat(&t, "prod/eu/app/latest");
    assert_true(S_ISREG(e.attr.mode));
    assert_int_equal(trig_count(&t, "GET /v2/_catalog*"), 1);
}

static void parts_of_names_that_sort_apart_are_listed_once(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "x/a", "1", 1);
    (void)image(&t, "x/a-b", "1", 1);
    (void)image(&t, "x/a/c", "1", 1);
    (void)image(&t, "x/a.d", "1", 1);
    trig_ls_is(&t, "x", "a a-b a.d");
    trig_ls_is(&t, "x/a", "1 blobs c index.json oci-layout");
}

static void the_layouts_names_win_then_directories_then_tags(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image tag, repo;

    (void)state;
    trig_start(&t, NULL);
    tag = image(&t, "a", "web", 1);
    (void)image(&t, "a", "blobs", 1);
    (void)image(&t, "a", "index.json", 1);
    repo = image(&t, "a/web", "v", 2);
    (void)image(&t, "a/blobs", "w", 2);
    trig_ls_is(&t, "a",
               "blobs blobs@repository blobs@tag index.json index.json@tag "
               "oci-layout web web@tag");
    trig_reads(&t, "a/web@tag", &tag.manifest);
    trig_reads(&t, "a/blobs@tag", &tag.manifest);
    trig_reads(&t, "a/web/v", &repo.manifest);
    trig_reads(&t, "a/blobs@repository/w", &repo.manifest);
    trig_ls_is(&t, "a/blobs", "sha256");
}

static void long_names_are_always_accepted(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;

    (void)state;
    trig_start(&t, NULL);
    img = image(&t, "a/b", "latest", 1);
    trig_reads(&t, "a@repository/b@repository/latest@tag", &img.manifest);
    assert_int_equal(trig_stat(&t, "a/b/latest@tag").attr.ino,
                     trig_stat(&t, "a/b/latest").attr.ino);
    assert_int_equal(trig_stat(&t, "a/b@repository").attr.ino,
                     trig_stat(&t, "a/b").attr.ino);
    assert_false(trig_exists(&t, "a@tag"));
    assert_false(trig_exists(&t, "a/b/latest@repository"));
}

static void a_directory_that_is_no_repository_has_no_layout(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "a/b", "latest", 1);
    assert_false(trig_exists(&t, "a/blobs"));
    assert_false(trig_exists(&t, "a/index.json"));
    assert_false(trig_exists(&t, "a/latest@tag"));
    assert_false(trig_exists(&t, "index.json"));
    /* And there it is a name like any other. */
    (void)image(&t, "a/blobs", "x", 1);
    trig_pass(&t, TRIG_TTL_MS);
    trig_ls_is(&t, "a", "b blobs");
    trig_ls_is(&t, "a/blobs", LAYOUT " x");
}

static void manifests_are_there_by_digest(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;
    char path[512], text[OFS_DIGEST_TEXT_MAX];
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    img = image(&t, "a/b", NULL, 1); /* no tag names it */
    (void)snprintf(path, sizeof(path), "a/b/%s",
                   ofs_digest_format(&img.manifest, text));
    trig_reads(&t, path, &img.manifest);
    e = trig_stat(&t, path);
    assert_int_equal(e.valid_ms, OFS_NEVER);
    assert_int_equal(e.attr.mtime_s, TRIG_CREATED_S);
    /* A layer is no manifest, and a digest is nobody's in another place. */
    (void)snprintf(path, sizeof(path), "a/b/%s",
                   ofs_digest_format(&img.layers[0], text));
    assert_false(trig_exists(&t, path));
    (void)snprintf(path, sizeof(path), "a/%s",
                   ofs_digest_format(&img.manifest, text));
    assert_false(trig_exists(&t, path));
}

static void the_store_says_nothing_of_another_repository(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;
    char path[512], text[OFS_DIGEST_TEXT_MAX];

    (void)state;
    trig_start(&t, NULL);
    img = image(&t, "mine", "x", 1);
    (void)image(&t, "yours", "x", 2);
    trig_reads(&t, "mine/x", &img.manifest);
    (void)snprintf(path, sizeof(path), "yours/%s",
                   ofs_digest_format(&img.manifest, text));
    assert_false(trig_exists(&t, path));
    assert_false(trig_exists(&t, trig_blob_path("yours", &img.manifest, path)));
}

static void names_that_cannot_be_are_not_asked_for(void **state)
{
    TRIG_AUTO struct trig t;
    static const char *const names[] = {
        "App",       ".git",      "a b", "-x",   "a\nb",
        "\xc3\xa4",  "x\xff",     "a@",  "@tag", "a@b",
        "sha256:00", "sha512:zz", "...", "..",   "a%2fb",
    };
    static const char *const in_repo[] = { ".git",    "a b",       "-x",
                                           "x@y@tag", "sha256:00", ".hidden",
                                           "\xff" };
    struct ofs_entry e;
    char longest[300];

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "a", "latest", 1);
    e = trig_stat(&t, "a");
    trig_clear(&t);
    for (size_t i = 0; i < OFS_COUNT_OF(names); i++)
        assert_false(trig_exists(&t, names[i]));
    for (size_t i = 0; i < OFS_COUNT_OF(in_repo); i++) {
        char path[300];

        (void)snprintf(path, sizeof(path), "a/%s", in_repo[i]);
        assert_false(trig_exists(&t, path));
    }
    memset(longest, 'a', sizeof(longest));
    longest[256] = '\0';
    assert_int_equal(
        ofs_tree_lookup(t.tree, &t.call, e.attr.ino, longest, &e, &t.err),
        -ENAMETOOLONG);
    /* A tag ends at 128 bytes, and 255 are too many below "a". */
    longest[255] = '\0';
    assert_int_equal(
        ofs_tree_lookup(t.tree, &t.call, OFS_ROOT_INO, longest, &e, &t.err), 0);
    assert_int_equal(e.attr.ino, 0);
    assert_int_equal(trig_requests(&t), 0);
}

static void hostile_names_of_a_registry_are_not_shown(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, NULL);
    (void)image(&t, "good", "v", 1);
    fake_server_canned(t.server, "GET /v2/_catalog*", 200, NULL,
                       "{\"repositories\":[\"../../etc\",\"good\",\"/abs\","
                       "\"a//b\",\"UPPER\",\"x/../y\",\".ocirfs\",\"a\\u0000\","
                       "\"\",\"a b\",\"good\",\"n\\nl\"]}");
    fake_server_canned(t.server, "GET /v2/good/tags/list*", 200, NULL,
                       "{\"tags\":[\"v\",\"..\",\".\",\"a/b\",\"../x\",\"\","
                       "\"a@tag\",\"x\\u0000\",\"-y\",\".ocirfs\",\"v\"]}");
    trig_ls_is(&t, "", "good");
    trig_ls_is(&t, "good", LAYOUT " v");
}

/* ---- no catalog ---- */

static const struct trig_cfg no_catalog = { .rig.fake.no_catalog = true };

static void without_a_catalog_repositories_are_found_by_path(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;

    (void)state;
    trig_start(&t, &no_catalog);
    img = image(&t, "library/alpine", "3.20", 1);
    trig_ls_is(&t, "", "");
    trig_reads(&t, "library/alpine/3.20", &img.manifest);
    trig_ls_is(&t, "library/alpine", "3.20 " LAYOUT);
    trig_ls_is(&t, "library", "");
    assert_false(trig_exists(&t, "library/alpine/nothing"));
    assert_int_equal(trig_count(&t, "GET /v2/_catalog*"), 1);
    assert_int_equal(trig_count(&t, "GET /v2/library/tags/list*"), 1);
}

static void without_a_catalog_a_tag_costs_no_probe(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, &no_catalog);
    (void)image(&t, "app", "v1", 1);
    (void)trig_stat(&t, "app");
    trig_clear(&t);
    (void)trig_stat(&t, "app/v1");
    assert_int_equal(trig_count(&t, "GET /v2/app/v1/*"), 0);
}

static void without_a_catalog_a_repository_below_one_is_found(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;

    (void)state;
    trig_start(&t, &no_catalog);
    (void)image(&t, "app", "v1", 1);
    img = image(&t, "app/tool", "x", 2);
    trig_reads(&t, "app/tool/x", &img.manifest);
}

static void
a_repository_that_may_not_be_read_can_be_walked_through(void **state)
{
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    struct fake_image img;
    TRIG_AUTO struct trig t;

    (void)state;
    trig_start(&t, &no_catalog);
    img = image(&t, "lib/app", "x", 1);
    fake_server_canned(t.server, "GET /v2/lib/tags/list*", 403, NULL, "{}");
    trig_reads(&t, "lib/app/x", &img.manifest);
    assert_int_equal(trig_list(&t, "lib", &names), -EACCES);
}

/* ---- repos= ---- */

static void named_repositories_are_all_there_is(void **state)
{
    TRIG_AUTO struct trig t;
    struct trig_cfg cfg = { .no_ttl = false };
    struct fake_image img;

    (void)state;
    assert_int_equal(ofs_strv_add(&cfg.repos, "a/web"), 0);
    assert_int_equal(ofs_strv_add(&cfg.repos, "absent"), 0);
    trig_start(&t, &cfg);
    img = image(&t, "a/web", "v", 1);
    (void)image(&t, "hidden", "v", 2);
    trig_ls_is(&t, "", "a absent");
    trig_ls_is(&t, "a", "web");
    trig_reads(&t, "a/web/v", &img.manifest);
    assert_false(trig_exists(&t, "hidden"));
    trig_pass(&t, 100 * TRIG_TTL_MS);
    trig_ls_is(&t, "a", "web");
    assert_int_equal(trig_count(&t, "GET /v2/_catalog*"), 0);
    ofs_strv_done(&cfg.repos);
}

static void a_named_repository_that_is_not_there_goes_when_asked(void **state)
{
    TRIG_AUTO struct trig t;
    struct trig_cfg cfg = { .no_ttl = false };
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    assert_int_equal(ofs_strv_add(&cfg.repos, "absent"), 0);
    trig_start(&t, &cfg);
    assert_int_equal(trig_list(&t, "absent", &names), -ENOENT);
    trig_ls_is(&t, "", "");
    assert_false(trig_exists(&t, "absent"));
    /* It is pushed, and found after the time that "no" is good for. */
    (void)image(&t, "absent", "v", 1);
    trig_pass(&t, TRIG_NEGATIVE_MS);
    trig_ls_is(&t, "absent", LAYOUT " v");
    ofs_strv_done(&cfg.repos);
}

/* ---- .ocirfs ---- */

static int render(void *arg, struct ofs_buf *b)
{
    int *n = arg;

    (*n)++;
    return *n > 2 ? -EIO : ofs_buf_addf(b, "made %d times\n", *n);
}

static void control_files_are_made_at_each_open(void **state)
{
    TRIG_AUTO struct trig t;
    int n = 0;
    const struct ofs_control_file files[] = { { "status", render, &n },
                                              { NULL, NULL, NULL } };
    const struct trig_cfg cfg = { .control = files };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    struct ofs_open_how how;
    struct ofs_file *f;
    struct ofs_entry e;

    (void)state;
    trig_start(&t, &cfg);
    trig_ls_is(&t, "", "");
    trig_clear(&t);
    trig_ls_is(&t, ".ocirfs", "status");
    assert_false(trig_exists(&t, ".ocirfs/nothing"));
    e = trig_stat(&t, ".ocirfs/status");
    assert_int_equal(e.attr.size, 0);
    assert_int_equal(trig_read(&t, ".ocirfs/status", &b), 0);
    assert_string_equal(ofs_buf_str(&b), "made 1 times\n");
    assert_int_equal(
        ofs_tree_open(t.tree, &t.call, e.attr.ino, &f, &how, &t.err), 0);
    assert_true(how.direct);
    assert_false(how.keep_cache);
    ofs_file_close(f);
    assert_int_equal(
        ofs_tree_open(t.tree, &t.call, e.attr.ino, &f, &how, &t.err), -EIO);
    assert_int_equal(trig_requests(&t), 0);
}

static void path_is(struct trig *t, uint64_t ino, const char *want)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);

    ofs_tree_path(t->tree, ino, &b);
    assert_string_equal(ofs_buf_str(&b), want);
}

static void a_number_leads_back_to_its_path(void **state)
{
    const struct ofs_control_file files[] = { { "status", render, NULL },
                                              { 0 } };
    const struct trig_cfg cfg = { .control = files };
    static const char *const paths[] = {
        "prod",           "prod/app",
        "prod/app/1.0",   "prod/app/index.json",
        "prod/app/blobs", "prod/app/oci-layout",
        ".ocirfs",        "prod/app/blobs/sha256",
        ".ocirfs/status",
    };
    TRIG_AUTO struct trig t;
    struct fake_image img;
    char text[OFS_DIGEST_TEXT_MAX], path[512];

    (void)state;
    trig_start(&t, &cfg);
    img = image(&t, "prod/app", "1.0", 1);
    for (size_t i = 0; i < OFS_COUNT_OF(paths); i++)
        path_is(&t, trig_stat(&t, paths[i]).attr.ino, paths[i]);
    trig_blob_path("prod/app", &img.config, path);
    path_is(&t, trig_stat(&t, path).attr.ino, path);
    (void)snprintf(path, sizeof(path), "prod/app/%s",
                   ofs_digest_format(&img.manifest, text));
    path_is(&t, trig_stat(&t, path).attr.ino, path);
    path_is(&t, OFS_ROOT_INO, ".");
    path_is(&t, 12345, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repositories_are_directories_and_tags_files),
        cmocka_unit_test(parts_of_names_that_sort_apart_are_listed_once),
        cmocka_unit_test(the_layouts_names_win_then_directories_then_tags),
        cmocka_unit_test(long_names_are_always_accepted),
        cmocka_unit_test(a_directory_that_is_no_repository_has_no_layout),
        cmocka_unit_test(manifests_are_there_by_digest),
        cmocka_unit_test(the_store_says_nothing_of_another_repository),
        cmocka_unit_test(names_that_cannot_be_are_not_asked_for),
        cmocka_unit_test(hostile_names_of_a_registry_are_not_shown),
        cmocka_unit_test(without_a_catalog_repositories_are_found_by_path),
        cmocka_unit_test(without_a_catalog_a_tag_costs_no_probe),
        cmocka_unit_test(without_a_catalog_a_repository_below_one_is_found),
        cmocka_unit_test(
            a_repository_that_may_not_be_read_can_be_walked_through),
        cmocka_unit_test(named_repositories_are_all_there_is),
        cmocka_unit_test(a_named_repository_that_is_not_there_goes_when_asked),
        cmocka_unit_test(control_files_are_made_at_each_open),
        cmocka_unit_test(a_number_leads_back_to_its_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
