/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/backoff.h"

#include <sys/random.h>

int64_t ofs_backoff_ms(int64_t base_ms, int64_t cap_ms, unsigned n,
                       double jitter)
{
    int64_t top_ms = base_ms;

    while (n-- > 1 && top_ms < cap_ms)
        top_ms *= 2;
    if (top_ms > cap_ms)
        top_ms = cap_ms;
    return top_ms / 2 + (int64_t)((double)top_ms / 2 * jitter);
}

double ofs_chance(void)
{
    uint32_t bits = 0;

    (void)!getrandom(&bits, sizeof(bits), GRND_NONBLOCK);
    return (double)bits / 4294967296.0;
}
