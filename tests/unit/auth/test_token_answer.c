/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "token_answer.h"

#include "ocirfs/base64.h"

static int parse(const char *text, struct ofs_token_answer *ret,
                 struct ofs_err *err)
{
    return ofs_token_answer_parse(text, strlen(text), ret, err);
}

static void answers_are_understood(void **state)
{
    static const struct {
        const char *text, *token;
        int64_t expires_in_s;
        bool issued_known;
    } rows[] = {
        { "{\"token\":\"t\"}", "t", 0, false },
        { "{\"access_token\":\"t\",\"expires_in\":3600}", "t", 3600, false },
        { "{\"token\":\"t\",\"access_token\":\"u\",\"expires_in\":5}", "t", 5,
          false },
        { "{\"token\":\"\",\"access_token\":\"u\"}", "u", 0, false },
        { "{\"token\":null,\"access_token\":\"u\"}", "u", 0, false },
        { "{\"token\":\"t\",\"expires_in\":299.9}", "t", 299, false },
        { "{\"token\":\"t\",\"expires_in\":\"300\"}", "t", 300, false },
        { "{\"token\":\"t\",\"expires_in\":\"soon\"}", "t", 0, false },
        { "{\"token\":\"t\",\"expires_in\":-1}", "t", 0, false },
        { "{\"token\":\"t\",\"expires_in\":0}", "t", 0, false },
        { "{\"token\":\"t\",\"expires_in\":null}", "t", 0, false },
        { "{\"token\":\"t\",\"expires_in\":9223372036854775807}", "t",
          30 * 24 * 3600, false },
        { "{\"token\":\"t\",\"expires_in\":1e300}", "t", 30 * 24 * 3600,
          false },
        { "{\"token\":\"t\",\"issued_at\":\"2026-01-05T21:31:40Z\"}", "t", 0,
          true },
        { "{\"token\":\"t\",\"issued_at\":\"yesterday\"}", "t", 0, false },
        { "{\"token\":\"t\",\"issued_at\":7}", "t", 0, false },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOTOKENANSWER struct ofs_token_answer a = { 0 };

        assert_int_equal(parse(rows[i].text, &a, NULL), 0);
        assert_string_equal(a.token.text, rows[i].token);
        assert_int_equal(a.expires_in_s, rows[i].expires_in_s);
        assert_int_equal(a.issued_known, rows[i].issued_known);
    }
}

static void what_is_no_answer_is_refused_without_quoting_it(void **state)
{
    static const char *const rows[] = {
        "",
        "hunter2",
        "<html>hunter2</html>",
        "[\"hunter2\"]",
        "\"hunter2\"",
        "{\"token\":[\"hunter2\"]}",
        "{\"tok\":\"hunter2\"}",
        "{\"token\":\"hunter2 x\"}",
        "{\"token\":\"hunter2\\r\\nX: y\"}",
        "{\"token\":\"hunter2\\u00e4\"}",
        "{\"token\":\"hunter2\"} x",
        "{\"token\":\"hunter2",
    };
    struct ofs_token_answer a = { 0 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_err err = { 0 };

        assert_int_equal(parse(rows[i], &a, &err), -EBADMSG);
        assert_null(strstr(err.text, "hunter2"));
    }
    assert_int_equal(ofs_token_answer_parse(NULL, 0, &a, NULL), -EBADMSG);
}

static void a_life_is_counted_by_the_servers_clock(void **state)
{
    /* 1767648700 is 21:31:40. */
    static const struct {
        const char *why;
        struct ofs_token_answer a;
        const char *date;
        int64_t life_s;
    } rows[] = {
        { "nothing told", { .expires_in_s = 0 }, NULL, 60 },
        { "short", { .expires_in_s = 5 }, NULL, 5 },
        { "no date, so no age",
          { .expires_in_s = 300, .issued_known = true, .issued_s = 1 },
          NULL,
          300 },
        { "fresh",
          { .expires_in_s = 300, .issued_known = true, .issued_s = 1767648700 },
          "Mon, 05 Jan 2026 21:31:40 GMT",
          300 },
        { "from the server's cache",
          { .expires_in_s = 300, .issued_known = true, .issued_s = 1767648600 },
          "Mon, 05 Jan 2026 21:31:40 GMT",
          200 },
        { "issued in the future",
          { .expires_in_s = 300, .issued_known = true, .issued_s = 1767650000 },
          "Mon, 05 Jan 2026 21:31:40 GMT",
          300 },
        { "dead on arrival",
          { .expires_in_s = 300, .issued_known = true, .issued_s = 1767648400 },
          "Mon, 05 Jan 2026 21:31:40 GMT",
          300 },
        { "a date that is none",
          { .expires_in_s = 300, .issued_known = true, .issued_s = 1767648600 },
          "today",
          300 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        print_message("    %s\n", rows[i].why);
        assert_int_equal(ofs_token_life_ms(&rows[i].a, rows[i].date),
                         rows[i].life_s * 1000);
    }
}

static void a_token_is_renewed_before_its_end_but_used_by_half(void **state)
{
    static const struct {
        int64_t life_s, use_ms;
    } rows[] = {
        { 1, 500 },      { 5, 2500 },       { 19, 9500 },
        { 20, 10000 },   { 60, 50 * 1000 }, { 100, 90 * 1000 },
        { 300, 270000 }, { 3600, 3240000 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        assert_int_equal(ofs_token_use_ms(rows[i].life_s * 1000),
                         rows[i].use_ms);
}

/* A JWT with these claims. */
static struct ofs_secret jwt(const char *claims)
{
    struct ofs_secret token = { 0 };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);

    (void)ofs_buf_adds(&b, "eyJhbGciOiJIUzI1NiJ9.");
    (void)ofs_base64_encode(&b, claims, strlen(claims));
    while (b.data[b.len - 1] == '=')
        b.data[--b.len] = '\0';
    (void)ofs_buf_adds(&b, ".c2ln");
    assert_int_equal(ofs_secret_set(&token, b.data, b.len), 0);
    return token;
}

static void the_token_for_nobody_is_known(void **state)
{
    static const struct {
        const char *claims;
        bool want;
    } rows[] = {
        { "{\"sub\":\"{\\\"userId\\\":\\\"anon-12\\\"}\"}", true },
        { "{\"sub\":\"{\\\"userId\\\":\\\"ocid1.user.x\\\"}\"}", false },
        { "{\"sub\":\"anon-12\"}", false },
        { "{\"sub\":{\"userId\":\"anon-12\"}}", false },
        { "{\"aud\":\"x\"}", false },
        { "[]", false },
        { "no", false },
    };
    char opaque[] = "an.opaque.token", two[] = "a.b", one[] = "a";
    char *const others[] = { opaque, two, one };
    const struct ofs_secret none = { 0 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOSECRET struct ofs_secret token = jwt(rows[i].claims);

        assert_int_equal(ofs_token_is_anonymous(&token), rows[i].want);
    }
    for (size_t i = 0; i < OFS_COUNT_OF(others); i++) {
        const struct ofs_secret token = { others[i], strlen(others[i]) };

        assert_false(ofs_token_is_anonymous(&token));
    }
    assert_false(ofs_token_is_anonymous(&none));
}

static void a_servers_words_are_told_unless_they_hold_a_secret(void **state)
{
    static const struct {
        const char *body, *want;
    } rows[] = {
        { "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"go away\"}]}",
          "go away" },
        { "{\"details\":\"incorrect username or password\"}",
          "incorrect username or password" },
        { "{\"error\":\"invalid_grant\",\"error_description\":\"too old\"}",
          "too old" },
        { "{\"message\":\"no\"}", "no" },
        { "{\"error\":\"invalid_grant\"}", "invalid_grant" },
        { "{\"message\":\"hunter2 is wrong\"}", "" },
        { "{\"message\":\"eyJhbGciOiJIUzI1NiJ9eyJhbGciOiJIUzI1NiJ9eyJhbGc is "
          "no token\"}",
          "" },
        { "{\"message\":{\"a\":1}}", "" },
        { "{\"errors\":[]}", "" },
        { "nothing", "" },
        { "", "" },
    };
    char password[] = "hunter2";
    const struct ofs_secret secret = { password, 7 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        char text[40] = "old";

        ofs_token_words(rows[i].body, strlen(rows[i].body), &secret, text,
                        sizeof(text));
        assert_string_equal(text, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_understood),
        cmocka_unit_test(what_is_no_answer_is_refused_without_quoting_it),
        cmocka_unit_test(a_life_is_counted_by_the_servers_clock),
        cmocka_unit_test(a_token_is_renewed_before_its_end_but_used_by_half),
        cmocka_unit_test(the_token_for_nobody_is_known),
        cmocka_unit_test(a_servers_words_are_told_unless_they_hold_a_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
