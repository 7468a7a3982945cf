/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"

#include "ocirfs/clock.h"
#include "ocirfs/metrics.h"
#include "ocirfs/secret.h"
#include "ocirfs/str.h"

/* What this module needs beyond 7.85: a quick removal while a name resolves. */
#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or newer is needed (CURLOPT_QUICK_EXIT)"
#endif

enum {
    /*
     * What one recv() may bring, and memory of each transfer under way.  1 GiB
     * over loopback into a file: 2.0 s with 16 KiB (libcurl's default), 1.7 s
     * with 256 KiB, 1.5 s with 512 KiB; 40 transfers at once: 10 MiB with
     * 256 KiB, 20 MiB with 512 KiB.
     */
    STREAM_BUFFER = 256 * 1024,
    SMALL_BUFFER = 32 * 1024,    /* the same for manifests and tokens */
    UPLOAD_BUFFER = 1024 * 1024, /* what one read() of an upload may bring */
    DEFAULT_MAX_BODY = 64 * 1024,
    /* An error page beyond this is not read to its end any more. */
    DISCARD_MAX = 1024 * 1024,
    KEEPALIVE_S = 30,
    TOO_LARGE = 100,   /* CURLE_TOO_LARGE, which 7.88 does not have */
    CA_CACHE_S = 3600, /* until changed system certificates count */
};

static struct ofs_metric received = OFS_COUNTER(
    "ocirfs_http_received_bytes_total", "Bytes of response bodies.");
static struct ofs_metric sent =
    OFS_COUNTER("ocirfs_http_sent_bytes_total", "Bytes of request bodies.");
static struct ofs_metric connections =
    OFS_COUNTER("ocirfs_http_connections_total", "Connections opened.");

/* --- engine thread: what libcurl hears and wants ------------------------ */

static uint64_t upload_size(const struct ofs_transfer *t)
{
    if (!t->hop->body)
        return 0;
    return t->req->upload ? t->req->upload->size
           : t->req->body ? t->req->body_len
                          : 0;
}

/* End the transfer from a callback; the caller returns what libcurl wants. */
static void end_with(struct ofs_transfer *t, int code, const char *words)
{
    if (t->verdict == 0) {
        t->verdict = code;
        t->verdict_words = words;
    }
}

static bool is_success(const struct ofs_transfer *t)
{
    return t->head.status >= 200 && t->head.status < 300;
}

static size_t max_body(const struct ofs_transfer *t)
{
    return t->req->max_body ? t->req->max_body : DEFAULT_MAX_BODY;
}

/* No need to fetch what will not be taken. */
static bool announces_too_much(const struct ofs_transfer *t)
{
    const char *text = ofs_headers_get(&t->head.headers, "Content-Length");
    uint64_t len;

    return text && strcmp(t->hop->method, "HEAD") != 0 &&
           ofs_str_u64(text, &len) == 0 && len > max_body(t);
}

/*
 * The rest of the body is not wanted.  libcurl stops by itself, but not when
 * the answer has "Connection: close", nor while the upload rests.
 */
static void stop_sending(struct ofs_transfer *t)
{
    t->refused = true;
    t->job.life.roused = true;
}

static void act_on_head(struct ofs_transfer *t)
{
    const struct ofs_http_sink *sink = t->req->sink;
    int r = 0;

    if (t->head.status >= 300 && t->head.status != 407 && upload_size(t) > 0)
        stop_sending(t);
    if (!is_success(t))
        return; /* may be a proxy's 407, with the real head behind it */
    ofs_resphead_freeze(&t->head);
    if (!sink && announces_too_much(t))
        end_with(t, -EFBIG, "the body is longer than allowed");
    if (sink && sink->head)
        r = sink->head(sink->arg, t->head.status, &t->head.headers);
    if (r < 0)
        end_with(t, r, "the answer was not taken");
}

static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
    struct ofs_transfer *t = arg;
    int r;

    (void)one; /* libcurl: always 1 */
    ofs_stall_timer_tick(&t->job.life);
    r = ofs_resphead_line(&t->head, line, n);
    if (r < 0)
        end_with(t, r,
                 r == -EFBIG ? "the header is longer than allowed"
                             : "no memory for the header");
    if (r > 0)
        act_on_head(t);
    return t->verdict == 0 ? n : 0;
}

/* An error's body is for its words: what is too long is cut, not an error. */
static size_t keep_some(struct ofs_transfer *t, const char *data, size_t n)
{
    size_t room = t->body.limit - t->body.len;
    size_t kept = n < room ? n : room;

    if (ofs_buf_add(&t->body, data, kept) < 0) {
        end_with(t, -ENOMEM, "no memory for the body");
        return 0;
    }
    t->discarded += n - kept;
    return t->discarded > DISCARD_MAX ? 0 : n;
}

static size_t keep(struct ofs_transfer *t, const char *data, size_t n)
{
    int r = ofs_buf_add(&t->body, data, n);

    if (r == -EFBIG)
        end_with(t, r, "the body is longer than allowed");
    else if (r < 0)
        end_with(t, r, "no memory for the body");
    return r < 0 ? 0 : n;
}

static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
    struct ofs_transfer *t = arg;
    const struct ofs_http_sink *sink = t->req->sink;
    int r;

    (void)one;
    ofs_stall_timer_tick(&t->job.life);
    ofs_metric_add(&received, (int64_t)n);
    if (!is_success(t)) {
        ofs_resphead_freeze(&t->head);
        return keep_some(t, data, n);
    }
    if (!sink)
        return keep(t, data, n);
    t->fed = true;
    r = sink->body(sink->arg, data, n);
    if (r < 0)
        end_with(t, r, "the body was not taken");
    return r < 0 ? 0 : n;
}

/* The next piece of the request's body; 0 at the end, or negative errno. */
static ssize_t read_piece(const struct ofs_transfer *t, char *buf, size_t room)
{
    const struct ofs_http_upload *up = t->req->upload;
    uint64_t left = upload_size(t) - t->uploaded;
    ssize_t got;

    if (room > left)
        room = (size_t)left;
    if (room == 0)
        return 0;
    if (!up) {
        memcpy(buf, (const char *)t->req->body + t->uploaded, room);
        return (ssize_t)room;
    }
    got = up->read(up->arg, buf, room, t->uploaded);
    if (got == 0 && up->size == OFS_UNTIL_END)
        return 0;
    return got == 0 || got > (ssize_t)room ? -EIO : got;
}

static size_t on_upload(char *buf, size_t one, size_t n, void *arg)
{
    struct ofs_transfer *t = arg;
    ssize_t got = t->refused ? 0 : read_piece(t, buf, one * n);

    ofs_stall_timer_tick(&t->job.life);
    if (got == -EAGAIN) {
        ofs_stall_timer_rest(&t->job.life);
        return CURL_READFUNC_PAUSE;
    }
    if (got < 0) {
        end_with(t, (int)got, "the body to send cannot be read");
        return CURL_READFUNC_ABORT;
    }
    t->uploaded += (uint64_t)got;
    ofs_metric_add(&sent, got);
    return (size_t)got;
}

/* What was read may take long to go out: that is a sign of life, too. */
static int on_progress(void *arg, curl_off_t down_size, curl_off_t down,
                       curl_off_t up_size, curl_off_t up)
{
    struct ofs_transfer *t = arg;

    (void)down_size;
    (void)down;
    (void)up_size;
    if (up != t->on_wire)
        ofs_stall_timer_tick(&t->job.life);
    t->on_wire = up;
    return 0;
}

/*
 * libcurl found its connection closed and begins again on another one.  Not
 * with what is to be sent once: the server may have taken a part of it.
 */
static int on_rewind(void *arg, curl_off_t off, int origin)
{
    struct ofs_transfer *t = arg;

    if (t->req->no_retry && t->req->upload && t->uploaded > 0)
        return CURL_SEEKFUNC_FAIL;
    if (origin != SEEK_SET || off < 0 || (uint64_t)off > upload_size(t))
        return CURL_SEEKFUNC_FAIL;
    t->uploaded = (uint64_t)off;
    return CURL_SEEKFUNC_OK;
}

/* --- caller's thread: from request to easy handle ----------------------- */

static bool add_line(struct ofs_transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->lines, line);

    if (longer)
        t->lines = longer;
    return longer;
}

/* Some of them are credentials. */
static void wipe_lines(struct curl_slist *lines)
{
    for (struct curl_slist *l = lines; l; l = l->next)
        ofs_wipe(l->data, strlen(l->data));
    curl_slist_free_all(lines);
}

static bool add_authorization(struct ofs_transfer *t)
{
    OFS_AUTOWIPEFREE char *line = NULL;

    if (!t->req->authorization || !t->hop->authorize)
        return true;
    line = ofs_strf("Authorization: %s", t->req->authorization);
    return line && add_line(t, line);
}

static bool add_lines(struct ofs_transfer *t)
{
    for (const char *const *p = t->req->headers; p && *p; p++)
        if (ofs_redirect_takes(t->hop, *p) && !add_line(t, *p))
            return false;
    /*
     * A transparent gzip would break digests.  And no "Expect: 100-continue",
     * which costs a second with servers that do not know it.
     */
    return add_authorization(t) && add_line(t, "Accept-Encoding: identity") &&
           add_line(t, "Expect:");
}

/*
 * What comes compressed although nobody asked (some proxies do so with all
 * JSON) is unpacked where a whole document is wanted; a blob's bytes are left
 * as they are, since object stores label stored .tar.gz so.
 */
static const char *unpacked(const struct ofs_transfer *t)
{
    return t->req->sink || t->as_it_comes ? NULL : "gzip";
}

/* In a function that has `t` and `rc`. */
#define SET(option, value)                                                     \
    (rc = rc == CURLE_OK ? curl_easy_setopt(easy, option, value) : rc)

/* What an upload needs that is larger than a manifest. */
static CURLcode set_upload(struct ofs_transfer *t, CURL *easy)
{
    uint64_t size = upload_size(t);
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_UPLOAD_BUFFERSIZE,
        size < UPLOAD_BUFFER ? (long)size : (long)UPLOAD_BUFFER);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, t);
    return rc;
}

static CURLcode set_method(struct ofs_transfer *t, CURL *easy)
{
    const char *method = t->hop->method;
    uint64_t size = upload_size(t);
    CURLcode rc = CURLE_OK;

    if (strcmp(method, "HEAD") == 0)
        return SET(CURLOPT_NOBODY, 1L);
    if (size == 0 && strcmp(method, "GET") == 0)
        return SET(CURLOPT_HTTPGET, 1L);
    SET(CURLOPT_CUSTOMREQUEST, method);
    if (size == 0 && strcmp(method, "DELETE") == 0)
        return rc;
    /* Also for an empty body: POST and PUT must tell its length, 0. */
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE,
        size == OFS_UNTIL_END ? -1 : (curl_off_t)size);
    SET(CURLOPT_READFUNCTION, on_upload);
    SET(CURLOPT_READDATA, t);
    SET(CURLOPT_SEEKFUNCTION, on_rewind);
    SET(CURLOPT_SEEKDATA, t);
    return rc == CURLE_OK && t->req->upload ? set_upload(t, easy) : rc;
}

static CURLcode set_answer(struct ofs_transfer *t, CURL *easy)
{
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_BUFFERSIZE,
        t->req->sink ? (long)STREAM_BUFFER : (long)SMALL_BUFFER);
    SET(CURLOPT_ERRORBUFFER, t->detail);
    SET(CURLOPT_ACCEPT_ENCODING, unpacked(t));
    return rc;
}

static CURLcode set_connection(struct ofs_transfer *t, CURL *easy)
{
    const struct ofs_transfer_cfg *cfg = t->cfg;
    CURLcode rc = CURLE_OK;

    /* Without CURLOPT_PIPEWAIT: ranges of one blob come over several
     * connections at once where there is no HTTP/2. */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (cfg->ca_file)
        SET(CURLOPT_CAINFO, cfg->ca_file);
    /* 40 ms of the engine's time for each TLS connection become 2: with a
     * directory to look into as well, libcurl does not keep what it parsed. */
    if (cfg->bundle_only)
        SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_S);
    /* A proxy's loopback is another machine's. */
    if (cfg->no_proxy || ofs_url_is_loopback(&t->hop->url))
        SET(CURLOPT_PROXY, "");
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    SET(CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    SET(CURLOPT_FRESH_CONNECT, t->fresh ? 1L : 0L);
    return rc;
}

static CURLcode set_request(struct ofs_transfer *t, CURL *easy)
{
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_URL, t->hop->url.text);
    SET(CURLOPT_PATH_AS_IS, 1L); /* a signed target is sent as signed */
    SET(CURLOPT_HTTPHEADER, t->lines);
    if (t->cfg->user_agent)
        SET(CURLOPT_USERAGENT, t->cfg->user_agent);
    return rc;
}

#undef SET

static int prepare(struct ofs_transfer *t, CURL *easy, struct ofs_err *err)
{
    CURLcode rc = CURLE_OUT_OF_MEMORY;

    if (add_lines(t))
        rc = set_request(t, easy);
    if (rc == CURLE_OK)
        rc = set_method(t, easy);
    if (rc == CURLE_OK)
        rc = set_answer(t, easy);
    if (rc == CURLE_OK)
        rc = set_connection(t, easy);
    if (rc == CURLE_OK || rc == CURLE_OUT_OF_MEMORY)
        return rc == CURLE_OK ? 0 : ofs_err_nomem(err, "a request");
    return ofs_err_set(err, -EPROTO, "this libcurl lacks something: %s",
                       curl_easy_strerror(rc));
}

/* --- caller's thread: what it came to ----------------------------------- */

static int report_curl(struct ofs_transfer *t, CURL *easy, struct ofs_err *err)
{
    const struct ofs_stall_timer_limits *limits = t->job.life.limits;
    struct ofs_failure f = {
        .host = t->host,
        .end = t->job.end,
        .rc = t->job.rc,
        .detail = t->detail,
        .peer = t->job.life.peer,
        .limit_ms =
            t->job.end == OFS_END_STALL ? limits->stall_ms : limits->connect_ms,
    };
    long os_errno = 0;

    if (t->job.end == OFS_END_CURL && t->job.life.guard.refused) {
        t->permanent = true;
        return ofs_err_set(err, -EACCES,
                           "%s is at %s: a registry elsewhere sends us to this "
                           "machine or its link, refused",
                           t->host, f.peer);
    }
    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    (void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &f.verify);
    (void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &f.connect_code);
    f.os_errno = (int)os_errno;
    t->permanent = ofs_failure_is_permanent(&f);
    t->mislabeled = f.end == OFS_END_CURL && f.rc == CURLE_BAD_CONTENT_ENCODING;
    return ofs_failure_report(&f, err);
}

/* The call's word, with the host and how far it got. */
static int report_call(const struct ofs_transfer *t, int r, struct ofs_err *err)
{
    if (r != -ETIMEDOUT)
        return ofs_err_wrap(err, r, t->host);
    return ofs_err_set(err, r, "%s: %s", t->host,
                       t->head.status ? "not done in time"
                       : t->sent      ? "no answer in time"
                                      : "no connection in time");
}

/*
 * libcurl gives up on a header line of 100 KiB before we see it, and says
 * "out of memory" (7.88) or "too large" (8.6).
 */
static bool is_endless_header(const struct ofs_transfer *t)
{
    return t->job.end == OFS_END_CURL && t->head.open &&
           (t->job.rc == CURLE_OUT_OF_MEMORY || (int)t->job.rc == TOO_LARGE);
}

/* 0: a whole answer is there. */
static int outcome_of(struct ofs_transfer *t, CURL *easy, struct ofs_err *err)
{
    if (t->verdict < 0)
        return ofs_err_set(err, t->verdict, "%s: %s", t->host,
                           t->verdict_words);
    /* A server that refuses a body closes before it has read all of it. */
    if (t->discarded > DISCARD_MAX ||
        (t->refused && t->job.end == OFS_END_CURL))
        return 0;
    if (is_endless_header(t))
        return ofs_err_set(err, -EFBIG, "%s: the header is longer than allowed",
                           t->host);
    if (t->job.end != OFS_END_CURL || t->job.rc != CURLE_OK)
        return report_curl(t, easy, err);
    if (t->head.status < 200)
        return ofs_err_set(err, -EPROTO, "%s: the answer is not HTTP", t->host);
    return 0;
}

static void add_head(const struct ofs_transfer *t, struct ofs_err *err)
{
    if (!err || t->head.status == 0)
        return;
    err->http_status = t->head.status;
    err->retry_after_ms = ofs_retry_after_ms(
        ofs_headers_get(&t->head.headers, "Retry-After"), ofs_wall_s());
}

int ofs_transfer_run(struct ofs_transfer *t, struct ofs_engine *e, CURL *easy,
                     struct ofs_call *call, struct ofs_err *err)
{
    long opened = 0;
    int r = prepare(t, easy, err);

    ofs_buf_init(&t->body, max_body(t));
    t->job.easy = easy;
    t->job.life.guard = (struct ofs_peer_guard){ .far_only = t->far_only,
                                                 .port = t->hop->url.port };
    if (r < 0)
        return r;
    r = ofs_engine_run(e, call, &t->job, err);
    t->sent = t->job.life.sent;
    (void)curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &opened);
    ofs_metric_add(&connections, opened);
    r = r < 0 ? report_call(t, r, err) : outcome_of(t, easy, err);
    if (r < 0)
        add_head(t, err);
    return r;
}

void ofs_transfer_done(struct ofs_transfer *t)
{
    wipe_lines(t->lines);
    t->lines = NULL;
    ofs_resphead_done(&t->head);
    ofs_buf_done(&t->body);
}
