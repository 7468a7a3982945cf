/* SPDX-License-Identifier: Apache-2.0 */
/* What programs write, call by call, and what the registry has then. */
#include "write_rig.h"

#include <sched.h>

/* proves S60, S65 */
static void the_calls_of_skopeo_push_an_image(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    char path[512];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    assert_int_equal(wrig_mkdir(&t, "app"), 0);
    trig_ls_is(&t, "app", "");
    assert_int_equal(wrig_mkdir(&t, "app/blobs"), 0);
    assert_int_equal(
        wrig_write(&t, "app/oci-put-blob12", im.layer, im.layer_len), 0);
    trig_ls_is(&t, "app", "blobs oci-put-blob12");
    assert_int_equal(wrig_mkdir(&t, "app/blobs/sha256"), 0);
    assert_int_equal(wrig_rename(&t, "app/oci-put-blob12",
                                 trig_blob_path("app", &im.layer_digest, path)),
                     0);
    trig_ls_is(&t, "app", "blobs");
    trig_reads(&t, path, &im.layer_digest);
    assert_int_equal(
        wrig_write(&t, "app/oci-put-blob3", im.config, strlen(im.config)), 0);
    assert_int_equal(
        wrig_rename(&t, "app/oci-put-blob3",
                    trig_blob_path("app", &im.config_digest, path)),
        0);
    assert_int_equal(wrig_write(&t, trig_blob_path("app", &im.digest, path),
                                im.manifest, strlen(im.manifest)),
                     0);
    assert_int_equal(wrig_write(&t, "app/oci-layout",
                                "{\"imageLayoutVersion\":\"1.0.0\"}", 30),
                     0);
    assert_false(trig_exists(&t, "app/1.5"));
    assert_int_equal(
        wrig_write(&t, "app/index.json", im.index, strlen(im.index)), 0);
    assert_true(wrig_has(&t, "app", "1.5", &im));
    /* Without waiting for any ttl. */
    trig_ls_is(&t, "", "app");
    trig_ls_is(&t, "app", "1.5 blobs index.json oci-layout");
    trig_reads(&t, "app/1.5", &im.digest);
}

/* proves S60, S67 */
static void the_calls_of_umoci_add_a_tag(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    char path[512];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "new");
    wrig_push(&t, "app", "old", &im);
    assert_int_equal(wrig_mkdir(&t, "app/.umoci-77"), 0);
    assert_int_equal(
        wrig_write(&t, "app/.umoci-77/blob-1", im.config, strlen(im.config)),
        0);
    trig_ls_is(&t, "app/.umoci-77", "blob-1");
    assert_int_equal(
        wrig_rename(&t, "app/.umoci-77/blob-1",
                    trig_blob_path("app", &im.config_digest, path)),
        0);
    assert_int_equal(
        wrig_write(&t, "app/.umoci-77/index-1", im.index, strlen(im.index)), 0);
    assert_int_equal(wrig_rmdir(&t, "app/.umoci-77"), -ENOTEMPTY);
    assert_int_equal(wrig_rename(&t, "app/.umoci-77/index-1", "app/index.json"),
                     0);
    assert_int_equal(wrig_unlink(&t, "app/.umoci-77"), -EISDIR);
    assert_int_equal(wrig_rmdir(&t, "app/.umoci-77"), 0);
    trig_ls_is(&t, "app", "blobs index.json new oci-layout old");
    trig_reads(&t, "app/new", &im.digest);
}

/* proves S60, S67 */
static void the_calls_of_containerd_push_a_blob(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    char path[512];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    assert_int_equal(wrig_mkdir(&t, "app"), 0);
    assert_int_equal(wrig_mkdir(&t, "app/blobs"), 0);
    assert_int_equal(wrig_mkdir(&t, "app/blobs/sha256"), 0);
    assert_int_equal(wrig_mkdir(&t, "app/ingest"), 0);
    assert_int_equal(wrig_mkdir(&t, "app/ingest/abc"), 0);
    assert_int_equal(wrig_write(&t, "app/ingest/abc/ref", "x", 1), 0);
    assert_int_equal(
        wrig_write(&t, "app/ingest/abc/data", im.layer, im.layer_len), 0);
    assert_int_equal(wrig_rename(&t, "app/ingest/abc/data",
                                 trig_blob_path("app", &im.layer_digest, path)),
                     0);
    assert_int_equal(wrig_unlink(&t, "app/ingest/abc/ref"), 0);
    assert_int_equal(wrig_rmdir(&t, "app/ingest/abc"), 0);
    assert_int_equal(wrig_rmdir(&t, "app/ingest"), 0);
    assert_true(fake_registry_has(t.fake, "app", &im.layer_digest));
    trig_ls_is(&t, "app", "blobs");
}

/* proves S59 */
static void an_index_before_its_blobs_waits_for_them(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    char path[512], text[OFS_DIGEST_TEXT_MAX];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    assert_int_equal(wrig_mkdir(&t, "app"), 0);
    assert_int_equal(
        wrig_write(&t, "app/index.json", im.index, strlen(im.index)), 0);
    assert_int_equal(wrig_mkdir(&t, "app/blobs"), 0);
    assert_int_equal(wrig_mkdir(&t, "app/blobs/sha256"), 0);
    assert_int_equal(wrig_write(&t, trig_blob_path("app", &im.digest, path),
                                im.manifest, strlen(im.manifest)),
                     0);
    /* Accepted, so it is a file; but nothing has the tag yet. */
    trig_reads(&t, path, &im.digest);
    trig_ls_is(&t, "app/blobs/sha256", trig_hex(&im.digest, text));
    assert_false(trig_exists(&t, "app/1.5"));
    assert_false(fake_registry_tagged(t.fake, "app", "1.5", NULL));
    wrig_put_blobs(&t, "app", &im);
    assert_true(wrig_has(&t, "app", "1.5", &im));
    trig_reads(&t, "app/1.5", &im.digest);
}

static void what_waits_can_be_taken_away(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    char path[512];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    assert_int_equal(wrig_mkdir(&t, "app"), 0);
    assert_int_equal(wrig_mkdir(&t, "app/blobs"), 0);
    assert_int_equal(wrig_mkdir(&t, "app/blobs/sha256"), 0);
    assert_int_equal(wrig_write(&t, trig_blob_path("app", &im.digest, path),
                                im.manifest, strlen(im.manifest)),
                     0);
    assert_int_equal(wrig_rmdir(&t, "app"), -ENOTEMPTY);
    assert_int_equal(wrig_unlink(&t, path), 0);
    assert_int_equal(wrig_rmdir(&t, "app/blobs"), -ENOTEMPTY);
    assert_int_equal(wrig_rmdir(&t, "app/blobs/sha256"), 0);
    assert_int_equal(wrig_rmdir(&t, "app/blobs"), 0);
    assert_int_equal(wrig_rmdir(&t, "app"), 0);
    trig_ls_is(&t, "", "");
}

/* ---- what close() says ---- */

/* proves S57 */
static void closing_what_was_not_written_pushes_nothing(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    struct ofs_file *f = NULL;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    assert_int_equal(wrig_open(&t, "app/1.5", true, &f), 0);
    trig_clear(&t);
    /* A shell closes one of its descriptors before the program writes. */
    assert_int_equal(ofs_file_flush(f, &t.call, &t.err), 0);
    assert_int_equal(trig_requests(&t), 0);
    assert_int_equal(wrig_put(&t, f, im.manifest, strlen(im.manifest)), 0);
    assert_int_equal(wrig_close(&t, f), 0);
    assert_true(trig_requests(&t) > 0);
    assert_true(wrig_has(&t, "app", "1.5", &im));
    /* And who opens and writes nothing has changed nothing. */
    assert_int_equal(wrig_open(&t, "app/1.5", true, &f), 0);
    assert_int_equal(wrig_close(&t, f), 0);
    trig_reads(&t, "app/1.5", &im.digest);
    assert_int_equal(wrig_open(&t, "app/none", true, &f), 0);
    assert_int_equal(wrig_close(&t, f), 0);
    assert_false(trig_exists(&t, "app/none"));
}

/* proves S57 */
static void closing_twice_says_the_same_without_asking(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    struct ofs_file *f = NULL;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    assert_int_equal(wrig_open(&t, "app/bad", true, &f), 0);
    assert_int_equal(wrig_put(&t, f, "hello", 5), 0);
    assert_int_equal(ofs_file_flush(f, &t.call, &t.err), -EINVAL);
    trig_clear(&t);
    assert_int_equal(ofs_file_flush(f, &t.call, &t.err), -EINVAL);
    assert_int_equal(trig_requests(&t), 0);
    /* What comes then is looked at anew. */
    assert_int_equal(wrig_put(&t, f, im.manifest, strlen(im.manifest)), 0);
    assert_int_equal(wrig_close(&t, f), 0);
    assert_true(wrig_has(&t, "app", "bad", &im));
}

static void error_is(struct trig *t, const char *path, const char *want)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1000);

    assert_int_equal(ofs_tree_getxattr(t->tree, &t->call,
                                       trig_stat(t, path).attr.ino,
                                       "user.ocirfs.error", &b, &t->err),
                     0);
    if (!strstr(ofs_buf_str(&b), want))
        fail_msg("%s: '%s', not '%s'", path, ofs_buf_str(&b), want);
}

/* proves S58 */
static void a_bad_manifest_leaves_the_tag_and_says_why(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    assert_int_equal(wrig_write(&t, "app/1.5", "hello", 5), -EINVAL);
    trig_reads(&t, "app/1.5", &im.digest);
    error_is(&t, "app/1.5", "neither a manifest nor an archive");
    assert_int_equal(wrig_write(&t, "app/2.0", "hello", 5), -EINVAL);
    assert_false(trig_exists(&t, "app/2.0"));
    error_is(&t, "app", "neither a manifest nor an archive");
    assert_int_equal(
        wrig_write(&t, "app/1.5", im.manifest, strlen(im.manifest)), 0);
    assert_int_equal(
        ofs_tree_getxattr(t.tree, &t.call, trig_stat(&t, "app/1.5").attr.ino,
                          "user.ocirfs.error",
                          &(struct ofs_buf)OFS_BUF_INIT(1000), &t.err),
        -ENODATA);
}

static void a_blob_with_other_bytes_is_refused(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    char path[512];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    assert_int_equal(wrig_write(&t, "app/.x", "hello", 5), 0);
    assert_int_equal(wrig_rename(&t, "app/.x",
                                 trig_blob_path("app", &im.layer_digest, path)),
                     -EBADMSG);
    /* It keeps the name it had. */
    assert_true(trig_exists(&t, "app/.x"));
    trig_reads(&t, path, &im.layer_digest);
}

static void an_empty_blob_needs_no_write(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_digest nothing = wrig_digest("", 0);
    char path[512];

    (void)state;
    wrig_start(&t, NULL);
    assert_int_equal(wrig_mkdir(&t, "app"), 0);
    assert_int_equal(wrig_mkdir(&t, "app/blobs"), 0);
    assert_int_equal(wrig_mkdir(&t, "app/blobs/sha256"), 0);
    assert_int_equal(
        wrig_write(&t, trig_blob_path("app", &nothing, path), "", 0), 0);
    assert_true(fake_registry_has(t.fake, "app", &nothing));
}

static void a_file_is_read_as_it_is_being_written(void **state)
{
    TRIG_AUTO struct trig t;
    struct ofs_file *f = NULL;
    char buf[16] = "";
    size_t n = 0;

    (void)state;
    wrig_start(&t, NULL);
    assert_int_equal(wrig_mkdir(&t, "app"), 0);
    assert_int_equal(wrig_open(&t, "app/.x", true, &f), 0);
    assert_int_equal(ofs_file_pwrite(f, &t.call, "world", 5, 6, &t.err), 0);
    assert_int_equal(ofs_file_pwrite(f, &t.call, "hello ", 6, 0, &t.err), 0);
    assert_int_equal(trig_stat(&t, "app/.x").attr.size, 11);
    assert_int_equal(
        ofs_file_pread(f, &t.call, buf, sizeof(buf), 0, &n, &t.err), 0);
    assert_int_equal(n, 11);
    assert_memory_equal(buf, "hello world", 11);
    assert_int_equal(wrig_close(&t, f), 0);
}

static void a_tag_is_changed_in_a_copy(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    struct ofs_digest longer;
    struct ofs_file *f = NULL;
    char path[512];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    /* >> */
    assert_int_equal(wrig_open(&t, "app/1.5", false, &f), 0);
    assert_int_equal(trig_stat(&t, "app/1.5").attr.size, strlen(im.manifest));
    assert_int_equal(
        ofs_file_pwrite(f, &t.call, "\n", 1, strlen(im.manifest), &t.err), 0);
    assert_true(wrig_has(&t, "app", "1.5", &im));
    assert_int_equal(wrig_close(&t, f), 0);
    {
        OFS_AUTOFREE char *text = ofs_strf("%s\n", im.manifest);

        longer = wrig_digest(text, strlen(text));
    }
    trig_reads(&t, "app/1.5", &longer);
    trig_reads(&t, trig_blob_path("app", &im.digest, path), &im.digest);
}

/* proves S65 */
static void a_list_from_before_a_push_does_not_hide_the_tag(void **state)
{
    const char *const list = "GET /v2/app/tags/list*";
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    trig_ls_is(&t, "app", "1.5 blobs index.json oci-layout");
    trig_pass(&t, TRIG_TTL_MS);
    trig_clear(&t);
    rig_fault(&t.rig, list, 1, FAKE_STALL_ANSWER, 0);
    /* What is known is shown while the answer is on its way. */
    trig_ls_is(&t, "app", "1.5 blobs index.json oci-layout");
    assert_int_equal(trig_count(&t, list), 1);
    assert_int_equal(
        wrig_write(&t, "app/2.0", im.manifest, strlen(im.manifest)), 0);
    fake_server_release(t.server);
    while (trig_count(&t, list) < 2)
        (void)sched_yield();
    trig_ls_is(&t, "app", "1.5 2.0 blobs index.json oci-layout");
}

static void an_oci_layout_file_must_be_one(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    trig_clear(&t);
    assert_int_equal(wrig_write(&t, "app/oci-layout", "hello", 5), -EINVAL);
    assert_int_equal(wrig_write(&t, "app/oci-layout",
                                "{\"imageLayoutVersion\":\"2.0\"}", 28),
                     -EINVAL);
    assert_int_equal(wrig_write(&t, "app/oci-layout",
                                "{\"imageLayoutVersion\":\"1.0.0\"}", 30),
                     0);
    assert_int_equal(trig_count(&t, "PUT *"), 0);
}

static void a_blob_that_is_not_there_is_asked_for_once(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 }, other = { 0 };
    TRIG_AUTO struct trig t;
    char path[512];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_image(&other, 2, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    trig_clear(&t);
    (void)trig_blob_path("app", &other.layer_digest, path);
    assert_false(trig_exists(&t, path));
    assert_true(trig_requests(&t) > 0);
    trig_clear(&t);
    assert_false(trig_exists(&t, path));
    assert_int_equal(trig_requests(&t), 0);
    assert_int_equal(wrig_write(&t, path, other.layer, other.layer_len), 0);
    assert_true(trig_exists(&t, path));
    trig_clear(&t);
    assert_false(trig_exists(&t, "app/oci-put-blob123"));
    assert_int_equal(trig_requests(&t), 0);
}

/* Two write one name, and the first has closed: the other looks it up anew. */
static void a_file_that_was_pushed_is_stale_to_who_opens_it_late(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    struct ofs_file *first = NULL, *second = NULL;
    struct ofs_open_how how;
    TRIG_AUTO struct trig t;
    struct ofs_entry e;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "old", &im);
    assert_int_equal(wrig_open(&t, "app/new", /* truncate= */ true, &first), 0);
    e = trig_stat(&t, "app/new");
    assert_int_equal(wrig_put(&t, first, im.manifest, strlen(im.manifest)), 0);
    assert_int_equal(wrig_close(&t, first), 0);
    assert_int_equal(ofs_tree_open_write(t.tree, &t.call, e.attr.ino,
                                         /* truncate= */ true, &second, &how,
                                         &t.err),
                     -ESTALE);
    /* The kernel looks once more, and what it finds is his own. */
    assert_int_equal(wrig_open(&t, "app/new", /* truncate= */ true, &second),
                     0);
    assert_int_equal(wrig_close(&t, second), 0);
    trig_reads(&t, "app/new", &im.digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calls_of_skopeo_push_an_image),
        cmocka_unit_test(the_calls_of_umoci_add_a_tag),
        cmocka_unit_test(the_calls_of_containerd_push_a_blob),
        cmocka_unit_test(an_index_before_its_blobs_waits_for_them),
        cmocka_unit_test(what_waits_can_be_taken_away),
        cmocka_unit_test(closing_what_was_not_written_pushes_nothing),
        cmocka_unit_test(closing_twice_says_the_same_without_asking),
        cmocka_unit_test(a_bad_manifest_leaves_the_tag_and_says_why),
        cmocka_unit_test(a_blob_with_other_bytes_is_refused),
        cmocka_unit_test(an_empty_blob_needs_no_write),
        cmocka_unit_test(a_file_is_read_as_it_is_being_written),
        cmocka_unit_test(a_tag_is_changed_in_a_copy),
        cmocka_unit_test(a_list_from_before_a_push_does_not_hide_the_tag),
        cmocka_unit_test(an_oci_layout_file_must_be_one),
        cmocka_unit_test(a_file_that_was_pushed_is_stale_to_who_opens_it_late),
        cmocka_unit_test(a_blob_that_is_not_there_is_asked_for_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
