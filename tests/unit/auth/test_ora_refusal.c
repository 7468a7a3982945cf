/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_refusal.h"

#include "ocirfs/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DATE  "Mon, 05 Jan 2026 21:31:40 GMT"
#define NOW_S 1767648700 /* the same */

static void a_clock_is_wrong_beyond_five_minutes(void **state)
{
    static const struct {
        const char *date;
        int64_t now_s, skew_s;
    } rows[] = {
        { DATE, NOW_S, 0 },          { DATE, NOW_S + 290, 0 },
        { DATE, NOW_S - 290, 0 },    { DATE, NOW_S + 291, 291 },
        { DATE, NOW_S - 600, -600 }, { NULL, NOW_S, 0 },
        { "yesterday", NOW_S, 0 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        assert_int_equal(ofs_ora_skew_s(rows[i].date, rows[i].now_s),
                         rows[i].skew_s);
}

static void cause_and_next_step_are_told(void **state)
{
    static const struct {
        struct ofs_ora_refusal r;
        const char *want;
    } rows[] = {
        { { "advice", NULL, NULL, 0 }, "advice" },
        { { "advice", "ST$a/b", NULL, 0 }, "advice" },
        { { "advice", "t/u/0a:ff", DATE, NOW_S },
          "advice (fingerprint 0a:ff)" },
        { { "advice", "t/u/0a:ff", DATE, NOW_S + 600 },
          "this machine's clock is 10 minutes ahead of OCI's; set it, e.g. "
          "with 'timedatectl set-ntp true'" },
        { { "advice", NULL, DATE, NOW_S - 629 },
          "this machine's clock is 10 minutes behind OCI's; set it, e.g. "
          "with 'timedatectl set-ntp true'" },
        { { "advice", NULL, DATE, NOW_S - 7200 },
          "this machine's clock is 120 minutes behind OCI's; set it, e.g. "
          "with 'timedatectl set-ntp true'" },
        { { "advice", NULL, DATE, NOW_S - 4 * 3600 },
          "this machine's clock is 4 hours behind OCI's; set it, e.g. with "
          "'timedatectl set-ntp true'" },
        { { "advice", NULL, DATE, 0 },
          "this machine's clock is 20459 days behind OCI's; set it, e.g. with "
          "'timedatectl set-ntp true'" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        char text[160];

        ofs_ora_refusal_words(&rows[i].r, text, sizeof(text));
        assert_string_equal(text, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_is_wrong_beyond_five_minutes),
        cmocka_unit_test(cause_and_next_step_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
