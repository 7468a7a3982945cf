/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_server.h"
#include "http_client.h"

/* Requests, answers, connections: what goes well. */

static const char content[] = "0123456789abcdefghij";

static struct fake_server *server(void)
{
    struct fake_server *s = fake_server_start();

    fake_server_canned(s, "* /x*", 200, "X-One: 1\r\nX-Two: 2\r\n", content);
    return s;
}

#define AUTOSERVER OFS_AUTO(fake_server_freep) struct fake_server

static char *url_of(struct fake_server *s, const char *target)
{
    char *url = ofs_strf("%s%s", fake_server_url(s), target);

    assert_non_null(url);
    return url;
}

static void an_answer_arrives_in_memory(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .user_agent = "test/1" });
    OFS_AUTOFREE char *url = url_of(s, "/x?q=1#frag");
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    const struct fake_request *req;
    OFS_AUTOFREE char *agent = NULL, *encoding = NULL;
    struct ofs_err err;

    (void)state;
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET", .url = url }, &resp,
                &err),
        0);
    assert_int_equal(resp.status, 200);
    assert_int_equal(resp.len, strlen(content));
    assert_string_equal(resp.body, content);
    assert_string_equal(ofs_headers_get(&resp.headers, "x-two"), "2");
    assert_true(ofs_str_ends(resp.url, "/x?q=1"));
    assert_int_equal(resp.n_requests, 1);
    req = fake_server_request(s, "GET /x", 0);
    assert_string_equal(req->target, "/x?q=1");
    agent = fake_request_header(req, "User-Agent");
    encoding = fake_request_header(req, "Accept-Encoding");
    assert_string_equal(agent, "test/1");
    assert_string_equal(encoding, "identity");
}

static void every_status_is_an_answer(void **state)
{
    static const int statuses[] = { 200, 201, 204, 304, 400, 401, 404, 501 };
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s, "/y");

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(statuses); i++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        struct ofs_err err;

        fake_server_canned(s, "GET /y", statuses[i], NULL, "");
        assert_int_equal(
            perform(h, LONG_MS,
                    &(struct ofs_http_req){ .method = "GET", .url = url },
                    &resp, &err),
            0);
        assert_int_equal(resp.status, statuses[i]);
        assert_int_equal(resp.n_requests, 1);
        assert_null(resp.body);
    }
}

static void one_connection_serves_many_requests(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s, "/x");
    int64_t opened = ofs_metric_get("ocirfs_http_connections_total");
    int64_t sent = ofs_metric_get("ocirfs_http_requests_total");
    int64_t bytes = ofs_metric_get("ocirfs_http_received_bytes_total");

    (void)state;
    for (int i = 0; i < 20; i++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        struct ofs_err err;

        assert_int_equal(
            perform(h, LONG_MS,
                    &(struct ofs_http_req){ .method = "GET", .url = url },
                    &resp, &err),
            0);
    }
    assert_int_equal(fake_server_connections(s), 1);
    assert_int_equal(ofs_metric_get("ocirfs_http_connections_total"),
                     opened + 1);
    assert_int_equal(ofs_metric_get("ocirfs_http_requests_total"), sent + 20);
    assert_int_equal(ofs_metric_get("ocirfs_http_received_bytes_total"),
                     bytes + 20 * (int64_t)strlen(content));
    assert_int_equal(ofs_metric_get("ocirfs_http_in_flight"), 0);
}

static void a_head_has_headers_and_no_body(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s, "/x");
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_err err;

    (void)state;
    assert_int_equal(perform(h, LONG_MS,
                             &(struct ofs_http_req){
                                 .method = "HEAD", .url = url, .max_body = 1 },
                             &resp, &err),
                     0);
    assert_string_equal(ofs_headers_get(&resp.headers, "Content-Length"), "20");
    assert_null(resp.body);
    assert_int_equal(fake_server_count(s, "HEAD /x"), 1);
}

static void a_success_goes_to_the_sink_and_an_error_to_memory(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *good = url_of(s, "/x"), *bad = url_of(s, "/bad");
    OFS_AUTORESP struct ofs_http_resp one = { 0 }, two = { 0 };
    AUTOTAKEN t;
    struct ofs_http_req req = { .method = "GET", .url = good, .sink = &t.sink };
    struct ofs_err err;

    (void)state;
    taken_init(&t);
    fake_server_canned(s, "GET /bad", 404, NULL, "no such thing");
    assert_int_equal(perform(h, LONG_MS, &req, &one, &err), 0);
    assert_int_equal(t.status, 200);
    assert_int_equal(t.n_heads, 1);
    assert_string_equal(ofs_buf_str(&t.bytes), content);
    assert_null(one.body);
    req.url = bad;
    assert_int_equal(perform(h, LONG_MS, &req, &two, &err), 0);
    assert_int_equal(two.status, 404);
    assert_string_equal(two.body, "no such thing");
    assert_int_equal(t.n_heads, 1);
    assert_string_equal(ofs_buf_str(&t.bytes), content);
}

static void a_sink_hears_of_an_empty_body(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s, "/empty");
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    AUTOTAKEN t;
    struct ofs_err err;

    (void)state;
    taken_init(&t);
    fake_server_canned(s, "GET /empty", 200, NULL, "");
    assert_int_equal(perform(h, LONG_MS,
                             &(struct ofs_http_req){
                                 .method = "GET", .url = url, .sink = &t.sink },
                             &resp, &err),
                     0);
    assert_int_equal(t.n_heads, 1);
    assert_int_equal(t.bytes.len, 0);
}

static void a_sink_may_refuse(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s, "/x");
    AUTOTAKEN t;
    struct ofs_http_req req = { .method = "GET", .url = url, .sink = &t.sink };
    struct ofs_http_resp resp = { .status = 77 };
    struct ofs_err err;

    (void)state;
    taken_init(&t);
    t.refuse_head = -ESTALE;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), -ESTALE);
    assert_int_equal(err.http_status, 200);
    assert_int_equal(t.bytes.len, 0);
    t.refuse_head = 0;
    t.refuse_body = -ENOSPC;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), -ENOSPC);
    assert_true(t.bytes.len > 0);
    assert_int_equal(resp.status, 77);
    /* Not to be cured by asking again. */
    assert_int_equal(fake_server_count(s, "GET /x"), 2);
}

static void fill_zeros(void *arg, void *buf, size_t len, uint64_t off)
{
    (void)arg;
    (void)off;
    memset(buf, '0', len);
}

static void forbid_at_length(void *arg, const struct fake_request *req,
                             struct fake_response *resp)
{
    (void)arg;
    (void)req;
    resp->status = 403;
    resp->fill = fill_zeros;
    resp->size = 100 << 20;
}

static void a_body_has_a_limit_but_an_error_is_only_cut(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *good = url_of(s, "/x"), *bad = url_of(s, "/bad");
    OFS_AUTOFREE char *huge = url_of(s, "/huge");
    OFS_AUTORESP struct ofs_http_resp resp = { 0 }, big = { 0 };
    struct ofs_http_req req = { .method = "GET", .url = good, .max_body = 19 };
    struct ofs_err err;

    (void)state;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), -EFBIG);
    assert_int_equal(err.http_status, 200);
    assert_non_null(strstr(err.text, "longer than allowed"));
    fake_server_fault(s,
                      &(struct fake_fault){ .match = "GET /x",
                                            .kind = FAKE_NO_CONTENT_LENGTH });
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), -EFBIG);
    assert_int_equal(fake_server_count(s, "GET /x"), 2);
    fake_server_canned(s, "GET /bad", 404, NULL, content);
    req.url = bad;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
    assert_int_equal(resp.len, 19);
    assert_memory_equal(resp.body, content, 19);
    /* 100 MiB of an error are not read to the end. */
    fake_server_route(s, "GET /huge", forbid_at_length, NULL);
    req.url = huge;
    req.max_body = 0;
    assert_int_equal(perform(h, LONG_MS, &req, &big, &err), 0);
    assert_int_equal(big.status, 403);
    assert_int_equal(big.len, 64 * 1024);
    assert_true(fake_server_body_bytes(s) < 50 << 20);
}

static ssize_t read_content(void *arg, void *buf, size_t len, uint64_t off)
{
    const char *text = arg;

    /* In small pieces, to be called more than once. */
    if (len > 7)
        len = 7;
    memcpy(buf, text + off, len);
    return (ssize_t)len;
}

static void each_method_carries_its_body(void **state)
{
    static const struct ofs_http_upload upload = { read_content,
                                                   (void *)(uintptr_t)content,
                                                   sizeof(content) - 1 };
    static const struct {
        const char *method;
        bool memory, upload;
        const char *body, *length; /* NULL: no such header */
    } rows[] = {
        { "POST", true, false, content, "20" },
        { "PUT", true, false, content, "20" },
        { "PATCH", true, false, content, "20" },
        { "DELETE", true, false, content, "20" },
        { "POST", false, true, content, "20" },
        { "PUT", false, true, content, "20" },
        { "PATCH", false, true, content, "20" },
        { "POST", false, false, "", "0" },
        { "PUT", false, false, "", "0" },
        { "DELETE", false, false, "", NULL },
        { "GET", false, false, "", NULL },
    };
    static const char *const headers[] = { "Content-Type: a/b", NULL };
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s, "/x");

    (void)state;
    for (unsigned i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        OFS_AUTOFREE char *length = NULL, *type = NULL;
        struct ofs_http_req req = {
            .method = rows[i].method,
            .url = url,
            .headers = headers,
            .body = rows[i].memory ? content : NULL,
            .body_len = rows[i].memory ? strlen(content) : 0,
            .upload = rows[i].upload ? &upload : NULL,
        };
        const struct fake_request *got;
        struct ofs_err err;

        assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
        got = fake_server_request(s, "* /x", i);
        assert_string_equal(got->method, rows[i].method);
        assert_string_equal(got->body, rows[i].body);
        length = fake_request_header(got, "Content-Length");
        if (rows[i].length)
            assert_string_equal(length, rows[i].length);
        else
            assert_null(length);
        type = fake_request_header(got, "Content-Type");
        assert_string_equal(type, "a/b");
        assert_int_equal(fake_request_has(got, "Expect"), 0);
        assert_int_equal(fake_request_has(got, "Transfer-Encoding"), 0);
    }
    assert_int_equal(fake_server_connections(s), 1);
}

static ssize_t read_zeros(void *arg, void *buf, size_t len, uint64_t off)
{
    (void)arg;
    (void)off;
    memset(buf, 0, len);
    return (ssize_t)len;
}

static ssize_t read_too_little(void *arg, void *buf, size_t len, uint64_t off)
{
    (void)arg;
    (void)buf;
    (void)len;
    return off < 5 ? 5 : 0;
}

static ssize_t read_broken(void *arg, void *buf, size_t len, uint64_t off)
{
    (void)arg;
    (void)buf;
    (void)len;
    (void)off;
    return -ENXIO;
}

static void a_long_upload_is_whole_and_a_broken_one_is_told(void **state)
{
    static const struct ofs_http_upload large = { read_zeros, NULL, 9 << 20 };
    static const struct ofs_http_upload little = { read_too_little, NULL, 10 };
    static const struct ofs_http_upload broken = { read_broken, NULL, 10 };
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s, "/x");
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_http_req req = { .method = "PUT", .url = url, .upload = &large };
    struct ofs_err err;

    (void)state;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
    assert_int_equal(fake_server_request(s, "PUT /x", 0)->body_len, 9 << 20);
    req.upload = &little;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), -EIO);
    assert_non_null(strstr(err.text, "cannot be read"));
    req.upload = &broken;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), -ENXIO);
}

static void line_breaks_and_bad_urls_never_reach_the_wire(void **state)
{
    static const char *const evil[] = { "X: y\r\nZ: w", NULL };
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s, "/x"), *bad = url_of(s, "/x y");
    struct ofs_http_req req = { .method = "GET", .url = url, .headers = evil };
    struct ofs_http_resp resp;
    struct ofs_err err;

    (void)state;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), -EINVAL);
    req.headers = NULL;
    req.url = bad;
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), -EBADMSG);
    assert_int_equal(fake_server_connections(s), 0);
}

struct crowd {
    struct ofs_http *h;
    const char *url;
    int r, status;
    unsigned n_good;
    pthread_t thread;
};

static void *ask_often(void *arg)
{
    struct crowd *c = arg;

    for (int i = 0; i < 50; i++) {
        struct ofs_http_resp resp = { 0 };
        struct ofs_err err;
        int r =
            perform(c->h, LONG_MS,
                    &(struct ofs_http_req){ .method = "GET", .url = c->url },
                    &resp, &err);

        if (r < 0)
            c->r = r;
        else if (resp.status == 200 && resp.len == strlen(content) &&
                 strcmp(resp.body, content) == 0)
            c->n_good++;
        ofs_http_resp_done(&resp);
    }
    return NULL;
}

static void many_threads_share_connections(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_host_connections = 8 });
    OFS_AUTOFREE char *url = url_of(s, "/x");
    struct crowd crowd[32];

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(crowd); i++) {
        crowd[i] = (struct crowd){ .h = h, .url = url };
        assert_int_equal(
            pthread_create(&crowd[i].thread, NULL, ask_often, &crowd[i]), 0);
    }
    for (size_t i = 0; i < OFS_COUNT_OF(crowd); i++)
        (void)pthread_join(crowd[i].thread, NULL);
    for (size_t i = 0; i < OFS_COUNT_OF(crowd); i++) {
        assert_int_equal(crowd[i].r, 0);
        assert_int_equal(crowd[i].n_good, 50);
    }
    assert_in_range(fake_server_connections(s), 1, 8);
    assert_int_equal(ofs_metric_get("ocirfs_http_in_flight"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_arrives_in_memory),
        cmocka_unit_test(every_status_is_an_answer),
        cmocka_unit_test(one_connection_serves_many_requests),
        cmocka_unit_test(a_head_has_headers_and_no_body),
        cmocka_unit_test(a_success_goes_to_the_sink_and_an_error_to_memory),
        cmocka_unit_test(a_sink_hears_of_an_empty_body),
        cmocka_unit_test(a_sink_may_refuse),
        cmocka_unit_test(a_body_has_a_limit_but_an_error_is_only_cut),
        cmocka_unit_test(each_method_carries_its_body),
        cmocka_unit_test(a_long_upload_is_whole_and_a_broken_one_is_told),
        cmocka_unit_test(line_breaks_and_bad_urls_never_reach_the_wire),
        cmocka_unit_test(many_threads_share_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
