/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_refusal.h"

#include "ocirfs/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOLERATED_S =
        290, /* of the 300 of the service, less what travelling took */
    MINUTE_S = 60,
    HOUR_S = 3600,
    DAY_S = 86400,
};

int64_t ofs_ora_skew_s(const char *date, int64_t now_s)
{
    int64_t theirs_s, skew_s;

    if (!date || ofs_time_parse(date, &theirs_s) < 0)
        return 0;
    skew_s = now_s - theirs_s;
    return skew_s > TOLERATED_S || skew_s < -TOLERATED_S ? skew_s : 0;
}

static void clock_words(int64_t skew_s, char *text, size_t size)
{
    static const struct {
        int64_t from_s, unit_s;
        const char *name;
    } units[] = { { 3 * DAY_S, DAY_S, "days" },
                  { 3 * HOUR_S, HOUR_S, "hours" },
                  { 0, MINUTE_S, "minutes" } };
    int64_t off_s = llabs(skew_s);
    size_t i = 0;

    while (off_s < units[i].from_s)
        i++;
    (void)snprintf(text, size,
                   "this machine's clock is %lld %s %s OCI's; set it, e.g. "
                   "with 'timedatectl set-ntp true'",
                   (long long)((off_s + units[i].unit_s / 2) / units[i].unit_s),
                   units[i].name, skew_s > 0 ? "ahead of" : "behind");
}

/* Of "<tenancy>/<user>/<fingerprint>", as a console shows it; else NULL. */
static const char *fingerprint_of(const char *key_id)
{
    const char *slash = key_id ? strrchr(key_id, '/') : NULL;

    return slash && strncmp(key_id, "ST$", 3) != 0 ? slash + 1 : NULL;
}

void ofs_ora_refusal_words(const struct ofs_ora_refusal *r, char *text,
                           size_t size)
{
    int64_t skew_s = ofs_ora_skew_s(r->date, r->now_s);
    const char *fingerprint = fingerprint_of(r->key_id);

    if (skew_s != 0)
        clock_words(skew_s, text, size);
    else if (fingerprint)
        (void)snprintf(text, size, "%s (fingerprint %.47s)", r->advice,
                       fingerprint);
    else
        (void)snprintf(text, size, "%s", r->advice);
}
