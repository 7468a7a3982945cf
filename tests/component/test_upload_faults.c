/* SPDX-License-Identifier: Apache-2.0 */
#include "upload_rig.h"

/* What goes wrong with each request of an upload, and is survived. */

static const uint64_t MiB = 1024 * 1024;

enum { BIG = 3 * 512 * 1024 + 17 };

/* One fault, at the first request that matches. */
static const struct {
    const char *match;
    enum fake_fault_kind kind;
    int64_t n;
    const char *text, *header;
} passing[] = {
    { RIG_BLOB_ASK, FAKE_STATUS, 503, NULL, NULL },
    { RIG_BLOB_ASK, FAKE_STATUS, 405, NULL, NULL },
    { RIG_BLOB_ASK, FAKE_STATUS, 403, NULL, NULL },
    { RIG_BLOB_ASK, FAKE_RESET_NOW, 0, NULL, NULL },
    { RIG_BLOB_ASK, FAKE_EXPIRE_TOKENS, 0, NULL, NULL },
    { RIG_POST, FAKE_STATUS, 500, NULL, NULL },
    { RIG_POST, FAKE_STATUS, 502, NULL, NULL },
    { RIG_POST, FAKE_STATUS, 429, NULL, "Retry-After: 0" },
    { RIG_POST, FAKE_RESET_NOW, 0, NULL, NULL },
    { RIG_POST, FAKE_LOSE_ANSWER, 0, NULL, NULL },
    { RIG_POST, FAKE_EXPIRE_TOKENS, 0, NULL, NULL },
    { RIG_PUT, FAKE_STATUS, 500, NULL, NULL },
    { RIG_PUT, FAKE_STATUS, 503, NULL, "Retry-After: 1" },
    { RIG_PUT, FAKE_STATUS, 429, NULL, NULL },
    { RIG_PUT, FAKE_STATUS, 404,
      "{\"errors\":[{\"code\":\"BLOB_UPLOAD_UNKNOWN\"}]}", NULL },
    { RIG_PUT, FAKE_STATUS, 400,
      "{\"errors\":[{\"code\":\"BLOB_UPLOAD_INVALID\"}]}", NULL },
    { RIG_PUT, FAKE_STATUS, 416, NULL, NULL },
    { RIG_PUT, FAKE_STATUS, 409, NULL, NULL },
    { RIG_PUT, FAKE_RESET_NOW, 0, NULL, NULL },
    { RIG_PUT, FAKE_RESET_AFTER, 0, NULL, NULL },
    { RIG_PUT, FAKE_LOSE_ANSWER, 0, NULL, NULL },
    { RIG_PUT, FAKE_CUT_REQUEST, 0, NULL, NULL },
    { RIG_PUT, FAKE_CUT_REQUEST, 1, NULL, NULL },
    { RIG_PUT, FAKE_CUT_REQUEST, 1024 * 1024 + 3, NULL, NULL },
    { RIG_PUT, FAKE_LOSE_SESSION, 0, NULL, NULL },
    { RIG_PUT, FAKE_EXPIRE_TOKENS, 0, NULL, NULL },
    { RIG_PUT, FAKE_CLOSE_AFTER, 0, NULL, NULL },
    { RIG_PUT, FAKE_ODD_CASE, 0, NULL, NULL },
};

static void every_request_may_fail_once(void **state)
{
    static const struct rig_cfg cfg = {
        .fake = { .auth = FAKE_AUTH_BEARER, .narrow_tokens = true },
        .max_attempts = 2,
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(passing); i++) {
        struct fake_fault fault = {
            .match = passing[i].match,
            .nth = 1,
            .kind = passing[i].kind,
            .n = passing[i].n,
            .text = passing[i].text,
            .header = passing[i].header,
        };
        RIG_AUTO struct rig rig;
        struct rig_source s;
        enum ofs_pushed how;

        rig_start(&rig, &cfg);
        rig_source_init(&s, 7, BIG);
        fake_server_fault(rig.server, &fault);
        if (rig_push(&rig, &s, NULL, &how) < 0)
            fail_msg("row %zu: %s", i, rig.err.text);
    }
}

/* What is final is said at once, in the registry's words. */
static const struct {
    const char *match;
    int64_t status;
    const char *text;
    int r;
    unsigned requests; /* that match */
} final[] = {
    { RIG_POST, 403, "{\"errors\":[{\"code\":\"DENIED\"}]}", -EACCES, 1 },
    { RIG_POST, 404, "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}", -ENOENT, 1 },
    { RIG_POST, 201, NULL, -EIO, 1 },
    { RIG_POST, 200, NULL, -EIO, 1 },
    { RIG_POST, 202, NULL, -EIO, 1 },
    { RIG_PUT, 403, "{\"errors\":[{\"code\":\"DENIED\"}]}", -EACCES, 1 },
    { RIG_PUT, 403, "{\"errors\":[{\"message\":\"Quota exceeded\"}]}", -EDQUOT,
      1 },
    { RIG_PUT, 507, NULL, -EDQUOT, 1 },
    { RIG_PUT, 400, "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}", -EBADMSG,
      1 },
    { RIG_PUT, 405, NULL, -ENOTSUP, 1 },
    { RIG_PUT, 413, NULL, -EFBIG, 1 },
};

static void what_is_final_is_said_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(final); i++) {
        struct fake_fault fault = {
            .match = final[i].match,
            .kind = FAKE_STATUS,
            .n = final[i].status,
            .text = final[i].text,
        };
        RIG_AUTO struct rig rig;
        struct rig_source s;
        enum ofs_pushed how;
        int r;

        rig_start(&rig, NULL);
        rig_source_init(&s, 7, 1000);
        fake_server_fault(rig.server, &fault);
        r = rig_push(&rig, &s, NULL, &how);
        if (r != final[i].r ||
            rig_count(&rig, final[i].match) != final[i].requests)
            fail_msg("row %zu: %d, %u requests: %s", i, r,
                     rig_count(&rig, final[i].match), rig.err.text);
        assert_int_equal(fake_registry_sessions(rig.fake), 0);
    }
}

static void a_broken_upload_goes_on_where_it_broke(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 8 * MiB);
    rig_fault(&rig, RIG_PUT, 1, FAKE_CUT_REQUEST, 3 * (int64_t)MiB);
    rig_fault(&rig, RIG_PATCH, 1, FAKE_CUT_REQUEST, 2 * (int64_t)MiB);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
    assert_int_equal(rig_count(&rig, RIG_POST), 1);
    assert_int_equal(rig_count(&rig, RIG_STATUS), 2);
    assert_int_equal(rig_count(&rig, RIG_PATCH), 2);
    assert_string_equal(rig_header(&rig, RIG_PATCH, 0, "Content-Range"),
                        "3145728-8388607");
    assert_string_equal(rig_header(&rig, RIG_PATCH, 1, "Content-Range"),
                        "5242880-8388607");
    assert_string_equal(rig_header(&rig, RIG_PUT, 1, "Content-Length"), "0");
    assert_int_equal(atomic_load(&s.sent), 8 * MiB);
}

/* A registry that says nothing of how far it got gets it all again. */
static void without_a_status_it_begins_again(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){ .fake.no_status = true });
    rig_source_init(&s, 7, 8 * MiB);
    rig_fault(&rig, RIG_PUT, 1, FAKE_CUT_REQUEST, 3 * (int64_t)MiB);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
    assert_int_equal(rig_count(&rig, RIG_POST), 2);
    assert_int_equal(rig_count(&rig, RIG_PUT), 2);
}

static void an_upload_that_is_never_done_ends(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){ .max_attempts = 1 });
    rig_source_init(&s, 7, 1000);
    rig_fault(&rig, RIG_PUT, 0, FAKE_STATUS, 500);
    rig.call.deadline_ms = ofs_mono_ms() + 1000;
    assert_int_equal(rig_push(&rig, &s, NULL, &how), -EIO);
    assert_int_equal(rig.err.http_status, 500);
    assert_in_range(rig_count(&rig, RIG_PUT), 2, 4);
}

/* --- too large for somebody on the way --- */

static void what_is_too_large_goes_in_parts(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){
                        .fake = { .max_body = 9 * MiB, .range_unit = true } });
    rig_source_init(&s, 7, 20 * MiB);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
    assert_int_equal(rig_count(&rig, RIG_PATCH), 3);
    assert_string_equal(rig_header(&rig, RIG_PATCH, 0, "Content-Range"),
                        "0-8388607");
    assert_string_equal(rig_header(&rig, RIG_PATCH, 2, "Content-Range"),
                        "16777216-20971519");
    assert_int_equal(fake_registry_sessions(rig.fake), 0);
}

static void parts_are_as_long_as_the_registry_wants(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){ .fake = { .max_body = 4 * MiB,
                                                 .min_chunk = 3 * MiB } });
    rig_source_init(&s, 7, 7 * MiB);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
    assert_int_equal(rig_count(&rig, RIG_PATCH), 3);
}

static void a_part_may_fail_as_well(void **state)
{
    static const struct {
        enum fake_fault_kind kind;
        int64_t n;
    } rows[] = {
        { FAKE_STATUS, 500 },        { FAKE_RESET_NOW, 0 },
        { FAKE_LOSE_ANSWER, 0 },     { FAKE_CUT_REQUEST, 500000 },
        { FAKE_KEEP_LESS, 70000 },   { FAKE_LOSE_SESSION, 0 },
        { FAKE_EXPIRE_TOKENS, 0 },   { FAKE_STATUS, 416 },
        { FAKE_EARLY_ANSWER, 1000 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        RIG_AUTO struct rig rig;
        struct rig_source s;
        enum ofs_pushed how;

        rig_start(&rig, &(struct rig_cfg){ .fake = { .auth = FAKE_AUTH_BEARER,
                                                     .max_body = MiB } });
        rig_source_init(&s, 7, 3 * MiB);
        rig_fault(&rig, RIG_PATCH, 2, rows[i].kind, rows[i].n);
        if (rig_push(&rig, &s, NULL, &how) < 0)
            fail_msg("row %zu: %s", i, rig.err.text);
    }
}

static void what_is_too_large_even_in_parts_is_told(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){ .fake.max_body = 100 });
    rig_source_init(&s, 7, 2 * MiB);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), -EFBIG);
    assert_int_equal(fake_registry_sessions(rig.fake), 0);
}

/* --- refused early --- */

static void a_refusal_comes_before_the_last_byte(void **state)
{
    static const struct {
        int64_t status;
        const char *header;
        int r;
    } rows[] = {
        { 403, NULL, -EACCES },
        { 403, "Connection: close", -EACCES },
        { 507, "Connection: close", -EDQUOT },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct fake_fault fault = {
            .match = RIG_PUT,
            .kind = FAKE_STATUS,
            .n = rows[i].status,
            .text = "{\"errors\":[{\"code\":\"NO\",\"message\":\"no such "
                    "luck\"}]}",
            .header = rows[i].header,
        };
        RIG_AUTO struct rig rig;
        struct rig_source s;
        enum ofs_pushed how;

        rig_start(&rig, NULL);
        rig_source_init(&s, 7, 32 * MiB);
        fake_server_fault(rig.server, &fault);
        rig_fault(&rig, RIG_PUT, 0, FAKE_EARLY_ANSWER, 64 * 1024);
        assert_int_equal(rig_push(&rig, &s, NULL, &how), rows[i].r);
        assert_non_null(strstr(rig.err.text, "no such luck"));
        assert_true(atomic_load(&s.sent) < 32 * MiB);
    }
}

/* --- silence --- */

static void a_last_answer_that_got_lost_is_looked_for(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){ .stall_ms = 1500 });
    rig_source_init(&s, 7, 1000);
    rig_fault(&rig, RIG_PUT, 1, FAKE_STALL_ANSWER, 0);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), 0);
    assert_int_equal(rig_count(&rig, RIG_PUT), 1);
    assert_int_equal(rig_count(&rig, RIG_BLOB_ASK), 2);
}

static void a_server_that_stops_reading_is_given_up(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){ .stall_ms = 1500 });
    rig_source_init(&s, 7, 32 * MiB);
    rig_fault(&rig, "* *", 0, FAKE_STALL_REQUEST, 64 * 1024);
    rig_fault(&rig, RIG_BLOB_ASK, 2, FAKE_STALL, 0);
    assert_int_equal(rig_push(&rig, &s, NULL, &how), -ETIMEDOUT);
    assert_int_equal(rig_count(&rig, RIG_POST), 1);
}

/* --- the caller's side --- */

static void a_source_that_fails_ends_it(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 4 * MiB);
    s.fail_at = 2 * MiB;
    assert_int_equal(rig_push(&rig, &s, NULL, &how), -ENOSPC);
    assert_int_equal(rig_count(&rig, RIG_POST), 1);
    s.fail_at = 0;
    s.size = 3 * MiB; /* ends before its size */
    assert_int_equal(rig_push(&rig, &s, NULL, &how), -EIO);
}

static void a_wrong_digest_is_the_callers_error(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    enum ofs_pushed how;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 1000);
    s.seed = 8;
    assert_int_equal(rig_push(&rig, &s, NULL, &how), -EBADMSG);
    assert_int_equal(rig_count(&rig, RIG_PUT), 1);
    assert_string_equal(rig.err.id, "DIGEST_INVALID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_may_fail_once),
        cmocka_unit_test(what_is_final_is_said_at_once),
        cmocka_unit_test(a_broken_upload_goes_on_where_it_broke),
        cmocka_unit_test(without_a_status_it_begins_again),
        cmocka_unit_test(an_upload_that_is_never_done_ends),
        cmocka_unit_test(what_is_too_large_goes_in_parts),
        cmocka_unit_test(parts_are_as_long_as_the_registry_wants),
        cmocka_unit_test(a_part_may_fail_as_well),
        cmocka_unit_test(what_is_too_large_even_in_parts_is_told),
        cmocka_unit_test(a_refusal_comes_before_the_last_byte),
        cmocka_unit_test(a_last_answer_that_got_lost_is_looked_for),
        cmocka_unit_test(a_server_that_stops_reading_is_given_up),
        cmocka_unit_test(a_source_that_fails_ends_it),
        cmocka_unit_test(a_wrong_digest_is_the_callers_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
