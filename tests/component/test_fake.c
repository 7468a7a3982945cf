/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_server.h"
#include "raw_http.h"

#include "ocirfs/clock.h"
#include "ocirfs/str.h"

#include <pthread.h>

enum { SOON_MS = 10000 };

static const char content[] = "0123456789abcdefghij";

static struct fake_server *start(void)
{
    struct fake_server *s = fake_server_start();

    fake_server_canned(s, "* /x", 200,
                       "Content-Type: text/plain\r\n"
                       "Docker-Content-Digest: sha256:00\r\n",
                       content);
    return s;
}

static void fault(struct fake_server *s, enum fake_fault_kind kind, int64_t n,
                  const char *text)
{
    fake_server_fault(
        s, &(struct fake_fault){
               .match = "* /x", .kind = kind, .n = n, .text = text });
}

static void a_canned_answer_arrives(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();
    RAW_AUTO struct raw_answer a = raw_get(fake_server_port(s), "/x?q=1", "");
    RAW_AUTO struct raw_answer no = raw_get(fake_server_port(s), "/y", "");
    OFS_AUTOFREE char *type = raw_header(&a, "content-type");

    (void)state;
    assert_int_equal(a.status, 200);
    assert_int_equal(a.error, 0);
    assert_string_equal(ofs_buf_str(&a.body), content);
    assert_string_equal(type, "text/plain");
    assert_int_equal(no.status, 404);
}

static void a_connection_is_kept_and_requests_are_remembered(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();
    OFS_AUTOCLOSE int fd = raw_open(fake_server_port(s));
    const struct fake_request *req;
    OFS_AUTOFREE char *value = NULL, *q = NULL;

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct raw_answer a;

        raw_ask(fd, i == 1 ? "HEAD" : "GET", "/x?q=a%2Fb", "X-One: eins\r\n");
        a = raw_read(fd, i != 1);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.body.len, i == 1 ? 0 : strlen(content));
        raw_done(&a);
    }
    assert_int_equal(fake_server_connections(s), 1);
    assert_int_equal(fake_server_peak(s), 1);
    assert_int_equal(fake_server_count(s, "GET /x"), 2);
    assert_int_equal(fake_server_count(s, "* /*"), 3);
    assert_int_equal(fake_server_count(s, "* /x?q=b"), 0);
    assert_int_equal(fake_server_count(s, "* /x?q=a*"), 3);
    assert_int_equal(fake_server_body_bytes(s), 2 * strlen(content));
    req = fake_server_request(s, "HEAD *", 0);
    assert_non_null(req);
    value = fake_request_header(req, "x-one");
    q = fake_request_param(req, "q");
    assert_string_equal(value, "eins");
    assert_string_equal(q, "a/b");
    assert_int_equal(fake_request_has(req, "Authorization"), 0);
    assert_null(fake_server_request(s, "GET *", 2));
    fake_server_clear(s);
    assert_int_equal(fake_server_count(s, "* *"), 0);
}

static void a_body_is_taken(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();
    OFS_AUTOCLOSE int fd = raw_open(fake_server_port(s));
    RAW_AUTO struct raw_answer a = { 0 };

    (void)state;
    raw_send(fd, "POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel");
    raw_send(fd, "lo");
    a = raw_read(fd, true);
    assert_int_equal(a.status, 200);
    assert_string_equal(fake_server_request(s, "POST *", 0)->body, "hello");
}

static void ranges_are_honoured(void **state)
{
    static const struct {
        const char *range;
        int status;
        const char *body, *content_range;
    } cases[] = {
        { "Range: bytes=0-0\r\n", 206, "0", "bytes 0-0/20" },
        { "Range: bytes=5-9\r\n", 206, "56789", "bytes 5-9/20" },
        { "Range: bytes=15-99\r\n", 206, "fghij", "bytes 15-19/20" },
        { "Range: bytes=15-\r\n", 206, "fghij", "bytes 15-19/20" },
        { "Range: bytes=-3\r\n", 206, "hij", "bytes 17-19/20" },
        { "Range: bytes=20-\r\n", 416, "", "bytes */20" },
        { "Range: bytes=3-1\r\n", 200, content, NULL },
        { "Range: lines=3-5\r\n", 200, content, NULL },
        { "", 200, content, NULL },
    };
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        RAW_AUTO struct raw_answer a =
            raw_get(fake_server_port(s), "/x", cases[i].range);
        OFS_AUTOFREE char *value = raw_header(&a, "Content-Range");

        assert_int_equal(a.status, cases[i].status);
        assert_string_equal(ofs_buf_str(&a.body), cases[i].body);
        if (cases[i].content_range)
            assert_string_equal(value, cases[i].content_range);
        else
            assert_null(value);
    }
}

struct body_case {
    const char *name;
    enum fake_fault_kind kind;
    int64_t n;
    const char *text;
    const char *headers; /* of the request */
    int status, error;
    const char *body;
    const char *line; /* is in the head; NULL: any; "!x": is not */
};

static const struct body_case body_cases[] = {
    { "reset now", FAKE_RESET_NOW, 0, NULL, "", 0, ECONNRESET, "", NULL },
    { "reset after", FAKE_RESET_AFTER, 7, NULL, "", 200, ECONNRESET, "0123456",
      NULL },
    { "reset after head", FAKE_RESET_AFTER, 0, NULL, "", 200, ECONNRESET, "",
      NULL },
    { "short", FAKE_SHORT_BODY, 4, NULL, "", 200, EPIPE, "0123456789abcdef",
      "Content-Length: 20\r\n" },
    { "long", FAKE_LONG_BODY, 2, NULL, "", 200, 0, "0123456789abcdefghijxx",
      "Content-Length: 22\r\n" },
    { "long range", FAKE_LONG_BODY, 2, NULL, "Range: bytes=0-1\r\n", 206, 0,
      "0123", "Content-Range: bytes 0-1/20\r\n" },
    { "flipped", FAKE_WRONG_DIGEST, 3, NULL, "", 200, 0, "0122456789abcdefghij",
      NULL },
    { "flipped in range", FAKE_WRONG_DIGEST, 3, NULL, "Range: bytes=3-4\r\n",
      206, 0, "24", NULL },
    { "flip elsewhere", FAKE_WRONG_DIGEST, 3, NULL, "Range: bytes=4-5\r\n", 206,
      0, "45", NULL },
    { "whole", FAKE_WHOLE_FOR_RANGE, 0, NULL, "Range: bytes=3-4\r\n", 200, 0,
      content, "!Content-Range" },
    { "wrong range", FAKE_WRONG_CONTENT_RANGE, 5, NULL, "Range: bytes=3-4\r\n",
      206, 0, "34", "Content-Range: bytes 8-9/20\r\n" },
    { "wrong total", FAKE_WRONG_TOTAL, 0, NULL, "Range: bytes=3-4\r\n", 206, 0,
      "34", "Content-Range: bytes 3-4/21\r\n" },
    { "status", FAKE_STATUS, 503, "later", "", 503, 0, "later", NULL },
    { "redirect", FAKE_REDIRECT, 0, "http://h/y", "", 307, 0, "",
      "Location: http://h/y\r\n" },
    { "redirect 302", FAKE_REDIRECT, 302, "/y", "", 302, 0, "",
      "Location: /y\r\n" },
    { "challenge", FAKE_CHALLENGE, 0, "Odd a=b", "", 401, 0, "",
      "WWW-Authenticate: Odd a=b\r\n" },
    { "no challenge", FAKE_CHALLENGE, 0, NULL, "", 401, 0, "",
      "!WWW-Authenticate" },
    { "no length", FAKE_NO_CONTENT_LENGTH, 0, NULL, "", 200, 0, content,
      "!Content-Length" },
    { "no digest", FAKE_DROP_DIGEST_HEADER, 0, NULL, "", 200, 0, content,
      "!Docker-Content-Digest" },
    { "dropped", FAKE_DROP_HEADER, 0, "Content-Type", "", 200, 0, content,
      "!Content-Type" },
    { "set", FAKE_SET_HEADER, 0, "content-type: a/b", "", 200, 0, content,
      "\r\ncontent-type: a/b\r\n" },
    { "set drops", FAKE_SET_HEADER, 0, "content-type: a/b", "", 200, 0, content,
      "!text/plain" },
    { "twice", FAKE_DUPLICATE_HEADER, 0, NULL, "", 200, 0, content,
      "Content-Type: text/plain\r\nContent-Type: text/plain\r\n" },
    { "one more", FAKE_DUPLICATE_HEADER, 0, "Content-Type: a/b", "", 200, 0,
      content, "Content-Type: a/b\r\n" },
    { "odd case", FAKE_ODD_CASE, 0, NULL, "", 200, 0, content,
      "cOnTeNt-tYpE: text/plain\r\n" },
    { "other body", FAKE_BODY, 0, "garbage", "", 200, 0, "garbage", NULL },
    { "deep", FAKE_DEEP_JSON, 3, NULL, "", 200, 0,
      "{\"schemaVersion\":2,\"deep\":[[[]]]}", NULL },
    { "slow head", FAKE_SLOW_HEADER, 1, NULL, "", 200, 0, content, NULL },
    { "slow body", FAKE_SLOW_BODY, 1, NULL, "", 200, 0, content, NULL },
    { "close after", FAKE_CLOSE_AFTER, 0, NULL, "", 200, 0, content,
      "!Connection" },
};

static bool head_is(const struct raw_answer *a, const char *line)
{
    if (!line)
        return true;
    if (line[0] == '!')
        return !strcasestr(ofs_buf_str(&a->head), line + 1);
    return strstr(ofs_buf_str(&a->head), line) != NULL;
}

static void faults_do_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(body_cases); i++) {
        const struct body_case *c = &body_cases[i];
        OFS_AUTO(fake_server_freep) struct fake_server *s = start();
        RAW_AUTO struct raw_answer a = { 0 };

        fault(s, c->kind, c->n, c->text);
        a = raw_get(fake_server_port(s), "/x", c->headers);
        if (a.status != c->status || a.error != c->error ||
            strcmp(ofs_buf_str(&a.body), c->body) != 0 || !head_is(&a, c->line))
            fail_msg("%s: status %d, error %d, body '%s', head '%s'", c->name,
                     a.status, a.error, ofs_buf_str(&a.body),
                     ofs_buf_str(&a.head));
    }
}

static void huge_costs_no_memory_and_begins_as_a_manifest(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();
    RAW_AUTO struct raw_answer a = { 0 };

    (void)state;
    fault(s, FAKE_HUGE, 0, NULL);
    a = raw_get(fake_server_port(s), "/x", "");
    assert_int_equal(a.body.len, 100 * 1024 * 1024);
    assert_true(ofs_str_starts(ofs_buf_str(&a.body), "{\"schemaVersion\":2,"));
}

static void the_script_counts_and_several_faults_add_up(void **state)
{
    static const int wants[] = { 200, 503, 503, 200, 404 };
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();

    (void)state;
    fake_server_fault(s, &(struct fake_fault){ .match = "GET /x",
                                               .nth = 2,
                                               .times = 2,
                                               .kind = FAKE_STATUS,
                                               .n = 503,
                                               .header = "Retry-After: 3" });
    fake_server_fault(
        s, &(struct fake_fault){ .match = "* /*", .kind = FAKE_ODD_CASE });
    for (size_t i = 0; i < OFS_COUNT_OF(wants); i++) {
        RAW_AUTO struct raw_answer a =
            raw_get(fake_server_port(s), wants[i] == 404 ? "/other" : "/x", "");

        assert_int_equal(a.status, wants[i]);
        assert_non_null(strstr(ofs_buf_str(&a.head), "cOnTeNt-lEnGtH"));
        if (wants[i] == 503)
            assert_non_null(strstr(ofs_buf_str(&a.head), "rEtRy-aFtEr: 3\r\n"));
    }
    fake_server_no_faults(s);
    {
        RAW_AUTO struct raw_answer a = raw_get(fake_server_port(s), "/x", "");

        assert_non_null(strstr(ofs_buf_str(&a.head), "Content-Length"));
    }
}

struct client {
    int port;
    struct raw_answer answer;
};

static void *ask(void *arg)
{
    struct client *c = arg;

    c->answer = raw_get(c->port, "/x", "");
    return NULL;
}

static void stalled_requests_go_on_when_released(void **state)
{
    static const enum fake_fault_kind kinds[] = { FAKE_STALL,
                                                  FAKE_STALL_AFTER };
    struct client clients[8];
    pthread_t threads[8];

    (void)state;
    for (size_t k = 0; k < OFS_COUNT_OF(kinds); k++) {
        OFS_AUTO(fake_server_freep) struct fake_server *s = start();

        fault(s, kinds[k], 5, NULL);
        for (size_t i = 0; i < 8; i++) {
            clients[i].port = fake_server_port(s);
            assert_int_equal(
                pthread_create(&threads[i], NULL, ask, &clients[i]), 0);
        }
        assert_true(fake_server_wait_stalled(s, 8, SOON_MS));
        assert_true(fake_server_wait(s, "GET /x", 8, SOON_MS));
        assert_int_equal(fake_server_peak(s), 8);
        fake_server_release(s);
        for (size_t i = 0; i < 8; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_int_equal(clients[i].answer.status, 200);
            assert_string_equal(ofs_buf_str(&clients[i].answer.body), content);
            raw_done(&clients[i].answer);
        }
    }
}

/* Nobody outside can tell whether it stands still already. */
static void who_is_on_its_way_to_stall_is_released_as_well(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();
    struct client c = { .port = fake_server_port(s) };
    pthread_t thread;

    (void)state;
    fault(s, FAKE_SLOW_HEADER, 10, NULL);
    fault(s, FAKE_STALL_AFTER, 5, NULL);
    assert_int_equal(pthread_create(&thread, NULL, ask, &c), 0);
    assert_true(fake_server_wait(s, "GET /x", 1, SOON_MS));
    fake_server_release(s);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(ofs_buf_str(&c.answer.body), content);
    raw_done(&c.answer);
}

static void a_client_that_leaves_stalls_no_more(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();
    int fd = raw_open(fake_server_port(s));

    (void)state;
    fault(s, FAKE_STALL, 0, NULL);
    raw_ask(fd, "GET", "/x", "");
    assert_true(fake_server_wait_stalled(s, 1, SOON_MS));
    (void)close(fd);
    fake_server_no_faults(s);
    while (fake_server_wait_stalled(s, 1, 0))
        ;
}

static void stopping_ends_what_stalls(void **state)
{
    struct fake_server *s = start();
    OFS_AUTOCLOSE int fd = raw_open(fake_server_port(s));
    RAW_AUTO struct raw_answer a = { 0 };

    (void)state;
    fault(s, FAKE_STALL, 0, NULL);
    raw_ask(fd, "GET", "/x", "");
    assert_true(fake_server_wait_stalled(s, 1, SOON_MS));
    fake_server_free(s);
    a = raw_read(fd, true);
    assert_int_equal(a.status, 0);
    assert_int_equal(a.error, ECONNRESET);
}

static void waiting_for_what_does_not_come_ends(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();
    int64_t before = ofs_mono_ms();

    (void)state;
    assert_false(fake_server_wait(s, "GET /x", 1, 20));
    assert_false(fake_server_wait_stalled(s, 1, 20));
    assert_true(ofs_mono_ms() - before >= 40);
}

static void a_server_goes_down_and_comes_back(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = start();
    OFS_AUTOCLOSE int fd = raw_open(fake_server_port(s));
    RAW_AUTO struct raw_answer before = { 0 }, cut = { 0 }, after = { 0 };

    (void)state;
    raw_ask(fd, "GET", "/x", "");
    before = raw_read(fd, true);
    assert_int_equal(before.status, 200);
    fake_server_down(s);
    cut = raw_read(fd, true);
    assert_int_equal(cut.error, ECONNRESET);
    assert_true(raw_is_refused(fake_server_port(s)));
    fake_server_up(s);
    after = raw_get(fake_server_port(s), "/x", "");
    assert_int_equal(after.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_canned_answer_arrives),
        cmocka_unit_test(a_connection_is_kept_and_requests_are_remembered),
        cmocka_unit_test(a_body_is_taken),
        cmocka_unit_test(ranges_are_honoured),
        cmocka_unit_test(faults_do_what_they_say),
        cmocka_unit_test(huge_costs_no_memory_and_begins_as_a_manifest),
        cmocka_unit_test(the_script_counts_and_several_faults_add_up),
        cmocka_unit_test(stalled_requests_go_on_when_released),
        cmocka_unit_test(who_is_on_its_way_to_stall_is_released_as_well),
        cmocka_unit_test(a_client_that_leaves_stalls_no_more),
        cmocka_unit_test(stopping_ends_what_stalls),
        cmocka_unit_test(waiting_for_what_does_not_come_ends),
        cmocka_unit_test(a_server_goes_down_and_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
