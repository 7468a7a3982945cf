/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "redirect.h"

static void five_statuses_are_redirects(void **state)
{
    (void)state;
    for (int status = 0; status < 600; status++)
        assert_int_equal(ofs_redirect_is_one(status),
                         status == 301 || status == 302 || status == 303 ||
                             status == 307 || status == 308);
}

static void methods_change_as_everywhere(void **state)
{
    static const struct {
        const char *method;
        int status;
        const char *want;
        bool body;
    } rows[] = {
        { "GET", 301, "GET", true },       { "GET", 302, "GET", true },
        { "GET", 307, "GET", true },       { "GET", 308, "GET", true },
        { "HEAD", 301, "HEAD", true },     { "HEAD", 303, "HEAD", true },
        { "HEAD", 307, "HEAD", true },     { "POST", 301, "GET", false },
        { "POST", 302, "GET", false },     { "POST", 303, "GET", false },
        { "POST", 307, "POST", true },     { "POST", 308, "POST", true },
        { "PUT", 301, "PUT", true },       { "PUT", 302, "PUT", true },
        { "PUT", 303, "GET", false },      { "PUT", 307, "PUT", true },
        { "PATCH", 308, "PATCH", true },   { "PATCH", 303, "GET", false },
        { "DELETE", 302, "DELETE", true },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTO(ofs_redirect_done)
        struct ofs_redirect hop = { .method = rows[i].method,
                                    .authorize = true,
                                    .body = true };

        assert_int_equal(ofs_url_parse("https://a/x", &hop.url, NULL), 0);
        assert_int_equal(ofs_redirect_follow(&hop, rows[i].status, "/y", NULL),
                         0);
        assert_string_equal(hop.url.text, "https://a/y");
        assert_string_equal(hop.method, rows[i].want);
        assert_int_equal(hop.body, rows[i].body);
        assert_true(hop.authorize);
    }
}

static void credentials_stay_with_their_origin(void **state)
{
    static const struct {
        const char *first, *second;
        bool after_first, after_second;
    } rows[] = {
        { "/y", "https://a:443/z", true, true },
        { "https://b/", "https://a/x", false, false },
        { "https://a:444/", "https://a/", false, false },
        { "//b/", "/y", false, false },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTO(ofs_redirect_done)
        struct ofs_redirect hop = { .method = "GET",
                                    .authorize = true,
                                    .body = true };

        assert_int_equal(ofs_url_parse("https://a/x", &hop.url, NULL), 0);
        assert_int_equal(ofs_redirect_follow(&hop, 307, rows[i].first, NULL),
                         0);
        assert_int_equal(hop.authorize, rows[i].after_first);
        assert_int_equal(ofs_redirect_follow(&hop, 307, rows[i].second, NULL),
                         0);
        assert_int_equal(hop.authorize, rows[i].after_second);
    }
}

static void plain_http_that_becomes_https_is_another_origin(void **state)
{
    OFS_AUTO(ofs_redirect_done)
    struct ofs_redirect hop = { .method = "GET",
                                .authorize = true,
                                .body = true };

    (void)state;
    assert_int_equal(ofs_url_parse("http://a/x", &hop.url, NULL), 0);
    assert_int_equal(ofs_redirect_follow(&hop, 301, "https://a/x", NULL), 0);
    assert_false(hop.authorize);
}

static void a_bad_redirect_changes_nothing(void **state)
{
    static const char *const rows[] = {
        "http://a/", "https://127.0.0.1/",
        "ftp://a/",  "https://u:secret@a",
        "http://",   "/a\tb",
    };
    OFS_AUTO(ofs_redirect_done)
    struct ofs_redirect hop = { .method = "POST",
                                .authorize = true,
                                .body = true };

    (void)state;
    assert_int_equal(ofs_url_parse("https://a/x", &hop.url, NULL), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_err err = { 0 };

        assert_int_equal(ofs_redirect_follow(&hop, 302, rows[i], &err),
                         -EBADMSG);
        assert_non_null(strstr(err.text, "redirect"));
        assert_null(strstr(err.text, "secret"));
        assert_string_equal(hop.url.text, "https://a/x");
        assert_string_equal(hop.method, "POST");
        assert_true(hop.authorize);
        assert_true(hop.body);
    }
}

static void headers_go_along_where_they_may(void **state)
{
    static const struct {
        const char *line;
        bool authorize, body, want;
    } rows[] = {
        { "Accept: a/b", true, true, true },
        { "Accept: a/b", false, false, true },
        { "Range: bytes=0-9", false, true, true },
        { "Authorization: x", true, true, true },
        { "Authorization: x", false, true, false },
        { "authorization:x", false, true, false },
        { "Cookie: x", false, true, false },
        { "Proxy-Authorization: x", false, true, false },
        { "Authorizations: x", false, true, true },
        { "Content-Type: a/b", true, true, true },
        { "Content-Type: a/b", true, false, false },
        { "content-range: 0-9", true, false, false },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_redirect hop = { .authorize = rows[i].authorize,
                                    .body = rows[i].body };

        if (ofs_redirect_takes(&hop, rows[i].line) != rows[i].want)
            fail_msg("%s", rows[i].line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_statuses_are_redirects),
        cmocka_unit_test(methods_change_as_everywhere),
        cmocka_unit_test(credentials_stay_with_their_origin),
        cmocka_unit_test(plain_http_that_becomes_https_is_another_origin),
        cmocka_unit_test(a_bad_redirect_changes_nothing),
        cmocka_unit_test(headers_go_along_where_they_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
