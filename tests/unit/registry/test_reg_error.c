/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
    const char *body, *type, *id, *text;
} rows[] = {
    { "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"no such\","
      "\"detail\":{\"name\":\"a\"}},{\"code\":\"X\"}]}",
      "application/json", "NAME_UNKNOWN", "no such" },
    { "{\"errors\":[{\"code\":\"DENIED\",\"detail\":\"in detail\"}]}", NULL,
      "DENIED", "in detail" },
    { "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\"}]}", NULL, "DENIED",
      "" },
    { "{\"errors\":{\"code\":\"A\",\"message\":\"b\"}}", NULL, "A", "b" },
    { "{\"errors\":[]}", NULL, "", "" },
    { "{\"errors\":[5]}", NULL, "", "" },
    { "{\"errors\":[{\"code\":5,\"message\":[]}]}", NULL, "", "" },
    { "{\"code\":\"NotFound\",\"message\":\"gone\"}", NULL, "NotFound",
      "gone" },
    { "{\"error\":\"bad\"}", NULL, "", "bad" },
    { "[]", NULL, "", "" },
    { "404 page not found\n", "text/plain; charset=utf-8", "",
      "404 page not found" },
    { "one\nsecret two", "text/plain", "", "one" },
    { "a\x1b[31m\xff", "text/plain", "", "a?[31m?" },
    { "<html>", "text/html", "", "" },
    { "words", NULL, "", "" },
    { "", "text/plain", "", "" },
    { "{\"errors\":[{\"code\":\"A\\nB\",\"message\":\"x\\u001b[2J\\u009by\\"
      "u00e4\\u007f\"}]}",
      NULL, "A?B", "x?[2J??y\xc3\xa4?" },
    { "{\"errors\":[{\"message\":\"a\\u0000b\"}]}", NULL, "", "a" },
};

static void words_are_found_and_made_harmless(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct reg_words w;

        ofs_reg_words(rows[i].body, strlen(rows[i].body), rows[i].type, &w);
        if (strcmp(w.id, rows[i].id) != 0 || strcmp(w.text, rows[i].text) != 0)
            fail_msg("row %zu: '%s' '%s'", i, w.id, w.text);
    }
}

static void long_words_end_with_a_whole_character(void **state)
{
    static const char body[] = "{\"error\":\"" HUNDRED TEN TEN TEN TEN TEN
                               "01234567\xc3\xa4\xc3\xa4" HUNDRED "\"}";
    struct reg_words w;

    (void)state;
    ofs_reg_words(body, strlen(body), NULL, &w);
    assert_int_equal(strlen(w.text), 158);
    assert_int_equal((unsigned char)w.text[157], '7');
}

static void a_huge_body_is_not_looked_at(void **state)
{
    char *body = malloc(100 * 1024);
    struct reg_words w;

    (void)state;
    assert_non_null(body);
    memset(body, ' ', 100 * 1024);
    memcpy(body, "{\"error\":\"x\"}", 13);
    ofs_reg_words(body, 100 * 1024, NULL, &w);
    assert_string_equal(w.text, "");
    ofs_reg_words(body, 1024, NULL, &w);
    assert_string_equal(w.text, "x");
    free(body);
}

static const struct {
    int status;
    struct reg_words words;
    int code;
} codes[] = {
    { 404, { "", "" }, -ENOENT },
    { 401, { "", "" }, -EACCES },
    { 403, { "DENIED", "" }, -EACCES },
    { 405, { "UNSUPPORTED", "" }, -EOPNOTSUPP },
    { 429, { "", "" }, -EBUSY },
    { 500, { "", "" }, -EIO },
    { 400, { "", "" }, -EINVAL },
    { 400, { "NAME_UNKNOWN", "" }, -ENOENT },
    { 400, { "NAME_INVALID", "" }, -ENOENT },
    { 400, { "MANIFEST_UNKNOWN", "" }, -ENOENT },
    { 400, { "DENIED", "" }, -EACCES },
    { 400, { "UNSUPPORTED", "" }, -EOPNOTSUPP },
    { 400, { "TOOMANYREQUESTS", "" }, -EBUSY },
    { 500, { "NAME_UNKNOWN", "" }, -EIO },
    { 307, { "", "" }, -EBADMSG },
    { 204, { "", "" }, -EBADMSG },
    { 400, { "MANIFEST_BLOB_UNKNOWN", "blob unknown" }, -ENOENT },
    { 404, { "MANIFEST_BLOB_UNKNOWN", "blob unknown" }, -ENOENT },
    { 400, { "MANIFEST_INVALID", "manifest invalid" }, -EINVAL },
    { 400, { "DIGEST_INVALID", "provided digest did not match" }, -EBADMSG },
    { 413, { "", "" }, -EFBIG },
    { 507, { "", "" }, -EDQUOT },
    { 403, { "DENIED", "Quota exceeded for the project" }, -EDQUOT },
    { 400, { "LimitExceeded", "storage" }, -EDQUOT },
    { 500, { "", "quota service away" }, -EIO },
    { 400,
      { "TAG_INVALID", "cannot be overwritten, it is Immutable" },
      -EPERM },
    { 412, { "PRECONDITION", "tag '1' configured as immutable" }, -EPERM },
    { 409, { "CONFLICT", "busy" }, -EEXIST },
    { 404, { "", "immutable" }, -ENOENT },
};

static void status_and_word_make_the_errno(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(codes); i++)
        if (ofs_reg_errno(codes[i].status, &codes[i].words) != codes[i].code)
            fail_msg("row %zu", i);
}

static void add(struct ofs_http_resp *resp, const char *name, const char *value)
{
    assert_int_equal(ofs_headers_add(&resp->headers, name, strlen(name), value,
                                     strlen(value)),
                     0);
}

static void a_refusal_is_told_in_full(void **state)
{
    static const char body[] =
        "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"later\"}]}";
    OFS_AUTORESP struct ofs_http_resp resp = { .status = 429 };
    struct ofs_err err = { 0 };

    (void)state;
    resp.body = strdup(body);
    resp.len = strlen(body);
    add(&resp, "Retry-After", "7");
    add(&resp, "X-Request-Id", "re\x1bq\xff-1");
    add(&resp, "opc-request-id", "other");
    assert_int_equal(ofs_reg_refused("h:5000", "tags of 'a'", &resp, &err),
                     -EBUSY);
    assert_int_equal(err.code, -EBUSY);
    assert_int_equal(err.http_status, 429);
    assert_int_equal(err.retry_after_ms, 7000);
    assert_string_equal(err.id, "TOOMANYREQUESTS");
    assert_string_equal(err.request_id, "re?q?-1");
    assert_string_equal(err.text,
                        "h:5000: tags of 'a': later (TOOMANYREQUESTS, 429)");
    assert_int_equal(ofs_reg_refused("h", "x", &resp, NULL), -EBUSY);
}

static void a_silent_refusal_has_its_status(void **state)
{
    OFS_AUTORESP struct ofs_http_resp resp = { .status = 502 };
    struct ofs_err err = { 0 };

    (void)state;
    assert_int_equal(ofs_reg_refused("h", "x", &resp, &err), -EIO);
    assert_string_equal(err.text, "h: x: answered 502");
    assert_int_equal(err.retry_after_ms, -1);
    assert_string_equal(err.request_id, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_and_made_harmless),
        cmocka_unit_test(long_words_end_with_a_whole_character),
        cmocka_unit_test(a_huge_body_is_not_looked_at),
        cmocka_unit_test(status_and_word_make_the_errno),
        cmocka_unit_test(a_refusal_is_told_in_full),
        cmocka_unit_test(a_silent_refusal_has_its_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
