/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *what;
    struct reg_evidence e;
    enum reg_verdict verdict;
} rows[] = {
    { "an answer", { 0, false, 1000, 1010, 0 }, REG_ALIVE },
    { "an answer too long", { -EFBIG, true, 1000, 1010, 0 }, REG_ALIVE },
    { "a body that broke off", { -EIO, true, 1000, 1010, 0 }, REG_NOTHING },
    { "time-out in the middle of a body",
      { -ETIMEDOUT, true, 1000, 31000, 0 },
      REG_NOTHING },
    { "refused", { -ECONNREFUSED, false, 1000, 1010, 0 }, REG_GONE },
    { "no such host", { -EHOSTUNREACH, false, 1000, 1010, 0 }, REG_GONE },
    { "bad certificate", { -EPROTO, false, 1000, 1010, 0 }, REG_GONE },
    { "a long time-out", { -ETIMEDOUT, false, 1000, 31000, 0 }, REG_GONE },
    { "just long enough", { -ETIMEDOUT, false, 1000, 4000, 0 }, REG_GONE },
    { "a short time-out", { -ETIMEDOUT, false, 1000, 3999, 0 }, REG_DOUBT },
    { "the user gave up", { -EINTR, false, 1000, 31000, 0 }, REG_NOTHING },
    { "may not wait", { -EAGAIN, false, 1000, 1000, 0 }, REG_NOTHING },
    { "a reset", { -EIO, false, 1000, 1010, 0 }, REG_NOTHING },
    { "no memory", { -ENOMEM, false, 1000, 1010, 0 }, REG_NOTHING },
    { "answered others as it began",
      { -ECONNREFUSED, false, 1000, 1001, 1000 },
      REG_NOTHING },
    { "answered others just now",
      { -ETIMEDOUT, false, 1000, 31000, 30000 },
      REG_NOTHING },
    { "answered others, then silence",
      { -ETIMEDOUT, false, 1000, 31000, 2000 },
      REG_DOUBT },
    { "refused, but answered others",
      { -ECONNREFUSED, false, 1000, 1500, 1400 },
      REG_NOTHING },
};

static void evidence_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (ofs_reg_judge(&rows[i].e) != rows[i].verdict)
            fail_msg("'%s': %d", rows[i].what, ofs_reg_judge(&rows[i].e));
}

static const struct {
    int64_t left;
    bool is_long;
    int64_t share;
} shares[] = {
    { 30000, false, 10000 },
    { 30000, true, 15000 },
    { 4000, false, 2000 },
    { 4000, true, 2000 },
    { 0, false, 0 },
    { OFS_NEVER, false, 10000 },
    { OFS_NEVER, true, OFS_NEVER },
};

static void a_mirror_leaves_time_for_the_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(shares); i++)
        assert_int_equal(
            ofs_reg_mirror_share_ms(shares[i].left, shares[i].is_long),
            shares[i].share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_is_judged),
        cmocka_unit_test(a_mirror_leaves_time_for_the_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
