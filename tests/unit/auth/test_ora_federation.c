/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_federation.h"

#include "ocirfs/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define VECTORS OFS_TEST_DATA "/vectors/signing/"

/* The vector uses one key and one certificate for everything. */
static void the_body_is_the_sdks_byte_for_byte(void **state)
{
    OFS_AUTOBUF struct ofs_buf cert = OFS_BUF_INIT(64 * 1024);
    OFS_AUTOBUF struct ofs_buf key = OFS_BUF_INIT(64 * 1024);
    OFS_AUTOBUF struct ofs_buf want = OFS_BUF_INIT(64 * 1024);
    OFS_AUTOBUF struct ofs_buf body = OFS_BUF_INIT(64 * 1024);
    OFS_AUTO(ofs_ora_key_freep) struct ofs_ora_key *session = NULL;
    const struct ofs_ora_leaf leaf = { .cert = &cert,
                                       .key = &key,
                                       .intermediate = &cert };

    (void)state;
    assert_int_equal(
        ofs_file_read(AT_FDCWD, VECTORS "throwaway-leaf-cert.pem", &cert), 0);
    assert_int_equal(
        ofs_file_read(AT_FDCWD, VECTORS "throwaway-test-key.pem", &key), 0);
    assert_int_equal(
        ofs_file_read(AT_FDCWD, VECTORS "08-post-fed-x509.body", &want), 0);
    assert_int_equal(
        ofs_ora_key_parse(ofs_buf_str(&key), key.len, NULL, &session, NULL), 0);
    assert_int_equal(ofs_ora_federation_body(&leaf, session, &body), 0);
    assert_string_equal(ofs_buf_str(&body), ofs_buf_str(&want));
}

static void an_answer_without_a_token_is_refused(void **state)
{
    static const struct {
        const char *json;
        int code;
    } rows[] = {
        { "{\"token\":\"abc\",\"more\":1}", 0 },
        { "{\"token\":\"\"}", -EBADMSG },
        { "{\"token\":1}", -EBADMSG },
        { "{}", -EBADMSG },
        { "[]", -EBADMSG },
        { "", -EBADMSG },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(64);

        assert_int_equal(
            ofs_ora_token_answer(rows[i].json, strlen(rows[i].json), &b, NULL),
            rows[i].code);
        assert_string_equal(ofs_buf_str(&b), rows[i].code ? "" : "abc");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_is_the_sdks_byte_for_byte),
        cmocka_unit_test(an_answer_without_a_token_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
