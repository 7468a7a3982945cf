/* SPDX-License-Identifier: Apache-2.0 */
#include "upload_rig.h"

/* Blobs into a registry: ofs_registry_blob_push(). */

static const uint64_t MiB = 1024 * 1024;

static void an_upload_is_three_requests(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 3 * MiB + 5);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
    assert_int_equal(how, OFS_PUSHED_UPLOADED);
    assert_int_equal(rig_count(&rig, RIG_BLOB_ASK), 1);
    assert_int_equal(rig_count(&rig, RIG_POST), 1);
    assert_int_equal(rig_count(&rig, RIG_PUT), 1);
    assert_int_equal(rig_count(&rig, "* *"), 3);
    assert_int_equal(atomic_load(&s.sent), s.size);
    assert_string_equal(rig_header(&rig, RIG_POST, 0, "Content-Length"), "0");
    assert_string_equal(rig_header(&rig, RIG_PUT, 0, "Content-Length"),
                        "3145733");
    assert_string_equal(rig_header(&rig, RIG_PUT, 0, "Expect"), "");
    assert_string_equal(rig_header(&rig, RIG_PUT, 0, "Content-Type"),
                        "application/octet-stream");
    assert_int_equal(fake_registry_sessions(rig.fake), 0);
}

static void an_empty_blob_can_be_uploaded(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 0);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
}

static void what_is_there_is_not_sent(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 1000);
    (void)fake_registry_seeded(rig.fake, RIG_REPO, 7, 1000);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
    assert_int_equal(how, OFS_PUSHED_EXISTS);
    assert_int_equal(rig_count(&rig, "* *"), 1);
    assert_int_equal(atomic_load(&s.reads), 0);
}

static void what_is_known_to_be_missing_is_not_asked_for(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;
    struct ofs_blob_push push = { .repo = RIG_REPO,
                                  .digest = &s.digest,
                                  .data = &s.data,
                                  .known_missing = true };

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 1000);
    assert_int_equal(
        ofs_registry_blob_push(rig.r, &rig.call, &push, &how, &rig.err), 0);
    assert_int_equal(rig_count(&rig, RIG_BLOB_ASK), 0);
}

static void another_size_is_the_registrys_fault(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 1000);
    (void)fake_registry_seeded(rig.fake, RIG_REPO, 7, 1000);
    s.data.size = 999;
    assert_int_equal(rig_push(&rig, &s, NULL, &how), -EIO);
}

/*
 * A redirect is not the blob: what it leads to says whether that is there.
 * Asked is for a byte, as a URL may be signed for GET alone.
 */
static void a_redirected_look_is_followed(void **state)
{
    static const struct {
        const char *target; /* "": to the blob's own place */
        bool there;
    } rows[] = {
        { "/nowhere", false },
        { "", true },
        { "http://127.0.0.1:1/x", false },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        const struct rig_cfg cfg = { .max_attempts = 1 };
        RIG_AUTO struct rig rig;
        struct rig_source s;
        enum ofs_pushed how;

        rig_start(&rig, &cfg);
        rig_source_init(&s, 7, 1000);
        if (rows[i].there)
            (void)fake_registry_seeded(rig.fake, RIG_REPO, 7, 1000);
        else
            fake_server_fault(rig.server, &(struct fake_fault){
                                              .match = "GET /v2/a/b/blobs/s*",
                                              .kind = FAKE_REDIRECT,
                                              .text = rows[i].target });
        rig_fault(&rig, RIG_BLOB_ASK, 0, FAKE_STATUS, 307);
        assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
        assert_int_equal(how, rows[i].there ? OFS_PUSHED_EXISTS
                                            : OFS_PUSHED_UPLOADED);
    }
}

/* --- mounts --- */

static const struct rig_cfg strict = {
    .fake = { .auth = FAKE_AUTH_BEARER, .narrow_tokens = true },
};

static void add_names(struct ofs_strv *v, const char *first, const char *second)
{
    assert_int_equal(ofs_strv_add(v, first), 0);
    assert_int_equal(ofs_strv_add(v, second), 0);
}

static void a_blob_is_mounted_from_where_it_is(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv from = { 0 };
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, &strict);
    rig_source_init(&s, 7, 1000);
    (void)fake_registry_seeded(rig.fake, "has/it", 7, 1000);
    add_names(&from, "has/not", "has/it");
    assert_int_equal(rig_push(&rig, &s, &from, &how), 0);
    assert_int_equal(how, OFS_PUSHED_MOUNTED);
    assert_int_equal(atomic_load(&s.reads), 0);
    /* The session of the first one is not left lying. */
    assert_int_equal(fake_registry_sessions(rig.fake), 0);
}

static void a_refused_mount_is_an_upload_in_its_session(void **state)
{
    struct rig_cfg cfg = strict;
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv from = { 0 };
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    cfg.fake.no_mounts = true;
    rig_start(&rig, &cfg);
    rig_source_init(&s, 7, 1000);
    /* It is never mounted from itself, nor from what is no name. */
    add_names(&from, RIG_REPO, "No Name");
    assert_int_equal(ofs_strv_add(&from, "has/it"), 0);
    assert_int_equal(rig_push(&rig, &s, &from, &how), 0);
    assert_int_equal(how, OFS_PUSHED_UPLOADED);
    assert_int_equal(rig_count(&rig, "POST /v2/a/b/blobs/uploads/*"), 1);
    assert_int_equal(rig_count(&rig, RIG_PUT), 1);
    assert_int_equal(fake_registry_sessions(rig.fake), 0);
}

static void a_mount_that_fails_costs_nothing_else(void **state)
{
    static const int statuses[] = { 400, 403, 404, 405, 500 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(statuses); i++) {
        RIG_AUTO struct rig rig;
        OFS_AUTOSTRV struct ofs_strv from = { 0 };
        struct rig_source s;
        enum ofs_pushed how;

        rig_start(&rig, &(struct rig_cfg){ .max_attempts = 1 });
        rig_source_init(&s, 7, 1000);
        add_names(&from, "x/y", "x/z");
        rig_fault(&rig, "POST /v2/a/b/blobs/uploads/?mount=*", 0, FAKE_STATUS,
                  statuses[i]);
        assert_int_equal(rig_push(&rig, &s, &from, &how), 0);
        assert_int_equal(how, OFS_PUSHED_UPLOADED);
    }
}

static void without_bytes_there_is_the_mount_only(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv from = { 0 };
    struct rig_source s;
    enum ofs_pushed how;
    struct ofs_blob_push push = { .repo = RIG_REPO,
                                  .digest = &s.digest,
                                  .from = &from };

    (void)state;
    rig_start(&rig, &strict);
    rig_source_init(&s, 7, 1000);
    add_names(&from, "x/y", "x/z");
    assert_int_equal(
        ofs_registry_blob_push(rig.r, &rig.call, &push, &how, &rig.err),
        -ENOENT);
    assert_int_equal(fake_registry_sessions(rig.fake), 0);
    (void)fake_registry_seeded(rig.fake, "x/z", 7, 1000);
    assert_int_equal(
        ofs_registry_blob_push(rig.r, &rig.call, &push, &how, &rig.err), 0);
    assert_int_equal(how, OFS_PUSHED_MOUNTED);
    rig_fault(&rig, RIG_BLOB_ASK, 1, FAKE_STATUS, 403);
    push.from = NULL;
    assert_int_equal(
        ofs_registry_blob_push(rig.r, &rig.call, &push, &how, &rig.err),
        -EACCES);
}

/* --- where an upload goes on --- */

static void it_goes_on_where_the_registry_says(void **state)
{
    static const enum fake_location where[] = {
        FAKE_LOCATION_ABSOLUTE,
        FAKE_LOCATION_RELATIVE,
        FAKE_LOCATION_BARE,
        FAKE_LOCATION_STORAGE,
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(where); i++) {
        struct rig_cfg cfg = strict;
        RIG_AUTO struct rig rig;
        struct rig_source s;
        enum ofs_pushed how;

        cfg.fake.location = where[i];
        cfg.fake.prefix = i % 2 ? "/prefix" : NULL;
        rig_start(&rig, &cfg);
        rig_source_init(&s, 7, 1000);
        if (rig_push(&rig, &s, NULL, &how) < 0)
            fail_msg("row %zu: %s", i, rig.err.text);
    }
}

static void another_host_gets_no_token(void **state)
{
    struct rig_cfg cfg = strict;
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;
    struct fake_server *storage;

    (void)state;
    cfg.fake.location = FAKE_LOCATION_STORAGE;
    rig_start(&rig, &cfg);
    storage = fake_registry_storage(rig.fake);
    rig_source_init(&s, 7, 1000);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
    assert_int_equal(fake_server_count(storage, "PUT /upload/*"), 1);
    assert_int_equal(
        fake_request_has(fake_server_request(storage, "PUT /upload/*", 0),
                         "Authorization"),
        0);
}

static void vague_ends_are_looked_at(void **state)
{
    static const int statuses[] = { 200, 202, 204 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(statuses); i++) {
        RIG_AUTO struct rig rig;
        struct rig_source s;
        enum ofs_pushed how;

        rig_start(&rig, &(struct rig_cfg){ .fake.done_status = statuses[i] });
        rig_source_init(&s, 7, 1000);
        assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
        assert_int_equal(rig_count(&rig, RIG_BLOB_ASK), 2);
        rig_source_init(&s, 8, 1000);
        rig_fault(&rig, RIG_PUT, 1, FAKE_STATUS, statuses[i]);
        assert_int_equal(rig_push(&rig, &s, NULL, &how), -EIO);
    }
}

static void another_digest_than_ours_is_no_success(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;
    struct fake_fault fault = {
        .match = RIG_PUT,
        .kind = FAKE_SET_HEADER,
        .text = "Docker-Content-Digest: sha256:0000000000000000000000000000000"
                "000000000000000000000000000000000",
    };

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 1000);
    fake_server_fault(rig.server, &fault);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upload_is_three_requests),
        cmocka_unit_test(an_empty_blob_can_be_uploaded),
        cmocka_unit_test(what_is_there_is_not_sent),
        cmocka_unit_test(what_is_known_to_be_missing_is_not_asked_for),
        cmocka_unit_test(a_redirected_look_is_followed),
        cmocka_unit_test(another_size_is_the_registrys_fault),
        cmocka_unit_test(a_blob_is_mounted_from_where_it_is),
        cmocka_unit_test(a_refused_mount_is_an_upload_in_its_session),
        cmocka_unit_test(a_mount_that_fails_costs_nothing_else),
        cmocka_unit_test(without_bytes_there_is_the_mount_only),
        cmocka_unit_test(it_goes_on_where_the_registry_says),
        cmocka_unit_test(another_host_gets_no_token),
        cmocka_unit_test(vague_ends_are_looked_at),
        cmocka_unit_test(another_digest_than_ours_is_no_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
