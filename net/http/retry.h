/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_RETRY_H
#define OFS_RETRY_H

/*
 * Whether a request is worth another attempt, and when.  Pure: no clock, no
 * random numbers, no I/O, so a table can test it.
 */

#include <stdbool.h>
#include <stdint.h>

struct ofs_retry_policy {
    int max_attempts;    /* including the first */
    int64_t base_ms;     /* pause after the first failure, before jitter */
    int64_t cap_ms;      /* longest pause of our own choice */
    int64_t wish_cap_ms; /* longest pause on a server's wish */
};

extern const struct ofs_retry_policy ofs_retry_default;

struct ofs_attempt {
    int n;           /* 1 for the attempt that has just ended */
    int http_status; /* 0: no whole response arrived */
    int code;        /* why not: negative errno */
    bool permanent;  /* no response, and the next would go the same way */
    bool idempotent; /* GET, HEAD, PUT, DELETE, or the caller says so */
    bool sent;       /* the request left this host, in part at least */
    bool delivered;  /* the caller was given a byte of the body */
    int64_t retry_after_ms; /* -1: the server gave no wish */
    int64_t left_ms;        /* until the deadline; OFS_NEVER: none */
    double jitter;          /* [0,1), drawn by the caller */
};

/* Pause before the next attempt, in milliseconds; -1: give up. */
int64_t ofs_retry_delay_ms(const struct ofs_retry_policy *p,
                           const struct ofs_attempt *a);

#endif
