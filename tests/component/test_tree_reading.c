/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes, attributes and extended attributes.  S2 S3 S4 S5 S11 S12 S13 S16 */
#include "tree_rig.h"

#include "ocirfs/manifest.h"

static void a_cold_tag_is_two_requests_and_an_open_none(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;

    (void)state;
    trig_start(&t, NULL);
    img = fake_registry_image(t.fake, "a", "v", 1, 2, 1000);
    (void)trig_stat(&t, "a");
    trig_clear(&t);
    (void)trig_stat(&t, "a/v");
    assert_int_equal(trig_count(&t, "GET /v2/a/manifests/v"), 1);
    assert_int_equal(trig_count(&t, "GET /v2/a/blobs/*"), 1); /* its config */
    assert_int_equal(trig_requests(&t), 2);
    trig_clear(&t);
    trig_reads(&t, "a/v", &img.manifest);
    assert_int_equal(trig_requests(&t), 0);
}

static void what_a_manifest_names_needs_no_request_to_be_found(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;
    struct ofs_entry e;
    char path[512];

    (void)state;
    trig_start(&t, NULL);
    img = fake_registry_image(t.fake, "a", "v", 1, 3, 100000);
    (void)trig_stat(&t, "a/v");
    trig_clear(&t);
    (void)trig_stat(&t, trig_blob_path("a", &img.manifest, path));
    (void)trig_stat(&t, trig_blob_path("a", &img.config, path));
    for (int i = 0; i < 3; i++) {
        e = trig_stat(&t, trig_blob_path("a", &img.layers[i], path));
        assert_int_equal(e.attr.size, 100000);
        assert_int_equal(e.valid_ms, OFS_NEVER);
        assert_int_equal(e.attr.valid_ms, OFS_NEVER);
    }
    assert_int_equal(trig_requests(&t), 0);
    trig_reads(&t, trig_blob_path("a", &img.layers[1], path), &img.layers[1]);
    assert_int_equal(trig_count(&t, "HEAD *"), 0);
}

static void any_blob_of_the_repository_is_there_by_name(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_digest blob, manifest, absent;
    char path[512];

    (void)state;
    trig_start(&t, NULL);
    (void)fake_registry_image(t.fake, "a", "v", 1, 1, 100);
    blob = fake_registry_blob(t.fake, "a", "lonely", 6);
    manifest = trig_manifest(&t, "a", NULL, OFS_MT_OCI_INDEX,
                             "{\"schemaVersion\":2,\"manifests\":[]}");
    assert_int_equal(ofs_digest_of(OFS_SHA256, "x", 1, &absent), 0);
    (void)trig_stat(&t, "a/blobs/sha256");
    trig_clear(&t);
    (void)trig_stat(&t, trig_blob_path("a", &blob, path));
    assert_int_equal(trig_requests(&t), 1);
    trig_reads(&t, path, &blob);
    trig_reads(&t, trig_blob_path("a", &manifest, path), &manifest);
    assert_false(trig_exists(&t, trig_blob_path("a", &absent, path)));
    trig_clear(&t);
    assert_int_equal(trig_stat(&t, trig_blob_path("a", &blob, path)).attr.size,
                     6);
    assert_int_equal(trig_requests(&t), 0);
}

/* Upper-case hex is no digest. */
#define ODD_BLOB                                                               \
    "blobs/sha256/"                                                            \
    "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"

static void names_in_blobs_are_digests_or_nothing(void **state)
{
    TRIG_AUTO struct trig t;
    static const char *const names[] = {
        "blobs/sha1",     "blobs/sha512",    "blobs/x",
        "blobs/sha256/x", "blobs/sha256/00", ODD_BLOB,
    };

    (void)state;
    trig_start(&t, NULL);
    (void)fake_registry_image(t.fake, "a", "v", 1, 1, 100);
    trig_ls_is(&t, "a/blobs", "sha256");
    trig_clear(&t);
    for (size_t i = 0; i < OFS_COUNT_OF(names); i++) {
        char path[512];

        (void)snprintf(path, sizeof(path), "a/%s", names[i]);
        assert_false(trig_exists(&t, path));
    }
    assert_int_equal(trig_requests(&t), 0);
}

static void blobs_of_another_algorithm_have_their_directory(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf json = OFS_BUF_INIT(4096);
    char text[OFS_DIGEST_TEXT_MAX], path[512];
    struct ofs_digest layer;

    (void)state;
    trig_start(&t, NULL);
    assert_int_equal(ofs_digest_of(OFS_SHA512, "long", 4, &layer), 0);
    (void)ofs_buf_addf(&json,
                       "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x/y\","
                       "\"digest\":\"%s\",\"size\":4},\"layers\":[]}",
                       ofs_digest_format(&layer, text));
    (void)trig_manifest(&t, "a", "v", OFS_MT_OCI_MANIFEST, ofs_buf_str(&json));
    trig_ls_is(&t, "a/blobs", "sha256 sha512");
    trig_ls_is(&t, "a/blobs/sha512", trig_hex(&layer, text));
    assert_int_equal(trig_stat(&t, trig_blob_path("a", &layer, path)).attr.size,
                     4);
}

static void the_index_has_an_entry_for_each_tag(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    OFS_AUTOBUF struct ofs_buf want = OFS_BUF_INIT(1 << 20);
    struct ofs_layout_entry rows[2];
    struct fake_image x, y;
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    x = fake_registry_image(t.fake, "a", "x", 1, 1, 100);
    y = fake_registry_image(t.fake, "a", "Y", 2, 1, 100);
    rows[0] = (struct ofs_layout_entry){ OFS_MT_OCI_MANIFEST, "Y", y.manifest,
                                         y.manifest_size };
    rows[1] = (struct ofs_layout_entry){ OFS_MT_OCI_MANIFEST, "x", x.manifest,
                                         x.manifest_size };
    assert_int_equal(ofs_layout_index(rows, 2, &want), 0);
    e = trig_stat(&t, "a/index.json");
    assert_int_equal(e.attr.size, want.len);
    assert_int_equal(e.attr.mtime_s, TRIG_CREATED_S);
    assert_int_equal(trig_read(&t, "a/index.json", &b), 0);
    assert_string_equal(ofs_buf_str(&b), ofs_buf_str(&want));
    ofs_buf_reset(&b);
    assert_int_equal(trig_read(&t, "a/oci-layout", &b), 0);
    assert_string_equal(ofs_buf_str(&b), "{\"imageLayoutVersion\":\"1.0.0\"}");
    assert_int_equal(trig_stat(&t, "a/oci-layout").attr.size, b.len);
}

static void a_repository_without_tags_is_an_empty_layout(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);

    (void)state;
    trig_start(&t, NULL);
    fake_registry_repo(t.fake, "a");
    trig_ls_is(&t, "a", "blobs index.json oci-layout");
    trig_ls_is(&t, "a/blobs", "sha256");
    trig_ls_is(&t, "a/blobs/sha256", "");
    assert_int_equal(trig_read(&t, "a/index.json", &b), 0);
    assert_non_null(strstr(ofs_buf_str(&b), "\"manifests\":[]"));
}

static void a_blob_read_is_ranges_and_nothing_else(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;
    struct ofs_open_how how;
    struct ofs_file *f;
    struct ofs_entry e;
    char path[512], buf[10], want[10];
    size_t n;

    (void)state;
    trig_start(&t, NULL);
    img = fake_registry_image(t.fake, "a", "v", 7, 1, 10000);
    (void)trig_stat(&t, "a/v");
    e = trig_stat(&t, trig_blob_path("a", &img.layers[0], path));
    trig_clear(&t);
    assert_int_equal(
        ofs_tree_open(t.tree, &t.call, e.attr.ino, &f, &how, &t.err), 0);
    assert_true(how.keep_cache);
    assert_false(how.direct);
    assert_int_equal(trig_requests(&t), 0);
    assert_int_equal(
        ofs_file_pread(f, &t.call, buf, sizeof(buf), 9995, &n, &t.err), 0);
    assert_int_equal(n, 5);
    fake_blob_fill(7, want, 5, 9995);
    assert_memory_equal(buf, want, 5);
    assert_int_equal(
        ofs_file_pread(f, &t.call, buf, sizeof(buf), 10000, &n, &t.err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(trig_count(&t, "GET /v2/a/blobs/*"), 1);
    assert_int_equal(trig_requests(&t), 1);
    ofs_file_close(f);
}

static void an_empty_blob_is_empty_and_no_other_one_is(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    struct ofs_digest empty, other;
    char path[512], head[256], text[OFS_DIGEST_TEXT_MAX];

    (void)state;
    trig_start(&t, NULL);
    empty = fake_registry_blob(t.fake, "a", "", 0);
    trig_reads(&t, trig_blob_path("a", &empty, path), &empty);
    other = fake_registry_blob(t.fake, "a", "something", 9);
    (void)snprintf(head, sizeof(head), "* /v2/a/blobs/%s",
                   ofs_digest_format(&other, text));
    fake_server_canned(t.server, head, 200, NULL, "");
    assert_int_equal(trig_read(&t, trig_blob_path("a", &other, path), &b),
                     -EBADMSG);
}

static void a_small_blob_that_is_here_needs_no_request(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;
    char path[512];

    (void)state;
    trig_start(&t, NULL);
    img = fake_registry_image(t.fake, "a", "v", 1, 1, 100);
    (void)trig_stat(&t, "a/v"); /* which has read the configuration */
    trig_clear(&t);
    trig_reads(&t, trig_blob_path("a", &img.config, path), &img.config);
    assert_int_equal(trig_requests(&t), 0);
}

static void attributes_are_those_of_the_mount(void **state)
{
    TRIG_AUTO struct trig t;
    const struct trig_cfg cfg = { .uid = 12, .gid = 34, .umask = 027 };
    static const char *const files[] = { "a/v", "a/index.json",
                                         "a/oci-layout" };
    static const char *const dirs[] = { "", "a", "a/blobs", "a/blobs/sha256" };
    struct ofs_entry e;

    (void)state;
    trig_start(&t, &cfg);
    (void)fake_registry_image(t.fake, "a", "v", 1, 1, 100);
    for (size_t i = 0; i < OFS_COUNT_OF(files); i++) {
        e = trig_stat(&t, files[i]);
        assert_int_equal(e.attr.mode, S_IFREG | 0440);
        assert_int_equal(e.attr.uid, 12);
        assert_int_equal(e.attr.gid, 34);
        assert_true(e.attr.mtime_s > 0);
    }
    for (size_t i = 0; i < OFS_COUNT_OF(dirs); i++) {
        e = trig_stat(&t, dirs[i]);
        assert_int_equal(e.attr.mode, S_IFDIR | 0550);
        assert_int_equal(e.attr.uid, 12);
        assert_true(e.attr.mtime_s >= TRIG_CREATED_S - 365 * 86400);
    }
}

static void a_tags_time_is_when_its_image_was_created(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img[2];

    (void)state;
    trig_start(&t, NULL);
    img[0] = fake_registry_image(t.fake, "a", "image", 1, 1, 100);
    img[1] = fake_registry_image(t.fake, "a", NULL, 2, 1, 100);
    (void)trig_index(&t, "a", "index", img, 2);
    (void)trig_manifest(&t, "a", "annotated", OFS_MT_OCI_INDEX,
                        "{\"schemaVersion\":2,\"manifests\":[],"
                        "\"annotations\":{\"org.opencontainers.image.created\":"
                        "\"2020-02-02T02:02:02Z\"}}");
    (void)trig_manifest(&t, "a", "silent", OFS_MT_OCI_INDEX,
                        "{\"schemaVersion\":2,\"manifests\":[]}");
    (void)trig_manifest(&t, "a", "year1", OFS_MT_OCI_INDEX,
                        "{\"schemaVersion\":2,\"manifests\":[],"
                        "\"annotations\":{\"org.opencontainers.image.created\":"
                        "\"0001-01-01T00:00:00Z\"}}");
    assert_int_equal(trig_stat(&t, "a/image").attr.mtime_s, TRIG_CREATED_S);
    assert_int_equal(trig_stat(&t, "a/index").attr.mtime_s, TRIG_CREATED_S);
    assert_int_equal(trig_stat(&t, "a/annotated").attr.mtime_s, 1580608922);
    assert_int_equal(trig_stat(&t, "a/silent").attr.mtime_s, 1);
    assert_int_equal(trig_stat(&t, "a/year1").attr.mtime_s, 1);
}

static void where_no_image_says_it_the_registry_does(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_digest d;

    (void)state;
    trig_start(&t, NULL);
    d = trig_manifest(&t, "a", NULL, OFS_MT_OCI_INDEX,
                      "{\"schemaVersion\":2,\"manifests\":[]}");
    fake_registry_tag(t.fake, "a", "v", &d, 1600000000);
    assert_int_equal(trig_stat(&t, "a/v").attr.mtime_s, 1600000000);
}

/* Artifacts, schema 1, plain rubbish: a tag is a file all the same. */
static void a_manifest_we_cannot_read_is_a_file_all_the_same(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    struct ofs_digest d;
    char path[512];

    (void)state;
    trig_start(&t, NULL);
    d = trig_manifest(&t, "a", "odd", "application/x-odd", "[1,2,3]");
    trig_reads(&t, "a/odd", &d);
    trig_reads(&t, trig_blob_path("a", &d, path), &d);
    assert_int_equal(trig_read(&t, "a/index.json", &b), 0);
    assert_non_null(strstr(ofs_buf_str(&b), "application/x-odd"));
}

/* ---- extended attributes ---- */

static int xattr(struct trig *t, const char *path, const char *name,
                 struct ofs_buf *b)
{
    struct ofs_entry e = trig_stat(t, path);

    ofs_buf_reset(b);
    return ofs_tree_getxattr(t->tree, &t->call, e.attr.ino, name, b, &t->err);
}

static void xattr_is(struct trig *t, const char *path, const char *name,
                     const char *want)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);

    assert_int_equal(xattr(t, path, name, &b), 0);
    assert_string_equal(ofs_buf_str(&b), want);
}

static const char annotated[] =
    "{\"schemaVersion\":2,\"artifactType\":\"application/x-sbom\","
    "\"manifests\":[],\"annotations\":{\"org.example.word\":\"h\xc3\xa4llo\","
    "\"org.example.empty\":\"\",\"bad\\u0007key\":\"x\"}}";

static void extended_attributes_tell_what_a_tag_names(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    char text[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest d;

    (void)state;
    trig_start(&t, NULL);
    d = trig_manifest(&t, "a", "v", OFS_MT_OCI_INDEX, annotated);
    xattr_is(&t, "a/v", "user.oci.digest", ofs_digest_format(&d, text));
    xattr_is(&t, "a/v", "user.oci.mediaType", OFS_MT_OCI_INDEX);
    xattr_is(&t, "a/v", "user.oci.artifactType", "application/x-sbom");
    xattr_is(&t, "a/v", "user.oci.annotation.org.example.word", "h\xc3\xa4llo");
    xattr_is(&t, "a/v", "user.oci.annotation.org.example.empty", "");
    assert_int_equal(xattr(&t, "a/v", "user.oci.nothing", &b), -ENODATA);
    assert_int_equal(xattr(&t, "a/v", "security.selinux", &b), -ENODATA);
    assert_int_equal(xattr(&t, "a/v", "user.ocirfs.error", &b), -ENODATA);
    assert_int_equal(xattr(&t, "a", "user.oci.digest", &b), -ENODATA);
    trig_clear(&t);
    assert_int_equal(xattr(&t, "a/oci-layout", "security.selinux", &b),
                     -ENODATA);
    assert_int_equal(trig_requests(&t), 0);
}

static void their_names_are_listed(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    static const char want[] = "user.oci.digest\0user.oci.mediaType\0"
                               "user.oci.artifactType\0";
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    (void)trig_manifest(&t, "a", "v", OFS_MT_OCI_INDEX, annotated);
    e = trig_stat(&t, "a/v");
    assert_int_equal(
        ofs_tree_listxattr(t.tree, &t.call, e.attr.ino, &b, &t.err), 0);
    assert_memory_equal(b.data, want, sizeof(want) - 1);
    assert_int_equal(b.len,
                     sizeof(want) - 1 +
                         sizeof("user.oci.annotation.org.example.word") +
                         sizeof("user.oci.annotation.org.example.empty"));
}

static void a_blob_tells_its_digest_and_a_path_its_last_error(void **state)
{
    TRIG_AUTO struct trig t;
    const struct ofs_err err = { .code = -EIO, .text = "it was like this" };
    char path[512], text[OFS_DIGEST_TEXT_MAX];
    struct fake_image img;
    struct ofs_entry e;

    (void)state;
    trig_start(&t, NULL);
    img = fake_registry_image(t.fake, "a", "v", 1, 1, 100);
    (void)trig_stat(&t, "a/v");
    e = trig_stat(&t, trig_blob_path("a", &img.layers[0], path));
    xattr_is(&t, path, "user.oci.digest",
             ofs_digest_format(&img.layers[0], text));
    ofs_tree_note_error(t.tree, e.attr.ino, &err);
    xattr_is(&t, path, "user.ocirfs.error", "it was like this");
    xattr_is(&t, trig_blob_path("a", &img.manifest, path), "user.oci.mediaType",
             OFS_MT_OCI_MANIFEST);
}

static void damage_is_told_for_all_inodes_of_a_blob(void **state)
{
    TRIG_AUTO struct trig t;
    struct fake_image img;
    uint64_t inos[4];
    char path[512];

    (void)state;
    trig_start(&t, NULL);
    img = fake_registry_image(t.fake, "a", "v", 1, 1, 100);
    (void)fake_registry_image(t.fake, "b", "v", 1, 1, 100);
    (void)trig_stat(&t, trig_blob_path("a", &img.layers[0], path));
    (void)trig_stat(&t, trig_blob_path("b", &img.layers[0], path));
    assert_int_equal(ofs_tree_inodes_of(t.tree, &img.layers[0], inos, 4), 2);
    assert_int_not_equal(inos[0], inos[1]);
}

static void statfs_is_that_of_the_cache(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_statfs fs;

    (void)state;
    trig_start(&t, NULL);
    ofs_tree_statfs(t.tree, &fs);
    assert_true(fs.total_bytes > 0);
    assert_true(fs.free_bytes <= fs.total_bytes);
    assert_int_equal(fs.nodes, 1);
    assert_int_equal(trig_requests(&t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cold_tag_is_two_requests_and_an_open_none),
        cmocka_unit_test(what_a_manifest_names_needs_no_request_to_be_found),
        cmocka_unit_test(any_blob_of_the_repository_is_there_by_name),
        cmocka_unit_test(names_in_blobs_are_digests_or_nothing),
        cmocka_unit_test(blobs_of_another_algorithm_have_their_directory),
        cmocka_unit_test(the_index_has_an_entry_for_each_tag),
        cmocka_unit_test(a_repository_without_tags_is_an_empty_layout),
        cmocka_unit_test(a_blob_read_is_ranges_and_nothing_else),
        cmocka_unit_test(an_empty_blob_is_empty_and_no_other_one_is),
        cmocka_unit_test(a_small_blob_that_is_here_needs_no_request),
        cmocka_unit_test(attributes_are_those_of_the_mount),
        cmocka_unit_test(a_tags_time_is_when_its_image_was_created),
        cmocka_unit_test(where_no_image_says_it_the_registry_does),
        cmocka_unit_test(a_manifest_we_cannot_read_is_a_file_all_the_same),
        cmocka_unit_test(extended_attributes_tell_what_a_tag_names),
        cmocka_unit_test(their_names_are_listed),
        cmocka_unit_test(a_blob_tells_its_digest_and_a_path_its_last_error),
        cmocka_unit_test(damage_is_told_for_all_inodes_of_a_blob),
        cmocka_unit_test(statfs_is_that_of_the_cache),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
