/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_config.h"

#include "ocirfs/ora_auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char text[] = "# people's file\n"
                           "[DEFAULT]\r\n"
                           "user = ocid1.user.a\n"
                           "tenancy=ocid1.tenancy.t\n"
                           "\n"
                           "key_file=~/keys/a.pem\n"
                           "pass_phrase = with = sign \n"
                           "unknown=1\n"
                           "  [ OTHER ]\n"
                           "user=ocid1.user.b\n"
                           "key_file=/abs/b.pem\n";

static int parse(const char *from, const char *name, struct ofs_ora_profile *p,
                 struct ofs_err *err)
{
    return ofs_ora_profile_parse(from, strlen(from), name, "/home/me", p, err);
}

static void a_profile_is_read_with_its_paths_expanded(void **state)
{
    OFS_AUTOPROFILE struct ofs_ora_profile p = { 0 };

    (void)state;
    assert_int_equal(parse(text, "DEFAULT", &p, NULL), 0);
    assert_string_equal(p.user, "ocid1.user.a");
    assert_string_equal(p.key_file, "/home/me/keys/a.pem");
    assert_string_equal(p.pass_phrase.text, "with = sign");
    assert_null(p.fingerprint);
}

static void what_a_profile_lacks_comes_from_default(void **state)
{
    OFS_AUTOPROFILE struct ofs_ora_profile p = { 0 };

    (void)state;
    assert_int_equal(parse(text, "OTHER", &p, NULL), 0);
    assert_string_equal(p.user, "ocid1.user.b");
    assert_string_equal(p.key_file, "/abs/b.pem");
    assert_string_equal(p.tenancy, "ocid1.tenancy.t");
}

static void a_wrong_file_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *says;
    } rows[] = {
        { "user=1\n", -EINVAL, "line 1 is no 'key=value' of a profile" },
        { "[DEFAULT]\n\n#\nuser\n", -EINVAL, "line 4 is no 'key=value'" },
        { "[DEFAULT]\n[X\n", -EINVAL, "line 2: '[' without ']'" },
        { "[X]\nuser=1\n", -ENOENT, "no profile [DEFAULT]" },
        { "", -ENOENT, "no profile [DEFAULT]" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOPROFILE struct ofs_ora_profile p = { 0 };
        struct ofs_err err = { 0 };

        assert_int_equal(parse(rows[i].text, "DEFAULT", &p, &err),
                         rows[i].code);
        assert_non_null(strstr(err.text, rows[i].says));
        assert_null(p.user);
    }
}

static void the_environment_replaces_single_values(void **state)
{
    const struct ofs_ora_env env = { .home = "/home/you",
                                     .cli_user = "ocid1.user.c",
                                     .cli_tenancy = "",
                                     .cli_key_file = "~/c.pem",
                                     .cli_passphrase = "other",
                                     .region = "gru" };
    OFS_AUTOPROFILE struct ofs_ora_profile p = { 0 };

    (void)state;
    assert_int_equal(parse(text, "OTHER", &p, NULL), 0);
    assert_int_equal(ofs_ora_profile_override(&p, &env), 0);
    assert_string_equal(p.user, "ocid1.user.c");
    assert_string_equal(p.tenancy, "ocid1.tenancy.t");
    assert_string_equal(p.key_file, "/home/you/c.pem");
    assert_string_equal(p.pass_phrase.text, "other");
    assert_string_equal(p.region, "gru");
}

static void a_region_that_is_said_beats_the_general_one(void **state)
{
    const struct ofs_ora_env env = { .cli_region = "iad", .region = "gru" };
    OFS_AUTOPROFILE struct ofs_ora_profile p = { 0 };

    (void)state;
    assert_int_equal(ofs_ora_profile_override(&p, &env), 0);
    assert_string_equal(p.region, "iad");
}

static void only_a_file_that_was_asked_for_must_be_there(void **state)
{
    struct ofs_ora_auth_cfg cfg = { .env = { .home = "/nonexistent" } };
    struct ofs_ora_profile p = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    assert_int_equal(ofs_ora_profile_load(&cfg, &p, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nonexistent/.oci/config"));
    cfg.config_file = "~/x";
    assert_int_equal(ofs_ora_profile_load(&cfg, &p, &err), -EINVAL);
    assert_int_equal(err.code, -EINVAL);
    assert_non_null(strstr(err.text, "/nonexistent/x"));
    assert_int_equal(
        ofs_ora_profile_load(&(struct ofs_ora_auth_cfg){ 0 }, &p, &err),
        -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_is_read_with_its_paths_expanded),
        cmocka_unit_test(what_a_profile_lacks_comes_from_default),
        cmocka_unit_test(a_wrong_file_is_refused_with_its_line),
        cmocka_unit_test(the_environment_replaces_single_values),
        cmocka_unit_test(a_region_that_is_said_beats_the_general_one),
        cmocka_unit_test(only_a_file_that_was_asked_for_must_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
