/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

#include <errno.h>

enum { FIRST_PAUSE_MS = 5 * 1000, MAX_PAUSE_MS = 5 * 60 * 1000 };

bool ofs_outcome_is_final(int code)
{
    switch (code) {
    case -EACCES:
    case -EPERM:
    case -EROFS:
    case -EINVAL:
    case -EBADMSG:
    case -EFBIG:
    case -EDQUOT:
    case -ENOENT:
    case -ESTALE:
    case -ENOTSUP:
        return true;
    default:
        return false;
    }
}

int64_t ofs_outcome_pause_ms(unsigned n)
{
    int64_t ms = FIRST_PAUSE_MS;

    while (n-- > 0 && ms < MAX_PAUSE_MS)
        ms *= 2;
    return ms < MAX_PAUSE_MS ? ms : MAX_PAUSE_MS;
}
