/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/cleanup.h"
#include "ocirfs/clock.h"

#include <errno.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken can be written down by the C library and is read the same. */
static void check_round_trip(int64_t want)
{
    time_t t = want;
    char text[64];
    int64_t got;
    struct tm tm;

    /* Years of four digits, but an offset may lead just beyond them. */
    if (!gmtime_r(&t, &tm) || tm.tm_year < -1901 || tm.tm_year > 8100)
        abort();
    if (tm.tm_year < -1900 || tm.tm_year > 8099)
        return;
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ",
                   tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                   tm.tm_min, tm.tm_sec);
    if (ofs_time_parse(text, &got) < 0 || got != want)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE char *text = strndup((const char *)data, size);
    int64_t s = 0;
    int r;

    if (!text)
        return 0;
    r = ofs_time_parse(text, &s);
    if (r == 0)
        check_round_trip(s);
    else if (r != -EBADMSG)
        abort();
    return 0;
}
