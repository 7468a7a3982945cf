/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/httpreq.h"

static void a_line_break_in_a_header_is_refused(void **state)
{
    static const struct {
        const char *header, *authorization;
        int want;
    } rows[] = {
        { "Accept: a/b", "Bearer x", 0 },
        { NULL, NULL, 0 },
        { "Accept: a\r\nX: y", NULL, -EINVAL },
        { "Accept: a\nX: y", NULL, -EINVAL },
        { "Accept: a\r", NULL, -EINVAL },
        { NULL, "Bearer x\r\nX: y", -EINVAL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        const char *headers[] = { "A: b", rows[i].header, NULL };
        struct ofs_http_req req = { .headers = headers,
                                    .authorization = rows[i].authorization };
        struct ofs_err err;

        assert_int_equal(ofs_http_req_check(&req, &err), rows[i].want);
    }
    assert_int_equal(ofs_http_req_check(&(struct ofs_http_req){ 0 }, NULL), 0);
}

static void posts_and_patches_go_out_once(void **state)
{
    (void)state;
    assert_true(ofs_http_is_idempotent("GET"));
    assert_true(ofs_http_is_idempotent("HEAD"));
    assert_true(ofs_http_is_idempotent("PUT"));
    assert_true(ofs_http_is_idempotent("DELETE"));
    assert_false(ofs_http_is_idempotent("POST"));
    assert_false(ofs_http_is_idempotent("PATCH"));
}

static void a_response_is_done_with_twice_without_harm(void **state)
{
    struct ofs_http_resp resp = { .body = strdup("x"), .url = strdup("y") };

    (void)state;
    assert_int_equal(ofs_headers_add(&resp.headers, "a", 1, "b", 1), 0);
    ofs_http_resp_done(&resp);
    assert_null(resp.body);
    assert_null(resp.url);
    assert_int_equal(resp.headers.n, 0);
    ofs_http_resp_done(&resp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_break_in_a_header_is_refused),
        cmocka_unit_test(posts_and_patches_go_out_once),
        cmocka_unit_test(a_response_is_done_with_twice_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
