/* SPDX-License-Identifier: Apache-2.0 */
#include "retry.h"

#include "ocirfs/backoff.h"

#include <errno.h>

const struct ofs_retry_policy ofs_retry_default = {
    .max_attempts = 4,
    .base_ms = 200,
    .cap_ms = 5000,
    .wish_cap_ms = 120 * 1000,
};

static bool failure_passes(const struct ofs_attempt *a)
{
    if (a->permanent)
        return false;
    switch (a->code) {
    case -EINTR:  /* the user gave up, or we stop */
    case -EFBIG:  /* it will be as long next time */
    case -ENOMEM: /* do not add to it */
        return false;
    case -ETIMEDOUT:
        /* A silence after the question is as long as the user's patience:
         * whoever waits should hear of it now. */
        return !a->sent;
    default:
        return a->idempotent || !a->sent;
    }
}

static bool worth_trying(const struct ofs_attempt *a)
{
    if (a->delivered)
        return false;
    switch (a->http_status) {
    case 0:
        return failure_passes(a);
    case 408: /* these three say that nothing has been done */
    case 429:
    case 503:
        return true;
    case 500:
    case 502:
    case 504:
        return a->idempotent;
    default:
        return false;
    }
}

int64_t ofs_retry_delay_ms(const struct ofs_retry_policy *p,
                           const struct ofs_attempt *a)
{
    int64_t delay;

    if (a->n >= p->max_attempts || !worth_trying(a))
        return -1;
    delay = ofs_backoff_ms(p->base_ms, p->cap_ms, (unsigned)a->n, a->jitter);
    if (a->retry_after_ms > p->wish_cap_ms)
        return -1;
    if (a->retry_after_ms > delay)
        delay = a->retry_after_ms;
    /* At the deadline there is no time for an answer any more. */
    return delay < a->left_ms ? delay : -1;
}
