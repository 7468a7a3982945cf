/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_header_is_of_version_1(void **state)
{
    static const struct {
        const char *json;
        int want;
        const char *says;
    } rows[] = {
        { "{\"imageLayoutVersion\":\"1.0.0\"}", 0, NULL },
        { "{\"imageLayoutVersion\": \"1.1.0\", \"more\": 1}\n", 0, NULL },
        { "{\"imageLayoutVersion\":\"2.0.0\"}", -EINVAL, "version '2.0.0'" },
        { "{\"imageLayoutVersion\":1}", -EINVAL, "not an oci-layout file" },
        { "{}", -EINVAL, "not an oci-layout file" },
        { "[]", -EINVAL, "not an oci-layout file" },
        { "", -EINVAL, "not an oci-layout file" },
        { "hello", -EINVAL, "not an oci-layout file" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_err err = { 0 };
        int r =
            ofs_layout_header_check(rows[i].json, strlen(rows[i].json), &err);

        if (r != rows[i].want ||
            (rows[i].says && !strstr(err.text, rows[i].says)))
            fail_msg("%s: %d %s", rows[i].json, r, err.text);
    }
}

static void a_long_one_is_refused(void **state)
{
    char text[OFS_LAYOUT_HEADER_MAX_BYTES + 1];

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
    assert_int_equal(ofs_layout_header_check(text, sizeof(text) - 1, NULL), 0);
    assert_int_equal(ofs_layout_header_check(text, sizeof(text), NULL),
                     -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_of_version_1),
        cmocka_unit_test(a_long_one_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
