/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "docker_config.h"

#include "ocirfs/base64.h"

#define C OFS_DOCKER_CONTAINERS
#define D OFS_DOCKER_CONFIG
#define L OFS_DOCKER_LEGACY
#define E OFS_DOCKER_ENV

/* Base64 of user:password, as the tables below write it. */
#define A_1  "YTox" /* a:1 */
#define B_2  "Yjoy" /* b:2 */
#define C_3  "Yzoz" /* c:3 */
#define REAL "YW5zaDgxdnJ1MXpwL2pkb2VAYWNtZS5jb206c2VjcmV0"

static int find(enum ofs_docker_flavour flavour, const char *text,
                const char *host, const char *repo, struct ofs_cred *ret,
                struct ofs_err *err)
{
    OFS_AUTODOCKERCONFIG struct ofs_docker_config c = { 0 };
    int r = ofs_docker_config_parse(text, strlen(text), flavour, &c, err);

    if (r < 0)
        return r;
    return ofs_docker_config_cred(&c, host, repo, "auth.json", ret, err);
}

/* "user:password", "identity:x", "bearer:x" or "none". */
static char *describe(const struct ofs_cred *c)
{
    switch (c->kind) {
    case OFS_CRED_NONE:
        return ofs_strf("none");
    case OFS_CRED_BASIC:
        return ofs_strf("%s:%s", c->user, c->secret.text);
    case OFS_CRED_IDENTITY:
        return ofs_strf("identity:%s", c->secret.text);
    case OFS_CRED_BEARER:
        return ofs_strf("bearer:%s", c->secret.text);
    case OFS_CRED_SIGNED:
        break; /* no file has one */
    }
    return NULL;
}

static const char paths[] = "{\"auths\":{\"h\":{\"auth\":\"" A_1 "\"},"
                            "\"h/ns\":{\"auth\":\"" B_2 "\"},"
                            "\"h/ns/app\":{\"auth\":\"" C_3 "\"}}}";

static const struct row {
    const char *why;
    enum ofs_docker_flavour flavour;
    const char *text, *host, *repo, *want;
} rows[] = {
    { "a host", D, "{\"auths\":{\"iad.ocir.io\":{\"auth\":\"" REAL "\"}}}",
      "iad.ocir.io", "ns/x", "ansh81vru1zp/jdoe@acme.com:secret" },
    { "another host", D, "{\"auths\":{\"a\":{\"auth\":\"" A_1 "\"}}}", "b", "",
      "none" },
    { "part of a name is not the name", D,
      "{\"auths\":{\"a.b\":{\"auth\":\"" A_1 "\"}}}", "b", "", "none" },
    { "the port counts", D, "{\"auths\":{\"h:5000\":{\"auth\":\"" A_1 "\"}}}",
      "h", "", "none" },
    { "with the port", D, "{\"auths\":{\"h:5000\":{\"auth\":\"" A_1 "\"}}}",
      "h:5000", "", "a:1" },
    { "the port that https has anyway", D,
      "{\"auths\":{\"h:443\":{\"auth\":\"" A_1 "\"}}}", "h", "", "a:1" },
    { "an IPv6 address", D,
      "{\"auths\":{\"[::1]:5000\":{\"auth\":\"" A_1 "\"}}}", "[::1]:5000", "",
      "a:1" },
    { "most specific first: repository", C, paths, "h", "ns/app", "c:3" },
    { "below it as well", C, paths, "h", "ns/app/x", "c:3" },
    { "most specific first: namespace", C, paths, "h", "ns/other", "b:2" },
    { "most specific first: host", C, paths, "h", "elsewhere/app", "a:1" },
    { "no repository", C, paths, "h", NULL, "a:1" },
    { "a name that begins alike", C, paths, "h", "nsx/app", "a:1" },
    { "docker's files have no paths", D, paths, "h", "ns/app", "a:1" },
    { "an empty entry is passed over for a wider one", C,
      "{\"auths\":{\"h/ns\":{},\"h\":{\"auth\":\"" A_1 "\"}}}", "h", "ns/a",
      "a:1" },
    { "so is an empty auth", C,
      "{\"auths\":{\"h/ns\":{\"auth\":\"\"},\"h\":{\"auth\":\"" A_1 "\"}}}",
      "h", "ns/a", "a:1" },
    { "and null", C, "{\"auths\":{\"h/ns\":null,\"h\":{\"auth\":\"" A_1 "\"}}}",
      "h", "ns/a", "a:1" },
    { "an empty entry", D, "{\"auths\":{\"h\":{}}}", "h", "", "none" },
    { "a key with scheme and path", D,
      "{\"auths\":{\"https://h/v1/\":{\"auth\":\"" A_1 "\"}}}", "h", "",
      "a:1" },
    { "a key with scheme, containers", C,
      "{\"auths\":{\"https://h/v2/\":{\"auth\":\"" A_1 "\"}}}", "h", "x",
      "a:1" },
    { "a key with an API path alone, containers", C,
      "{\"auths\":{\"h/v1/\":{\"auth\":\"" A_1 "\"}}}", "h", "x", "a:1" },
    { "a namespace is not the host, containers", C,
      "{\"auths\":{\"h/v1\":{\"auth\":\"" A_1 "\"}}}", "h", "x", "none" },
    { "a namespace is the host, docker", D,
      "{\"auths\":{\"h/ns\":{\"auth\":\"" A_1 "\"}}}", "h", "x", "a:1" },
    { "exact before normalised", D,
      "{\"auths\":{\"https://h/v1/\":{\"auth\":\"" A_1 "\"},"
      "\"h\":{\"auth\":\"" B_2 "\"}}}",
      "h", "", "b:2" },
    { "normalised where the exact one is empty", D,
      "{\"auths\":{\"h\":{},\"HTTPS://H\":{\"auth\":\"" A_1 "\"}}}", "h", "",
      "a:1" },
    { "legacy: the whole is the map", L, "{\"h\":{\"auth\":\"" A_1 "\"}}", "h",
      "", "a:1" },
    { "legacy: keys with paths", L,
      "{\"https://h/v1/\":{\"auth\":\"" A_1 "\",\"email\":\"x\"}}", "h", "",
      "a:1" },
    { "environment", E, "{\"auths\":{\"h\":{\"auth\":\"" A_1 "\"}}}", "h", "",
      "a:1" },
    { "password with a colon", D, "{\"auths\":{\"h\":{\"auth\":\"YTpiOmM=\"}}}",
      "h", "", "a:b:c" },
    { "NULs behind", D, "{\"auths\":{\"h\":{\"auth\":\"YTpiAAA=\"}}}", "h", "",
      "a:b" },
    { "line breaks in base64", D,
      "{\"auths\":{\"h\":{\"auth\":\"YT\\r\\npi\\n\"}}}", "h", "", "a:b" },
    { "neither user nor password", D, "{\"auths\":{\"h\":{\"auth\":\"Og==\"}}}",
      "h", "", "none" },
    { "password alone", D, "{\"auths\":{\"h\":{\"auth\":\"OnB3\"}}}", "h", "",
      ":pw" },
    { "identity token before auth", D,
      "{\"auths\":{\"h\":{\"auth\":\"" A_1 "\",\"identitytoken\":\"id\"}}}",
      "h", "", "identity:id" },
    { "identity token with an empty auth", D,
      "{\"auths\":{\"h\":{\"auth\":\"\",\"identitytoken\":\"id\"}}}", "h", "",
      "identity:id" },
    { "registry token before all", D,
      "{\"auths\":{\"h\":{\"auth\":\"" A_1 "\",\"identitytoken\":\"id\","
      "\"registrytoken\":\"rt\"}}}",
      "h", "", "bearer:rt" },
    { "fields of old files", D,
      "{\"auths\":{\"h\":{\"username\":\"u\",\"password\":\"p\"}}}", "h", "",
      "u:p" },
    { "no auths", D, "{\"HttpHeaders\":{},\"psFormat\":\"x\"}", "h", "",
      "none" },
    { "auths is null", D, "{\"auths\":null}", "h", "", "none" },
    { "an empty file", D, "", "h", "", "none" },
    { "a blank file", C, " \n\t\r\n", "h", "", "none" },
};

static void entries_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOCRED struct ofs_cred c = { 0 };
        OFS_AUTOFREE char *got = NULL;
        struct ofs_err err = { 0 };

        print_message("    %s\n", rows[i].why);
        assert_int_equal(find(rows[i].flavour, rows[i].text, rows[i].host,
                              rows[i].repo, &c, &err),
                         0);
        got = describe(&c);
        assert_string_equal(got, rows[i].want);
        if (c.kind != OFS_CRED_NONE)
            assert_string_equal(c.origin, "auth.json");
    }
}

/* Each holds the password "hunter2" in some form that must not be told. */
static void mistakes_are_told_without_the_secret(void **state)
{
    static const struct {
        enum ofs_docker_flavour flavour;
        const char *text, *words;
    } bad[] = {
        { D, "{\"auths\":{\"h\":{\"auth\":\"hunter2\"", "not JSON" },
        { D, "[\"hunter2\"]", "not a JSON object" },
        { D, "{\"auths\":\"hunter2\"}", "'auths'" },
        { D, "{\"credHelpers\":[\"hunter2\"]}", "'credHelpers'" },
        { D, "{\"credsStore\":[\"hunter2\"]}", "'credsStore'" },
        { D, "{\"auths\":{\"h\":\"hunter2\"}}", "h: not a JSON object" },
        { D, "{\"auths\":{\"h\":{\"auth\":[\"hunter2\"]}}}", "h: 'auth'" },
        { D, "{\"auths\":{\"h\":{\"auth\":\"!hunter2!\"}}}", "base64" },
        /* "hunter2" without a colon */
        { D, "{\"auths\":{\"h\":{\"auth\":\"aHVudGVyMg==\"}}}",
          "'auth' is not user:password" },
        /* "a:hun" NUL "ter2" */
        { D, "{\"auths\":{\"h\":{\"auth\":\"YTpodW4AdGVyMg==\"}}}",
          "control characters" },
        { D, "{\"auths\":{\"h\":{\"auth\":\"AGE6aHVudGVyMg==\"}}}",
          "'auth' is not user:password" },
        { D, "{\"auths\":{\"h\":{\"registrytoken\":\"hunter2 x\"}}}", "token" },
        { D, "{\"auths\":{\"h\":{\"auth\":\"hunter2\\u0000\"}}}", "'auth'" },
        { L, "{\"h\":\"hunter2\"}", "h: not a JSON object" },
        { E, "{\"auths\":{\"h\":{\"auth\":\"YTox\"}},\"x\":\"hunter2\"}",
          "only 'auths'" },
        { E, "{\"auths\":{\"h\":{\"password\":\"hunter2\"}}}", "only 'auth'" },
        { E, "{\"auths\":{}} {\"x\":\"hunter2\"}", "not JSON" },
        { E, "hunter2", "not JSON" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(bad); i++) {
        OFS_AUTOCRED struct ofs_cred c = { 0 };
        struct ofs_err err = { 0 };

        assert_int_equal(find(bad[i].flavour, bad[i].text, "h", "", &c, &err),
                         -EBADMSG);
        assert_non_null(strstr(err.text, bad[i].words));
        assert_null(strstr(err.text, "hunter2"));
        assert_int_equal(c.kind, OFS_CRED_NONE);
    }
}

static void a_bad_entry_of_another_host_does_no_harm(void **state)
{
    OFS_AUTOCRED struct ofs_cred c = { 0 };

    (void)state;
    assert_int_equal(find(D,
                          "{\"auths\":{\"x\":{\"auth\":\"%%\"},\"y\":7,"
                          "\"h\":{\"auth\":\"" A_1 "\"}}}",
                          "h", "", &c, NULL),
                     0);
    assert_string_equal(c.user, "a");
}

static void helpers_are_named(void **state)
{
    static const char both[] = "{\"credHelpers\":{\"h\":\"one\",\"e\":\"\","
                               "\"https://old/v1/\":\"old\"},"
                               "\"credsStore\":\"all\"}";
    static const struct {
        enum ofs_docker_flavour flavour;
        const char *text, *host, *want; /* NULL: none */
    } cases[] = {
        { D, both, "h", "one" },
        { D, both, "other", "all" },
        { D, both, "e", NULL },
        { D, both, "old", "old" },
        { C, both, "h", "one" },
        { C, both, "other", NULL },
        { L, both, "h", NULL },
        { D, "{}", "h", NULL },
        { D, "", "h", NULL },
        { D, "{\"credsStore\":\"\"}", "h", NULL },
        { D, "{\"credsStore\":null,\"credHelpers\":null}", "h", NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTODOCKERCONFIG struct ofs_docker_config c = { 0 };
        const char *got = "unset";

        assert_int_equal(ofs_docker_config_parse(cases[i].text,
                                                 strlen(cases[i].text),
                                                 cases[i].flavour, &c, NULL),
                         0);
        assert_int_equal(
            ofs_docker_config_helper(&c, cases[i].host, &got, NULL), 0);
        if (cases[i].want)
            assert_string_equal(got, cases[i].want);
        else
            assert_null(got);
    }
}

static void a_helper_that_is_a_path_is_refused(void **state)
{
    static const char *const bad[] = { "../evil", "a/b", "a b", "a\tb", "ü" };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(bad); i++) {
        OFS_AUTODOCKERCONFIG struct ofs_docker_config c = { 0 };
        OFS_AUTOFREE char *text = NULL;
        const char *got;

        text = ofs_strf("{\"credHelpers\":{\"h\":\"%s\"}}",
                        bad[i][1] == '\t' ? "a\\tb" : bad[i]);
        assert_int_equal(
            ofs_docker_config_parse(text, strlen(text), D, &c, NULL), 0);
        assert_int_equal(ofs_docker_config_helper(&c, "h", &got, NULL),
                         -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found),
        cmocka_unit_test(mistakes_are_told_without_the_secret),
        cmocka_unit_test(a_bad_entry_of_another_host_does_no_harm),
        cmocka_unit_test(helpers_are_named),
        cmocka_unit_test(a_helper_that_is_a_path_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
