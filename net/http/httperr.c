/* SPDX-License-Identifier: Apache-2.0 */
#include "httperr.h"

#include <stdio.h>
#include <string.h>

/* What libcurl says, where it needs no further look. */
static const struct meaning {
    CURLcode rc;
    int code;
    bool permanent;
    const char *words; /* go behind "host: " */
} meanings[] = {
    { CURLE_UNSUPPORTED_PROTOCOL, -EPROTO, true, "the answer is not HTTP" },
    { CURLE_WEIRD_SERVER_REPLY, -EPROTO, false, "the answer is not HTTP" },
    /* A line without a colon, of all things. */
    { CURLE_BAD_FUNCTION_ARGUMENT, -EPROTO, false,
      "the answer's header is broken" },
    { CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH, false,
      "no such host for the proxy" },
    { CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH, false, "no such host" },
    { CURLE_HTTP2, -EPROTO, false, "the server's HTTP/2 is broken" },
    { CURLE_HTTP2_STREAM, -EIO, false, "the server broke off the answer" },
    { CURLE_GOT_NOTHING, -EIO, false,
      "the connection was closed without an answer" },
    { CURLE_PARTIAL_FILE, -EIO, false, "the body ended too early" },
    { CURLE_SEND_ERROR, -EIO, false, "the connection broke" },
    { CURLE_SEND_FAIL_REWIND, -EIO, false, "the connection broke" },
    { CURLE_RECV_ERROR, -EIO, false, "the connection broke" },
    { CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT, false, "no answer in time" },
    { CURLE_SSL_CACERT_BADFILE, -EPROTO, true,
      "cannot read the certificates of ca_file=" },
    { CURLE_SSL_INVALIDCERTSTATUS, -EPROTO, true,
      "the server's certificate is not valid" },
    { CURLE_SSL_CIPHER, -EPROTO, true, "no TLS cipher in common" },
    { CURLE_OUT_OF_MEMORY, -ENOMEM, true, "no memory for a request" },
};

static const struct meaning *meaning_of(CURLcode rc)
{
    for (size_t i = 0; i < OFS_COUNT_OF(meanings); i++)
        if (meanings[i].rc == rc)
            return &meanings[i];
    return NULL;
}

/* Numbers are OpenSSL's X509_V_ERR_*, which are part of its ABI. */
static const char *verify_words(long verify)
{
    static const struct {
        long verify;
        const char *words;
    } rows[] = {
        { 9, "not valid yet" },
        { 10, "expired" },
        { 18, "self-signed certificate" },
        { 19, "self-signed certificate in its chain" },
        { 20, "its issuer is not known" },
        { 21, "its issuer is not known" },
        { 23, "revoked" },
        { 24, "its issuer may not issue certificates" },
        { 26, "not made for servers" },
        { 66, "its key is too short" },
        { 68, "its signature is too weak" },
    };

    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (rows[i].verify == verify)
            return rows[i].words;
    return "not valid";
}

/* More time, or another CA, does not help against these. */
static bool ca_helps(long verify)
{
    return verify >= 18 && verify <= 21;
}

/*
 * libcurl compares names by itself, before it asks OpenSSL for its verdict,
 * which is 1 (unspecified) at that time; 62 and 64 are OpenSSL's own words for
 * the same.
 */
static bool is_other_name(long verify)
{
    return verify == 0 || verify == 1 || verify == 62 || verify == 64;
}

static int certificate(const struct ofs_failure *f, struct ofs_err *err)
{
    if (is_other_name(f->verify))
        return ofs_err_set(err, -EPROTO,
                           "%s: the server's certificate is for another name",
                           f->host);
    return ofs_err_set(
        err, -EPROTO, "%s: the server's certificate is not trusted (%s)%s",
        f->host, verify_words(f->verify),
        ca_helps(f->verify) ? "; give its CA with ca_file=" : "");
}

/*
 * "...:error:0A00010B:SSL routines::wrong version number" -> its last part.
 * libcurl's other sentences of this kind name the host and nothing secret.
 */
static int handshake(const struct ofs_failure *f, struct ofs_err *err)
{
    const char *words = f->detail;
    const char *next;

    while ((next = strstr(words, "::")))
        words = next + 2;
    if (strcmp(words, "wrong version number") == 0)
        words = "the server does not speak TLS on this port";
    else if (strstr(words, "unsupported protocol") ||
             strstr(words, "protocol version"))
        words = "the server does not speak TLS 1.2 or newer";
    else if (!*words || strstr(words, "SSL_ERROR_SYSCALL"))
        words = "the connection broke during the handshake";
    return ofs_err_set(err, -EPROTO, "%s: no TLS: %s", f->host, words);
}

static int connect_errno(int os_errno)
{
    switch (os_errno) {
    case ECONNREFUSED:
        return -ECONNREFUSED;
    case ETIMEDOUT:
        return -ETIMEDOUT;
    default:
        return -EHOSTUNREACH;
    }
}

/* " (10.0.0.1:3128)" unless it is the host itself: a proxy shows up so. */
static void add_peer(const struct ofs_failure *f, char *text, size_t room)
{
    size_t len = strlen(f->host);

    text[0] = '\0';
    if (!f->peer[0] || (strncmp(f->peer, f->host, len) == 0 &&
                        (!f->peer[len] || f->peer[len] == ':')))
        return;
    (void)snprintf(text, room, " (%s)", f->peer);
}

static int no_connection(const struct ofs_failure *f, struct ofs_err *err)
{
    char via[80], buf[96];
    const char *words = "no route";
    int code = connect_errno(f->os_errno);

    if (f->os_errno == ECONNREFUSED)
        words = "connection refused";
    else if (f->os_errno == ETIMEDOUT)
        words = "no answer";
    else if (f->os_errno != 0)
        words = strerror_r(f->os_errno, buf, sizeof(buf));
    add_peer(f, via, sizeof(via));
    return ofs_err_set(err, code, "cannot connect to %s%s: %s", f->host, via,
                       words);
}

static int timed_out(const struct ofs_failure *f, struct ofs_err *err)
{
    char via[80];
    double seconds = (double)f->limit_ms / 1000;

    if (f->end == OFS_END_STALL)
        return ofs_err_set(err, -ETIMEDOUT, "%s: no byte for %g s", f->host,
                           seconds);
    add_peer(f, via, sizeof(via));
    return ofs_err_set(err, -ETIMEDOUT,
                       "cannot connect to %s%s: no answer within %g s", f->host,
                       via, seconds);
}

static int by_curl(const struct ofs_failure *f, struct ofs_err *err)
{
    const struct meaning *m = meaning_of(f->rc);

    if (f->connect_code >= 300)
        return ofs_err_set(err, -EHOSTUNREACH,
                           "%s: the proxy refuses to connect (HTTP %ld)",
                           f->host, f->connect_code);
    if (f->rc == CURLE_COULDNT_CONNECT)
        return no_connection(f, err);
    if (f->rc == CURLE_PEER_FAILED_VERIFICATION)
        return certificate(f, err);
    if (f->rc == CURLE_SSL_CONNECT_ERROR)
        return handshake(f, err);
    if (m)
        return ofs_err_set(err, m->code, "%s: %s", f->host, m->words);
    return ofs_err_set(err, -EIO, "%s: %s", f->host, curl_easy_strerror(f->rc));
}

int ofs_failure_report(const struct ofs_failure *f, struct ofs_err *err)
{
    switch (f->end) {
    case OFS_END_CURL:
        return by_curl(f, err);
    case OFS_END_CONNECT:
    case OFS_END_STALL:
        return timed_out(f, err);
    case OFS_END_STOP:
        return ofs_err_set(err, -EINTR, "%s: stopped", f->host);
    default:
        return ofs_err_set(err, -EINTR, "%s: interrupted", f->host);
    }
}

bool ofs_failure_is_permanent(const struct ofs_failure *f)
{
    const struct meaning *m = meaning_of(f->rc);

    if (f->end != OFS_END_CURL)
        return f->end == OFS_END_STOP || f->end == OFS_END_CALLER;
    return f->connect_code >= 300 || f->rc == CURLE_PEER_FAILED_VERIFICATION ||
           (m && m->permanent);
}
