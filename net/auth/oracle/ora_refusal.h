/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_REFUSAL_H
#define OFS_ORA_REFUSAL_H

/*
 * Why a service may not have taken a signature, as far as that shows on our
 * side, and what to do about it.  The service itself says the same words for a
 * wrong key, an ended session and a wrong clock.  Pure.
 *
 * Source: OCI documentation, "Request Signatures": a date that is off by more
 * than five minutes is refused.
 */

#include <stddef.h>
#include <stdint.h>

struct ofs_ora_refusal {
    const char *advice; /* of the kind of principal; ora_principal.h */
    const char *key_id; /* what it signs as; NULL: nothing yet */
    const char *date;   /* the answer's Date; NULL: it has none */
    int64_t now_s;      /* since 1970, by our clock */
};

/* By how many seconds our clock is ahead of `date` (negative: behind), when
 * that is enough to be refused for; else 0. */
int64_t ofs_ora_skew_s(const char *date, int64_t now_s);

/* Cause and next step, a part of a sentence; fits into 160 bytes. */
void ofs_ora_refusal_words(const struct ofs_ora_refusal *r, char *text,
                           size_t size);

#endif
