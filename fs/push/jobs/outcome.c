/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

#include "ocirfs/backoff.h"
#include "ocirfs/errclass.h"

#include <errno.h>

enum { MAX_PAUSE_MS = 5 * 60 * 1000, MAX_ASKED_MS = 60 * 60 * 1000 };

enum ofs_outcome ofs_outcome_of(int code, bool acknowledged)
{
    if (code == -EINTR)
        return acknowledged ? OFS_OUTCOME_RETRY : OFS_OUTCOME_KEPT;
    if (!ofs_err_is(code, OFS_ERR_ANSWER))
        return OFS_OUTCOME_RETRY;
    if (!acknowledged)
        return OFS_OUTCOME_REFUSED;
    return code == -EACCES || code == -EDQUOT ? OFS_OUTCOME_RETRY
                                              : OFS_OUTCOME_KEPT;
}

int64_t ofs_outcome_pause_ms(int64_t first_ms, unsigned n, int64_t asked_ms)
{
    int64_t ms = ofs_backoff_ms(first_ms, MAX_PAUSE_MS, n + 1, /* jitter= */ 1);

    if (asked_ms > MAX_ASKED_MS)
        asked_ms = MAX_ASKED_MS;
    return asked_ms > ms ? asked_ms : ms;
}
