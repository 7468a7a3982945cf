/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HTTP_H
#define OFS_HTTP_H

/*
 * HTTP requests.  One thread owns libcurl's multi handle; any thread may ask
 * it for a request and sleeps (ofs_call_sleep) until the answer is in, so all
 * callers share connections, HTTP/2 streams, DNS and TLS sessions.
 *
 * What it takes care of: retries by policy with back-off and Retry-After;
 * redirects by hand (Authorization stays with its origin, https never falls
 * to http); connect, stall and overall deadlines; a limit on everything that
 * is buffered; `Accept-Encoding: identity`, since a transparent gzip would
 * break digests.  What it does not: 401, ranges, meaning of a status.
 *
 * Proxies: from the usual environment (https_proxy, no_proxy, ...), as
 * libcurl documents it, unless cfg.no_proxy.  Thread-safe.
 */

#include "ocirfs/call.h"
#include "ocirfs/httpreq.h"

struct ofs_http;

struct ofs_http_cfg {
    const char *user_agent;        /* "ocirfs/0.1" */
    const char *ca_file;           /* PEM; NULL: the system's trust */
    int64_t connect_timeout_ms;    /* TCP and TLS; 0: 10 s */
    int64_t stall_timeout_ms;      /* no byte in either direction; 0: 30 s */
    unsigned max_host_connections; /* 0: 64 */
    bool no_proxy;                 /* ignore the environment's proxies */
    int max_attempts;              /* of one request; 0: 4 */
};

/* curl_global_init happens here; before any other thread of the program. */
struct ofs_http *ofs_http_new(const struct ofs_http_cfg *cfg,
                              struct ofs_err *err);
/* Make the engine's thread; after daemonising. */
int ofs_http_start(struct ofs_http *h, struct ofs_err *err) OFS_MUST_CHECK;
/* Ends what is under way with -EINTR, joins the thread; then only free. */
void ofs_http_stop(struct ofs_http *h);
void ofs_http_free(struct ofs_http *h);
OFS_DEFINE_AUTO(struct ofs_http, ofs_http_free)

/*
 * Perform one request.  Blocks as `call` allows; the caller holds no lock.
 * 0 when a response arrived whole, whatever its status, after retries for
 * statuses that ask for it (408, 429, 5xx) have been spent; the caller then
 * owns it.  Else a negative errno, `ret` untouched: -ETIMEDOUT (deadline,
 * connect, stall), -EINTR, -EAGAIN, -EFBIG, -EPROTO (TLS or HTTP is broken;
 * certificate), -ECONNREFUSED, -EHOSTUNREACH (name or network), -EIO (reset,
 * short body), -EBADMSG (not a URL; a redirect to where none may go, or too
 * many), -EINVAL (a line break in a header to send), or what the sink or the
 * upload returned.  err->text names host and cause;
 * err->http_status and retry_after_ms are filled where a response came.
 */
int ofs_http_do(struct ofs_http *h, struct ofs_call *call,
                const struct ofs_http_req *req, struct ofs_http_resp *ret,
                struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Uploads whose `read` said -EAGAIN are asked again.  From any thread, under
 * any lock below OFS_RANK_HTTP; does not block.
 */
void ofs_http_upload_more(struct ofs_http *h);

/*
 * Let `ms` pass between two requests.  0; or the call's word, as
 * ofs_call_sleep(); or -EINTR: ofs_http_stop().
 */
int ofs_http_pause(struct ofs_http *h, struct ofs_call *call, int64_t ms,
                   struct ofs_err *err) OFS_MUST_CHECK;

/* HTTP status -> negative errno, 0 for 2xx; the table of the whole program. */
int ofs_http_status_errno(int status);

#endif
