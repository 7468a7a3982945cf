/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "token_request.h"

static void credentials_go_where_they_may(void **state)
{
    static const struct {
        const char *origin, *realm;
        bool plain;
        int want;
    } rows[] = {
        { "https://r.example", "https://r.example/token", false, 0 },
        { "https://r.example", "https://auth.other.example/t?x=y", false, 0 },
        { "https://r.example", "http://r.example/token", false, -EBADMSG },
        { "https://r.example", "http://r.example/token", true, 0 },
        { "https://r.example", "http://127.0.0.1/token", false, -EBADMSG },
        { "https://r.example", "http://127.0.0.1/token", true, -EBADMSG },
        { "https://r.example", "https://localhost/token", false, -EBADMSG },
        { "https://r.example", "https://0.0.0.0/token", false, -EBADMSG },
        { "https://r.example", "https://[::1]/token", true, -EBADMSG },
        { "http://127.0.0.1:5000", "http://127.0.0.1:5001/token", false, 0 },
        { "http://127.0.0.1:5000", "http://localhost/token", false, 0 },
        { "http://[::1]:5000", "http://[::1]:5000/token", false, 0 },
        { "http://127.0.0.1:5000", "https://auth.example/token", false, 0 },
        { "http://127.0.0.1:5000", "http://auth.example/token", false,
          -EBADMSG },
        { "http://127.0.0.1:5000", "http://auth.example/token", true, 0 },
        { "https://127.0.0.1:5000", "http://127.0.0.1/token", false, -EBADMSG },
        { "https://127.0.0.1:5000", "https://127.0.0.1/token", false, 0 },
        { "http://r.lan", "http://r.lan/token", false, -EBADMSG },
        { "http://r.lan", "http://r.lan/token", true, 0 },
        { "https://r.example", "ftp://r.example/token", true, -EBADMSG },
        { "https://r.example", "/token", true, -EBADMSG },
        { "https://r.example", "https://u:p@r.example/token", true, -EBADMSG },
        { "https://r.example", "", true, -EBADMSG },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOURL struct ofs_url u = { 0 };
        struct ofs_err err = { 0 };

        print_message("    %s -> %s\n", rows[i].origin, rows[i].realm);
        assert_int_equal(ofs_token_realm(rows[i].realm, rows[i].origin,
                                         rows[i].plain, &u, &err),
                         rows[i].want);
        assert_int_equal(err.code, rows[i].want);
    }
}

static void the_repository_of_a_scope_is_found(void **state)
{
    static const struct {
        const char *scopes, *want;
    } rows[] = {
        { "repository:ns/app:pull", "ns/app" },
        { "repository:ns/app:pull,push", "ns/app" },
        { "registry:catalog:* repository:a:pull repository:b:pull", "a" },
        { "repository:host:5000/app:pull", "host:5000/app" },
        { "registry:catalog:*", NULL },
        { "repository:a", NULL },
        { "repository:", NULL },
        { "repository::pull", NULL },
        { "", NULL },
        { "  ", NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOFREE char *got = ofs_token_repo(rows[i].scopes);

        if (rows[i].want)
            assert_string_equal(got, rows[i].want);
        else
            assert_null(got);
    }
}

static void scopes_are_compared_as_sets(void **state)
{
    static const struct {
        const char *asked, *wanted;
        bool want;
    } rows[] = {
        { "", "", true },
        { "a:b:c", "", true },
        { "", "a:b:c", false },
        { "x:y:z a:b:c", "a:b:c", true },
        { "a:b:cd", "a:b:c", false },
        { "a:b:c", "a:b:c d:e:f", false },
        { "d:e:f  a:b:c", "a:b:c d:e:f", true },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        assert_int_equal(ofs_token_covers(rows[i].asked, rows[i].wanted),
                         rows[i].want);
}

static void scopes_are_added_once(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(20);

    (void)state;
    assert_int_equal(ofs_token_add_scopes(&b, ""), 0);
    assert_string_equal(ofs_buf_str(&b), "");
    assert_int_equal(ofs_token_add_scopes(&b, " a:b:c  "), 0);
    assert_int_equal(ofs_token_add_scopes(&b, "d:e:f a:b:c d:e:f"), 0);
    assert_string_equal(ofs_buf_str(&b), "a:b:c d:e:f");
    assert_int_equal(ofs_token_add_scopes(&b, "more:than:fits"), -EFBIG);
}

static void a_query_has_one_parameter_for_each_scope(void **state)
{
    static const struct {
        const char *realm, *service, *scopes, *want;
    } rows[] = {
        { "https://a/t", "r.example:5000", "repository:ns/app:pull,push",
          "https://a/t?service=r.example%3A5000&"
          "scope=repository%3Ans%2Fapp%3Apull%2Cpush" },
        { "https://a/t?x=y", "s", "a:b:c d:e:*",
          "https://a/t?x=y&service=s&scope=a%3Ab%3Ac&scope=d%3Ae%3A%2A" },
        { "https://a/t?", NULL, "a", "https://a/t?scope=a" },
        { "https://a/t", "", "", "https://a/t" },
        { "https://a/t", "a b&c=d", "", "https://a/t?service=a%20b%26c%3Dd" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);

        assert_int_equal(ofs_token_get_url(&b, rows[i].realm, rows[i].service,
                                           rows[i].scopes),
                         0);
        assert_string_equal(ofs_buf_str(&b), rows[i].want);
    }
}

static void a_form_has_all_scopes_in_one(void **state)
{
    char text[] = "re&fr=sh";
    const struct ofs_secret refresh = { text, sizeof(text) - 1 };
    const struct ofs_token_form full = { "s", "ocirfs", "a:b:c d:e:f",
                                         &refresh };
    const struct ofs_token_form bare = { NULL, "ocirfs", "", &refresh };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);

    (void)state;
    assert_int_equal(ofs_token_post_form(&b, &full), 0);
    assert_string_equal(ofs_buf_str(&b),
                        "grant_type=refresh_token&refresh_token=re%26fr%3Dsh&"
                        "service=s&client_id=ocirfs&"
                        "scope=a%3Ab%3Ac%20d%3Ae%3Af");
    ofs_buf_reset(&b);
    assert_int_equal(ofs_token_post_form(&b, &bare), 0);
    assert_string_equal(ofs_buf_str(&b),
                        "grant_type=refresh_token&refresh_token=re%26fr%3Dsh&"
                        "client_id=ocirfs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_go_where_they_may),
        cmocka_unit_test(the_repository_of_a_scope_is_found),
        cmocka_unit_test(scopes_are_compared_as_sets),
        cmocka_unit_test(scopes_are_added_once),
        cmocka_unit_test(a_query_has_one_parameter_for_each_scope),
        cmocka_unit_test(a_form_has_all_scopes_in_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
