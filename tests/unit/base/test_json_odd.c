/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEN(x) x x x x x x x x x x

static const struct {
    const char *odd, *plain; /* NULL: refused */
} cases[] = {
    { "{\"a\":1}", "{\"a\":1}" },
    { "{\"a\":\"Jos\xe9\"}", "{\"a\":\"Jos?\"}" },
    { "{\"a\":\"\xff\xfe \xc3\xa4\"}", "{\"a\":\"?? \xc3\xa4\"}" },
    { "{\"a\":\"\\ud83d\"}", "{\"a\":\"?\"}" },
    { "{\"a\":\"\\ude00x\\ud83dy\"}", "{\"a\":\"?x?y\"}" },
    { "{\"a\":\"\\ud83d\\ude00\xff\"}", "{\"a\":\"\xf0\x9f\x98\x80?\"}" },
    { "{\"a\":\"\\\"\\\\\xff\\n\"}", "{\"a\":\"\\\"\\\\?\\n\"}" },
    { "{\"a\":1e999,\"b\":[-1E5,2]}", "{\"a\":null,\"b\":[null,2]}" },
    { "{\"a\":99999999999999999999999,\"b\":1.5}", "{\"a\":null,\"b\":1.5}" },
    { "{\"a\":\"x\xff", NULL },
    { "{\"a\":\"\\", NULL },
    { "{\"a\":\"\\ud83", NULL },
    { "{\"a\":\"\xe9", NULL },
    { "", NULL },
    { "nonsense", NULL },
};

static void what_others_pass_over_is_passed_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTOJSON json_t *doc = NULL;
        OFS_AUTOFREE char *text = NULL;
        const char *odd = cases[i].odd;
        int r = ofs_json_parse_odd(odd, strlen(odd), &doc, NULL);

        if (!cases[i].plain) {
            assert_int_equal(r, -EBADMSG);
            continue;
        }
        if (r < 0)
            fail_msg("case %zu: %d", i, r);
        text = json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);
        assert_string_equal(text, cases[i].plain);
    }
}

/* Beyond what we read it is null, whatever it holds, and the rest is there. */
static void what_is_nested_deep_is_null(void **state)
{
    static const char json[] =
        "{\"a\":" TEN(TEN("[")) "\"]\",{\"x\":\"}\"}" TEN(TEN("]")) ",\"b\":7}";
    OFS_AUTOJSON json_t *doc = NULL;
    const json_t *at;
    int depth = 0;

    (void)state;
    assert_int_equal(ofs_json_parse_odd(json, strlen(json), &doc, NULL), 0);
    assert_int_equal(json_integer_value(json_object_get(doc, "b")), 7);
    for (at = json_object_get(doc, "a"); json_is_array(at); depth++)
        at = json_array_get(at, 0);
    assert_true(json_is_null(at));
    assert_true(depth > 8 && depth < 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_pass_over_is_passed_over),
        cmocka_unit_test(what_is_nested_deep_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
