/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "httperr.h"

#include "ocirfs/cleanup.h"

struct row {
    struct ofs_failure f;
    int code;
    bool permanent;
    const char *text;
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ofs_failure f = rows[i].f;
        struct ofs_err err;

        f.host = f.host ? f.host : "registry.example";
        f.detail = f.detail ? f.detail : "";
        f.peer = f.peer ? f.peer : "";
        assert_int_equal(ofs_failure_report(&f, &err), rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(ofs_failure_is_permanent(&f), rows[i].permanent);
    }
}

static void each_failure_has_its_sentence(void **state)
{
    static const struct row rows[] = {
        { { .rc = CURLE_COULDNT_RESOLVE_HOST },
          -EHOSTUNREACH,
          false,
          "registry.example: no such host" },
        { { .rc = CURLE_COULDNT_RESOLVE_PROXY },
          -EHOSTUNREACH,
          false,
          "registry.example: no such host for the proxy" },
        { { .rc = CURLE_UNSUPPORTED_PROTOCOL },
          -EPROTO,
          true,
          "registry.example: the answer is not HTTP" },
        { { .rc = CURLE_WEIRD_SERVER_REPLY },
          -EPROTO,
          false,
          "registry.example: the answer is not HTTP" },
        { { .rc = CURLE_BAD_FUNCTION_ARGUMENT },
          -EPROTO,
          false,
          "registry.example: the answer's header is broken" },
        { { .rc = CURLE_HTTP2 },
          -EPROTO,
          false,
          "registry.example: the server's HTTP/2 is broken" },
        { { .rc = CURLE_HTTP2_STREAM },
          -EIO,
          false,
          "registry.example: the server broke off the answer" },
        { { .rc = CURLE_GOT_NOTHING },
          -EIO,
          false,
          "registry.example: the connection was closed without an answer" },
        { { .rc = CURLE_PARTIAL_FILE },
          -EIO,
          false,
          "registry.example: the body ended too early" },
        { { .rc = CURLE_SEND_ERROR },
          -EIO,
          false,
          "registry.example: the connection broke" },
        { { .rc = CURLE_RECV_ERROR },
          -EIO,
          false,
          "registry.example: the connection broke" },
        { { .rc = CURLE_RECV_ERROR, .connect_code = 407 },
          -EHOSTUNREACH,
          true,
          "registry.example: the proxy refuses to connect (HTTP 407)" },
        { { .rc = CURLE_RECV_ERROR, .connect_code = 200 },
          -EIO,
          false,
          "registry.example: the connection broke" },
        { { .rc = CURLE_OPERATION_TIMEDOUT },
          -ETIMEDOUT,
          false,
          "registry.example: no answer in time" },
        { { .rc = CURLE_OUT_OF_MEMORY },
          -ENOMEM,
          true,
          "registry.example: no memory for a request" },
        { { .rc = CURLE_FAILED_INIT },
          -EIO,
          false,
          "registry.example: Failed initialization" },
    };

    (void)state;
    check(rows, OFS_COUNT_OF(rows));
}

static void what_was_cut_says_so(void **state)
{
    static const struct row rows[] = {
        { { .end = OFS_END_STALL, .limit_ms = 30000 },
          -ETIMEDOUT,
          false,
          "registry.example: no byte for 30 s" },
        { { .end = OFS_END_STALL, .limit_ms = 250 },
          -ETIMEDOUT,
          false,
          "registry.example: no byte for 0.25 s" },
        { { .end = OFS_END_STOP }, -EINTR, true, "registry.example: stopped" },
        { { .end = OFS_END_CALLER },
          -EINTR,
          true,
          "registry.example: interrupted" },
    };

    (void)state;
    check(rows, OFS_COUNT_OF(rows));
}

static void a_connection_that_fails_says_why(void **state)
{
    static const struct row rows[] = {
        { { .rc = CURLE_COULDNT_CONNECT,
            .os_errno = ECONNREFUSED,
            .host = "127.0.0.1:5000",
            .peer = "127.0.0.1:5000" },
          -ECONNREFUSED,
          false,
          "cannot connect to 127.0.0.1:5000: connection refused" },
        { { .rc = CURLE_COULDNT_CONNECT,
            .os_errno = ECONNREFUSED,
            .host = "127.0.0.1",
            .peer = "127.0.0.1:443" },
          -ECONNREFUSED,
          false,
          "cannot connect to 127.0.0.1: connection refused" },
        { { .rc = CURLE_COULDNT_CONNECT,
            .os_errno = ECONNREFUSED,
            .host = "127.0.0.1",
            .peer = "127.0.0.11:443" },
          -ECONNREFUSED,
          false,
          "cannot connect to 127.0.0.1 (127.0.0.11:443): connection refused" },
        { { .rc = CURLE_COULDNT_CONNECT,
            .os_errno = ENETUNREACH,
            .peer = "10.0.0.1:3128" },
          -EHOSTUNREACH,
          false,
          "cannot connect to registry.example (10.0.0.1:3128): "
          "Network is unreachable" },
        { { .rc = CURLE_COULDNT_CONNECT, .os_errno = ETIMEDOUT },
          -ETIMEDOUT,
          false,
          "cannot connect to registry.example: no answer" },
        { { .rc = CURLE_COULDNT_CONNECT },
          -EHOSTUNREACH,
          false,
          "cannot connect to registry.example: no route" },
        { { .end = OFS_END_CONNECT, .limit_ms = 10000, .peer = "10.0.0.1:443" },
          -ETIMEDOUT,
          false,
          "cannot connect to registry.example (10.0.0.1:443): "
          "no answer within 10 s" },
        { { .end = OFS_END_CONNECT, .limit_ms = 1500 },
          -ETIMEDOUT,
          false,
          "cannot connect to registry.example: no answer within 1.5 s" },
    };

    (void)state;
    check(rows, OFS_COUNT_OF(rows));
}

#define UNTRUSTED "registry.example: the server's certificate is not trusted "
#define CA_HELPS  "; give its CA with ca_file="

static void a_certificate_that_fails_says_why(void **state)
{
    static const struct {
        long verify;
        const char *text;
    } rows[] = {
        { 0, "registry.example: the server's certificate is for another name" },
        { 1, "registry.example: the server's certificate is for another name" },
        { 62,
          "registry.example: the server's certificate is for another name" },
        { 64,
          "registry.example: the server's certificate is for another name" },
        { 9, UNTRUSTED "(not valid yet)" },
        { 10, UNTRUSTED "(expired)" },
        { 18, UNTRUSTED "(self-signed certificate)" CA_HELPS },
        { 19, UNTRUSTED "(self-signed certificate in its chain)" CA_HELPS },
        { 20, UNTRUSTED "(its issuer is not known)" CA_HELPS },
        { 21, UNTRUSTED "(its issuer is not known)" CA_HELPS },
        { 23, UNTRUSTED "(revoked)" },
        { 24, UNTRUSTED "(its issuer may not issue certificates)" },
        { 26, UNTRUSTED "(not made for servers)" },
        { 66, UNTRUSTED "(its key is too short)" },
        { 68, UNTRUSTED "(its signature is too weak)" },
        { 5, UNTRUSTED "(not valid)" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct row row = { { .rc = CURLE_PEER_FAILED_VERIFICATION,
                             .verify = rows[i].verify },
                           -EPROTO,
                           true,
                           rows[i].text };

        check(&row, 1);
    }
}

static void a_handshake_that_fails_says_why(void **state)
{
    static const struct {
        CURLcode rc;
        const char *detail, *text;
        bool permanent;
    } rows[] = {
        { CURLE_SSL_CONNECT_ERROR,
          "error:0A00010B:SSL routines::wrong version number",
          "no TLS: the server does not speak TLS on this port", false },
        { CURLE_SSL_CONNECT_ERROR,
          "error:0A000102:SSL routines::unsupported protocol",
          "no TLS: the server does not speak TLS 1.2 or newer", false },
        { CURLE_SSL_CONNECT_ERROR,
          "error:0A00042E:SSL routines::tlsv1 alert protocol version",
          "no TLS: the server does not speak TLS 1.2 or newer", false },
        { CURLE_SSL_CONNECT_ERROR,
          "error:0A000410:SSL routines::ssl/tls alert handshake failure",
          "no TLS: ssl/tls alert handshake failure", false },
        { CURLE_SSL_CONNECT_ERROR,
          "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to h:443",
          "no TLS: the connection broke during the handshake", false },
        { CURLE_SSL_CONNECT_ERROR, "",
          "no TLS: the connection broke during the handshake", false },
        { CURLE_SSL_CACERT_BADFILE, "error setting certificate file: /x",
          "cannot read the certificates of ca_file=", true },
        { CURLE_SSL_CIPHER, "", "no TLS cipher in common", true },
        { CURLE_SSL_INVALIDCERTSTATUS, "",
          "the server's certificate is not valid", true },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        char text[128];
        struct row row = { { .rc = rows[i].rc, .detail = rows[i].detail },
                           -EPROTO,
                           rows[i].permanent,
                           text };

        (void)snprintf(text, sizeof(text), "registry.example: %s",
                       rows[i].text);
        check(&row, 1);
    }
}

static void nobody_need_listen(void **state)
{
    struct ofs_failure f = {
        .host = "h", .detail = "", .peer = "", .rc = CURLE_RECV_ERROR
    };

    (void)state;
    assert_int_equal(ofs_failure_report(&f, NULL), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_has_its_sentence),
        cmocka_unit_test(what_was_cut_says_so),
        cmocka_unit_test(a_connection_that_fails_says_why),
        cmocka_unit_test(a_certificate_that_fails_says_why),
        cmocka_unit_test(a_handshake_that_fails_says_why),
        cmocka_unit_test(nobody_need_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
