/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ERR_H
#define OFS_ERR_H

/*
 * What went wrong, for a human and for a policy.  The caller owns the struct,
 * usually on its stack; it holds no pointers, so it is copied with `=` and
 * never freed.  Not thread-safe; one call, one struct.
 *
 * The same vocabulary everywhere: -ENOENT not there, -EACCES not allowed,
 * -EROFS cannot be changed, -EEXIST, -ENOTDIR, -EISDIR, -ETIMEDOUT deadline,
 * -EINTR the user gave up, -EAGAIN would have to wait and may not (call.h),
 * -EBUSY told to come later and out of patience, -EBADMSG the peer or a file
 * broke its format or digest, -EFBIG beyond a limit, -ENOMEM, -EIO the rest.
 */

#include "ocirfs/cleanup.h"

#include <errno.h>
#include <stdint.h>

struct ofs_err {
    int code;               /* negative errno; 0: nothing recorded */
    int http_status;        /* 0: no response arrived */
    int64_t retry_after_ms; /* the server's wish; -1: none given */
    char id[48];            /* word from the peer: "MANIFEST_UNKNOWN" */
    char request_id[64];    /* the peer's id of the request; "": none */
    char text[512];         /* one sentence; never a token or signed URL */
};

/*
 * Record `code` (a negative errno) and a sentence; forgets what was recorded
 * before.  `err` may be NULL.  Control characters in the sentence become '?'.
 * Returns `code`, so that a failure is one statement: return ofs_err_set(...).
 */
int ofs_err_set(struct ofs_err *err, int code, const char *fmt, ...)
    OFS_PRINTF(3, 4);

/* Put "what: " before the sentence already recorded.  Returns `code`. */
int ofs_err_wrap(struct ofs_err *err, int code, const char *what);

/* -ENOMEM with the sentence "no memory for <what>". */
int ofs_err_nomem(struct ofs_err *err, const char *what);

/* `-errno_value` with "<what>: <strerror>"; for failed system calls. */
int ofs_err_errno(struct ofs_err *err, int errno_value, const char *what);

/* For people: the sentence, and the request's id, which the peer's support
 * asks for. */
enum { OFS_ERR_LINE_MAX = sizeof(struct ofs_err) };
const char *ofs_err_line(const struct ofs_err *err, char ret[OFS_ERR_LINE_MAX]);

#endif
