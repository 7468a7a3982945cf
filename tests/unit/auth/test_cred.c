/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/cred.h"

static struct ofs_secret borrow(char *text)
{
    return (struct ofs_secret){ text, strlen(text) };
}

static int make(enum ofs_cred_kind kind, const char *user, const char *secret,
                struct ofs_cred *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *copy = strdup(secret);
    struct ofs_secret s = borrow(copy);

    return ofs_cred_make(kind, user, &s, "auth.json", ret, err);
}

static void what_cannot_be_sent_is_refused_without_telling_it(void **state)
{
    static const struct {
        enum ofs_cred_kind kind;
        const char *user, *secret;
        int want;
    } rows[] = {
        { OFS_CRED_BASIC, "ns/user@example.com", "p:w w\xc3\xa4", 0 },
        { OFS_CRED_BASIC, "", "only-a-password", 0 },
        { OFS_CRED_BASIC, "a:b", "hunter2", -EBADMSG },
        { OFS_CRED_BASIC, "a\nb", "hunter2", -EBADMSG },
        { OFS_CRED_BASIC, "a", "hunter2\r\n", -EBADMSG },
        { OFS_CRED_IDENTITY, NULL, "re-fresh", 0 },
        { OFS_CRED_IDENTITY, NULL, "hunter2\x7f", -EBADMSG },
        { OFS_CRED_BEARER, NULL, "eyJ.x-y_z.~", 0 },
        { OFS_CRED_BEARER, NULL, "hunter2 x", -EBADMSG },
        { OFS_CRED_BEARER, NULL, "hunter2\xc3\xa4", -EBADMSG },
        { OFS_CRED_BEARER, NULL, "", -EBADMSG },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOCRED struct ofs_cred c = { 0 };
        struct ofs_err err = { 0 };

        assert_int_equal(
            make(rows[i].kind, rows[i].user, rows[i].secret, &c, &err),
            rows[i].want);
        assert_null(strstr(err.text, "hunter2"));
        assert_int_equal(c.kind, rows[i].want ? OFS_CRED_NONE : rows[i].kind);
    }
}

static void the_user_token_means_an_identity_token(void **state)
{
    OFS_AUTOCRED struct ofs_cred c = { 0 };

    (void)state;
    assert_int_equal(make(OFS_CRED_BASIC, "<token>", "refresh", &c, NULL), 0);
    assert_int_equal(c.kind, OFS_CRED_IDENTITY);
    assert_null(c.user);
    assert_string_equal(c.secret.text, "refresh");
    assert_string_equal(c.origin, "auth.json");
}

/* RFC 7617, 2 and 2.1. */
static void basic_is_base64_of_user_and_password(void **state)
{
    OFS_AUTOCRED struct ofs_cred c = { 0 }, bare = { 0 };
    OFS_AUTOSECRET struct ofs_secret value = { 0 };

    (void)state;
    assert_int_equal(make(OFS_CRED_BASIC, "Aladdin", "open sesame", &c, NULL),
                     0);
    assert_int_equal(ofs_cred_basic(&c, &value), 0);
    assert_string_equal(value.text, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_int_equal(make(OFS_CRED_IDENTITY, NULL, "x", &bare, NULL), 0);
    assert_int_equal(ofs_cred_basic(&bare, &value), 0);
    assert_string_equal(value.text, "Basic Ong=");
}

static void copies_are_equal_whatever_their_origin(void **state)
{
    OFS_AUTOCRED struct ofs_cred a = { 0 }, b = { 0 }, none = { 0 }, n = { 0 };

    (void)state;
    assert_int_equal(make(OFS_CRED_BASIC, "u", "p", &a, NULL), 0);
    assert_int_equal(ofs_cred_copy(&a, &b), 0);
    assert_true(ofs_cred_equal(&a, &b));
    free(b.origin);
    b.origin = NULL;
    assert_true(ofs_cred_equal(&a, &b));
    b.secret.text[0] = 'q';
    assert_false(ofs_cred_equal(&a, &b));
    assert_false(ofs_cred_equal(&a, &none));
    assert_int_equal(ofs_cred_copy(&none, &n), 0);
    assert_true(ofs_cred_equal(&none, &n));
}

static void a_principal_has_no_secret_to_send(void **state)
{
    OFS_AUTOCRED struct ofs_cred a = { 0 }, b = { 0 }, c = { 0 };
    char one, two; /* stand for principals, which are not looked into */

    (void)state;
    assert_int_equal(ofs_cred_sign((void *)&one, "api_key", &a), 0);
    assert_int_equal(ofs_cred_sign((void *)&two, "api_key", &b), 0);
    assert_int_equal(a.kind, OFS_CRED_SIGNED);
    assert_null(a.secret.text);
    assert_false(ofs_cred_equal(&a, &b));
    assert_int_equal(ofs_cred_copy(&a, &c), 0);
    assert_true(ofs_cred_equal(&a, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_sent_is_refused_without_telling_it),
        cmocka_unit_test(the_user_token_means_an_identity_token),
        cmocka_unit_test(basic_is_base64_of_user_and_password),
        cmocka_unit_test(copies_are_equal_whatever_their_origin),
        cmocka_unit_test(a_principal_has_no_secret_to_send),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
