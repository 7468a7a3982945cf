/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_status_and_its_word_become_an_errno(void **state)
{
    static const struct {
        int status;
        const char *code;
        int want;
    } rows[] = {
        { 200, "", 0 },
        { 204, "", 0 },
        { 302, "", -EIO },
        { 400, "InvalidParameter", -EINVAL },
        { 400, "QuotaExceeded", -EDQUOT },
        { 400, "LimitExceeded", -EDQUOT },
        { 401, "NotAuthenticated", -EACCES },
        { 403, "NotAllowed", -EPERM },
        { 403, "FREE_TIER_NOT_SUPPORTED", -EACCES },
        { 404, "NotAuthorizedOrNotFound", -ENOENT },
        { 405, "MethodNotAllowed", -ENOTSUP },
        { 409, "Conflict", -EEXIST },
        { 409, "SomethingNew", -EEXIST },
        { 409, "IncorrectState", -EBUSY },
        { 412, "NoEtagMatch", -ESTALE },
        { 413, "", -EFBIG },
        { 429, "TooManyRequests", -EBUSY },
        { 500, "InternalServerError", -EIO },
        { 503, "", -EIO },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        assert_int_equal(ofs_ora_errno(rows[i].status, rows[i].code),
                         rows[i].want);
}

static void a_failure_is_repeated_by_the_rule(void **state)
{
    static const struct {
        struct ofs_ora_failure f;
        int64_t want_ms;
    } rows[] = {
        { { 1, 4, 0, "", true, -1, 0 }, 500 },
        { { 2, 4, 0, "", true, -1, 0 }, 1000 },
        { { 3, 4, 0, "", true, -1, 0.5 }, 3000 },
        { { 4, 4, 0, "", true, -1, 0 }, -1 },
        { { 1, 4, 0, "", false, -1, 0 }, -1 },
        { { 1, 4, 429, "TooManyRequests", false, -1, 0 }, 500 },
        { { 1, 4, 503, "", false, -1, 0 }, 500 },
        { { 1, 4, 500, "", false, -1, 0 }, -1 },
        { { 1, 4, 500, "", true, -1, 0 }, 500 },
        { { 1, 4, 502, "", true, -1, 0 }, 500 },
        { { 1, 4, 504, "", true, -1, 0 }, 500 },
        { { 1, 4, 409, "IncorrectState", true, -1, 0 }, 500 },
        { { 1, 4, 409, "Conflict", true, -1, 0 }, -1 },
        { { 1, 4, 404, "", true, -1, 0 }, -1 },
        { { 1, 4, 401, "", true, -1, 0 }, -1 },
        { { 1, 4, 429, "", true, 3000, 0 }, 3000 },
        { { 1, 4, 429, "", true, 1, 0 }, 500 },
        { { 90, 99, 429, "", true, -1, 0.9 }, 7600 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        assert_int_equal(ofs_ora_retry_ms(&rows[i].f), rows[i].want_ms);
}

static void an_error_body_is_read_and_explained(void **state)
{
    static const struct {
        int status;
        const char *body, *id, *says;
    } rows[] = {
        { 404,
          "{\"code\":\"NotAuthorizedOrNotFound\",\"message\":\"gone\",\"x\":1}",
          "NotAuthorizedOrNotFound", "gone; perhaps a policy is missing: P" },
        { 403, "{\"code\":\"NotAuthorized\",\"message\":\"m\"}",
          "NotAuthorized", "m; perhaps a policy is missing: P" },
        { 403, "{\"code\":\"NotAllowed\",\"message\":\"m\"}", "NotAllowed",
          "NotAllowed: m" },
        { 401, "{\"code\":\"NotAuthenticated\"}", "NotAuthenticated",
          "no words; the clock" },
        { 403, "{\"code\":\"FREE_TIER_NOT_SUPPORTED\",\"message\":\"m\"}",
          "FREE_TIER_NOT_SUPPORTED", "repos=" },
        { 502, "<html>", "", "OCI answers 502" },
        { 500, "", "", "no words" },
        { 500, "{\"code\":7,\"message\":null}", "", "no words" },
    };

    static const struct ofs_ora_hints hints = { .refused = "the clock",
                                                .policy = "P" };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_err err = { 0 };
        int r = ofs_ora_fail(rows[i].status, rows[i].body, strlen(rows[i].body),
                             i ? NULL : "A/B/C", &hints, &err);

        assert_int_equal(r, ofs_ora_errno(rows[i].status, rows[i].id));
        assert_int_equal(err.http_status, rows[i].status);
        assert_string_equal(err.id, rows[i].id);
        assert_string_equal(err.request_id, i ? "" : "A/B/C");
        assert_non_null(strstr(err.text, rows[i].says));
    }
    assert_int_equal(ofs_ora_fail(404, "", 0, NULL, &hints, NULL), -ENOENT);
}

static void who_changes_something_has_seen_it(void **state)
{
    const struct ofs_ora_hints changing = { .policy = "P", .changes = true };
    const struct ofs_ora_hints reading = { .policy = "P" };
    const char body[] = "{\"code\":\"NotAuthorizedOrNotFound\"}";
    struct ofs_err err = { 0 };

    (void)state;
    assert_int_equal(
        ofs_ora_fail(404, body, strlen(body), "id", &changing, &err), -EACCES);
    assert_int_equal(err.http_status, 404);
    assert_string_equal(err.request_id, "id");
    assert_non_null(strstr(err.text, "a policy is missing: P"));
    assert_int_equal(ofs_ora_fail(404, body, strlen(body), "", &reading, &err),
                     -ENOENT);
    assert_int_equal(ofs_ora_fail(412, "", 0, "", &changing, &err), -ESTALE);
}

static void what_is_not_offered_is_told_from_what_is_wrong(void **state)
{
    static const char *const says[] = {
        "{\"code\":\"BAD_REQUEST\",\"message\":"
        "\"Setting isImmutable is not currently supported\"}",
        "{\"code\":\"BAD_REQUEST\",\"message\":\"no such format\"}",
    };
    static const struct ofs_ora_hints hints = { .refused = "", .policy = "P" };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(says); i++) {
        struct ofs_err err = { 0 };
        int r = ofs_ora_fail(400, says[i], strlen(says[i]), NULL, &hints, &err);

        assert_int_equal(r, i == 0 ? -EOPNOTSUPP : -EINVAL);
        assert_string_equal(err.id, "BAD_REQUEST");
        assert_null(strstr(err.text, "policy"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_and_its_word_become_an_errno),
        cmocka_unit_test(a_failure_is_repeated_by_the_rule),
        cmocka_unit_test(an_error_body_is_read_and_explained),
        cmocka_unit_test(who_changes_something_has_seen_it),
        cmocka_unit_test(what_is_not_offered_is_told_from_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
