/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_cert.h"

#include "ocirfs/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define VECTORS OFS_TEST_DATA "/vectors/signing/"

static void a_leaf_names_its_tenancy_and_has_a_fingerprint(void **state)
{
    OFS_AUTOBUF struct ofs_buf pem = OFS_BUF_INIT(64 * 1024);
    struct ofs_ora_cert c;

    (void)state;
    assert_int_equal(
        ofs_file_read(AT_FDCWD, VECTORS "throwaway-leaf-cert.pem", &pem), 0);
    assert_int_equal(ofs_ora_cert_parse(ofs_buf_str(&pem), pem.len, &c, NULL),
                     0);
    assert_string_equal(
        c.tenancy, "ocid1.tenancy.oc1..aaaaaaaathrowawaytestvectortenancy");
    assert_string_equal(
        c.fingerprint,
        "a7:fb:68:c1:bd:93:7c:eb:33:5a:1b:ab:75:58:55:f6:06:94:35:e8");
}

static void what_is_no_certificate_is_refused(void **state)
{
    struct ofs_ora_cert c;
    struct ofs_err err = { 0 };

    (void)state;
    assert_int_equal(ofs_ora_cert_parse("", 0, &c, &err), -EBADMSG);
    assert_int_equal(ofs_ora_cert_parse("<html>", 6, &c, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "no certificate"));
}

static void the_body_of_a_block_is_on_one_line(void **state)
{
    static const struct {
        const char *pem;
        int code;
        const char *body;
    } rows[] = {
        { "-----BEGIN X-----\nab\ncd\n-----END X-----\n", 0, "abcd" },
        { "text\n-----BEGIN X-----\r\nab\r\ncd==\r\n-----END X-----", 0,
          "abcd==" },
        { "-----BEGIN X-----\na\n-----END X-----\n-----BEGIN X-----\nb\n", 0,
          "a" },
        { "-----BEGIN X-----\nab\n", -EBADMSG, NULL },
        { "ab", -EBADMSG, NULL },
        { "", -EBADMSG, NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1024);

        assert_int_equal(ofs_ora_pem_body(rows[i].pem, strlen(rows[i].pem), &b),
                         rows[i].code);
        if (rows[i].body)
            assert_string_equal(ofs_buf_str(&b), rows[i].body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_names_its_tenancy_and_has_a_fingerprint),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(the_body_of_a_block_is_on_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
