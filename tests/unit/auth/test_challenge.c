/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "challenge.h"

static void add(struct ofs_headers *h, const char *name, const char *value)
{
    assert_int_equal(
        ofs_headers_add(h, name, strlen(name), value, strlen(value)), 0);
}

static void assert_text(const char *got, const char *want)
{
    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
}

static const struct row {
    const char *why;
    const char *lines[3]; /* header fields */
    enum ofs_challenge_kind kind;
    const char *realm, *service, *scope;
} rows[] = {
    { "as docker-registry writes it",
      { "Bearer realm=\"https://a.example/token\",service=\"r.example\","
        "scope=\"repository:ns/app:pull,push\"" },
      OFS_CHALLENGE_BEARER,
      "https://a.example/token",
      "r.example",
      "repository:ns/app:pull,push" },
    { "as OCIR writes it: an empty scope",
      { "Bearer realm=\"https://iad.ocir.io/20180419/docker/token\","
        "service=\"iad.ocir.io\",scope=\"\"" },
      OFS_CHALLENGE_BEARER,
      "https://iad.ocir.io/20180419/docker/token",
      "iad.ocir.io",
      "" },
    { "any case, spaces around commas and equal signs",
      { "bEARER  REALM = \"https://a/t\" ,\tService=\"s\"  ,  SCOPE=\"x\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      "s",
      "x" },
    { "escapes in quotes",
      { "Bearer realm=\"https://a/t\",service=\"a\\\"b\\\\c\\d,\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      "a\"b\\cd,",
      NULL },
    { "unknown parameters, some that look like known ones",
      { "Bearer error=\"invalid_token\",realms=\"no\",xrealm=\"no\","
        "error_description=\"realm=\\\"no\\\", Basic\",realm=\"https://a/t\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      NULL,
      NULL },
    { "Bearer is better than Basic, in one line",
      { "Basic realm=\"b\", Bearer realm=\"https://a/t\", Digest nonce=\"n\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      NULL,
      NULL },
    { "Bearer is better than Basic, in several lines",
      { "Negotiate", "Basic realm=\"b\"", "Bearer realm=\"https://a/t\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      NULL,
      NULL },
    { "the first of two Bearers",
      { "Bearer realm=\"https://a/1\"", "Bearer realm=\"https://a/2\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/1",
      NULL,
      NULL },
    { "a Bearer without realm is of no use",
      { "Bearer error=\"invalid_token\", Basic realm=\"b\"" },
      OFS_CHALLENGE_BASIC,
      "b",
      NULL,
      NULL },
    { "Basic alone, without anything",
      { "Basic" },
      OFS_CHALLENGE_BASIC,
      NULL,
      NULL,
      NULL },
    { "Basic with its charset",
      { "Basic realm=\"Registry Realm\", charset=\"UTF-8\"" },
      OFS_CHALLENGE_BASIC,
      "Registry Realm",
      NULL,
      NULL },
    { "a realm without quotes",
      { "Bearer realm=https://a/t?x=y,service=s" },
      OFS_CHALLENGE_BEARER,
      "https://a/t?x=y",
      "s",
      NULL },
    { "no commas between parameters",
      { "Bearer realm=\"https://a/t\" service=\"s\" scope=\"x\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      "s",
      "x" },
    { "empty list elements",
      { ", ,Bearer ,,realm=\"https://a/t\",, ,service=\"s\"," },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      "s",
      NULL },
    { "a token68 before",
      { "Negotiate YIIG/+abc==, Bearer realm=\"https://a/t\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      NULL,
      NULL },
    { "the word Bearer in a quoted string is none",
      { "Basic realm=\"say Bearer realm=x, Bearer realm=y\"" },
      OFS_CHALLENGE_BASIC,
      "say Bearer realm=x, Bearer realm=y",
      NULL,
      NULL },
    { "parameters belong to their own scheme",
      { "Digest realm=\"d\",service=\"d\", Bearer realm=\"https://a/t\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      NULL,
      NULL },
    { "given twice: the first",
      { "Bearer realm=\"https://a/1\",realm=\"https://a/2\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/1",
      NULL,
      NULL },
    { "a string without an end",
      { "Bearer realm=\"https://a/t" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      NULL,
      NULL },
    { "two scopes",
      { "Bearer realm=\"https://a/t\","
        "scope=\"repository:a:pull repository:b:pull\"" },
      OFS_CHALLENGE_BEARER,
      "https://a/t",
      NULL,
      "repository:a:pull repository:b:pull" },
};

static void challenges_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOCHALLENGE struct ofs_challenge c = { 0 };
        OFS_AUTO(ofs_headers_done) struct ofs_headers h = { 0 };

        print_message("    %s\n", rows[i].why);
        add(&h, "Content-Type", "Bearer realm=\"https://no/no\"");
        for (size_t k = 0; k < 3 && rows[i].lines[k]; k++)
            add(&h, k % 2 ? "WWW-AUTHENTICATE" : "Www-Authenticate",
                rows[i].lines[k]);
        assert_int_equal(ofs_challenge_pick(&h, &c, NULL), 0);
        assert_int_equal(c.kind, rows[i].kind);
        assert_text(c.realm, rows[i].realm);
        assert_text(c.service, rows[i].service);
        assert_text(c.scope, rows[i].scope);
    }
}

static void what_asks_for_nothing_we_have_is_told(void **state)
{
    static const char *const lines[] = {
        "",
        "Negotiate",
        "Digest realm=\"Basic\"",
        "Bearer",
        "Bearer realm=\"\"",
        "realm=\"https://a/t\"",
        "BearerX realm=\"https://a/t\"",
        "\"Bearer realm=https://a/t\"",
        ",,,",
        "\\\"",
    };
    struct ofs_headers none = { 0 };
    struct ofs_challenge c = { 0 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(lines); i++) {
        OFS_AUTO(ofs_headers_done) struct ofs_headers h = { 0 };

        add(&h, "WWW-Authenticate", lines[i]);
        assert_int_equal(ofs_challenge_pick(&h, &c, NULL), -EPROTO);
    }
    assert_int_equal(ofs_challenge_pick(&none, &c, NULL), -EPROTO);
}

static void a_giant_parameter_is_refused(void **state)
{
    static char line[9 * 1024] = "Bearer realm=\"";
    OFS_AUTO(ofs_headers_done) struct ofs_headers h = { 0 };
    struct ofs_challenge c = { 0 };

    (void)state;
    memset(line + strlen(line), 'x', sizeof(line) - strlen(line) - 1);
    add(&h, "WWW-Authenticate", line);
    assert_int_equal(ofs_challenge_pick(&h, &c, NULL), -EPROTO);
}

static void a_copy_says_the_same(void **state)
{
    const struct ofs_challenge a = { .kind = OFS_CHALLENGE_BEARER,
                                     .realm = (char[]){ "r" },
                                     .scope = (char[]){ "" } };
    OFS_AUTOCHALLENGE struct ofs_challenge copy = { 0 };

    (void)state;
    assert_int_equal(ofs_challenge_copy(&a, &copy), 0);
    assert_int_equal(copy.kind, a.kind);
    assert_text(copy.realm, "r");
    assert_text(copy.service, NULL);
    assert_text(copy.scope, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenges_are_understood),
        cmocka_unit_test(what_asks_for_nothing_we_have_is_told),
        cmocka_unit_test(a_giant_parameter_is_refused),
        cmocka_unit_test(a_copy_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
