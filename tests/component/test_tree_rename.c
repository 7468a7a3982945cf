/* SPDX-License-Identifier: Apache-2.0 */
/* Names that move, go and come: tags, repositories, copies between them. */
#include "write_rig.h"

#include <sys/prctl.h>

static const struct trig_cfg deleting = { .allow_delete = true };

static void a_scratch_file_becomes_a_tag(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    assert_int_equal(
        wrig_write(&t, "app/.1.6.swp", im.manifest, strlen(im.manifest)), 0);
    assert_false(trig_exists(&t, "app/1.6"));
    assert_int_equal(wrig_rename(&t, "app/.1.6.swp", "app/1.6"), 0);
    assert_true(wrig_has(&t, "app", "1.6", &im));
    trig_ls_is(&t, "app", "1.5 1.6 blobs index.json oci-layout");
}

static void a_name_that_is_being_written_can_change(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    struct ofs_file *f = NULL;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    assert_int_equal(wrig_open(&t, "app/a", true, &f), 0);
    assert_int_equal(wrig_put(&t, f, im.manifest, strlen(im.manifest)), 0);
    assert_int_equal(wrig_rename(&t, "app/a", "app/b"), 0);
    assert_int_equal(wrig_close(&t, f), 0);
    assert_true(wrig_has(&t, "app", "b", &im));
    assert_false(fake_registry_tagged(t.fake, "app", "a", NULL));
    /* What was taken away while it was written is not pushed. */
    assert_int_equal(wrig_open(&t, "app/c", true, &f), 0);
    assert_int_equal(wrig_put(&t, f, im.manifest, strlen(im.manifest)), 0);
    assert_int_equal(wrig_unlink(&t, "app/c"), 0);
    assert_int_equal(wrig_close(&t, f), 0);
    assert_false(fake_registry_tagged(t.fake, "app", "c", NULL));
}

/* proves S61 */
static void mv_of_a_tag_is_a_retag_and_needs_no_leave(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5-rc", &im);
    trig_clear(&t);
    assert_int_equal(wrig_rename(&t, "app/1.5-rc", "app/1.5"), 0);
    assert_true(wrig_has(&t, "app", "1.5", &im));
    assert_false(fake_registry_tagged(t.fake, "app", "1.5-rc", NULL));
    assert_int_equal(trig_count(&t, "POST *"), 0);
    trig_ls_is(&t, "app", "1.5 blobs index.json oci-layout");
    assert_int_equal(wrig_rename(&t, "app/1.5", "app/1.5"), 0);
    assert_true(wrig_has(&t, "app", "1.5", &im));
}

/* proves S62 */
static void rm_of_a_tag_needs_leave(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    char path[512];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    assert_int_equal(wrig_unlink(&t, "app/1.5"), -EPERM);
    assert_non_null(strstr(t.err.text, "allow_delete"));
    assert_int_equal(wrig_rmdir(&t, "app"), -EPERM);
    assert_int_equal(
        wrig_unlink(&t, trig_blob_path("app", &im.layer_digest, path)), -EPERM);
    assert_int_equal(trig_count(&t, "DELETE *"), 0);
    assert_true(wrig_has(&t, "app", "1.5", &im));
}

/* proves S62 */
static void with_leave_a_tag_goes_and_the_image_stays(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, &deleting);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    assert_int_equal(wrig_link(&t, "app/1.5", "app/also"), 0);
    assert_true(wrig_has(&t, "app", "also", &im));
    assert_int_equal(wrig_rmdir(&t, "app"), -ENOTEMPTY);
    assert_int_equal(wrig_unlink(&t, "app/1.5"), 0);
    assert_false(trig_exists(&t, "app/1.5"));
    assert_true(wrig_has(&t, "app", "also", &im));
    assert_int_equal(wrig_unlink(&t, "app/none"), -ENOENT);
    assert_int_equal(wrig_unlink(&t, "app/also"), 0);
    assert_int_equal(wrig_rmdir(&t, "app"), 0);
    trig_ls_is(&t, "", "");
    /* And it can be made again. */
    assert_int_equal(wrig_mkdir(&t, "app"), 0);
    trig_ls_is(&t, "", "app");
}

/* proves S66 */
static void a_new_repository_is_remembered_until_it_is_pushed(void **state)
{
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, NULL);
    assert_int_equal(wrig_mkdir(&t, "a"), 0);
    assert_int_equal(wrig_mkdir(&t, "a"), -EEXIST);
    assert_int_equal(wrig_mkdir(&t, "a/b"), 0);
    trig_ls_is(&t, "", "a");
    trig_ls_is(&t, "a", "b");
    trig_ls_is(&t, "a/b", "");
    assert_int_equal(wrig_rmdir(&t, "a"), -ENOTEMPTY);
    assert_int_equal(wrig_rmdir(&t, "a/b"), 0);
    assert_int_equal(wrig_rmdir(&t, "a"), 0);
    trig_ls_is(&t, "", "");
    assert_int_equal(trig_count(&t, "POST *"), 0);
}

static void names_that_nothing_can_have_are_refused(void **state)
{
    static const struct {
        const char *path;
        int dir, file;
    } rows[] = {
        { "Upper", -EINVAL, -EPERM },  { "file", 0, -EPERM },
        { "a/x y", -EINVAL, -EINVAL }, { "a/blobs/sha256", 0, -EISDIR },
        { "a/blobs", 0, -EISDIR },
    };
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, NULL);
    assert_int_equal(wrig_mkdir(&t, "a"), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        if (strcmp(rows[i].path, "a/blobs/sha256") == 0)
            assert_int_equal(wrig_mkdir(&t, "a/blobs"), 0);
        assert_int_equal(wrig_write(&t, rows[i].path, "x", 1), rows[i].file);
        if (rows[i].dir < 0)
            assert_int_equal(wrig_mkdir(&t, rows[i].path), rows[i].dir);
    }
}

/* ---- copies ---- */

/* proves S63 */
static void cp_of_a_tag_brings_its_blobs_without_moving_them(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "a", "1.5", &im);
    assert_int_equal(wrig_mkdir(&t, "b"), 0);
    (void)trig_stat(&t, "a/1.5"); /* reads the configuration, for its date */
    trig_clear(&t);
    assert_int_equal(wrig_copy(&t, "a/1.5", "b/copy"), 0);
    assert_true(wrig_has(&t, "b", "copy", &im));
    assert_int_equal(trig_count(&t, "POST /v2/b/blobs/uploads/?mount=*"), 2);
    assert_int_equal(trig_count(&t, "PATCH *"), 0);
    assert_int_equal(trig_count(&t, "GET /v2/a/blobs/*"), 0);
}

/* proves S63 */
static void cp_of_a_blob_is_a_mount(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    char from[512], to[512];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "a", "1.5", &im);
    assert_int_equal(wrig_mkdir(&t, "b"), 0);
    assert_int_equal(wrig_mkdir(&t, "b/blobs"), 0);
    assert_int_equal(wrig_mkdir(&t, "b/blobs/sha256"), 0);
    trig_clear(&t);
    assert_int_equal(wrig_copy(&t, trig_blob_path("a", &im.layer_digest, from),
                               trig_blob_path("b", &im.layer_digest, to)),
                     0);
    assert_true(fake_registry_has(t.fake, "b", &im.layer_digest));
    assert_int_equal(trig_count(&t, "POST /v2/b/blobs/uploads/?mount=*"), 1);
    assert_int_equal(trig_count(&t, "PATCH *"), 0);
    assert_int_equal(trig_count(&t, "PUT *"), 0);
    assert_int_equal(trig_count(&t, "GET /v2/a/blobs/*"), 0);
    trig_reads(&t, to, &im.layer_digest);
}

/* `cp -r`: whatever comes first, it finds nothing that it has not made. */
static void cp_r_takes_what_it_made_for_empty(void **state)
{
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 };
    TRIG_AUTO struct trig t;
    char from[512], to[512], name[16];

    (void)state;
    wrig_start(&t, NULL);
    wrig_image(&im, 1, "1.5");
    wrig_push(&t, "a", "1.5", &im);
    assert_int_equal(prctl(PR_GET_NAME, name), 0);
    assert_int_equal(prctl(PR_SET_NAME, "cp"), 0);
    t.call.who = (int)getpid();
    assert_int_equal(wrig_mkdir(&t, "b"), 0);
    assert_int_equal(wrig_copy(&t, "a/1.5", "b/1.5"), 0);
    assert_false(trig_exists(&t, "b/1.5"));
    assert_false(trig_exists(&t, "b/index.json"));
    assert_int_equal(wrig_mkdir(&t, "b/blobs"), 0);
    assert_int_equal(wrig_mkdir(&t, "b/blobs/sha256"), 0);
    (void)trig_blob_path("b", &im.layer_digest, to);
    assert_false(trig_exists(&t, to));
    assert_int_equal(
        wrig_copy(&t, trig_blob_path("a", &im.layer_digest, from), to), 0);
    assert_int_equal(wrig_copy(&t, "a/index.json", "b/index.json"), 0);
    assert_true(trig_exists(&t, "b/index.json"));
    /* Everybody else sees all of it. */
    t.call.who = 1;
    trig_ls_is(&t, "b", "1.5 blobs index.json oci-layout");
    assert_true(trig_exists(&t, to));
    assert_int_equal(prctl(PR_SET_NAME, name), 0);
}

static void a_copy_of_what_is_being_written_is_its_bytes(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);

    (void)state;
    wrig_start(&t, NULL);
    assert_int_equal(wrig_mkdir(&t, "a"), 0);
    assert_int_equal(wrig_write(&t, "a/.x", "hello", 5), 0);
    assert_int_equal(wrig_copy(&t, "a/.x", "a/.y"), 0);
    assert_int_equal(trig_read(&t, "a/.y", &b), 0);
    assert_string_equal(ofs_buf_str(&b), "hello");
}

/* proves S64 */
static void no_overwrite_forbids_to_move_a_tag(void **state)
{
    const struct trig_cfg cfg = { .no_overwrite = true };
    WRIG_AUTO_IMAGE struct wrig_image im = { 0 }, other = { 0 };
    TRIG_AUTO struct trig t;

    (void)state;
    wrig_start(&t, &cfg);
    wrig_image(&im, 1, "1.5");
    wrig_image(&other, 2, "1.5");
    wrig_push(&t, "app", "1.5", &im);
    wrig_put_blobs(&t, "app", &other);
    assert_int_equal(
        wrig_write(&t, "app/2.0", other.manifest, strlen(other.manifest)), 0);
    assert_int_equal(
        wrig_write(&t, "app/1.5", other.manifest, strlen(other.manifest)),
        -EPERM);
    assert_int_equal(wrig_rename(&t, "app/2.0", "app/1.5"), -EPERM);
    assert_true(wrig_has(&t, "app", "1.5", &im));
    assert_true(wrig_has(&t, "app", "2.0", &other));
    /* The same again is no move. */
    assert_int_equal(
        wrig_write(&t, "app/1.5", im.manifest, strlen(im.manifest)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scratch_file_becomes_a_tag),
        cmocka_unit_test(a_name_that_is_being_written_can_change),
        cmocka_unit_test(mv_of_a_tag_is_a_retag_and_needs_no_leave),
        cmocka_unit_test(rm_of_a_tag_needs_leave),
        cmocka_unit_test(with_leave_a_tag_goes_and_the_image_stays),
        cmocka_unit_test(a_new_repository_is_remembered_until_it_is_pushed),
        cmocka_unit_test(names_that_nothing_can_have_are_refused),
        cmocka_unit_test(cp_of_a_tag_brings_its_blobs_without_moving_them),
        cmocka_unit_test(cp_of_a_blob_is_a_mount),
        cmocka_unit_test(cp_r_takes_what_it_made_for_empty),
        cmocka_unit_test(a_copy_of_what_is_being_written_is_its_bytes),
        cmocka_unit_test(no_overwrite_forbids_to_move_a_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
