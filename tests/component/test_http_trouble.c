/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_server.h"
#include "http_client.h"

/* Failures, retries, time-outs, cancelling, stopping. */

static const char content[] = "0123456789abcdefghij";

static struct fake_server *server(void)
{
    struct fake_server *s = fake_server_start();

    fake_server_canned(s, "* /x", 200, NULL, content);
    return s;
}

#define AUTOSERVER OFS_AUTO(fake_server_freep) struct fake_server

static void fault(struct fake_server *s, unsigned nth, unsigned times,
                  enum fake_fault_kind kind, int64_t n, const char *header)
{
    fake_server_fault(s, &(struct fake_fault){ .match = "* /x",
                                               .nth = nth,
                                               .times = times,
                                               .kind = kind,
                                               .n = n,
                                               .header = header });
}

static char *url_of(struct fake_server *s)
{
    char *url = ofs_strf("%s/x", fake_server_url(s));

    assert_non_null(url);
    return url;
}

static ssize_t read_content(void *arg, void *buf, size_t len, uint64_t off)
{
    (void)arg;
    memcpy(buf, content + off, len);
    return (ssize_t)len;
}

static void what_may_pass_is_tried_again(void **state)
{
    static const struct {
        const char *method;
        enum fake_fault_kind kind;
        int64_t n;
        bool no_retry, repeatable;
        int want, status, n_requests;
    } rows[] = {
        { "GET", FAKE_STATUS, 503, false, false, 0, 200, 2 },
        { "GET", FAKE_STATUS, 500, false, false, 0, 200, 2 },
        { "GET", FAKE_STATUS, 429, false, false, 0, 200, 2 },
        { "PUT", FAKE_STATUS, 502, false, false, 0, 200, 2 },
        { "DELETE", FAKE_STATUS, 504, false, false, 0, 200, 2 },
        { "POST", FAKE_STATUS, 503, false, false, 0, 200, 2 },
        { "POST", FAKE_STATUS, 500, false, false, 0, 500, 1 },
        { "POST", FAKE_STATUS, 500, false, true, 0, 200, 2 },
        { "GET", FAKE_STATUS, 503, true, false, 0, 503, 1 },
        { "GET", FAKE_STATUS, 501, false, false, 0, 501, 1 },
        { "GET", FAKE_STATUS, 404, false, false, 0, 404, 1 },
        { "GET", FAKE_RESET_NOW, 0, false, false, 0, 200, 2 },
        { "PATCH", FAKE_RESET_NOW, 0, false, false, -EIO, 0, 1 },
        { "PATCH", FAKE_RESET_NOW, 0, false, true, 0, 200, 2 },
        { "GET", FAKE_RESET_NOW, 0, true, false, -EIO, 0, 1 },
        { "GET", FAKE_RESET_AFTER, 5, false, false, 0, 200, 2 },
        { "GET", FAKE_SHORT_BODY, 5, false, false, 0, 200, 2 },
    };
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        static const struct ofs_http_upload upload = { read_content, NULL,
                                                       sizeof(content) - 1 };
        AUTOSERVER *s = server();
        OFS_AUTOFREE char *url = url_of(s);
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        bool has_body = strcmp(rows[i].method, "PUT") == 0;
        int64_t retries = ofs_metric_get("ocirfs_http_retries_total");
        struct ofs_err err;

        fault(s, 1, 1, rows[i].kind, rows[i].n, NULL);
        assert_int_equal(
            perform(h, LONG_MS,
                    &(struct ofs_http_req){ .method = rows[i].method,
                                            .url = url,
                                            .upload = has_body ? &upload : NULL,
                                            .no_retry = rows[i].no_retry,
                                            .repeatable = rows[i].repeatable },
                    &resp, &err),
            rows[i].want);
        assert_int_equal(resp.status, rows[i].status);
        assert_int_equal(fake_server_count(s, "* /x"), rows[i].n_requests);
        assert_int_equal(ofs_metric_get("ocirfs_http_retries_total") - retries,
                         rows[i].n_requests - 1);
        for (int k = 0; has_body && k < rows[i].n_requests; k++)
            assert_string_equal(
                fake_server_request(s, "* /x", (unsigned)k)->body, content);
    }
}

static void attempts_end_and_the_last_answer_is_given(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_attempts = 2 });
    OFS_AUTOFREE char *url = url_of(s);
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_err err;

    (void)state;
    fault(s, 0, 0, FAKE_STATUS, 503, "Retry-After: 0");
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET", .url = url }, &resp,
                &err),
        0);
    assert_int_equal(resp.status, 503);
    assert_int_equal(resp.n_requests, 2);
    assert_int_equal(fake_server_count(s, "GET /x"), 2);
}

static void a_wish_to_come_later_is_heard(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s);
    OFS_AUTORESP struct ofs_http_resp one = { 0 }, two = { 0 };
    struct ofs_http_req req = { .method = "GET", .url = url };
    int64_t begun = ofs_mono_ms();
    struct ofs_err err;

    (void)state;
    fault(s, 1, 1, FAKE_STATUS, 429, "Retry-After: 1");
    assert_int_equal(perform(h, LONG_MS, &req, &one, &err), 0);
    assert_int_equal(one.status, 200);
    assert_true(ofs_mono_ms() - begun >= 1000);
    /* Beyond the deadline there is no use in waiting for it. */
    fake_server_no_faults(s);
    fault(s, 1, 1, FAKE_STATUS, 429, "Retry-After: 10");
    begun = ofs_mono_ms();
    assert_int_equal(perform(h, 9000, &req, &two, &err), 0);
    assert_int_equal(two.status, 429);
    assert_true(ofs_mono_ms() - begun < SOON_MS);
}

static void what_was_delivered_is_not_asked_again(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s);
    struct ofs_http_resp resp;
    AUTOTAKEN t;
    struct ofs_err err;

    (void)state;
    taken_init(&t);
    fault(s, 0, 0, FAKE_SHORT_BODY, 5, NULL);
    assert_int_equal(perform(h, LONG_MS,
                             &(struct ofs_http_req){
                                 .method = "GET", .url = url, .sink = &t.sink },
                             &resp, &err),
                     -EIO);
    assert_int_equal(err.http_status, 200);
    assert_non_null(strstr(err.text, "ended too early"));
    assert_int_equal(t.bytes.len, strlen(content) - 5);
    assert_int_equal(fake_server_count(s, "GET /x"), 1);
}

static void a_sink_that_got_nothing_is_served_again(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s);
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    AUTOTAKEN t;
    struct ofs_err err;

    (void)state;
    taken_init(&t);
    fault(s, 1, 1, FAKE_STATUS, 503, NULL);
    fault(s, 2, 1, FAKE_RESET_AFTER, 0, NULL);
    assert_int_equal(perform(h, LONG_MS,
                             &(struct ofs_http_req){
                                 .method = "GET", .url = url, .sink = &t.sink },
                             &resp, &err),
                     0);
    assert_string_equal(ofs_buf_str(&t.bytes), content);
    assert_int_equal(resp.n_requests, 3);
}

static void a_closed_connection_is_replaced_unnoticed(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_attempts = 1 });
    OFS_AUTOFREE char *url = url_of(s);
    struct ofs_http_req req = { .method = "GET", .url = url };
    struct ofs_err err;

    (void)state;
    fault(s, 0, 0, FAKE_CLOSE_AFTER, 0, NULL);
    for (int i = 0; i < 20; i++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };

        assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
        assert_int_equal(resp.status, 200);
    }
    assert_int_equal(fake_server_count(s, "GET /x"), 20);
}

/* libcurl does so by itself, as the server cannot have answered. */
static void a_kept_connection_that_breaks_is_no_failure(void **state)
{
    static const struct ofs_http_upload upload = { read_content, NULL,
                                                   sizeof(content) - 1 };
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_attempts = 1 });
    OFS_AUTOFREE char *url = url_of(s);
    OFS_AUTORESP struct ofs_http_resp one = { 0 }, two = { 0 };
    struct ofs_http_req req = { .method = "PUT",
                                .url = url,
                                .upload = &upload };
    struct ofs_err err;

    (void)state;
    fault(s, 2, 1, FAKE_RESET_NOW, 0, NULL);
    assert_int_equal(perform(h, LONG_MS, &req, &one, &err), 0);
    assert_int_equal(perform(h, LONG_MS, &req, &two, &err), 0);
    assert_int_equal(fake_server_count(s, "PUT /x"), 3);
    assert_string_equal(fake_server_request(s, "PUT /x", 2)->body, content);
}

static void a_server_that_is_gone_refuses_and_comes_back(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_attempts = 2 });
    OFS_AUTOFREE char *url = ofs_strf("%s/x?token=secret", fake_server_url(s));
    OFS_AUTOFREE char *want =
        ofs_strf("cannot connect to 127.0.0.1:%d: connection refused",
                 fake_server_port(s));
    OFS_AUTORESP struct ofs_http_resp one = { 0 }, two = { 0 };
    struct ofs_http_req req = { .method = "GET", .url = url };
    struct ofs_err err;

    (void)state;
    assert_int_equal(perform(h, LONG_MS, &req, &one, &err), 0);
    fake_server_down(s);
    assert_int_equal(perform(h, LONG_MS, &req, &two, &err), -ECONNREFUSED);
    assert_string_equal(err.text, want);
    assert_int_equal(err.http_status, 0);
    fake_server_up(s);
    assert_int_equal(perform(h, LONG_MS, &req, &two, &err), 0);
}

static void a_silent_server_is_given_up_at_the_deadline(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s);
    struct ofs_http_resp resp;
    int64_t begun = ofs_mono_ms();
    struct ofs_err err;

    (void)state;
    fault(s, 0, 0, FAKE_STALL, 0, NULL);
    assert_int_equal(
        perform(h, 300, &(struct ofs_http_req){ .method = "GET", .url = url },
                &resp, &err),
        -ETIMEDOUT);
    assert_in_range(ofs_mono_ms() - begun, 300, 300 + SOON_MS);
    assert_non_null(strstr(err.text, "127.0.0.1"));
    assert_non_null(strstr(err.text, "no answer in time"));
}

static void a_stall_ends_before_and_amid_the_body(void **state)
{
    static const enum fake_fault_kind kinds[] = { FAKE_STALL,
                                                  FAKE_STALL_AFTER };
    AUTOCLIENT *h = client(
        &(struct ofs_http_cfg){ .stall_timeout_ms = 200, .max_attempts = 1 });

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(kinds); i++) {
        AUTOSERVER *s = server();
        OFS_AUTOFREE char *url = url_of(s);
        struct ofs_http_resp resp;
        int64_t begun = ofs_mono_ms();
        struct ofs_err err;

        fault(s, 0, 0, kinds[i], 5, NULL);
        assert_int_equal(
            perform(h, LONG_MS,
                    &(struct ofs_http_req){ .method = "GET", .url = url },
                    &resp, &err),
            -ETIMEDOUT);
        assert_in_range(ofs_mono_ms() - begun, 200, 200 + SOON_MS);
        assert_non_null(strstr(err.text, "no byte for 0.2 s"));
    }
}

static void a_stalled_request_is_told_at_once(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .stall_timeout_ms = 200 });
    OFS_AUTOFREE char *url = url_of(s);
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_err err;

    (void)state;
    fault(s, 1, 1, FAKE_STALL, 0, NULL);
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET", .url = url }, &resp,
                &err),
        -ETIMEDOUT);
    assert_int_equal(fake_server_connections(s), 1);
}

static void a_slow_body_is_not_a_stalled_one(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(
        &(struct ofs_http_cfg){ .stall_timeout_ms = 1500, .max_attempts = 1 });
    OFS_AUTOFREE char *url = url_of(s), *long_body = NULL;
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    int64_t begun = ofs_mono_ms();
    struct ofs_err err;

    (void)state;
    long_body = ofs_strf("%040000d", 1);
    assert_non_null(long_body);
    fake_server_canned(s, "GET /x", 200, NULL, long_body);
    fault(s, 0, 0, FAKE_SLOW_BODY, 50, NULL);
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET", .url = url }, &resp,
                &err),
        0);
    assert_int_equal(resp.len, 40000);
    assert_true(ofs_mono_ms() - begun > 1500);
}

static void waiting_for_a_connection_is_not_a_stall(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .stall_timeout_ms = 800,
                                                   .connect_timeout_ms = 800,
                                                   .max_host_connections = 1,
                                                   .max_attempts = 1 });
    OFS_AUTOFREE char *url = url_of(s), *long_body = NULL;
    struct background b[2];
    struct ofs_http_req req = { .method = "GET", .url = url };

    (void)state;
    long_body = ofs_strf("%020000d", 1);
    assert_non_null(long_body);
    fake_server_canned(s, "GET /x", 200, NULL, long_body);
    fault(s, 0, 0, FAKE_SLOW_BODY, 60, NULL);
    for (size_t i = 0; i < OFS_COUNT_OF(b); i++)
        background_start(&b[i], h, LONG_MS, &req);
    for (size_t i = 0; i < OFS_COUNT_OF(b); i++)
        assert_int_equal(background_join(&b[i]), 0);
    assert_int_equal(fake_server_peak(s), 1);
}

static void a_cancelled_request_returns_at_once(void **state)
{
    static const enum fake_fault_kind kinds[] = { FAKE_STALL,
                                                  FAKE_STALL_AFTER };
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(kinds); i++) {
        AUTOSERVER *s = server();
        OFS_AUTOFREE char *url = url_of(s);
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        struct background b;
        AUTOTAKEN t;
        struct ofs_http_req req = { .method = "GET",
                                    .url = url,
                                    .sink = &t.sink };
        struct ofs_err err;
        int64_t begun;

        taken_init(&t);
        fault(s, 1, 1, kinds[i], 5, NULL);
        background_start(&b, h, OFS_NEVER, &req);
        assert_true(fake_server_wait_stalled(s, 1, LONG_MS));
        begun = ofs_mono_ms();
        ofs_call_cancel(&b.call);
        assert_int_equal(background_join(&b), -EINTR);
        assert_true(b.ended_ms - begun < SOON_MS);
        /* The sink is ours again: the engine is done with it. */
        taken_done(&t);
        taken_init(&t);
        fake_server_release(s);
        assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
        assert_string_equal(ofs_buf_str(&t.bytes), content);
    }
}

static void a_pause_between_attempts_can_be_cancelled(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s);
    struct background b;
    int64_t begun;

    (void)state;
    fault(s, 0, 0, FAKE_STATUS, 503, "Retry-After: 60");
    background_start(&b, h, OFS_NEVER,
                     &(struct ofs_http_req){ .method = "GET", .url = url });
    assert_true(fake_server_wait(s, "GET /x", 1, LONG_MS));
    begun = ofs_mono_ms();
    ofs_call_cancel(&b.call);
    assert_int_equal(background_join(&b), -EINTR);
    assert_true(b.ended_ms - begun < SOON_MS);
    assert_int_equal(b.call.deadline_ms, OFS_NEVER);
}

static void what_may_not_wait_does_not_even_ask(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *url = url_of(s);
    struct ofs_http_req req = { .method = "GET", .url = url };
    struct ofs_http_resp resp;
    struct ofs_call call;
    struct ofs_err err;

    (void)state;
    ofs_call_init(&call, LONG_MS);
    call.may_wait = false;
    assert_int_equal(ofs_http_do(h, &call, &req, &resp, &err), -EAGAIN);
    call.may_wait = true;
    ofs_call_cancel(&call);
    assert_int_equal(ofs_http_do(h, &call, &req, &resp, &err), -EINTR);
    ofs_call_done(&call);
    assert_int_equal(perform(h, 0, &req, &resp, &err), -ETIMEDOUT);
    assert_int_equal(fake_server_connections(s), 0);
}

static void stopping_ends_what_is_under_way(void **state)
{
    AUTOSERVER *s = server();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ 0 });
    OFS_AUTOFREE char *stalled = url_of(s), *later = NULL, *good = NULL;
    struct background b[4];
    struct ofs_http_req req = { .method = "GET", .url = stalled };
    struct ofs_http_resp none;
    struct ofs_err err;

    (void)state;
    later = ofs_strf("%s/later", fake_server_url(s));
    fault(s, 0, 0, FAKE_STALL, 0, NULL);
    good = ofs_strf("%s/good", fake_server_url(s));
    fake_server_canned(s, "GET /good", 200, NULL, "");
    fake_server_canned(s, "GET /later", 503, "Retry-After: 60\r\n", "");
    for (size_t i = 0; i < OFS_COUNT_OF(b); i++) {
        req.url = i < 3 ? stalled : later;
        background_start(&b[i], h, OFS_NEVER, &req);
    }
    assert_true(fake_server_wait_stalled(s, 3, LONG_MS));
    assert_true(fake_server_wait(s, "GET /later", 1, LONG_MS));
    /* While these come and go, the last one begins its pause. */
    req.url = good;
    for (int i = 0; i < 20; i++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };

        assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
    }
    ofs_http_stop(h);
    for (size_t i = 0; i < OFS_COUNT_OF(b); i++)
        assert_int_equal(background_join(&b[i]), -EINTR);
    assert_int_equal(perform(h, LONG_MS, &req, &none, &err), -EINTR);
}

static void without_start_nothing_is_asked(void **state)
{
    AUTOSERVER *s = server();
    OFS_AUTOFREE char *url = url_of(s);
    struct ofs_err err;
    AUTOCLIENT *h = ofs_http_new(&(struct ofs_http_cfg){ 0 }, &err);
    struct ofs_http_resp resp;

    (void)state;
    assert_non_null(h);
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET", .url = url }, &resp,
                &err),
        -EINTR);
    ofs_http_stop(h);
    assert_null(ofs_http_new(
        &(struct ofs_http_cfg){ .ca_file = "/nowhere/ca.pem" }, &err));
    assert_int_equal(err.code, -ENOENT);
    assert_non_null(strstr(err.text, "ca_file="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_pass_is_tried_again),
        cmocka_unit_test(attempts_end_and_the_last_answer_is_given),
        cmocka_unit_test(a_wish_to_come_later_is_heard),
        cmocka_unit_test(what_was_delivered_is_not_asked_again),
        cmocka_unit_test(a_sink_that_got_nothing_is_served_again),
        cmocka_unit_test(a_closed_connection_is_replaced_unnoticed),
        cmocka_unit_test(a_kept_connection_that_breaks_is_no_failure),
        cmocka_unit_test(a_server_that_is_gone_refuses_and_comes_back),
        cmocka_unit_test(a_silent_server_is_given_up_at_the_deadline),
        cmocka_unit_test(a_stall_ends_before_and_amid_the_body),
        cmocka_unit_test(a_stalled_request_is_told_at_once),
        cmocka_unit_test(a_slow_body_is_not_a_stalled_one),
        cmocka_unit_test(waiting_for_a_connection_is_not_a_stall),
        cmocka_unit_test(a_cancelled_request_returns_at_once),
        cmocka_unit_test(a_pause_between_attempts_can_be_cancelled),
        cmocka_unit_test(what_may_not_wait_does_not_even_ask),
        cmocka_unit_test(stopping_ends_what_is_under_way),
        cmocka_unit_test(without_start_nothing_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
