/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors that were checked against Oracle's own SDK, all of them. */
#include "ora_sign.h"

#include "ocirfs/file.h"
#include "ocirfs/json.h"
#include "ocirfs/url.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define VECTORS OFS_TEST_DATA "/vectors/signing/"

static void read_file(const char *name, struct ofs_buf *b)
{
    OFS_AUTOFREE char *path = ofs_strf(VECTORS "%s", name);

    assert_non_null(path);
    if (ofs_file_read(AT_FDCWD, path, b) < 0)
        fail_msg("cannot read %s", path);
}

static struct ofs_ora_key *read_key(const char *name, const char *pass)
{
    OFS_AUTOBUF struct ofs_buf pem = OFS_BUF_INIT(64 * 1024);
    OFS_AUTOSECRET struct ofs_secret secret = { 0 };
    struct ofs_ora_key *key = NULL;
    struct ofs_err err = { 0 };

    read_file(name, &pem);
    if (pass)
        assert_int_equal(ofs_secret_set(&secret, pass, strlen(pass)), 0);
    if (ofs_ora_key_parse(ofs_buf_str(&pem), pem.len, &secret, &key, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    return key;
}

static json_t *read_vectors(void)
{
    OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(1024 * 1024);
    json_t *doc = NULL;

    read_file("vectors.json", &text);
    assert_int_equal(ofs_json_parse(ofs_buf_str(&text), text.len, &doc, NULL),
                     0);
    return doc;
}

static const char *member(const json_t *obj, const char *name)
{
    return json_string_value(json_object_get(obj, name));
}

static void check_one(const json_t *v, const struct ofs_ora_key *key)
{
    OFS_AUTOBUF struct ofs_buf string = OFS_BUF_INIT(64 * 1024);
    OFS_AUTOSTRV struct ofs_strv headers = { 0 };
    OFS_AUTOURL struct ofs_url url = { 0 };
    OFS_AUTOFREE char *want = NULL;
    struct ofs_ora_request r = { .method = member(v, "method"),
                                 .host = member(v, "host"),
                                 .date = member(v, "xDate"),
                                 .body = member(v, "body") };

    assert_int_equal(ofs_url_parse(member(v, "url"), &url, NULL), 0);
    r.target = url.target;
    r.body_len = r.body ? strlen(r.body) : 0;
    r.sign_date = r.date == NULL;
    if (!r.date)
        r.date = member(v, "date");
    assert_int_equal(ofs_ora_signing_string(&r, &string), 0);
    assert_string_equal(ofs_buf_str(&string), member(v, "signingString"));
    assert_int_equal(ofs_ora_sign(&r, member(v, "keyId"), key, &headers), 0);
    want = ofs_strf("Authorization: %s", member(v, "authorization"));
    assert_string_equal(headers.at[headers.n - 1], want);
}

static void every_vector_is_signed_as_the_sdk_does(void **state)
{
    OFS_AUTO(ofs_ora_key_freep)
    struct ofs_ora_key *key = read_key("throwaway-test-key.pem", NULL);
    OFS_AUTOJSON json_t *doc = read_vectors();
    json_t *vectors = json_object_get(doc, "vectors");

    (void)state;
    assert_int_equal(json_array_size(vectors), 8);
    for (size_t i = 0; i < json_array_size(vectors); i++)
        check_one(json_array_get(vectors, i), key);
}

static void every_form_of_a_key_is_the_same_key(void **state)
{
    static const struct {
        const char *file, *pass;
    } rows[] = {
        { "throwaway-test-key.pem", NULL },
        { "throwaway-test-key-pkcs1.pem", NULL },
        { "throwaway-test-key-encrypted.pem", "correct-horse" },
        { "throwaway-test-key-pkcs1-encrypted.pem", "correct-horse" },
    };
    OFS_AUTOJSON json_t *doc = read_vectors();

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTO(ofs_ora_key_freep)
        struct ofs_ora_key *key = read_key(rows[i].file, rows[i].pass);
        char text[OFS_ORA_FINGERPRINT_MAX];

        assert_int_equal(ofs_ora_key_fingerprint(key, text), 0);
        assert_string_equal(text, member(doc, "fingerprint"));
    }
}

static void a_key_that_cannot_be_opened_says_why(void **state)
{
    static const struct {
        const char *file, *pass;
        int code;
        const char *says;
    } rows[] = {
        { "throwaway-test-key-encrypted.pem", NULL, -EACCES, "is encrypted" },
        { "throwaway-test-key-encrypted.pem", "wrong", -EACCES,
          "does not open" },
        { "throwaway-test-key-pkcs1-encrypted.pem", "wrong", -EACCES,
          "does not open" },
        { "throwaway-test-key-public.pem", NULL, -EINVAL, "no private key" },
        { "vectors.json", NULL, -EINVAL, "no private key" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf pem = OFS_BUF_INIT(1024 * 1024);
        OFS_AUTOSECRET struct ofs_secret pass = { 0 };
        struct ofs_ora_key *key = NULL;
        struct ofs_err err = { 0 };

        read_file(rows[i].file, &pem);
        if (rows[i].pass)
            assert_int_equal(
                ofs_secret_set(&pass, rows[i].pass, strlen(rows[i].pass)), 0);
        assert_int_equal(
            ofs_ora_key_parse(ofs_buf_str(&pem), pem.len, &pass, &key, &err),
            rows[i].code);
        assert_non_null(strstr(err.text, rows[i].says));
        assert_null(key);
    }
}

static void text_behind_a_key_does_not_matter(void **state)
{
    OFS_AUTOBUF struct ofs_buf pem = OFS_BUF_INIT(64 * 1024);
    OFS_AUTO(ofs_ora_key_freep) struct ofs_ora_key *key = NULL;

    (void)state;
    read_file("throwaway-test-key.pem", &pem);
    assert_int_equal(ofs_buf_adds(&pem, "\nOCI_API_KEY\n"), 0);
    assert_int_equal(
        ofs_ora_key_parse(ofs_buf_str(&pem), pem.len, NULL, &key, NULL), 0);
}

static void a_made_key_is_new_each_time(void **state)
{
    char first[OFS_ORA_FINGERPRINT_MAX], second[OFS_ORA_FINGERPRINT_MAX];
    OFS_AUTO(ofs_ora_key_freep) struct ofs_ora_key *a = NULL;
    OFS_AUTO(ofs_ora_key_freep) struct ofs_ora_key *b = NULL;

    (void)state;
    assert_int_equal(ofs_ora_key_make(&a, NULL), 0);
    assert_int_equal(ofs_ora_key_make(&b, NULL), 0);
    assert_int_equal(ofs_ora_key_fingerprint(a, first), 0);
    assert_int_equal(ofs_ora_key_fingerprint(b, second), 0);
    assert_string_not_equal(first, second);
}

static void dates_are_english(void **state)
{
    char text[OFS_ORA_DATE_MAX];

    (void)state;
    ofs_ora_date(1767648700, text);
    assert_string_equal(text, "Mon, 05 Jan 2026 21:31:40 GMT");
}

static void a_delegation_token_is_signed_and_sent(void **state)
{
    const struct ofs_ora_request r = { .method = "GET",
                                       .target = "/x",
                                       .host = "h",
                                       .date = "d",
                                       .obo_token = "tok" };
    OFS_AUTO(ofs_ora_key_freep)
    struct ofs_ora_key *key = read_key("throwaway-test-key.pem", NULL);
    OFS_AUTOBUF struct ofs_buf string = OFS_BUF_INIT(1024);
    OFS_AUTOSTRV struct ofs_strv headers = { 0 };

    (void)state;
    assert_int_equal(ofs_ora_signing_string(&r, &string), 0);
    assert_string_equal(
        ofs_buf_str(&string),
        "x-date: d\n(request-target): get /x\nhost: h\nopc-obo-token: tok");
    assert_int_equal(ofs_ora_sign(&r, "k", key, &headers), 0);
    assert_int_equal(headers.n, 3);
    assert_string_equal(headers.at[0], "x-date: d");
    assert_string_equal(headers.at[1], "opc-obo-token: tok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_is_signed_as_the_sdk_does),
        cmocka_unit_test(every_form_of_a_key_is_the_same_key),
        cmocka_unit_test(a_key_that_cannot_be_opened_says_why),
        cmocka_unit_test(text_behind_a_key_does_not_matter),
        cmocka_unit_test(a_made_key_is_new_each_time),
        cmocka_unit_test(dates_are_english),
        cmocka_unit_test(a_delegation_token_is_signed_and_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
