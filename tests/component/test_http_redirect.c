/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_server.h"
#include "http_client.h"

/* Redirects: who is asked, with what, and where it ends. */

#define AUTOSERVER OFS_AUTO(fake_server_freep) struct fake_server

static void redirect(struct fake_server *s, const char *match, int status,
                     const char *location)
{
    OFS_AUTOFREE char *header = ofs_strf("Location: %s\r\n", location);

    assert_non_null(header);
    fake_server_canned(s, match, status, header, "moved");
}

static void credentials_do_not_follow_to_another_server(void **state)
{
    static const char *const headers[] = { "Range: bytes=0-3", "Cookie: c",
                                           NULL };
    AUTOSERVER *a = fake_server_start(), *b = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = ofs_strf("%s/one", fake_server_url(a));
    OFS_AUTOFREE char *out = ofs_strf("%s/three?sig=s", fake_server_url(b));
    OFS_AUTOFREE char *back = ofs_strf("%s/four", fake_server_url(a));
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    const struct fake_request *three;
    AUTOTAKEN t;
    struct ofs_err err;

    (void)state;
    taken_init(&t);
    redirect(a, "GET /one", 307, "/two");
    redirect(a, "GET /two", 307, out);
    redirect(b, "GET /three", 302, back);
    fake_server_canned(a, "GET /four", 200, NULL, "here");
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET",
                                        .url = url,
                                        .headers = headers,
                                        .authorization = "Bearer x",
                                        .sink = &t.sink,
                                        .max_redirects = 5 },
                &resp, &err),
        0);
    assert_string_equal(ofs_buf_str(&t.bytes), "here");
    assert_int_equal(t.n_heads, 1);
    assert_string_equal(resp.url, back);
    assert_int_equal(resp.n_requests, 4);
    three = fake_server_request(b, "GET /three", 0);
    assert_int_equal(fake_request_has(fake_server_request(a, "GET /one", 0),
                                      "Authorization"),
                     1);
    assert_int_equal(fake_request_has(fake_server_request(a, "GET /two", 0),
                                      "Authorization"),
                     1);
    assert_string_equal(three->target, "/three?sig=s");
    assert_int_equal(fake_request_has(three, "Authorization"), 0);
    assert_int_equal(fake_request_has(three, "Cookie"), 0);
    assert_int_equal(fake_request_has(three, "Range"), 1);
    assert_int_equal(fake_request_has(fake_server_request(a, "GET /four", 0),
                                      "Authorization"),
                     0);
}

static void redirects_are_counted(void **state)
{
    AUTOSERVER *s = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = ofs_strf("%s/loop", fake_server_url(s));
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_http_req req = { .method = "GET",
                                .url = url,
                                .max_redirects = 5 };
    struct ofs_err err;

    (void)state;
    redirect(s, "GET /loop", 302, "/loop");
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "more than 5 redirects"));
    assert_int_equal(err.http_status, 302);
    assert_int_equal(fake_server_count(s, "GET /loop"), 6);
    req.max_redirects = 0;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
    assert_int_equal(resp.status, 302);
    assert_string_equal(ofs_headers_get(&resp.headers, "Location"), "/loop");
    assert_string_equal(resp.body, "moved");
}

static void without_a_target_it_is_an_answer(void **state)
{
    AUTOSERVER *s = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = ofs_strf("%s/x", fake_server_url(s));
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_err err;

    (void)state;
    fake_server_canned(s, "GET /x", 307, NULL, "");
    assert_int_equal(perform(h, LONG_MS,
                             &(struct ofs_http_req){ .method = "GET",
                                                     .url = url,
                                                     .max_redirects = 5 },
                             &resp, &err),
                     0);
    assert_int_equal(resp.status, 307);
}

static void a_forbidden_target_is_never_asked(void **state)
{
    static const char *const targets[] = { "ftp://127.0.0.1/",
                                           "http://user:secret@127.0.0.1/",
                                           "http://", "/a\tb" };
    AUTOSERVER *s = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = ofs_strf("%s/x", fake_server_url(s));

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(targets); i++) {
        struct ofs_http_resp resp = { .status = 77 };
        struct ofs_err err;

        redirect(s, "GET /x", 307, targets[i]);
        assert_int_equal(perform(h, LONG_MS,
                                 &(struct ofs_http_req){ .method = "GET",
                                                         .url = url,
                                                         .max_redirects = 5 },
                                 &resp, &err),
                         -EBADMSG);
        assert_int_equal(resp.status, 77);
        assert_null(strstr(err.text, "secret"));
    }
    assert_int_equal(fake_server_count(s, "* *"), OFS_COUNT_OF(targets));
}

static void a_post_becomes_a_get_or_stays_with_its_body(void **state)
{
    static const struct {
        int status;
        const char *method, *body;
    } rows[] = {
        { 301, "GET", "" },      { 302, "GET", "" },      { 303, "GET", "" },
        { 307, "POST", "data" }, { 308, "POST", "data" },
    };
    static const char *const headers[] = { "Content-Type: a/b", NULL };
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        AUTOSERVER *s = fake_server_start();
        OFS_AUTOFREE char *url = ofs_strf("%s/one", fake_server_url(s));
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        const struct fake_request *got;
        struct ofs_err err;

        redirect(s, "POST /one", rows[i].status, "two");
        fake_server_canned(s, "* /two", 200, NULL, "");
        assert_int_equal(perform(h, LONG_MS,
                                 &(struct ofs_http_req){ .method = "POST",
                                                         .url = url,
                                                         .headers = headers,
                                                         .body = "data",
                                                         .body_len = 4,
                                                         .max_redirects = 1 },
                                 &resp, &err),
                         0);
        got = fake_server_request(s, "* /two", 0);
        assert_string_equal(got->method, rows[i].method);
        assert_string_equal(got->body, rows[i].body);
        assert_int_equal(fake_request_has(got, "Content-Type"),
                         rows[i].body[0] ? 1 : 0);
    }
}

static void a_target_that_fails_is_tried_again_there(void **state)
{
    AUTOSERVER *a = fake_server_start(), *b = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = ofs_strf("%s/one", fake_server_url(a));
    OFS_AUTOFREE char *out = ofs_strf("%s/two", fake_server_url(b));
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_err err;

    (void)state;
    redirect(a, "GET /one", 307, out);
    fake_server_canned(b, "GET /two", 200, NULL, "here");
    fake_server_fault(b, &(struct fake_fault){ .match = "GET /two",
                                               .nth = 1,
                                               .times = 2,
                                               .kind = FAKE_STATUS,
                                               .n = 503 });
    assert_int_equal(perform(h, LONG_MS,
                             &(struct ofs_http_req){ .method = "GET",
                                                     .url = url,
                                                     .max_redirects = 1 },
                             &resp, &err),
                     0);
    assert_string_equal(resp.body, "here");
    assert_int_equal(fake_server_count(a, "GET /one"), 1);
    assert_int_equal(fake_server_count(b, "GET /two"), 3);
}

static void a_head_stays_a_head(void **state)
{
    AUTOSERVER *s = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = ofs_strf("%s/one", fake_server_url(s));
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_err err;

    (void)state;
    redirect(s, "HEAD /one", 303, "/two");
    fake_server_canned(s, "HEAD /two", 200, "X: y\r\n", "body");
    assert_int_equal(perform(h, LONG_MS,
                             &(struct ofs_http_req){ .method = "HEAD",
                                                     .url = url,
                                                     .max_redirects = 1 },
                             &resp, &err),
                     0);
    assert_string_equal(ofs_headers_get(&resp.headers, "X"), "y");
    assert_int_equal(fake_server_count(s, "HEAD /two"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_do_not_follow_to_another_server),
        cmocka_unit_test(redirects_are_counted),
        cmocka_unit_test(without_a_target_it_is_an_answer),
        cmocka_unit_test(a_forbidden_target_is_never_asked),
        cmocka_unit_test(a_post_becomes_a_get_or_stays_with_its_body),
        cmocka_unit_test(a_target_that_fails_is_tried_again_there),
        cmocka_unit_test(a_head_stays_a_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
