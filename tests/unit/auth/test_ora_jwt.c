/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_jwt.h"

#include "ocirfs/base64.h"
#include "ocirfs/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int claims_of(const char *payload, struct ofs_ora_claims *ret)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);

    assert_int_equal(ofs_buf_adds(&b, "eyJhbGciOiJub25lIn0."), 0);
    assert_int_equal(ofs_base64_encode(&b, payload, strlen(payload)), 0);
    assert_int_equal(ofs_buf_adds(&b, ".c2ln"), 0);
    return ofs_ora_claims_parse(ofs_buf_str(&b), b.len, ret);
}

static void claims_are_read(void **state)
{
    static const struct {
        const char *payload, *tenancy;
        int64_t expires_s, issued_s;
        bool anonymous;
    } rows[] = {
        { "{\"exp\":1767652300,\"iat\":1767648700}", "", 1767652300, 1767648700,
          false },
        { "{\"exp\":1767652300.9}", "", 1767652300, 0, false },
        { "{\"exp\":1e300,\"iat\":-5}", "", 0, 0, false },
        { "{\"exp\":\"1\",\"iat\":null}", "", 0, 0, false },
        { "{\"tenant\":\"a\",\"res_tenant\":\"b\"}", "b", 0, 0, false },
        { "{\"tenant\":\"a\"}", "a", 0, 0, false },
        { "{\"sub\":\"{\\\"userId\\\":\\\"anon-f82f\\\"}\"}", "", 0, 0, true },
        { "{\"sub\":\"{\\\"userId\\\":\\\"ocid1.user\\\"}\"}", "", 0, 0,
          false },
        { "{\"sub\":\"anon-f82f\"}", "", 0, 0, false },
        { "{\"sub\":7}", "", 0, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_ora_claims c = { 0 };

        assert_int_equal(claims_of(rows[i].payload, &c), 0);
        assert_int_equal(c.expires_s, rows[i].expires_s);
        assert_int_equal(c.issued_s, rows[i].issued_s);
        assert_string_equal(c.tenancy, rows[i].tenancy);
        assert_int_equal(c.anonymous, rows[i].anonymous);
    }
}

static void a_token_says_whose_it_is(void **state)
{
    struct ofs_ora_claims c;
    char payload[400];

    (void)state;
    assert_int_equal(claims_of("{\"sub\":\"ocid1.user\"}", &c), 0);
    assert_string_equal(c.subject, "ocid1.user");
    assert_int_equal(claims_of("{\"sub\":7}", &c), 0);
    assert_string_equal(c.subject, "");
    /* Cut off it would be another one's. */
    (void)snprintf(payload, sizeof(payload), "{\"sub\":\"%0256d\"}", 1);
    assert_int_equal(claims_of(payload, &c), 0);
    assert_string_equal(c.subject, "");
}

static void what_is_no_token_is_told_apart(void **state)
{
    static const char *const rows[] = {
        "", "opaque", "a.b", "a..c", "a.!!!.c", "a.W10.c", "a.e30", "a.bm8.c"
    };
    struct ofs_ora_claims c;

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        assert_int_equal(ofs_ora_claims_parse(rows[i], strlen(rows[i]), &c),
                         -EBADMSG);
    assert_int_equal(claims_of("[]", &c), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_read),
        cmocka_unit_test(a_token_says_whose_it_is),
        cmocka_unit_test(what_is_no_token_is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
