/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HTTPREQ_H
#define OFS_HTTPREQ_H

/*
 * A request and its answer, as ofs_http_do() (http.h) takes and gives them.
 * Plain data; the caller's until it is done with it.
 */

#include "ocirfs/httphdr.h"

#include <sys/types.h>

/*
 * Where a response body goes piece by piece.  Called on the engine's thread:
 * copy, or pwrite to a page-cached file, nothing slower; never call back into
 * ofs_http.  `head` (may be NULL) comes before the first byte, also when none
 * will follow, and may refuse; once for each attempt that is answered with
 * 2xx.  A negative errno ends the transfer and is what ofs_http_do returns.
 *
 * A request whose sink was given a body byte is not repeated by this module:
 * the caller knows where to go on.  Bodies of statuses other than 2xx do not
 * go to the sink but into resp->body.
 */
struct ofs_http_sink {
    int (*head)(void *arg, int status, const struct ofs_headers *headers);
    int (*body)(void *arg, const void *data, size_t len);
    void *arg;
};

/* The size of a body that is still being made. */
#define OFS_UNTIL_END UINT64_MAX

/*
 * Where a request body comes from when it is not in memory.  Called on the
 * engine's thread, as a sink is; begins again at 0 when an attempt is repeated.
 */
struct ofs_http_upload {
    /*
     * Up to `len` bytes at `off`; how many; 0 at the end; -EAGAIN: none yet,
     * ofs_http_upload_more() will tell; another negative errno ends the
     * transfer.  While it waits for its source, silence is no stall.
     */
    ssize_t (*read)(void *arg, void *buf, size_t len, uint64_t off);
    void *arg;
    uint64_t size; /* bytes, or OFS_UNTIL_END */
};

struct ofs_http_req {
    const char *method; /* "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" */
    const char *url;
    /* The origin that named the URL, which is one of ours; NULL: we did.  A
     * URL elsewhere may lead near (nearby.h) only if that origin is near. */
    const char *named_by;
    const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
    const char *authorization;  /* value for url's origin only; NULL: none */
    const void *body;           /* in memory; NULL: none */
    size_t body_len;
    const struct ofs_http_upload *upload; /* instead of body; may be NULL */
    const struct ofs_http_sink *sink;     /* NULL: into resp->body */
    size_t max_body;   /* of resp->body, bytes; 0: 64 KiB; beyond: -EFBIG,
                           but a body that is not of a 2xx is cut there */
    int max_redirects; /* 0: hand a 3xx to the caller; usual: 5 */
    bool no_retry;     /* one attempt; no byte of `upload` is sent twice */
    bool repeatable; /* POST/PATCH that does no harm twice; others by method */
};

struct ofs_http_resp {
    int status;
    struct ofs_headers headers; /* of the last response */
    char *body;     /* owned; NUL-terminated beyond len; NULL when none */
    size_t len;     /* bytes */
    char *url;      /* where the last response came from; owned */
    int n_requests; /* requests that went out, for tests and metrics */
};

/* Empty again; all that it owned is freed. */
void ofs_http_resp_done(struct ofs_http_resp *resp);
#define OFS_AUTORESP OFS_AUTO(ofs_http_resp_done)

/* -EINVAL: a line break in a header, which would add others or requests. */
int ofs_http_req_check(const struct ofs_http_req *req,
                       struct ofs_err *err) OFS_MUST_CHECK;

/* May a request of that method go out twice?  (RFC 9110, 9.2.2) */
bool ofs_http_is_idempotent(const char *method);

#endif
