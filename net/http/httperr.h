/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HTTPERR_H
#define OFS_HTTPERR_H

/*
 * What a failed transfer means: errno, one sentence in plain words, and
 * whether trying again can help.  Pure: tables only.
 */

#include "ocirfs/err.h"

#include <curl/curl.h>
#include <stdbool.h>

/* How a transfer ended. */
enum ofs_transfer_end {
    OFS_END_CURL,    /* by itself; libcurl's word is in rc */
    OFS_END_CONNECT, /* cut: no connection within the time for it */
    OFS_END_STALL,   /* cut: no byte for too long */
    OFS_END_STOP,    /* cut: the engine stops */
    OFS_END_CALLER,  /* cut: the caller gave up */
};

struct ofs_failure {
    const char *host; /* "registry.example" or "127.0.0.1:5000" */
    enum ofs_transfer_end end;
    CURLcode rc;
    int os_errno;       /* of a failed connect; 0: unknown */
    long verify;        /* OpenSSL's verdict on the certificate; 0: fine */
    long connect_code;  /* status of a proxy's answer to CONNECT; 0: none */
    const char *detail; /* libcurl's own words; "" when none */
    const char *peer;   /* address that was tried; "" when unknown */
    int64_t limit_ms;   /* the time-out that passed */
};

/* Records it in `err` and returns the negative errno. */
int ofs_failure_report(const struct ofs_failure *f, struct ofs_err *err);

/* Would the same request fail in the same way at once? */
bool ofs_failure_is_permanent(const struct ofs_failure *f);

#endif
