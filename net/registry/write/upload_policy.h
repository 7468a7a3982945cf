/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_UPLOAD_POLICY_H
#define OFS_UPLOAD_POLICY_H

/*
 * What to do when a request of an upload failed.  Pure: tables test it.
 * Source: OCI distribution-spec v1.1.1, "Pushing blobs";
 * decisions R12 to R14 in net/README.md.
 */

#include "ocirfs/err.h"

#include <stdbool.h>

enum reg_upload_step {
    REG_UP_OPEN,   /* POST: a session */
    REG_UP_WHOLE,  /* PUT with all bytes and the digest */
    REG_UP_PART,   /* PATCH with some bytes */
    REG_UP_COMMIT, /* PUT with the digest alone */
};

enum reg_upload_next {
    REG_UP_FAIL,
    REG_UP_RESUME,  /* ask the session how far it got and go on there */
    REG_UP_RESTART, /* the session is of no use any more */
    REG_UP_SMALLER, /* fewer bytes in one request */
};

/*
 * After a step that ended with `code` < 0.  `why` tells the status (300 or
 * more when the registry refused) and the registry's word.  `patched`: the
 * session's bytes came in several requests, so a wrong digest may be the fault
 * of that.
 */
enum reg_upload_next ofs_reg_upload_next(enum reg_upload_step step, int code,
                                         const struct ofs_err *why,
                                         bool patched);

/* Is the blob there when the step has been done, whatever was heard of it? */
bool ofs_reg_step_commits(enum reg_upload_step step);

/*
 * How long to wait before the n-th try (from 1) in a row that got nowhere,
 * milliseconds; `wish_ms` is Retry-After, -1: none.  -1: give up.
 */
int64_t ofs_reg_upload_pause_ms(unsigned n, int64_t wish_ms);

/* Requests that an upload of `size` bytes may need in all. */
uint64_t ofs_reg_upload_patience(uint64_t size, uint64_t chunk);

/*
 * The length (bytes) to try after a request of `refused` bytes was too large
 * for somebody on the way; `least` is OCI-Chunk-Min-Length.  0: none.
 */
uint64_t ofs_reg_smaller(uint64_t refused, uint64_t least);

#endif
