/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

/* Answers byte by byte: what HTTP allows, and what it does not. */

/* A server that sends the same bytes to whoever connects and asks. */
struct wire {
    const char *answer;
    size_t len;
    enum manner {
        CLOSES, /* the connection, after the answer */
        HOLDS,  /* keeps it, as HTTP/1.1 does */
        HASTY,  /* answers to the first bytes, whatever they are, and closes */
    } manner;
    int fd, port;
    int end[2];       /* a byte here ends the thread */
    char asked[4096]; /* the last request; read it after wire_stop() */
    pthread_t thread;
};

static bool readable(const struct wire *w, int fd)
{
    struct pollfd p[2] = { { .fd = w->end[0], .events = POLLIN },
                           { .fd = fd, .events = POLLIN } };

    while (poll(p, 2, -1) < 0)
        ;
    return !p[0].revents;
}

/* Read a head, answer, and let the peer close or close ourselves. */
static void wire_talk(struct wire *w, int fd)
{
    char rest[256];
    size_t n = 0;
    ssize_t got = 1;

    while (got > 0 && n < sizeof(w->asked) - 1 && readable(w, fd)) {
        got = read(fd, w->asked + n, sizeof(w->asked) - 1 - n);
        n += got > 0 ? (size_t)got : 0;
        w->asked[n] = '\0';
        if (w->manner == HASTY || strstr(w->asked, "\r\n\r\n"))
            break;
    }
    if (got > 0 && send(fd, w->answer, w->len, MSG_NOSIGNAL) != (ssize_t)w->len)
        return;
    while (w->manner == HOLDS && readable(w, fd) &&
           read(fd, rest, sizeof(rest)) > 0)
        ;
    (void)shutdown(fd, SHUT_WR);
    while (readable(w, fd) && read(fd, rest, sizeof(rest)) > 0)
        ;
}

static void *wire_run(void *arg)
{
    struct wire *w = arg;

    while (readable(w, w->fd)) {
        OFS_AUTOCLOSE int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            wire_talk(w, fd);
    }
    return NULL;
}

static void wire_listen(struct wire *w)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(w->fd >= 0);
    assert_int_equal(bind(w->fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(w->fd, 16), 0);
    assert_int_equal(getsockname(w->fd, (struct sockaddr *)&a, &len), 0);
    w->port = ntohs(a.sin_port);
}

static void wire_start(struct wire *w, const char *answer, enum manner manner)
{
    *w = (struct wire){ .answer = answer, .manner = manner };
    w->len = strlen(answer);
    wire_listen(w);
    assert_int_equal(pipe(w->end), 0);
    assert_int_equal(pthread_create(&w->thread, NULL, wire_run, w), 0);
}

static void wire_stop(struct wire *w)
{
    if (w->fd < 0)
        return;
    (void)!write(w->end[1], "", 1);
    (void)pthread_join(w->thread, NULL);
    (void)close(w->fd);
    (void)close(w->end[0]);
    (void)close(w->end[1]);
    w->fd = -1;
}

#define AUTOWIRE OFS_AUTO(wire_stop) struct wire

static int ask(struct ofs_http *h, const struct wire *w,
               const struct ofs_http_sink *sink, struct ofs_http_resp *ret,
               struct ofs_err *err)
{
    OFS_AUTOFREE char *url =
        ofs_strf("http://127.0.0.1:%d/x?secret=y", w->port);

    assert_non_null(url);
    return perform(
        h, LONG_MS,
        &(struct ofs_http_req){ .method = "GET", .url = url, .sink = sink },
        ret, err);
}

#define OK "HTTP/1.1 200 OK\r\n"

static void odd_but_lawful_answers_are_understood(void **state)
{
    static const struct {
        const char *answer, *body, *x; /* x: value of X, NULL: absent */
        int status;
        bool hold;
    } rows[] = {
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
          "X: no\r\n\r\n" OK "X: a\r\nContent-Length: 2\r\n\r\nhi",
          "hi", "a", 200, true },
        { OK "Transfer-Encoding: chunked\r\nX: a\r\n\r\n"
             "1;ext=1\r\nh\r\n1\r\ni\r\n0\r\nX: trailer\r\n\r\n",
          "hi", "a", 200, true },
        { OK "Transfer-Encoding: chunked\r\n\r\n0\r\nX: trailer\r\n\r\n", "",
          NULL, 200, true },
        { OK
          "Transfer-Encoding: chunked\r\n\r\n0\r\nHTTP/1.1 500 No: x\r\n\r\n",
          "", NULL, 200, true },
        { OK "X: a\r\n  b\r\nContent-Length: 2\r\n\r\nhi", "hi", "a b", 200,
          true },
        { OK "x:a\r\nX: b\r\nContent-Length: 2\r\n\r\nhi", "hi", "a", 200,
          true },
        { OK "\r\nuntil the end", "until the end", NULL, 200, false },
        { "HTTP/1.0 200 OK\r\nX: a\r\n\r\nhi", "hi", "a", 200, false },
        { "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", "hi", NULL, 200,
          true },
        { "HTTP/1.1 204 No Content\r\nX: a\r\n\r\n", "", "a", 204, true },
        { OK "Content-Length: 0\r\nX: \r\n\r\n", "", "", 200, true },
        { OK "Content-Length: 2\r\nX: a\r\n\r\nhi, and more", "hi", "a", 200,
          true },
        { OK "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", "hi",
          NULL, 200, true },
        { "HTTP/1.1 302 Found\r\nContent-Length: 2\r\nX: a\r\n\r\nhi", "hi",
          "a", 302, true },
    };
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_attempts = 1 });

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        AUTOWIRE w;
        AUTOTAKEN t;
        struct ofs_err err;
        const char *x;

        taken_init(&t);
        wire_start(&w, rows[i].answer, rows[i].hold ? HOLDS : CLOSES);
        if (ask(h, &w, &t.sink, &resp, &err) < 0)
            fail_msg("%s: %s", rows[i].answer, err.text);
        assert_int_equal(resp.status, rows[i].status);
        if (rows[i].status < 300) {
            assert_string_equal(ofs_buf_str(&t.bytes), rows[i].body);
            assert_int_equal(t.n_heads, 1);
        } else {
            assert_string_equal(resp.body, rows[i].body);
            assert_int_equal(t.n_heads, 0);
        }
        x = ofs_headers_get(&resp.headers, "X");
        assert_int_equal(!x, !rows[i].x);
        if (x)
            assert_string_equal(x, rows[i].x);
    }
}

static void broken_answers_are_errors_in_plain_words(void **state)
{
    static const struct {
        const char *answer;
        int want;
        const char *words;
    } rows[] = {
        { "", -EIO, "closed without an answer" },
        { "HTTP/1.1 100 Continue\r\n\r\n", -EIO, "" },
        { OK "Content-Length: 10\r\n\r\nshort", -EIO, "ended too early" },
        { OK "Content-Length: 10\r\n\r\n", -EIO, "ended too early" },
        { OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", -EIO,
          "ended too early" },
        { OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", -EIO,
          "ended too early" },
        { OK "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", -EIO, "" },
        { OK "no field\r\nContent-Length: 2\r\n\r\nhi", -EPROTO, "not HTTP" },
        { OK "Transfer-Encoding: chunked\r\n\r\n0\r\nno field\r\n\r\n", -EPROTO,
          "header is broken" },
        { "SSH-2.0-OpenSSH_9.2\r\n", -EPROTO, "not HTTP" },
        { "hello, world\n", -EPROTO, "not HTTP" },
        { OK "Content-Length: -5\r\n\r\n", -EPROTO, "" },
    };
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_attempts = 1 });

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        AUTOWIRE w;
        struct ofs_err err;
        int r;

        wire_start(&w, rows[i].answer, CLOSES);
        r = ask(h, &w, NULL, &resp, &err);
        if (r != rows[i].want || !strstr(err.text, rows[i].words))
            fail_msg("%s: %d %s", rows[i].answer, r, err.text);
        assert_non_null(strstr(err.text, "127.0.0.1:"));
        assert_null(strstr(err.text, "secret"));
    }
}

static void a_header_has_limits(void **state)
{
    OFS_AUTOFREE char *line = ofs_strf(OK "X: %070000d\r\n\r\n", 1);
    OFS_AUTOFREE char *giant = ofs_strf(OK "X: %0700000d\r\n\r\n", 1);
    OFS_AUTOBUF struct ofs_buf many = OFS_BUF_INIT(1 << 20);
    const char *answers[3] = { line, giant, NULL };
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_attempts = 1 });

    (void)state;
    (void)ofs_buf_adds(&many, OK);
    for (int i = 0; i < OFS_HEADERS_MAX + 1; i++)
        (void)ofs_buf_adds(&many, "X: y\r\n");
    (void)ofs_buf_adds(&many, "\r\n");
    answers[2] = ofs_buf_str(&many);
    for (size_t i = 0; i < OFS_COUNT_OF(answers); i++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        AUTOWIRE w;
        struct ofs_err err;

        wire_start(&w, answers[i], CLOSES);
        assert_int_equal(ask(h, &w, NULL, &resp, &err), -EFBIG);
        assert_non_null(strstr(err.text, "header is longer than allowed"));
    }
}

static void who_accepts_and_never_speaks_is_given_up(void **state)
{
    AUTOCLIENT *h = client(
        &(struct ofs_http_cfg){ .stall_timeout_ms = 200, .max_attempts = 1 });
    struct wire w = { .fd = -1 };
    int64_t begun = ofs_mono_ms();
    struct ofs_http_resp resp;
    struct ofs_err err;

    (void)state;
    /* Nobody accepts, as when the process is stopped: the kernel does. */
    wire_listen(&w);
    assert_int_equal(ask(h, &w, NULL, &resp, &err), -ETIMEDOUT);
    assert_in_range(ofs_mono_ms() - begun, 200, 200 + SOON_MS);
    (void)close(w.fd);
}

static void a_handshake_that_never_comes_is_given_up(void **state)
{
    AUTOCLIENT *h = client(
        &(struct ofs_http_cfg){ .connect_timeout_ms = 200, .max_attempts = 1 });
    struct wire w = { .fd = -1 };
    OFS_AUTOFREE char *url = NULL;
    int64_t begun = ofs_mono_ms();
    struct ofs_http_resp resp;
    struct ofs_err err;

    (void)state;
    wire_listen(&w);
    url = ofs_strf("https://127.0.0.1:%d/", w.port);
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET", .url = url }, &resp,
                &err),
        -ETIMEDOUT);
    assert_in_range(ofs_mono_ms() - begun, 200, 200 + SOON_MS);
    assert_non_null(strstr(err.text, "no answer within 0.2 s"));
    (void)close(w.fd);
}

static void tls_to_a_server_without_it_is_said_so(void **state)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_attempts = 1 });
    AUTOWIRE w;
    OFS_AUTOFREE char *url = NULL;
    struct ofs_http_resp resp;
    struct ofs_err err;

    (void)state;
    wire_start(&w, answer, HASTY);
    url = ofs_strf("https://127.0.0.1:%d/", w.port);
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET", .url = url }, &resp,
                &err),
        -EPROTO);
    assert_non_null(strstr(err.text, "does not speak TLS on this port"));
}

static void a_proxy_of_the_environment_is_used_unless_forbidden(void **state)
{
    static const char answer[] = OK "Content-Length: 5\r\n\r\nproxy";
    static const char refusal[] = "HTTP/1.1 403 Forbidden\r\n\r\n";
    OFS_AUTOFREE char *proxy = NULL;
    OFS_AUTORESP struct ofs_http_resp resp = { 0 }, none = { 0 };
    struct ofs_http_req req = { .method = "GET",
                                .url = "http://registry.invalid/v2/" };
    struct ofs_err err;
    AUTOWIRE w, strict;
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .max_attempts = 1 });
    AUTOCLIENT *direct =
        client(&(struct ofs_http_cfg){ .max_attempts = 1, .no_proxy = true });

    (void)state;
    wire_start(&w, answer, HOLDS);
    wire_start(&strict, refusal, CLOSES);
    proxy = ofs_strf("http://127.0.0.1:%d", w.port);
    (void)setenv("http_proxy", proxy, 1);
    free(ofs_take(&proxy));
    proxy = ofs_strf("http://127.0.0.1:%d", strict.port);
    (void)setenv("https_proxy", proxy, 1);
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
    assert_string_equal(resp.body, "proxy");
    assert_int_equal(perform(direct, LONG_MS, &req, &none, &err),
                     -EHOSTUNREACH);
    assert_string_equal(err.text, "registry.invalid: no such host");
    req.url = "https://registry.invalid/v2/";
    assert_int_equal(perform(h, LONG_MS, &req, &none, &err), -EHOSTUNREACH);
    assert_non_null(strstr(err.text, "proxy refuses to connect (HTTP 403)"));
    (void)unsetenv("http_proxy");
    (void)unsetenv("https_proxy");
    wire_stop(&w);
    wire_stop(&strict);
    assert_true(
        ofs_str_starts(w.asked, "GET http://registry.invalid/v2/ HTTP/1.1"));
    assert_true(
        ofs_str_starts(strict.asked, "CONNECT registry.invalid:443 HTTP/1.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_but_lawful_answers_are_understood),
        cmocka_unit_test(broken_answers_are_errors_in_plain_words),
        cmocka_unit_test(a_header_has_limits),
        cmocka_unit_test(who_accepts_and_never_speaks_is_given_up),
        cmocka_unit_test(a_handshake_that_never_comes_is_given_up),
        cmocka_unit_test(tls_to_a_server_without_it_is_said_so),
        cmocka_unit_test(a_proxy_of_the_environment_is_used_unless_forbidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
