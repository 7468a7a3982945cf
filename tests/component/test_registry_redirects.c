/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_rig.h"

#define GET_BLOB "GET /v2/a/b/blobs/*"
#define GET_DATA "GET /data/*"

enum { MIB = 1024 * 1024 };

static const struct rig_cfg to_storage = {
    .fake = { .storage = true, .auth = FAKE_AUTH_BEARER },
};

static unsigned data_count(struct rig *rig)
{
    return fake_server_count(fake_registry_storage(rig->fake), GET_DATA);
}

static void a_target_is_kept_and_gets_no_token(void **state)
{
    RIG_AUTO struct rig rig;
    struct fake_server *storage;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &to_storage);
    storage = fake_registry_storage(rig.fake);
    blob = rig_seeded(&rig, 1, 2 * MIB);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(rig_read(&rig, &blob, i * 4096, 4096), 0);
    assert_int_equal(data_count(&rig), 5);
    /* 401 and the redirect. */
    assert_int_equal(rig_count(&rig, GET_BLOB), 2);
    for (unsigned i = 0; i < 5; i++) {
        const struct fake_request *req =
            fake_server_request(storage, GET_DATA, i);

        assert_int_equal(fake_request_has(req, "Authorization"), 0);
        assert_int_equal(fake_request_has(req, "Range"), 1);
    }
    assert_int_equal(
        fake_request_has(fake_server_request(rig.server, GET_BLOB, 1),
                         "Authorization"),
        1);
}

static void an_expired_target_is_asked_anew(void **state)
{
    static const int refusals[] = { 400, 401, 403, 404, 410, 500 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(refusals); i++) {
        struct rig_cfg cfg = to_storage;
        RIG_AUTO struct rig rig;
        struct rig_blob blob;

        cfg.max_attempts = 1;
        rig_start(&rig, &cfg);
        blob = rig_seeded(&rig, 1, 2 * MIB);
        assert_int_equal(rig_read(&rig, &blob, 0, 100), 0);
        fake_server_clear(rig.server);
        fake_server_fault(fake_registry_storage(rig.fake),
                          &(struct fake_fault){
                              .match = GET_DATA,
                              .nth = 1,
                              .kind = FAKE_STATUS,
                              .n = refusals[i],
                          });
        if (rig_read(&rig, &blob, 100, 100) != 0)
            fail_msg("%d: %s", refusals[i], rig.err.text);
        assert_int_equal(rig_count(&rig, GET_BLOB), 1);
        assert_int_equal(data_count(&rig), 3);
    }
}

static void targets_that_last_for_one_request_do(void **state)
{
    struct rig_cfg cfg = to_storage;
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    cfg.fake.target_uses = 1;
    rig_start(&rig, &cfg);
    blob = rig_seeded(&rig, 1, 2 * MIB);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(rig_read(&rig, &blob, i * 1000, 1000), 0);
    assert_int_equal(data_count(&rig), 7);
}

static void a_target_that_always_refuses_is_an_error(void **state)
{
    struct rig_cfg cfg = to_storage;
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &cfg);
    blob = rig_seeded(&rig, 1, 2 * MIB);
    fake_server_fault(fake_registry_storage(rig.fake),
                      &(struct fake_fault){
                          .match = GET_DATA, .kind = FAKE_STATUS, .n = 403 });
    assert_int_equal(rig_read(&rig, &blob, 0, 100), -EACCES);
    assert_int_equal(data_count(&rig), 3);
    assert_null(strstr(rig.err.text, "signature"));
}

static void a_broken_target_is_asked_anew_at_the_offset(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &to_storage);
    blob = rig_seeded(&rig, 1, 2 * MIB);
    fake_server_fault(
        fake_registry_storage(rig.fake),
        &(struct fake_fault){
            .match = GET_DATA, .nth = 1, .kind = FAKE_RESET_AFTER, .n = MIB });
    assert_int_equal(rig_read(&rig, &blob, 0, 2 * MIB), 0);
    assert_int_equal(data_count(&rig), 2);
}

static void a_storage_that_is_gone_does_not_condemn_the_registry(void **state)
{
    struct rig_cfg cfg = to_storage;
    struct ofs_registry_health health;
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    cfg.max_attempts = 1;
    rig_start(&rig, &cfg);
    blob = rig_seeded(&rig, 1, 2 * MIB);
    fake_server_down(fake_registry_storage(rig.fake));
    assert_int_equal(rig_read(&rig, &blob, 0, 100), -ECONNREFUSED);
    ofs_registry_health(rig.r, &health);
    assert_true(health.up);
    fake_server_up(fake_registry_storage(rig.fake));
    assert_int_equal(rig_read(&rig, &blob, 0, 100), 0);
}

static void all_kinds_of_redirects_are_followed(void **state)
{
    static const int kinds[] = { 301, 302, 303, 307, 308 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(kinds); i++) {
        RIG_AUTO struct rig rig;
        struct rig_blob blob;
        OFS_AUTOFREE char *url = NULL;
        char digest[OFS_DIGEST_TEXT_MAX];

        rig_start(&rig, NULL);
        blob = rig_seeded(&rig, 1, MIB);
        url = ofs_strf("/v2/a/b/blobs/%s?again",
                       ofs_digest_format(&blob.digest, digest));
        assert_non_null(url);
        fake_server_fault(rig.server, &(struct fake_fault){
                                          .match = GET_BLOB,
                                          .nth = 1,
                                          .kind = FAKE_REDIRECT,
                                          .n = kinds[i],
                                          .text = url,
                                      });
        assert_int_equal(rig_read(&rig, &blob, 5, 100), 0);
        assert_int_equal(rig_read(&rig, &blob, 5, 100), 0);
        assert_int_equal(rig_count(&rig, GET_BLOB "?again"), 2);
        assert_int_equal(rig_count(&rig, GET_BLOB), 3);
    }
}

static void circles_of_redirects_end(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 1, MIB);
    fake_server_fault(rig.server, &(struct fake_fault){
                                      .match = GET_BLOB,
                                      .kind = FAKE_REDIRECT,
                                      .text = "?round",
                                  });
    assert_int_equal(rig_read(&rig, &blob, 5, 100), -EBADMSG);
    assert_true(rig_count(&rig, GET_BLOB) <= 7);
}

/* The registry's own origin gets its token, unless a foreigner sent us. */
static void a_token_that_was_left_behind_stays_behind(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOFREE char *back = NULL;
    const struct fake_request *req;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &to_storage);
    blob = rig_seeded(&rig, 1, MIB);
    back = ofs_strf("%s/v2/a/b/blobs/back", fake_registry_url(rig.fake));
    assert_non_null(back);
    fake_server_fault(fake_registry_storage(rig.fake),
                      &(struct fake_fault){ .match = GET_DATA,
                                            .kind = FAKE_REDIRECT,
                                            .text = back });
    assert_int_equal(rig_read(&rig, &blob, 5, 100), -EACCES);
    req = fake_server_request(rig.server, "GET /v2/a/b/blobs/back", 0);
    assert_non_null(req);
    assert_int_equal(fake_request_has(req, "Authorization"), 0);
}

static void a_target_may_ignore_ranges(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &to_storage);
    blob = rig_seeded(&rig, 1, MIB);
    fake_server_fault(fake_registry_storage(rig.fake),
                      &(struct fake_fault){ .match = GET_DATA,
                                            .kind = FAKE_WHOLE_FOR_RANGE });
    assert_int_equal(rig_read(&rig, &blob, 5, 100), 0);
}

static void a_token_that_ends_while_reading_is_renewed(void **state)
{
    const struct rig_cfg cfg = {
        .fake = { .auth = FAKE_AUTH_BEARER, .token_uses = 1 },
    };
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &cfg);
    blob = rig_seeded(&rig, 1, 4 * MIB);
    rig_fault(&rig, GET_BLOB, 2, FAKE_RESET_AFTER, MIB);
    assert_int_equal(rig_read(&rig, &blob, 3, 4 * MIB - 3), 0);
    assert_true(fake_registry_tokens(rig.fake) >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_kept_and_gets_no_token),
        cmocka_unit_test(an_expired_target_is_asked_anew),
        cmocka_unit_test(targets_that_last_for_one_request_do),
        cmocka_unit_test(a_target_that_always_refuses_is_an_error),
        cmocka_unit_test(a_broken_target_is_asked_anew_at_the_offset),
        cmocka_unit_test(a_storage_that_is_gone_does_not_condemn_the_registry),
        cmocka_unit_test(all_kinds_of_redirects_are_followed),
        cmocka_unit_test(circles_of_redirects_end),
        cmocka_unit_test(a_token_that_was_left_behind_stays_behind),
        cmocka_unit_test(a_target_may_ignore_ranges),
        cmocka_unit_test(a_token_that_ends_while_reading_is_renewed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
