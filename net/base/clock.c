/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

struct civil {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
    int offset_min; /* east of Greenwich */
};

static int64_t system_mono_ms(const struct ofs_clock *clock)
{
    (void)clock;
    return ofs_mono_ms();
}

const struct ofs_clock ofs_system_clock = { .mono_ms = system_mono_ms };

int64_t ofs_mono_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t ofs_wall_s(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec;
}

/*
 * Cursors.  Each of these moves *p beyond what it expects and returns true, or
 * returns false.
 */
static bool skip(const char **p, const char *text)
{
    size_t len = strlen(text);

    if (strncmp(*p, text, len) != 0)
        return false;
    *p += len;
    return true;
}

static bool skip_any(const char **p, const char *set)
{
    if (!**p || !strchr(set, **p))
        return false;
    ++*p;
    return true;
}

static bool number(const char **p, int digits, int *ret)
{
    int n = 0;

    for (int i = 0; i < digits; i++, ++*p) {
        if (**p < '0' || **p > '9')
            return false;
        n = n * 10 + (**p - '0');
    }
    *ret = n;
    return true;
}

static bool word(const char **p, const char *const *words, int *ret_index)
{
    for (int i = 0; words[i]; i++)
        if (skip(p, words[i])) {
            *ret_index = i;
            return true;
        }
    return false;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_civil(const struct civil *c)
{
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    int last;

    if (c->month < 1 || c->month > 12)
        return false;
    last = days[c->month - 1] + (c->month == 2 && is_leap(c->year));
    /* 60: a leap second, which shares its number with the next one. */
    return c->day >= 1 && c->day <= last && c->hour <= 23 && c->minute <= 59 &&
           c->second <= 60;
}

/*
 * Days since 1970-01-01.  Years are counted from March, so that the leap day
 * is the last of its year: 153 days are five months from March on, and 719468
 * days lie between 0000-03-01 and 1970-01-01.
 */
static int64_t days_of(const struct civil *c)
{
    int64_t y = c->month > 2 ? c->year : c->year - 1;
    int64_t m = c->month > 2 ? c->month - 3 : c->month + 9;
    int64_t centuries = y >= 0 ? y / 100 : -1;
    int64_t fours = y >= 0 ? y / 4 : -1;
    int64_t eras = y >= 0 ? y / 400 : -1;

    return y * 365 + fours - centuries + eras + (153 * m + 2) / 5 + c->day - 1 -
           719468;
}

static int64_t seconds_of(const struct civil *c)
{
    return ((days_of(c) * 24 + c->hour) * 60 + c->minute - c->offset_min) * 60 +
           c->second;
}

static bool clock_time(const char **p, struct civil *c)
{
    return number(p, 2, &c->hour) && skip(p, ":") && number(p, 2, &c->minute) &&
           skip(p, ":") && number(p, 2, &c->second);
}

static bool fraction(const char **p)
{
    if (!skip(p, "."))
        return true;
    if (!skip_any(p, "0123456789"))
        return false;
    while (skip_any(p, "0123456789"))
        continue;
    return true;
}

static bool offset(const char **p, struct civil *c)
{
    int hours, minutes, sign = **p == '-' ? -1 : 1;

    if (skip_any(p, "Zz"))
        return true;
    if (!skip_any(p, "+-") || !number(p, 2, &hours) || !skip(p, ":") ||
        !number(p, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    c->offset_min = sign * (hours * 60 + minutes);
    return true;
}

/* "2026-01-05T21:31:40.123+01:00" */
static bool rfc3339(const char *p, struct civil *c)
{
    return number(&p, 4, &c->year) && skip(&p, "-") &&
           number(&p, 2, &c->month) && skip(&p, "-") &&
           number(&p, 2, &c->day) && skip_any(&p, "Tt") && clock_time(&p, c) &&
           fraction(&p) && offset(&p, c) && !*p;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool imf_fixdate(const char *p, struct civil *c)
{
    static const char *const days[] = { "Mon, ", "Tue, ", "Wed, ", "Thu, ",
                                        "Fri, ", "Sat, ", "Sun, ", NULL };
    static const char *const months[] = { " Jan ", " Feb ", " Mar ", " Apr ",
                                          " May ", " Jun ", " Jul ", " Aug ",
                                          " Sep ", " Oct ", " Nov ", " Dec ",
                                          NULL };
    int weekday;

    if (!word(&p, days, &weekday) || !number(&p, 2, &c->day) ||
        !word(&p, months, &c->month))
        return false;
    c->month++;
    return number(&p, 4, &c->year) && skip(&p, " ") && clock_time(&p, c) &&
           skip(&p, " GMT") && !*p;
}

int ofs_time_parse(const char *text, int64_t *ret_s)
{
    struct civil c = { 0 };
    bool digit_first = *text >= '0' && *text <= '9';

    if (!(digit_first ? rfc3339(text, &c) : imf_fixdate(text, &c)) ||
        !is_civil(&c))
        return -EBADMSG;
    *ret_s = seconds_of(&c);
    return 0;
}

const char *ofs_time_format(int64_t s, char text[32])
{
    const time_t at = (time_t)s;
    struct tm tm;

    text[0] = '\0';
    if (gmtime_r(&at, &tm) && tm.tm_year <= 9999 - 1900)
        (void)strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}
